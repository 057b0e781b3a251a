"""Tells whether a stored result was made by today's code and data.

A cell's key covers the task's pinned files and the code that reads them, and the method's settings
and code. Comments, docstrings and descriptions are left out, so that prose can be mended without
running anything again. The core is covered by :data:`HARNESS_VERSION` alone.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import sys
import tokenize
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from tool_bench import memo, registry
from tool_bench.baseline import Baseline
from tool_bench.task import Task

HARNESS_VERSION = 5
"""Raised when a change of the core can move a score or a timing of any cell."""

_DECLARATIONS = {"TASKS", "BASELINES"}


def cell_key(task: Task, baseline: Baseline) -> dict[str, str]:
    """Return what a stored result must equal to be current, part by part."""
    return key_of(task_hash(task), baseline_hash(baseline))


def key_of(task: str, baseline: str) -> dict[str, str]:
    """Return the key of a cell, from the hashes of its task and its method."""
    return {"harness": str(HARNESS_VERSION), "task": task, "baseline": baseline}


def _code_of(function: Callable[..., Any]) -> list[Any]:
    """Return what ``function`` is: its name, the arguments bound to it, and its file or folder."""
    bound: list[Any] = []
    while isinstance(function, partial):
        bound = [list(map(str, function.args)), sorted(map(str, function.keywords.items())), bound]
        function = function.func
    return [function.__qualname__, bound, _content(function.__module__)]


@cache
def _content(module: str) -> str:
    """Return the code and data of a plugin's file or folder, or of another module's file."""
    package, _, rest = module.partition(".")
    folder, _, plugin = rest.partition(".")
    if package == "tool_bench" and folder in {"tasks", "baselines"}:
        module = f"{package}.{folder}.{plugin.split('.')[0]}"
    file = sys.modules[module].__file__
    if file is None:
        return ""
    path = Path(file)
    if path.name != "__init__.py":
        return memo.of_file(path, _content_of_file)
    return "".join(
        f"{p.relative_to(path.parent).as_posix()}\n{memo.of_file(p, _content_of_file)}"
        for p in sorted(path.parent.rglob("*"))
        if p.is_file() and p.suffix not in {".pyc", ".md"} and not _is_stray(p.name)
    )


def _is_stray(name: str) -> bool:
    """Tell whether a file is an editor's or a system's, not the plugin's."""
    return name.startswith(".") or name.endswith("~")


def _content_of_file(path: Path) -> str:
    if path.suffix == ".py":
        return code_only(path.read_text(encoding="utf-8"))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def task_hash(task: Task) -> str:
    """Return a hash of everything that decides the task's data and what is made of it."""
    sources = [[source.path, source.sha256] for source in task.sources]
    return _hash([task.name, task.data_revision, sources, task.headline, _code_of(task.build)])


def baseline_hash(baseline: Baseline) -> str:
    """Return a hash of everything that decides the method's rankings and their figures."""
    return _hash(
        [
            baseline.name,
            baseline.revision,
            baseline.style,
            baseline.precision,
            dict(baseline.settings),
            baseline.uses_examples,
            baseline.whole_catalogue,
            baseline.may_rank_fewer,
            _code_of(baseline.load),
            *(baseline_hash(part) for part in registry.pick_baselines(baseline.parts)),
        ]
    )


def code_only(source: str) -> str:
    """Return ``source`` without comments, docstrings, declarations and blank lines."""
    nodes = list(ast.walk(ast.parse(source)))
    texts = [node for node in nodes if isinstance(node, ast.Constant | ast.JoinedStr)]
    inside_text = {
        row for node in texts for row in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines: list[str | None] = list(source.splitlines())
    for row, column in _comments(source, texts):
        lines[row - 1] = (lines[row - 1] or "")[:column].rstrip()
    for node in nodes:
        if isinstance(node, ast.stmt) and _is_prose(node):
            for row in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[row - 1] = None
    return "".join(
        f"{line}\n"
        for row, line in enumerate(lines, start=1)
        if line is not None and (line.strip() or row in inside_text)
    )


def _comments(source: str, texts: list[ast.Constant | ast.JoinedStr]) -> list[tuple[int, int]]:
    """Return (row, column) of each comment.

    A ``#`` outside every text begins one. Only where that leaves a doubt (text of several rows, or
    letters beyond ASCII, of which the tree counts the bytes) is the slow tokenizer asked.
    """
    several_rows = {
        row
        for node in texts
        if node.end_lineno != node.lineno
        for row in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    spans: dict[int, list[tuple[int, int]]] = {}
    for node in texts:
        spans.setdefault(node.lineno, []).append((node.col_offset, node.end_col_offset or 0))
    found = []
    for row, line in enumerate(source.splitlines(), start=1):
        if "#" not in line:
            continue
        if row in several_rows or not line.isascii():
            tokens = tokenize.generate_tokens(io.StringIO(source).readline)
            return [token.start for token in tokens if token.type == tokenize.COMMENT]
        for column, letter in enumerate(line):
            if letter == "#" and not any(a <= column < b for a, b in spans.get(row, ())):
                found.append((row, column))
                break
    return found


def _is_prose(node: ast.stmt) -> bool:
    """Tell whether ``node`` is a string that stands alone, or a declaration."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    if isinstance(node, ast.Assign):
        made = node.value.func if isinstance(node.value, ast.Call) else None
        if isinstance(made, ast.Name) and made.id in {"Baseline", "Task"}:
            return True  # a declaration that others are made from
        return any(isinstance(t, ast.Name) and t.id in _DECLARATIONS for t in node.targets)
    return False


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
