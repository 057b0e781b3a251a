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

from tool_bench.baseline import Baseline
from tool_bench.task import Task

HARNESS_VERSION = 1
"""Raised when a change of the core can move a score or a timing of every cell."""

_DECLARATIONS = {"TASKS", "BASELINES"}


def cell_key(task: Task, baseline: Baseline) -> dict[str, str]:
    """Return what a stored result must equal to be current, part by part."""
    return {
        "harness": str(HARNESS_VERSION),
        "task": task_hash(task),
        "baseline": baseline_hash(baseline),
    }


@cache
def _code_of(function: Callable[..., Any]) -> str:
    while isinstance(function, partial):
        function = function.func
    file = sys.modules[function.__module__].__file__
    if file is None:
        return ""
    path = Path(file)
    text = code_only(path.read_text(encoding="utf-8"))
    if path.name == "__init__.py":  # a folder: its data and its other modules count too
        for other in sorted(p for p in path.parent.rglob("*") if p.is_file() and p != path):
            if other.suffix == ".py":
                text += code_only(other.read_text(encoding="utf-8"))
            elif other.suffix not in {".pyc", ".md"}:
                text += f"{other.name}:{hashlib.sha256(other.read_bytes()).hexdigest()}\n"
    return text


def task_hash(task: Task) -> str:
    """Return a hash of everything that decides the task's data."""
    sources = [[source.path, source.sha256] for source in task.sources]
    return _hash([task.name, task.data_revision, sources, _code_of(task.build)])


def baseline_hash(baseline: Baseline) -> str:
    """Return a hash of everything that decides the method's rankings."""
    return _hash(
        [
            baseline.name,
            baseline.revision,
            baseline.style,
            dict(baseline.settings),
            baseline.uses_examples,
            _code_of(baseline.load),
        ]
    )


def code_only(source: str) -> str:
    """Return ``source`` without comments, docstrings, declarations and blank lines."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and _is_prose(node):
            for row in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[row - 1] = ""
    return "".join(f"{line.rstrip()}\n" for line in lines if line.strip())


def _is_prose(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    if isinstance(node, ast.Assign):
        return any(isinstance(t, ast.Name) and t.id in _DECLARATIONS for t in node.targets)
    return False


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
