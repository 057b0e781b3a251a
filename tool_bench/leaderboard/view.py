"""What the page shows, as plain values made from results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tool_bench.baseline import Baseline
from tool_bench.context import carried
from tool_bench.hardware import cores
from tool_bench.leaderboard.printed import Score, describe
from tool_bench.prices import Prices
from tool_bench.pricing import repriced
from tool_bench.ranking import Standing, rank_table
from tool_bench.reported import Checked
from tool_bench.results import Cost, Result, SliceScores
from tool_bench.stats import FEW_CLUSTERS
from tool_bench.store import result_path
from tool_bench.task import Task
from tool_bench.timing import BUSY_CORES

COLUMNS = ("Hit@1", "Hit@5", "Hit@10", "MRR@10", "nDCG@5", "nDCG@10")
SORTED_BY = "nDCG@10"
TITLES = {"global": "All tools", "scoped": "Tools of the right provider"}
SLICE_MEASURES = ("Hit@1", "nDCG@10")

CHECKED: Mapping[Checked, str] = {
    "read": "reported, read in the source",
    "noted": "reported, noted from the source earlier, not checked again",
    "second-hand": "reported, second-hand",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One method in one table."""

    result: Result
    standing: Standing
    scores: Mapping[str, Score]
    """Of the headline."""
    macro: Score
    """Hit@1 as the mean over tools."""
    complete: Score
    """Completeness@10."""
    cost: Cost | None
    """At the prices asked for."""
    tokens: float
    """What a request carries when an agent is given the first ten tools."""
    machine: str
    """Letter of the machine its latency was measured on; empty where all rows share one."""
    busy: bool
    """Whether other processes disturbed its latency."""


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
    title: str
    """What it is among the tables of its task."""
    scope: str
    headline: str
    """The slice or average that the scores are of."""
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
    prices: tuple[tuple[str, str], ...]
    """(price, where it was read) of what the costs stand on."""
    reference: str
    """``method on task`` that latencies are also given in units of; empty where none was timed."""
    counters: tuple[str, ...]
    """What counted the tokens."""
    slices: SliceTable | None


@dataclass(frozen=True, slots=True)
class TaskSection:
    """Everything of one task."""

    name: str
    task: Task | None
    """Its declaration; None for results of a task that is not declared here."""
    tables: tuple[Table, ...]


def sections(
    results: Iterable[Result],
    tasks: Mapping[str, Task],
    folder: Path,
    prices: Prices | None = None,
) -> tuple[TaskSection, ...]:
    """Group ``results`` into tables: tasks in declared order, then others as they come.

    Results made on different data never share a table.

    Args:
        results: what to show.
        tasks: the declared tasks.
        folder: the results folder, with the per-query files that ranks are computed from.
        prices: recompute costs at these; None shows them as stored.

    Raises:
        DataError: a per-query file cannot be read, or does not fit the others of its table.
    """
    by_task: dict[str, list[Result]] = {name: [] for name in tasks}
    for result in results:
        by_task.setdefault(result.task, []).append(result)

    def section(name: str) -> TaskSection:
        task = tasks.get(name)
        return TaskSection(
            name=name, task=task, tables=tuple(_tables(name, task, by_task[name], folder, prices))
        )

    with ThreadPoolExecutor(cores()) as pool:  # ranks are arithmetic on arrays, side by side
        return tuple(pool.map(section, by_task))


def _tables(
    name: str, task: Task | None, results: list[Result], folder: Path, prices: Prices | None
) -> Iterable[Table]:
    """Yield the tables of one task, those of its newest data first."""
    groups: dict[tuple[str, str, str, str], list[Result]] = {}
    for result in results:
        for scope in result.scopes:
            data = result.data
            key = (scope, data.headline, data.revision, data.sha256)
            groups.setdefault(key, []).append(result)

    def newest(group: tuple[tuple[str, str, str, str], list[Result]]) -> tuple[bool, str]:
        (_, _, revision, _), own = group
        current = task is not None and revision == task.data_revision
        return current, max(r.provenance.date for r in own)

    seen: Counter[str] = Counter()
    often = Counter(scope for scope, *_ in groups)
    for (scope, headline, revision, sha256), own in sorted(
        groups.items(), key=newest, reverse=True
    ):
        machines = sorted({describe(r.provenance) for r in own if r.timing})
        letters = dict(zip(machines, "abcdefghijklmnopqrstuvwxyz", strict=False))
        standings = rank_table([_per_query(r, scope, folder) for r in own])
        rows = [_row(r, scope, standings[r.baseline], letters, prices) for r in own]
        rows.sort(key=lambda row: (-row.scores[SORTED_BY].value, row.result.baseline))
        yield Table(
            anchor=f"{name}-{scope}" + (f"-{seen[scope]}" if seen[scope] else ""),
            title=TITLES[scope] + (f", data {revision} ({sha256[:8]})" if often[scope] > 1 else ""),
            scope=scope,
            headline=headline,
            revision=revision,
            counts=own[0].data.counts,
            queries=own[0].scopes[scope].slices["all"].queries,
            rows=tuple(rows),
            several_golds=any(row.complete != row.scores["Hit@10"] for row in rows),
            machines=tuple((letter, text) for text, letter in letters.items()),
            threads=tuple(sorted({t for r in own if (t := r.provenance.threads) and r.timing})),
            prices=tuple(sorted({(c.basis, c.source) for row in rows if (c := row.cost)})),
            reference=_reference(own),
            counters=tuple(sorted({r.scopes[scope].context.counter for r in own})),
            slices=_slices(rows, scope, headline),
        )
        seen[scope] += 1


def newest_tables(sections: Iterable[TaskSection]) -> dict[str, Table]:
    """Return task -> its newest table over the whole catalogue."""
    newest: dict[str, Table] = {}
    for section in sections:
        for table in section.tables:
            if table.scope == "global":
                newest.setdefault(section.name, table)
    return newest


def data_sets(sections: Iterable[TaskSection]) -> dict[str, str]:
    """Return task -> the data set it belongs to; a task that is imported is one by itself."""
    return {
        s.name: s.task.dataset["path"] if s.task and s.task.sources else s.name for s in sections
    }


def _per_query(result: Result, scope: str, folder: Path) -> tuple[str, Path, str]:
    file = result.scopes[scope].per_query
    path = result_path(folder, result.task, result.baseline).parent / file.name
    return result.baseline, path, file.sha256


def _reference(results: Iterable[Result]) -> str:
    timed = (r.timing.reference for r in results if r.timing and r.timing.reference)
    return next((f"{reference.baseline} on {reference.task}" for reference in timed), "")


def _row(
    result: Result,
    scope: str,
    standing: Standing,
    letters: Mapping[str, str],
    prices: Prices | None,
) -> Row:
    slices = result.scopes[scope].slices
    scores, macro = slices[result.data.headline], slices["all"].macro["Hit@1"]
    busy = result.timing.busy_cores if result.timing else None
    marked = result.timing is not None and len(letters) > 1
    return Row(
        result=result,
        standing=standing,
        scores={measure: _score(scores, measure) for measure in COLUMNS},
        macro=Score(macro.value, macro.low, macro.high),
        complete=_score(scores, "Completeness@10"),
        cost=result.cost if prices is None else repriced(result, prices),
        tokens=carried(result, scope, "10"),
        machine=letters.get(describe(result.provenance), "?") if marked else "",
        busy=busy is not None and busy > BUSY_CORES,
    )


def _slices(rows: Sequence[Row], scope: str, headline: str) -> SliceTable | None:
    slices = rows[0].result.scopes[scope].slices
    names = tuple(name for name in slices if name != headline)
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
    few = scores.clusters < FEW_CLUSTERS
    return Score(value=estimate.value, low=estimate.low, high=estimate.high, few=few)


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
            lacking.setdefault("model weights, and the memory given", []).append(named)
        else:
            lacking.setdefault("a run", []).append(baseline.name)
    return tuple((reason, tuple(names)) for reason, names in lacking.items())
