"""From ToolRet's files to a dataset: one index over the tools of every file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tool_bench.data.read import need
from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError
from tool_bench.progress import report
from tool_bench.query import Query
from tool_bench.task import Files
from tool_bench.tool import Tool

from .documents import tool_of
from .rows import decoded, rows

HEADLINE = "category macro"
_TOOL_COLUMNS = ("id", "documentation")
_QUERY_COLUMNS = ("id", "query", "instruction", "labels", "category")


def build(files: Files, name: str, *, instructions: bool) -> ToolDataset:
    """Build the dataset of ``files``; a file's name says what it holds, its folder of what.

    Args:
        files: ``tools*`` and ``queries*``, parquet or JSON; a query file's folder is its
            sub-dataset.
        name: of the task.
        instructions: whether each query carries its instruction.

    Raises:
        DataError: a row that is not what it must be, named with its file and field.
    """
    tools: dict[str, Tool] = {}
    queries: list[Query] = []
    relevance: dict[str, dict[str, int]] = {}
    categories: dict[str, str] = {}
    ordered = sorted(files.values(), key=lambda path: not path.name.startswith("tools"))
    for done, path in enumerate(ordered):
        report("read files", done, len(ordered))
        if path.name.startswith("tools"):
            _add_tools(tools, path)
            continue
        subset = path.parent.name
        for where, row in rows(path, _QUERY_COLUMNS):
            query = _query(row, subset, path, where, instructions=instructions)
            category = need(row, "category", str, path, where)
            if categories.setdefault(subset, category) != category:
                problem = f"category '{category}' in a sub-dataset of '{categories[subset]}'"
                raise DataError(path, problem, where)
            queries.append(query)
            relevance[query.id] = _golds(row, tools, path, where)
    return ToolDataset(
        name=name,
        tools=tuple(tools.values()),
        queries=tuple(queries),
        relevance=relevance,
        averages=averages(categories),
    )


def averages(categories: dict[str, str]) -> dict[str, dict[str, float]]:
    """Return each category as the mean of its sub-datasets, and the mean of the categories.

    Args:
        categories: sub-dataset -> category.
    """
    members: dict[str, list[str]] = {}
    for subset, category in categories.items():
        members.setdefault(category, []).append(subset)
    found = {c: dict.fromkeys(own, 1 / len(own)) for c, own in members.items()}
    macro = {s: weight / len(found) for own in found.values() for s, weight in own.items()}
    return {HEADLINE: macro, **found}


def _add_tools(tools: dict[str, Tool], path: Path) -> None:
    for where, row in rows(path, _TOOL_COLUMNS):
        id_ = need(row, "id", str, path, where)
        if id_ in tools:
            raise DataError(path, f"tool id '{id_}' occurs twice", where)
        documentation = decoded(row, "documentation", path, where)
        given = row["documentation"]
        tools[id_] = tool_of(id_, documentation, given if isinstance(given, str) else None)


def _query(row: Any, subset: str, path: Path, where: str, *, instructions: bool) -> Query:
    return Query(
        id=need(row, "id", str, path, where),
        text=need(row, "query", str, path, where),
        instruction=need(row, "instruction", str, path, where) if instructions else None,
        kind=subset,
    )


def _golds(row: Any, tools: dict[str, Tool], path: Path, where: str) -> dict[str, int]:
    """Return tool id -> grade; a label below 1 is no gold, and of a repeated one the last counts.

    Upstream's code (``qrels`` in its ``eval.py``) does the same.
    """
    labels = decoded(row, "labels", path, where)
    if not isinstance(labels, list):
        raise DataError(path, f"field 'labels' is {type(labels).__name__}, expected list", where)
    grades: dict[str, int] = {}
    for number, label in enumerate(labels):
        place = f"{where}, label {number}"
        id_ = need(label, "id", str, path, place)
        if id_ not in tools:
            raise DataError(path, f"unknown tool '{id_}'", place)
        grades[id_] = need(label, "relevance", int, path, place)
    golds = {id_: grade for id_, grade in grades.items() if grade >= 1}
    if not golds:
        raise DataError(path, "field 'labels' names no relevant tool", where)
    return golds
