"""What ``tool-bench run --dry-run`` prints: the plan, and what hosted models will cost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from tool_bench.cli.common import console, duration
from tool_bench.errors import ToolBenchError
from tool_bench.retriever import Spent

if TYPE_CHECKING:
    from tool_bench.dataset import ToolDataset
    from tool_bench.plan import Cell
    from tool_bench.task import Task

Expected = Mapping[str, Spent | str]
"""Cell name -> what its methods' service will take, or why that cannot be said."""


def show_plan(cells: Sequence[Cell], *, as_json: bool) -> None:
    """Print what would run and what it takes."""
    expected = expectations(cells)
    if as_json:
        print(json.dumps([_record(cell, expected.get(cell.name)) for cell in cells], indent=1))
        return
    _print_cells(cells)
    if expected:
        _print_expected(cells, expected)


def expectations(cells: Iterable[Cell]) -> Expected:
    """Return what each cell that would pay a service takes of it; cached cells take nothing.

    A cell that lacks only a key is included: what it would cost is worth knowing before. Each
    task's data is read once, and never downloaded.
    """
    datasets: dict[str, ToolDataset | str] = {}
    expected: dict[str, Spent | str] = {}
    for cell in cells:
        if cell.baseline.expected is None or cell.state == "cached":
            continue
        if cell.task.name not in datasets:
            datasets[cell.task.name] = _dataset(cell.task)
        data = datasets[cell.task.name]
        if isinstance(data, str):
            expected[cell.name] = data
            continue
        try:
            expected[cell.name] = cell.baseline.expected(data)
        except ToolBenchError as error:
            expected[cell.name] = str(error)
    return expected


def _dataset(task: Task) -> ToolDataset | str:
    from tool_bench.data.fetch import missing_bytes
    from tool_bench.data.load import load

    if missing_bytes([task]):
        return f"not known before 'tool-bench data pull {task.name}'"
    try:
        return load(task)
    except ToolBenchError as error:
        return str(error)


def _record(cell: Cell, expected: Spent | str | None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "task": cell.task.name,
        "baseline": cell.baseline.name,
        "state": cell.state,
        "note": cell.note,
        "seconds": round(cell.seconds, 1),
    }
    if isinstance(expected, Spent):
        record["expected"] = {
            "input_tokens": expected.input_tokens,
            "output_tokens": expected.output,
            "usd": round(expected.usd, 4),
        }
    elif expected is not None:
        record["expected"] = expected
    return record


def _print_cells(cells: Sequence[Cell]) -> None:
    """Print a row for each cell that can run, and one line for all that share a reason not to."""
    from rich.table import Table

    table = Table("task", "baseline", "state", "time", "note", box=None)
    style = {"cached": "dim", "to run": "bold"}
    for cell in cells:
        if cell.state == "unavailable":
            continue
        table.add_row(
            cell.task.name,
            escape(cell.baseline.name),
            f"[{style[cell.state]}]{cell.state}[/]",
            duration(cell.seconds) if cell.state == "to run" else "",
            escape(cell.note),
        )
    out = console()
    if table.row_count:
        out.print(table)
    print_lacking([cell for cell in cells if cell.state == "unavailable"])
    total = sum(cell.seconds for cell in cells if cell.state == "to run")
    counts = Counter(cell.state for cell in cells)
    out.print(
        f"\n{counts['to run']} to run, about {duration(total)}; {counts['cached']} cached; "
        f"{counts['unavailable']} unavailable."
    )


def print_lacking(cells: Iterable[Cell]) -> None:
    """Print one line for all unavailable cells that share a reason."""
    lacking: dict[str, list[Cell]] = {}
    for cell in cells:
        lacking.setdefault(cell.note, []).append(cell)
    for reason, those in lacking.items():
        tasks = dict.fromkeys(cell.task.name for cell in those)
        methods = dict.fromkeys(cell.baseline.name for cell in those)
        where = f"{', '.join(methods)} on {', '.join(tasks)}"
        console().print(f"[yellow]unavailable[/] {escape(where)}: {escape(reason)}")


def _print_expected(cells: Sequence[Cell], expected: Expected) -> None:
    from rich.table import Table

    out = console()
    out.print("\nHosted models, if no answer is in the cache yet (an estimate):\n")
    table = Table("task", "baseline", box=None)
    for heading in ("tokens in", "out", "USD"):
        table.add_column(heading, justify="right")
    known = [spent for spent in expected.values() if isinstance(spent, Spent)]
    unknown: dict[str, list[str]] = {}
    for cell in cells:
        spent = expected.get(cell.name)
        if isinstance(spent, Spent):
            table.add_row(cell.task.name, escape(cell.baseline.name), *_figures(spent))
        elif spent is not None:
            unknown.setdefault(spent, []).append(cell.name)
    table.add_row("[bold]total", "", *_figures(sum(known, Spent())))
    out.print(table)
    for reason, names in unknown.items():
        out.print(escape(f"\n{', '.join(names)}: {reason}"))


def _figures(spent: Spent) -> tuple[str, str, str]:
    return _millions(spent.input_tokens), _millions(spent.output), f"{spent.usd:,.2f}"


def _millions(tokens: int) -> str:
    return f"{tokens / 1e6:,.2f} M"
