"""A result to put on a page, and a reader that a page must satisfy."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

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
        self.text = ""
        self.measured = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        found = dict(attrs)
        self.ids += [v for k, v in attrs if k == "id" and v]
        self.links += [found["href"] or ""] if tag == "a" else []
        self.sources += [v or "" for k, v in attrs if k == "src" or (tag == "link" and k == "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        self.measured += data if "reported" not in self.ids else ""


def result(task: Task = fakes.TASK, **changes: object) -> tuple[Result, dict[str, bytes]]:
    made, files = evaluate(task, fakes.OVERLAP, fakes.dataset(task.name), ["tool_bench"])
    return made.model_copy(update=changes), files


def check(page: Path) -> Checker:
    checker = Checker()
    checker.feed(page.read_text(encoding="utf-8"))
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    for link in checker.links:
        assert not link.startswith("#") or link[1:] in checker.ids, link
    return checker
