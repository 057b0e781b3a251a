"""The documentation as pages: Markdown to HTML, its links made to fit."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Document:
    """One page of documentation."""

    path: str
    """From the documentation's folder, ``decisions/0001-….html``."""
    title: str
    html: str

    @property
    def folder(self) -> str:
        """The folder it lies in; empty for the documentation's own."""
        return posixpath.dirname(self.path)


def documents(folder: Path, repository: str | None) -> Iterator[Document]:
    """Yield every Markdown file below ``folder`` as a page.

    Args:
        folder: the documentation.
        repository: address that links to other files of the repository begin with; None makes
            text of them.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    for path in sorted(folder.rglob("*.md")):
        own = path.relative_to(folder).as_posix()
        tokens = parser.parse(path.read_text(encoding="utf-8"))
        title = next((t.content for t in tokens if t.type == "inline"), own)
        _fit(tokens, own, folder, repository)
        html = parser.renderer.render(tokens, parser.options, {})
        yield Document(
            path=own.removesuffix(".md") + ".html",
            title=re.sub(r"[`*]", "", title),
            html=_scrolled(html),
        )


def _scrolled(html: str) -> str:
    """Return ``html`` with each table in a box of its own, named by the heading above it."""
    parts = re.split(r"(<h\d[^>]*>.*?</h\d>|<table>)", html)
    above, tables = "", 0
    for number, part in enumerate(parts):
        if part.startswith("<h"):
            above = re.sub(r"<[^>]*>|\"", "", part)
        elif part == "<table>":
            tables += 1
            label = f"Table {tables}, {above}"
            parts[number] = (
                f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{part}'
            )
    return "".join(parts).replace("</table>", "</table></div>")


def _fit(tokens: Sequence[Token], own: str, folder: Path, repository: str | None) -> None:
    """Give headings their anchors, links their addresses on the board, cells a class."""
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(tokens[number + 1].content))
        if token.attrs.pop("style", None) == "text-align:right":  # the policy allows no style
            token.attrSet("class", "number")
        open_tag = "a"
        for inner in token.children or ():
            if inner.type == "link_open":
                target = _target(str(inner.attrGet("href") or ""), own, folder, repository)
                open_tag, inner.attrs = ("a", {"href": target}) if target else ("span", {})
            if inner.type in {"link_open", "link_close"}:
                inner.tag = open_tag


def anchor(heading: str) -> str:
    """Return the id of a heading as GitHub makes it: ``What it learns from`` is its own words."""
    words = re.sub(r"[^\w\s-]", "", heading.strip().lower())
    return re.sub(r"\s", "-", words)


def _target(link: str, own: str, folder: Path, repository: str | None) -> str | None:
    """Return where ``link`` of the document ``own`` leads from its page; None for nowhere."""
    if _SCHEME.match(link):
        return link if link.startswith(("https://", "http://")) else None
    path, hash_, part = link.partition("#")
    if not path:
        return link
    there = posixpath.normpath(posixpath.join(posixpath.dirname(own), path))
    if there.endswith(".md") and not there.startswith("..") and (folder / there).is_file():
        return path.removesuffix(".md") + ".html" + hash_ + part
    if repository is None:
        return None
    inside = posixpath.normpath(posixpath.join("docs", posixpath.dirname(own), path))
    return f"{repository}/blob/main/{inside}{hash_}{part}"
