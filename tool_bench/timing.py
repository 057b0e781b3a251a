"""Latency: one query at a time, warm, encode and search and top-k together.

A method and the reference are timed in turn, a round of one and a round of the other: what the
machine does meanwhile, a neighbour on the same processor above all, then meets both alike.
"""

from __future__ import annotations

import gc
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tool_bench.encoder import seconds_encoding, without_cache
from tool_bench.hardware import cpu_seconds_elsewhere
from tool_bench.progress import report
from tool_bench.query import Query
from tool_bench.results import Quantile, Ratio, Reference, Timing
from tool_bench.stats import LEVEL, SEED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE = 200
WARM_UP, WARM_UP_SECONDS, WARM_UP_LIMIT = 10, 0.3, 2_000
"""Uncounted calls before the first counted one: so many, for so long, but no more than so many."""
ROUNDS = 10
"""The sample is cut into so many parts, which are timed in turn with the reference's."""
ROUND_SECONDS, PASSES = 0.1, 100
"""A fast method goes over a part again until it has taken so long, at most so many times."""
SECONDS_LIMIT = 30.0
BUSY_CORES = 0.25
"""From so many cores' worth of other work on, latencies are marked as disturbed."""
LEAST = 20
"""Queries timed even when the limit has passed."""

_RESAMPLES = 1_000
_DIGITS = 6

SearchOne = Callable[[Query], object]
Subject = tuple[SearchOne, Sequence[Query]]
"""What is timed, and the queries to time it with."""
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Timed:
    """How long single queries took."""

    seconds: NDArray[np.float64]
    """Whole searches, shape (queries, passes)."""
    encoding: NDArray[np.float64]
    """The part inside encoders, shape (queries, passes)."""
    round: NDArray[np.intp]
    """The round each query was timed in, shape (queries,)."""
    busy_cores: float | None
    """Cores' worth of work that other processes did meanwhile; None where not known."""

    @property
    def p50(self) -> float:
        """The median, in seconds."""
        return _quantile(self.seconds, 0.5)


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds of what comes before single queries."""

    load_s: float
    index_s: float
    index_encode_s: float
    queries_per_s: float | None


def sample(queries: Sequence[Query], n: int) -> list[Query]:
    """Return a fixed random choice of at most ``n`` queries."""
    return sorted(queries, key=lambda q: hashlib.sha256(q.id.encode()).digest())[:n]


def measured(subjects: Sequence[Subject], clock: Clock = time.perf_counter) -> list[Timed]:
    """Time each of ``subjects`` on a sample of its queries, one query after the other.

    Nothing is read from the vector cache, and no garbage is collected meanwhile. After a warm-up,
    :data:`ROUNDS` rounds follow: in each, every subject answers the next part of its sample, a
    fast one again and again until :data:`ROUND_SECONDS` have passed, since a fraction of a second
    would measure what the machine did in it. A slow one stops within a part when it has had its
    share of :data:`SECONDS_LIMIT`, but not before its share of :data:`LEAST` queries.
    """
    samples = [sample(queries, SAMPLE) for _, queries in subjects]
    series = [_Series() for _ in subjects]
    with without_cache(), _no_garbage_collection():
        for (search_one, _), chosen in zip(subjects, samples, strict=True):
            _warm_up(search_one, chosen, clock)
        before, began = cpu_seconds_elsewhere(), time.perf_counter()
        for number in range(ROUNDS):
            report("time queries", number, ROUNDS)
            for (search_one, _), chosen, own in zip(subjects, samples, series, strict=True):
                own.time_part(search_one, chosen[number::ROUNDS], number, clock)
        after, ended = cpu_seconds_elsewhere(), time.perf_counter()
    busy = None if before is None or after is None else max(after - before, 0) / (ended - began)
    return [own.timed(busy) for own in series]


def as_measured(seconds: Sequence[float]) -> Timed:
    """Return seconds that a service took, one for each query."""
    import numpy as np

    column = np.array(seconds)[:, None]
    return Timed(column, np.zeros_like(column), np.arange(len(column)) % ROUNDS, None)


def _warm_up(search_one: SearchOne, chosen: Sequence[Query], clock: Clock) -> None:
    began = clock()
    for number in range(WARM_UP_LIMIT):
        if number >= WARM_UP and clock() - began >= WARM_UP_SECONDS:
            return
        search_one(chosen[number % len(chosen)])


class _Series:
    """What one subject has taken so far."""

    def __init__(self) -> None:
        self._rows: list[list[tuple[float, float]]] = []  # per query and pass: whole, encoding
        self._rounds: list[int] = []
        self._passes: int | None = None

    def time_part(
        self, search_one: SearchOne, part: Sequence[Query], number: int, clock: Clock
    ) -> None:
        began = clock()
        rows: list[list[tuple[float, float]]] = []
        for query in part:
            if len(rows) >= LEAST // ROUNDS and clock() - began > SECONDS_LIMIT / ROUNDS:
                break
            rows.append([_timed_once(search_one, query, clock)])
        if self._passes is None and rows:  # the same for all queries, so that all count the same
            took = max(sum(whole for ((whole, _),) in rows), ROUND_SECONDS / PASSES)
            self._passes = math.ceil(ROUND_SECONDS / took)
        for _ in range(1, self._passes or 1):
            for row, query in zip(rows, part, strict=False):  # fewer rows where time ran out
                row.append(_timed_once(search_one, query, clock))
        self._rows += rows
        self._rounds += [number] * len(rows)

    def timed(self, busy_cores: float | None) -> Timed:
        import numpy as np

        table = np.array(self._rows)  # (queries, passes, 2)
        return Timed(table[:, :, 0], table[:, :, 1], np.array(self._rounds), busy_cores)


def _timed_once(search_one: SearchOne, query: Query, clock: Clock) -> tuple[float, float]:
    encoded, start = seconds_encoding(), clock()
    search_one(query)
    return clock() - start, seconds_encoding() - encoded


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def record(phases: Phases, timed: Timed, reference: Reference | None) -> Timing:
    """Return the timing of a cell."""
    split = bool(timed.encoding.any())
    p50, p95, p99 = _as_quantiles(timed, timed.seconds, (0.5, 0.95, 0.99))
    return Timing(
        load_s=round(phases.load_s, 3),
        index_s=round(phases.index_s, _DIGITS),
        index_encode_s=round(phases.index_encode_s, 3) if phases.index_encode_s else None,
        queries_per_s=phases.queries_per_s,
        latency={"p50": p50, "p95": p95, "p99": p99},
        latency_mean_ms=round(float(timed.seconds.mean()) * 1_000, _DIGITS),
        latency_queries=timed.seconds.shape[0],
        latency_samples=timed.seconds.size,
        encode=_as_quantiles(timed, timed.encoding, (0.5,))[0] if split else None,
        search=_as_quantiles(timed, timed.seconds - timed.encoding, (0.5,))[0] if split else None,
        busy_cores=None if timed.busy_cores is None else round(timed.busy_cores, 2),
        reference=reference,
    )


def compared(timed: Timed, reference: Timed, task: str, baseline: str) -> Reference:
    """Return how long ``timed`` took in units of ``reference``, which is ``baseline`` on ``task``.

    The interval is that of the ratio of two medians: both are resampled, in the same rounds.
    """
    own, other = _resampled([timed, reference], (0.5,))[:, :, 0].T
    low, high = _ends(own / other)
    return Reference(
        task=task,
        baseline=baseline,
        p50=_as_quantiles(reference, reference.seconds, (0.5,))[0],
        ratio=Ratio(
            value=_round(timed.p50 / reference.p50),
            low=_round(low),
            high=_round(high),
        ),
    )


def _as_quantiles(
    timed: Timed, seconds: NDArray[np.float64], quantiles: Sequence[float]
) -> list[Quantile]:
    """Return quantiles of ``seconds``, which were taken with ``timed``.

    The upper end is None where even the largest of so many queries is no bound: where they all lie
    below the quantile too often by chance (with 200 queries, for p99).
    """
    draws = _resampled([replace(timed, seconds=seconds)], quantiles)[:, 0] * 1_000
    found = []
    for column, quantile in enumerate(quantiles):
        low, high = _ends(draws[:, column])
        bounded = quantile ** len(seconds) <= (1 - LEVEL) / 2
        value = _quantile(seconds, quantile) * 1_000
        found.append(
            Quantile(
                ms=round(value, _DIGITS),
                low=round(low, _DIGITS),
                high=round(high, _DIGITS) if bounded else None,
            )
        )
    return found


def _resampled(series: Sequence[Timed], quantiles: Sequence[float]) -> NDArray[np.float64]:
    """Return quantiles of resamples, shape (resamples, series, quantiles).

    Rounds are resampled, the same for every series, and then the queries of each, with all their
    passes: neither the same query nor the same moment again is new evidence.
    """
    import numpy as np

    rng = np.random.default_rng(SEED)
    parts = [_parts(timed) for timed in series]
    rounds = sorted(set.intersection(*(set(own) for own in parts)))
    drawn = np.empty((_RESAMPLES, len(series), len(quantiles)))
    for draw in range(_RESAMPLES):
        chosen = rng.choice(rounds, len(rounds))
        for number, (timed, own) in enumerate(zip(series, parts, strict=True)):
            rows = np.concatenate([rng.choice(own[r], len(own[r])) for r in chosen])
            drawn[draw, number] = np.quantile(timed.seconds[rows], quantiles)
    return drawn


def _parts(timed: Timed) -> dict[int, NDArray[np.intp]]:
    """Return round -> rows of the queries that were timed in it."""
    import numpy as np

    return {int(r): np.flatnonzero(timed.round == r) for r in np.unique(timed.round)}


def _quantile(seconds: NDArray[np.float64], quantile: float) -> float:
    import numpy as np

    return float(np.quantile(seconds, quantile))


def _ends(draws: NDArray[np.float64]) -> tuple[float, float]:
    import numpy as np

    tail = (1 - LEVEL) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def _round(value: float) -> float:
    return float(f"{value:.4g}")
