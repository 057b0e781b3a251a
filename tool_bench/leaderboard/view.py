"""What the page shows, as plain values made from results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tool_bench.results import Hardware, Result, SliceScores
from tool_bench.task import Task

COLUMNS = ("Hit@1", "Hit@5", "Hit@10", "MRR@10", "nDCG@5", "nDCG@10")
SORTED_BY = "nDCG@10"
SLICE_MEASURES = ("Hit@1", "nDCG@10")


@dataclass(frozen=True, slots=True)
class Score:
    """A mean in percent points of one, and its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One method in one table."""

    result: Result
    scores: Mapping[str, Score]
    macro: float
    """Hit@1 as the mean over tools."""
    machine: str
    """Letter of the machine its latency was measured on; empty where all rows share one."""


@dataclass(frozen=True, slots=True)
class SliceTable:
    """The scores of each kind of query: one row per method."""

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
    tools: int
    queries: int
    rows: tuple[Row, ...]
    machines: tuple[tuple[str, str], ...]
    """(letter, description) of each machine."""
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
        machines = {describe(r.provenance.hardware) for r in own}
        letters = dict(zip(sorted(machines), "abcdefghijklmnopqrstuvwxyz", strict=False))
        rows = [_row(r, scope, letters) for r in own]
        rows.sort(key=lambda row: (-row.scores[SORTED_BY].value, row.result.baseline))
        yield Table(
            anchor=f"{task}-{scope}" + (f"-{number}" if number else ""),
            scope=scope,
            revision=revision,
            tools=own[0].data.tools,
            queries=own[0].scopes[scope].slices["all"].queries,
            rows=tuple(rows),
            machines=tuple((letter, text) for text, letter in letters.items()),
            slices=_slices(rows, scope),
        )


def _row(result: Result, scope: str, letters: Mapping[str, str]) -> Row:
    scores = result.scopes[scope].slices["all"]
    machine = letters.get(describe(result.provenance.hardware), "?")
    return Row(
        result=result,
        scores={measure: _score(scores, measure) for measure in COLUMNS},
        macro=scores.measures["Hit@1"].macro,
        machine=machine if len(letters) > 1 else "",
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
    estimate = scores.measures[measure]
    return Score(value=estimate.value, low=estimate.low, high=estimate.high)


def describe(hardware: Hardware) -> str:
    """Return a machine in one line."""
    accelerator = f", {hardware.accelerator}" if hardware.accelerator else ""
    return f"{hardware.cpu}, {hardware.cores} cores, {hardware.memory_gib} GiB{accelerator}"


def share(value: float) -> str:
    """Return a score as a share of one with three digits: ``.547``, ``1.000``."""
    return f"{value:.3f}".removeprefix("0")


def milliseconds(value: float) -> str:
    """Return a latency with two significant digits, or more where it has whole milliseconds."""
    return max(f"{value:.2g}", f"{value:.0f}", key=len) if value >= 1 else f"{value:.2g}"


def parameters(value: int | None) -> str:
    """Return a number of parameters as people say it: ``22.7 M``; ``n/a`` where unknown."""
    if value is None:
        return "n/a"
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return str(value)


def dollars(value: float) -> str:
    """Return an amount of US dollars with two significant digits and no exponent."""
    if value == 0:
        return "0"
    digits = 2
    text = f"{value:.{digits}g}"
    if "e" in text:
        exponent = int(text.split("e")[1])
        text = f"{value:.{digits - 1 - exponent}f}"
    return text
