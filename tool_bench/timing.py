"""Latency: one query at a time, warm, encode and search and top-k together."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
PASSES, LEAST_SECONDS = 100, 1.0
"""A fast method goes over its sample again until it has taken so long, at most so many times."""
SECONDS_LIMIT = 30.0
LEAST = 20
"""Queries timed even when the limit has passed."""

_RESAMPLES, _CHUNK = 1_000, 50
_DIGITS = 6
_REPORT_S = 0.5

SearchOne = Callable[[Query], object]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Timed:
    """How long single queries took."""

    seconds: NDArray[np.float64]
    """Whole searches, shape (queries, passes)."""
    encoding: NDArray[np.float64]
    """The part inside encoders, shape (queries, passes)."""
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


def measured(
    search_one: SearchOne, queries: Sequence[Query], clock: Clock = time.perf_counter
) -> Timed:
    """Time ``search_one`` on a sample of ``queries``, one after the other.

    Nothing is read from the vector cache, and no garbage is collected meanwhile. After a warm-up
    at most :data:`SAMPLE` queries are timed, and after :data:`SECONDS_LIMIT` seconds none once
    there are :data:`LEAST`. Where all of them took less than :data:`LEAST_SECONDS`, they are timed
    again and again: a fraction of a second would measure what the machine did in it.
    """
    import numpy as np

    chosen = sample(queries, SAMPLE)
    with without_cache(), _no_garbage_collection():
        _warm_up(search_one, chosen, clock)
        before, began = cpu_seconds_elsewhere(), time.perf_counter()
        passes = [_timed_pass(search_one, chosen, clock)]
        chosen = chosen[: len(passes[0])]
        total = sum(seconds for seconds, _ in passes[0])
        while total < LEAST_SECONDS and len(passes) < PASSES:
            passes.append(_timed_pass(search_one, chosen, clock))
            total += sum(seconds for seconds, _ in passes[-1])
        after, ended = cpu_seconds_elsewhere(), time.perf_counter()
    busy = None if before is None or after is None else max(after - before, 0) / (ended - began)
    table = np.array(passes)  # (passes, queries, 2)
    return Timed(table[:, :, 0].T, table[:, :, 1].T, busy)


def as_measured(seconds: Sequence[float]) -> Timed:
    """Return seconds that a service took, one for each query."""
    import numpy as np

    column = np.array(seconds)[:, None]
    return Timed(column, np.zeros_like(column), None)


def _warm_up(search_one: SearchOne, chosen: Sequence[Query], clock: Clock) -> None:
    began = clock()
    for number in range(WARM_UP_LIMIT):
        if number >= WARM_UP and clock() - began >= WARM_UP_SECONDS:
            return
        search_one(chosen[number % len(chosen)])


def _timed_pass(
    search_one: SearchOne, chosen: Sequence[Query], clock: Clock
) -> list[tuple[float, float]]:
    """Return (seconds, seconds inside encoders) of each query, of fewer where time runs out."""
    timed: list[tuple[float, float]] = []
    began = reported = clock()
    for number, query in enumerate(chosen):
        if number >= LEAST and clock() - began > SECONDS_LIMIT:
            break
        if clock() - reported > _REPORT_S:
            report("time queries", number, len(chosen))
            reported = clock()
        encoded, start = seconds_encoding(), clock()
        search_one(query)
        timed.append((clock() - start, seconds_encoding() - encoded))
    return timed


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
    p50, p95, p99 = _as_quantiles(timed.seconds, (0.5, 0.95, 0.99))
    return Timing(
        load_s=round(phases.load_s, 3),
        index_s=round(phases.index_s, 3),
        index_encode_s=round(phases.index_encode_s, 3) if phases.index_encode_s else None,
        queries_per_s=phases.queries_per_s,
        latency={"p50": p50, "p95": p95, "p99": p99},
        latency_mean_ms=round(float(timed.seconds.mean()) * 1_000, _DIGITS),
        latency_queries=timed.seconds.shape[0],
        latency_samples=timed.seconds.size,
        encode=_as_quantiles(timed.encoding, (0.5,))[0] if split else None,
        search=_as_quantiles(timed.seconds - timed.encoding, (0.5,))[0] if split else None,
        busy_cores=None if timed.busy_cores is None else round(timed.busy_cores, 2),
        reference=reference,
    )


def compared(timed: Timed, reference: Timed, task: str, baseline: str) -> Reference:
    """Return how long ``timed`` took in units of ``reference``, which is ``baseline`` on ``task``.

    The interval is that of the ratio of two medians, both resampled.
    """
    own, other = (_resampled(t.seconds, (0.5,))[:, 0] for t in (timed, reference))
    low, high = _ends(own / other[::-1])  # their draws are made with one seed: pair different ones
    return Reference(
        task=task,
        baseline=baseline,
        p50=_as_quantiles(reference.seconds, (0.5,))[0],
        ratio=Ratio(
            value=_round(timed.p50 / reference.p50),
            low=_round(low),
            high=_round(high),
        ),
    )


def _as_quantiles(seconds: NDArray[np.float64], quantiles: Sequence[float]) -> list[Quantile]:
    draws = _resampled(seconds, quantiles) * 1_000
    found = []
    for column, quantile in enumerate(quantiles):
        low, high = _ends(draws[:, column])
        value = _quantile(seconds, quantile) * 1_000
        found.append(
            Quantile(ms=round(value, _DIGITS), low=round(low, _DIGITS), high=round(high, _DIGITS))
        )
    return found


def _resampled(seconds: NDArray[np.float64], quantiles: Sequence[float]) -> NDArray[np.float64]:
    """Return quantiles of resamples, shape (resamples, quantiles).

    Queries are resampled, each with all its passes: the same query again is no new evidence.
    """
    import numpy as np

    rng = np.random.default_rng(SEED)
    n = len(seconds)
    parts = [
        np.quantile(seconds[rng.integers(0, n, (_CHUNK, n))].reshape(_CHUNK, -1), quantiles, axis=1)
        for _ in range(_RESAMPLES // _CHUNK)
    ]
    return np.concatenate(parts, axis=1).T


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
