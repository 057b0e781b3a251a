"""What a search shows: a line for each experiment that ended, one that moves, and the best."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from tool_bench.cli.common import console, duration

if TYPE_CHECKING:
    from optuna import Study

    from tool_bench.training.autoresearch import Plan
    from tool_bench.training.experiment import Experiment

_SHOWN = 5


class Shown:
    """The display of one search; it looks into the study for what any worker did."""

    def __init__(
        self, errors: Console, study: Study, until: float, update: Callable[[str], None]
    ) -> None:
        """Show on ``errors``; ``update`` replaces the line that moves."""
        from tool_bench.training.experiment import read

        self._errors = errors
        self._study = study
        self._until = until
        self._update = update
        self._seen = {each.number for each in read(study) if _ended(each)}
        self._doing = ""
        self.look()

    def look(self) -> None:
        """Print what ended since the last look."""
        from tool_bench.leaderboard.printed import share
        from tool_bench.training.experiment import best, read

        experiments = read(self._study)
        for each in experiments:
            if _ended(each) and each.number not in self._seen:
                self._seen.add(each.number)
                self._errors.print(_line(each), soft_wrap=True)
        done = sum(each.state == "done" for each in experiments)
        running = sum(each.state == "running" for each in experiments)
        top = best(experiments)
        found = "" if top is None else f", best {share(top.value)}"
        self._doing = f"{done} done, {running} running{found}"
        self._show("")

    def phase(self, phase: str, done: int, total: int) -> None:
        """Show what the running experiment is at."""
        self._show(f": {phase} {done:,} of {total:,}" if total else f": {phase}")

    def ending(self) -> None:
        """Say what Ctrl-C does."""
        text = "ending after the running experiments; Ctrl-C again ends at once"
        self._errors.print(f"[yellow]{text}[/]", soft_wrap=True)

    def _show(self, phase: str) -> None:
        left = duration(max(0.0, self._until - time.time()))
        self._update(escape(f"{self._doing}, {left} left{phase}"))


def _ended(experiment: Experiment) -> bool:
    return experiment.state in {"done", "failed", "interrupted"}


def _line(each: Experiment) -> str:
    from tool_bench.leaderboard.printed import share

    head = f"experiment {each.number}"
    if each.outcome is None:
        return f"[yellow]{head} {each.state}[/] {escape(each.notes.error)}".rstrip()
    over = f" [yellow]over the limit of {', '.join(each.over)}[/]" if each.over else ""
    took = duration(each.outcome.seconds)
    return f"{head}: Hit@1 {share(each.value)}, {each.outcome.p50_ms:.1f} ms, {took}{over}"


def print_best(plan: Plan, experiments: Sequence[Experiment], found: Mapping[str, object]) -> None:
    """Print the best experiments, and where the files of the best one are."""
    from rich.table import Column, Table

    from tool_bench.leaderboard.printed import share
    from tool_bench.training.experiment import ranked
    from tool_bench.training.search_space import differences

    out = console()
    grid = Table(
        Column("experiment", justify="right"),
        Column("Hit@1", justify="right"),
        Column("p50 ms", justify="right", no_wrap=True),
        Column("MB", justify="right"),
        Column("differs from the recipe in", overflow="fold"),
        box=None,
        pad_edge=False,
    )
    for each in ranked(experiments)[:_SHOWN]:
        if each.recipe is None or each.outcome is None:
            continue
        fields = ", ".join(
            f"{field.partition('.')[2] or field} {new}"
            for field, (_, new) in differences(plan.base, each.recipe).items()
        )
        grid.add_row(
            f"{each.number}",
            share(each.value),
            f"{each.outcome.p50_ms:.1f}",
            f"{each.outcome.megabytes:.0f}",
            escape(fields),
        )
    out.print(grid)
    for what in ("recipe", "mined", "model", "notebook"):
        if found[what] is not None:
            out.print(f"{what} {escape(str(found[what]))}", soft_wrap=True)


def print_none(plan: Plan, experiments: Sequence[Experiment]) -> None:
    """Print why there is no best recipe."""
    done = [each for each in experiments if each.outcome is not None]
    why = (
        f"none of {len(done)} experiments is within {plan.limits.p50_ms:g} ms and "
        f"{plan.limits.megabytes:g} MB; --max-ms and --max-mb, under another --name, set others"
        if done
        else "no experiment has ended"
    )
    console().print(f"No best recipe: {why}. Notebook: {escape(str(plan.notebook))}")
