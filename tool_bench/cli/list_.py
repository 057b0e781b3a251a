"""``tool-bench list``: what there is to run."""

from __future__ import annotations

import json
from typing import Any, get_args

from rich.markup import escape
from rich.table import Column, Table

from tool_bench import registry
from tool_bench.baseline import Baseline, Kind
from tool_bench.cli.common import JsonOption, console, examples, warn

EPILOG = examples("list", "list --json")


def list_(as_json: JsonOption = False) -> None:
    """List the tasks and the baselines."""
    tasks, baselines = registry.tasks().values(), registry.baselines().values()
    warn(registry.broken_imports().values())
    if as_json:
        record: dict[str, list[dict[str, Any]]] = {
            "tasks": [
                {
                    "name": task.name,
                    "tools": task.tools,
                    "queries": task.queries,
                    "license": task.license,
                    "data_revision": task.data_revision,
                    "description": task.description,
                }
                for task in tasks
            ],
            "baselines": [
                {
                    "name": baseline.name,
                    "kind": baseline.kind,
                    "parameters": baseline.parameters,
                    "license": baseline.license,
                    "revision": baseline.revision,
                    "needs": _needs(baseline),
                    "uses_examples": baseline.uses_examples,
                    "description": baseline.description,
                }
                for baseline in baselines
            ],
        }
        print(json.dumps(record, indent=1, ensure_ascii=False))
        return
    out = console()
    table = Table("task", _right("tools"), _right("queries"), "licence", "what it is", box=None)
    for task in tasks:
        table.add_row(
            f"[bold]{task.name}[/]",
            f"{task.tools:,}",
            f"{task.queries:,}",
            escape(task.license),
            escape(task.description),
        )
    out.print(table)
    out.print()
    table = Table(
        Column("baseline", overflow="fold"),
        "kind",
        "needs",
        Column("what it is", ratio=1),
        box=None,
    )
    for kind in get_args(Kind):
        for baseline in (b for b in baselines if b.kind == kind):
            first, dot, _ = baseline.description.partition(". ")
            table.add_row(
                f"[bold]{escape(baseline.name)}[/]",
                kind,
                _needs(baseline),
                escape(first + dot.strip()),
            )
    out.print(table)


def _needs(baseline: Baseline) -> str:
    """Return in a word what the install does not bring."""
    if baseline.needs.key:
        return "key"
    return "weights" if baseline.needs.weights else ""


def _right(header: str) -> Any:
    return Column(header, justify="right")
