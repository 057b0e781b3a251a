"""The table over all tasks: one row per method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_bench.leaderboard import printed
from tool_bench.leaderboard.overall import Overall, Place, overall

if TYPE_CHECKING:
    from tool_bench.baseline import Baseline
    from tool_bench.leaderboard.printed import Score
    from tool_bench.leaderboard.scores import Scores
    from tool_bench.leaderboard.view import Row, Table

BOARD = (
    "MockConnectors",
    "MetaTool",
    "MetaToolMulti",
    "ToolBench",
    "ToolRet4",
    "ToolRet4Instruction",
)
"""The tasks that methods are ranked over: those whose data everybody can have, and a laptop can
search. Others are shown beside them."""

SMALL, MEDIUM = 50_000_000, 500_000_000
"""Up to so many parameters a model is small, or medium."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one method."""

    text: str
    sort: float | str | None = None
    """What it is sorted by; None comes last."""
    small: str = ""
    """An interval, or a word beside it."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is."""

    key: str
    group: str
    title: str
    told: str
    """What it says, in a sentence."""
    shown: bool = True
    """Whether it is there before anybody chose columns."""
    number: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One row."""

    name: str
    kind: str
    license: str
    key: bool
    """Whether it needs a key of a paid service."""
    size: str
    """``none``, ``small``, ``medium``, ``large`` or ``unknown``."""
    trained: str
    """Whether training saw tools of these tasks: ``yes``, ``no`` or ``unknown``."""
    place: Place | None
    """None where it lacks a task."""
    missing: tuple[str, ...]
    """The tasks of the ranking that it lacks."""
    machine: str
    """What its latency was measured on; empty where it was not."""
    cells: Mapping[str, Cell]
    """Column's key -> its figure."""


@dataclass(frozen=True, slots=True)
class Home:
    """The table."""

    columns: tuple[Column, ...]
    ranked: tuple[Entry, ...]
    """By score."""
    incomplete: tuple[Entry, ...]
    """By name."""
    overall: Overall
    timed_on: str
    """The task whose latency, cost and tokens are shown: the largest catalogue of the ranking."""
    machines: tuple[str, ...]
    """That those latencies were measured on."""


def home(
    tables: Mapping[str, Table],
    scores: Mapping[str, Scores],
    data_sets: Mapping[str, str],
    baselines: Mapping[str, Baseline],
) -> Home:
    """Make the table.

    Args:
        tables: task -> its newest table in scope ``global``.
        scores: task -> that table's scores.
        data_sets: task -> the data set it belongs to.
        baselines: the declared methods.
    """
    ranked_by = [name for name in BOARD if name in tables] or list(tables)
    ranking = overall({name: scores[name] for name in ranked_by}, data_sets)
    timed_on = max(ranked_by, key=lambda name: tables[name].counts["tools"], default="")
    rows: dict[str, dict[str, Row]] = {}
    for name, table in tables.items():
        for row in table.rows:
            rows.setdefault(row.result.baseline, {})[name] = row
    columns = _columns(ranked_by, tables, timed_on)
    entries = [
        _entry(method, own, ranking, columns, timed_on, baselines.get(method))
        for method, own in sorted(rows.items())
    ]
    timed = tables.get(timed_on)
    order = list(ranking.places)
    return Home(
        columns=columns,
        ranked=tuple(sorted((e for e in entries if e.place), key=lambda e: order.index(e.name))),
        incomplete=tuple(e for e in entries if not e.place),
        overall=ranking,
        timed_on=timed_on,
        machines=tuple(text for _, text in timed.machines) if timed else (),
    )


def _columns(
    ranked_by: Sequence[str], tables: Mapping[str, Table], timed: str
) -> tuple[Column, ...]:
    on = f"on {timed}"
    quality = [
        Column("mean", "quality", "Mean nDCG@10", "mean over data sets, with its 95 % interval"),
        Column("hit1", "quality", "Mean Hit@1", "the same mean of Hit@1"),
    ]
    for name in (*ranked_by, *(n for n in tables if n not in ranked_by)):
        told = f"nDCG@10 on {name}" + ("" if name in ranked_by else ", not part of the mean")
        quality.append(Column(f"task-{name}", "quality", name, told, shown=name in ranked_by))
    return (
        Column("rank", "quality", "Rank", "1 + the number of methods proven better"),
        *quality,
        Column("p50", "latency", "p50, ms", f"median of one query {on}"),
        Column("p95", "latency", "p95, ms", f"95 % of queries {on} are faster", shown=False),
        Column("qps", "latency", "Queries per s", f"100 at a time, {on}", shown=False),
        Column("usd", "cost", "USD per 1,000", f"of 1,000 queries {on}"),
        Column("index-usd", "cost", "Index, USD", f"of indexing the tools of {timed}", shown=False),
        Column("tokens", "tokens", "Context tokens", f"of the tools an agent is given, {on}"),
        Column("parameters", "size", "Parameters", "trained parameters"),
        Column("model", "size", "Model", "files of the models that are loaded", shown=False),
        Column("index", "size", "Index", f"of {timed}", shown=False),
        Column("memory", "size", "Peak memory, MiB", f"of the process, {on}", shown=False),
        Column("license", "terms", "Licence", "of the code or weights", shown=False, number=False),
        Column("evidence", "terms", "Evidence", "how the figures came about", number=False),
    )


def _entry(  # noqa: PLR0913, PLR0917  all that a row is made of
    method: str,
    rows: Mapping[str, Row],
    ranking: Overall,
    columns: Sequence[Column],
    timed_on: str,
    declared: Baseline | None,
) -> Entry:
    place = ranking.places.get(method)
    some = next(iter(rows.values())).result
    timed = rows.get(timed_on)
    cells = {
        "rank": _rank(place),
        "mean": _score(place.score) if place else NONE,
        "hit1": _hit1(rows, ranking.weights),
        **{f"task-{name}": _score(row.scores["nDCG@10"]) for name, row in rows.items()},
        **_timed(timed),
        "parameters": Cell(printed.parameters(some.method.parameters), some.method.parameters),
        **_sizes(timed),
        "license": Cell(some.method.license, some.method.license),
        "evidence": Cell(some.evidence, some.evidence),
    }
    return Entry(
        name=method,
        kind=some.method.kind,
        license=some.method.license,
        key=bool(declared and declared.needs.key),
        size=_size(some.method.parameters),
        trained=_trained(rows),
        place=place,
        missing=tuple(name for name in ranking.weights if name not in rows),
        machine=printed.describe(timed.result.provenance) if timed and timed.result.timing else "",
        cells={column.key: cells.get(column.key, NONE) for column in columns},
    )


NONE, UNKNOWN = Cell("–"), Cell("n/a")


def _rank(place: Place | None) -> Cell:
    if place is None:
        return NONE
    told = f"against the best: p = {printed.probability(place.p)}" if place.p is not None else ""
    return Cell(str(place.rank), place.rank, title=told)


def _hit1(rows: Mapping[str, Row], weights: Mapping[str, float]) -> Cell:
    if any(name not in rows for name in weights):
        return NONE
    mean = sum(share * rows[name].scores["Hit@1"].value for name, share in weights.items())
    return Cell(printed.share(mean), round(mean, 6))


def _score(score: Score) -> Cell:
    return Cell(printed.share(score.value), round(score.value, 6), printed.interval(score))


def _timed(row: Row | None) -> dict[str, Cell]:
    """Return latency, throughput, cost and tokens."""
    if row is None:
        return {}
    timing, cost = row.result.timing, row.cost
    cells = {
        "usd": Cell(printed.dollars(cost.usd_per_1000), cost.usd_per_1000) if cost else UNKNOWN,
        "index-usd": Cell(printed.dollars(cost.index_usd), cost.index_usd) if cost else UNKNOWN,
        "tokens": Cell(printed.count(row.tokens), round(row.tokens)),
    }
    if timing:
        p50, p95 = timing.latency["p50"], timing.latency["p95"]
        mark = f"{printed.span(p50)} {row.machine}{' !' if row.busy else ''}".rstrip()
        busy = "other processes disturbed it" if row.busy else ""
        cells["p50"] = Cell(printed.milliseconds(p50.ms), p50.ms, mark, busy)
        cells["p95"] = Cell(printed.milliseconds(p95.ms), p95.ms, printed.span(p95))
        cells["qps"] = Cell(printed.count(timing.queries_per_s), timing.queries_per_s)
    return cells


def _sizes(row: Row | None) -> dict[str, Cell]:
    """Return the sizes of model and index, and peak memory."""
    footprint = row.result.footprint if row else None
    if footprint is None:
        return {}
    return {
        "model": Cell(printed.size(footprint.model_bytes), footprint.model_bytes),
        "index": Cell(printed.size(footprint.index_bytes), footprint.index_bytes),
        "memory": Cell(printed.count(footprint.peak_memory_mib), footprint.peak_memory_mib),
    }


def _size(parameters: int | None) -> str:
    if parameters is None:
        return "unknown"
    if parameters == 0:
        return "none"
    return "small" if parameters <= SMALL else "medium" if parameters <= MEDIUM else "large"


def _trained(rows: Mapping[str, Row]) -> str:
    seen = [row.result.method.seen_tools for row in rows.values()]
    if any(tools and tools.seen for tools in seen):
        return "yes"
    known = all(seen) or all(row.result.method.parameters == 0 for row in rows.values())
    return "no" if known else "unknown"
