"""The live display of a run: one bar for the run, one for what the running cell is doing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from tool_bench.cli.common import debugging, duration
from tool_bench.plan import Cell, Outcome
from tool_bench.task import Task

if TYPE_CHECKING:
    from tool_bench.harness import Job

_MARK = {"done": "[green]done[/]", "failed": "[red]failed[/]", "unavailable": "[yellow]n/a[/]"}


def run_watched(
    cells: Sequence[Cell],
    folder: Path,
    *,
    quiet: bool,
    max_usd: float | None = None,
    job: Job | None = None,
) -> list[Outcome]:
    """Run ``cells`` as :func:`~tool_bench.harness.run_cells` does, and show it on standard error.

    With ``--debug`` the traces of those that failed are printed at the end.
    """
    from tool_bench.harness import run_cells

    with LiveWatcher(Console(stderr=True, highlight=False, quiet=quiet), len(cells)) as watcher:
        outcomes = run_cells(cells, folder, watcher, max_usd, job)
    if debugging.get():
        for outcome in outcomes:
            if outcome.trace:
                typer.echo(f"{outcome.cell.name}\n{outcome.trace}", err=True)
    return outcomes


class LiveWatcher:
    """Shows what the harness does; cells that ended scroll up as lines.

    Cells that were not to run are only counted, and a reason that several cells share is printed
    once.
    """

    def __init__(self, console: Console, cells: int) -> None:
        self._console = console
        self._told: dict[str, str] = {}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._all = self._progress.add_task("cells", total=cells, visible=cells > 0)
        self._step = self._progress.add_task("", total=1, visible=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def fetching(self, task: Task, total: int) -> None:
        """Show a bar of the bytes to fetch."""
        self._progress.reset(
            self._step, total=total, description=f"fetch {task.name}, bytes", visible=True
        )

    def fetched(self, size: int) -> None:
        """Move the bar on."""
        self._progress.advance(self._step, size)

    def started(self, cell: Cell) -> None:
        """Show which cell runs."""
        self._progress.update(self._all, description=escape(cell.name))

    def phase(self, phase: str, done: int, total: int) -> None:
        """Show what the cell is doing."""
        self._progress.update(
            self._step, description=f"  {phase}", completed=done, total=total, visible=True
        )

    def finished(self, outcome: Outcome) -> None:
        """Print the cell's line."""
        self._progress.advance(self._all)
        self._progress.update(self._step, visible=False)
        if outcome.cell.state != "to run":  # known before: counted here, told in the summary
            return
        line = f"{_MARK[outcome.end]:<4} {escape(outcome.cell.name)}"
        if outcome.end == "done":
            line += f"  [dim]{outcome.message}  {duration(outcome.seconds)}[/]"
        elif outcome.message not in self._told:
            self._told[outcome.message] = outcome.cell.name
            line += f": {escape(outcome.message)}"
        else:
            line += f": [dim]as {escape(self._told[outcome.message])}[/]"
        self._console.print(line, soft_wrap=True)
