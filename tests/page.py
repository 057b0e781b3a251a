"""A result to put on a page, and a reader that a page must satisfy."""

from __future__ import annotations

import posixpath
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import fakes

from tool_bench.evaluate import evaluate
from tool_bench.results import Result
from tool_bench.task import Task

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Checker(HTMLParser):
    """Collects text, ids and links, and fails on tags that do not close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.inline: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        found = dict(attrs)
        self.ids += [v for k, v in attrs if k == "id" and v]
        self.links += [found["href"] or ""] if tag == "a" else []
        self.sources += [v or "" for k, v in attrs if k == "src" or (tag == "link" and k == "href")]
        self.inline += [f"{tag} {k}" for k in found if k == "style" or k.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in found) else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def result(task: Task = fakes.TASK, **changes: object) -> tuple[Result, dict[str, bytes]]:
    made, files = evaluate(task, fakes.OVERLAP, fakes.dataset(task.name), ["tool_bench"])
    return made.model_copy(update=changes), files


def check(page: Path) -> Checker:
    checker = Checker()
    checker.feed(page.read_text(encoding="utf-8"))
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    assert checker.inline == []
    return checker


def check_board(home: Path) -> dict[str, Checker]:
    """Return every page below a board's home page, by path; all their links lead somewhere."""
    folder = home.parent
    pages = {p.relative_to(folder).as_posix(): check(p) for p in sorted(folder.rglob("*.html"))}
    for name, checker in pages.items():
        for link in [*checker.links, *checker.sources]:
            if link.startswith(("https://", "http://")):
                continue
            path, _, part = link.partition("#")
            there = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(path)))
            target = there if path else name
            assert (folder / target).is_file(), (name, link)
            if part and "=" not in part:
                assert unquote(part) in pages[target].ids, (name, link)
    return pages


def text(home: Path, name: str = "index.html") -> str:
    """Return the words of one page of a board, its white space made even."""
    return " ".join(check(home.parent / name).text.split())
