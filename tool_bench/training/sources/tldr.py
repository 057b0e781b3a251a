"""tldr-pages: what people want of a command, in a line each."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from tool_bench.data.lines import json_rows
from tool_bench.data.read import need
from tool_bench.errors import DataError
from tool_bench.task import Files
from tool_bench.tool import Tool
from tool_bench.training.records import TrainingData, pooled
from tool_bench.training.source import TrainingSource

from .pinned import Upstream

_UPSTREAM = Upstream(None, "08e345f42639f67d99282813247ac670dc6e87cb", "cc-by-4.0")
PAGES = _UPSTREAM.file(
    "tldr/tldr_en.jsonl",
    "c4318bbdd5ab5739440ddbb19d7535e52c5f8dfacc2148ddfcd4916c8446ee95",
    3_068_461,
)


def build(files: Files) -> TrainingData:
    """Build one tool a page; pages of one command on several systems are a family.

    Pages that only point to another command are left out. An intent that stands on several pages
    is one pair with several right answers.
    """
    tools: list[Tool] = []
    families: dict[str, list[str]] = defaultdict(list)
    labels: list[tuple[str, str, str]] = []
    for tool, row, where in pages(files[PAGES.path]):
        tools.append(tool)
        families[tool.name].append(tool.id)
        for text in need(row, "intents", list, files[PAGES.path], where):
            if not isinstance(text, str):
                problem = f"field 'intents' holds {text!r}, which is no text"
                raise DataError(files[PAGES.path], problem, where)
            labels.append((text, tool.id, f"{PAGES.path}, {where}"))
    return TrainingData(
        source=SOURCE.name,
        tools=tuple(tools),
        pairs=pooled(labels),
        families={name: tuple(ids) for name, ids in families.items() if len(ids) > 1},
    )


def pages(path: Path) -> list[tuple[Tool, dict[str, Any], str]]:
    """Return (tool, row, place) of every page that is no pointer to another command.

    Raises:
        DataError: a row cannot be read.
    """
    found = []
    for where, row in json_rows(path):
        if need(row, "alias", bool, path, where):
            continue
        page = need(row, "page", str, path, where)
        tool = Tool(
            id=page.removeprefix("pages/").removesuffix(".md").replace(" ", "_"),
            name=need(row, "command", str, path, where),
            description=need(row, "description", str, path, where),
        )
        found.append((tool, row, where))
    return found


SOURCE = TrainingSource(
    name="tldr",
    description="One-line intents, written by people, of the commands that tldr-pages describes.",
    reference="https://github.com/tldr-pages/tldr",
    license="cc-by-4.0",
    build=build,
    sources=(PAGES,),
)
