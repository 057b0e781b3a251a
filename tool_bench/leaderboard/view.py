"""What the page shows, as plain values made from results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tool_bench.baseline import Baseline
from tool_bench.reported import Checked, ReportedTable
from tool_bench.results import Estimate, Provenance, Result, SliceScores
from tool_bench.task import Task

COLUMNS = ("Hit@1", "Hit@5", "Hit@10", "MRR@10", "nDCG@5", "nDCG@10")
SORTED_BY = "nDCG@10"
SLICE_MEASURES = ("Hit@1", "nDCG@10")

CHECKED: Mapping[Checked, str] = {
    "read": "reported, read in the source",
    "noted": "reported, noted from the source earlier, not checked again",
    "second-hand": "reported, second-hand",
}

_WHOLE_MS = 10


@dataclass(frozen=True, slots=True)
class Score:
    """A mean as a share of one, and its interval where it has one."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One method in one table."""

    result: Result
    scores: Mapping[str, Score]
    macro: Score
    """Hit@1 as the mean over tools."""
    complete: Score
    """Completeness@10."""
    machine: str
    """Letter of the machine its latency was measured on; empty where all rows share one."""


@dataclass(frozen=True, slots=True)
class SliceTable:
    """The scores of each slice of the queries: one row per method."""

    names: tuple[str, ...]
    queries: tuple[int, ...]
    rows: tuple[tuple[str, Mapping[str, tuple[Score, ...]]], ...]
    """(method, measure -> one score per slice)."""


@dataclass(frozen=True, slots=True)
class Table:
    """The methods that ran on the same data in the same scope."""

    anchor: str
    scope: str
    revision: str
    counts: Mapping[str, int]
    queries: int
    rows: tuple[Row, ...]
    several_golds: bool
    """Whether some query has several right tools, so that completeness differs from Hit@10."""
    machines: tuple[tuple[str, str], ...]
    """(letter, description) of each machine."""
    threads: tuple[int, ...]
    """Numbers of threads torch used, over the methods that need it."""
    prices: tuple[str, ...]
    """What the costs stand on."""
    slices: SliceTable | None


@dataclass(frozen=True, slots=True)
class TaskSection:
    """Everything of one task."""

    name: str
    task: Task | None
    """Its declaration; None for results of a task that is not declared here."""
    tables: tuple[Table, ...]


def sections(results: Iterable[Result], tasks: Mapping[str, Task]) -> tuple[TaskSection, ...]:
    """Group ``results`` into tables: tasks in declared order, then others by name.

    Results made on different data never share a table.
    """
    by_task: dict[str, list[Result]] = {name: [] for name in tasks}
    for result in results:
        by_task.setdefault(result.task, []).append(result)
    return tuple(
        TaskSection(name=name, task=tasks.get(name), tables=tuple(_tables(name, own)))
        for name, own in by_task.items()
    )


def _tables(task: str, results: list[Result]) -> Iterable[Table]:
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        for scope in result.scopes:
            key = (scope, result.data.revision, result.data.sha256)
            groups.setdefault(key, []).append(result)
    for number, ((scope, revision, _), own) in enumerate(groups.items()):
        machines = sorted({describe(r.provenance) for r in own if r.timing})
        letters = dict(zip(machines, "abcdefghijklmnopqrstuvwxyz", strict=False))
        rows = [_row(r, scope, letters) for r in own]
        rows.sort(key=lambda row: (-row.scores[SORTED_BY].value, row.result.baseline))
        yield Table(
            anchor=f"{task}-{scope}" + (f"-{number}" if number else ""),
            scope=scope,
            revision=revision,
            counts=own[0].data.counts,
            queries=own[0].scopes[scope].slices["all"].queries,
            rows=tuple(rows),
            several_golds=any(row.complete != row.scores["Hit@10"] for row in rows),
            machines=tuple((letter, text) for text, letter in letters.items()),
            threads=tuple(sorted({t for r in own if (t := r.provenance.threads) and r.timing})),
            prices=tuple(sorted({r.cost.basis for r in own if r.cost})),
            slices=_slices(rows, scope),
        )


def _row(result: Result, scope: str, letters: Mapping[str, str]) -> Row:
    scores = result.scopes[scope].slices["all"]
    marked = result.timing is not None and len(letters) > 1
    return Row(
        result=result,
        scores={measure: _score(scores, measure) for measure in COLUMNS},
        macro=_as_score(scores.macro["Hit@1"]),
        complete=_score(scores, "Completeness@10"),
        machine=letters.get(describe(result.provenance), "?") if marked else "",
    )


def _slices(rows: Iterable[Row], scope: str) -> SliceTable | None:
    rows = list(rows)
    slices = rows[0].result.scopes[scope].slices
    names = tuple(name for name in slices if name != "all")
    if not names:
        return None
    return SliceTable(
        names=names,
        queries=tuple(slices[name].queries for name in names),
        rows=tuple(
            (
                row.result.baseline,
                {
                    measure: tuple(
                        _score(row.result.scopes[scope].slices[name], measure) for name in names
                    )
                    for measure in SLICE_MEASURES
                },
            )
            for row in rows
        ),
    )


def _score(scores: SliceScores, measure: str) -> Score:
    return _as_score(scores.measures[measure])


def _as_score(estimate: Estimate) -> Score:
    return Score(value=estimate.value, low=estimate.low, high=estimate.high)


def describe(provenance: Provenance) -> str:
    """Return the machine in one line."""
    machine = provenance.hardware
    parts = [machine.cpu, f"{machine.cores} core{'' if machine.cores == 1 else 's'}"]
    parts += [f"{machine.memory_gib:g} GiB", *filter(None, [machine.accelerator])]
    return ", ".join(parts)


def caption(table: ReportedTable) -> str:
    """Return what a reported table is about: task, setting and sizes, as far as they are known."""
    parts = [table.task, *filter(None, [table.setting])]
    parts += [f"{table.tools:,} tools"] if table.tools else []
    parts += [f"{table.queries:,} queries"] if table.queries else []
    return ", ".join(parts)


def second_hand(table: ReportedTable) -> str | None:
    """Return who says that the source gives these figures; None where it was read itself."""
    return f"According to {table.via}." if table.via else None


def unmeasured(
    results: Iterable[Result], baselines: Iterable[Baseline]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what methods without any result lack here -> their names."""
    measured = {result.baseline for result in results}
    lacking: dict[str, list[str]] = {}
    for baseline in (b for b in baselines if b.name not in measured):
        needs = baseline.needs
        if needs.key:
            lacking.setdefault(f"a key in {needs.key}, and money", []).append(baseline.name)
        elif needs.weights:
            named = f"{baseline.name} ({needs.memory_gib:g} GiB)"
            lacking.setdefault("weights, and so much memory", []).append(named)
        else:
            lacking.setdefault("a run", []).append(baseline.name)
    return tuple((reason, tuple(names)) for reason, names in lacking.items())


def share(value: float | None) -> str:
    """Return a score as a share of one with three digits: ``.547``, ``1.000``."""
    return "n/a" if value is None else f"{value:.3f}".removeprefix("0")


def interval(score: Score) -> str:
    """Return the interval of a score: ``.486–.613``; empty where it has none."""
    return "" if score.low is None else f"{share(score.low)}–{share(score.high)}"


def margin(score: Score) -> str:
    """Return half the width of a score's interval: ``±.064``; empty where it has none."""
    if score.low is None or score.high is None:
        return ""
    return f"±{share((score.high - score.low) / 2)}"


def milliseconds(value: float) -> str:
    """Return a latency with two significant digits, or whole milliseconds from 10 on."""
    return f"{value:.0f}" if float(f"{value:.2g}") >= _WHOLE_MS else f"{value:.2g}"


def parameters(value: int | None) -> str:
    """Return a number of parameters as people say it: ``22.7 M``; ``n/a`` where unknown."""
    if value is None:
        return "n/a"
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if round(value / size, 2) >= 1:
            return f"{value / size:.3g} {unit}"
    return str(value)


def dollars(value: float) -> str:
    """Return an amount of US dollars with two significant digits and no exponent."""
    if value == 0:
        return "0"
    decimals = 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):.{max(decimals, 0)}f}"
