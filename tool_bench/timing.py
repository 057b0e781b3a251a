"""Latency: one query at a time, warm, encode and search and top-k together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence

from tool_bench.encoder import without_cache
from tool_bench.progress import report
from tool_bench.query import Query
from tool_bench.results import Quantile, Timing
from tool_bench.stats import quantile_interval

WARM_UP = 10
SAMPLE = 200
SECONDS_LIMIT = 30.0
LEAST = 20
"""Queries timed even when the limit has passed."""

_DIGITS = 6


def sample(queries: Sequence[Query], n: int) -> list[Query]:
    """Return a fixed random choice of at most ``n`` queries."""
    return sorted(queries, key=lambda q: hashlib.sha256(q.id.encode()).digest())[:n]


def latencies(
    search_one: Callable[[Query], object],
    queries: Sequence[Query],
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Return the seconds ``search_one`` took for each of a sample of ``queries``.

    Nothing is read from the vector cache. The first :data:`WARM_UP` calls are not counted; at
    most :data:`SAMPLE` are, and after :data:`SECONDS_LIMIT` seconds none once there are
    :data:`LEAST`.
    """
    chosen = sample(queries, SAMPLE)
    with without_cache():
        for query in chosen[:WARM_UP]:
            search_one(query)
        seconds: list[float] = []
        began = clock()
        for number, query in enumerate(chosen):
            if number >= LEAST and clock() - began > SECONDS_LIMIT:
                break
            if number % 20 == 0:
                report("time queries", number, len(chosen))
            start = clock()
            search_one(query)
            seconds.append(clock() - start)
    return seconds


def record(
    load_s: float, index_s: float, queries_per_s: float | None, seconds: Sequence[float]
) -> Timing:
    """Return the timing of a cell: its phases, and quantiles of single queries' ``seconds``."""
    import numpy as np

    ms = np.array(seconds) * 1_000
    latency = {}
    for name, quantile in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        value = float(np.quantile(ms, quantile))
        low, high = (round(end, _DIGITS) for end in quantile_interval(ms, quantile))
        latency[name] = Quantile(ms=round(value, _DIGITS), low=low, high=high)
    return Timing.model_validate(
        {
            "load_s": round(load_s, 3),
            "index_s": round(index_s, 3),
            "queries_per_s": queries_per_s,
            "latency": latency,
            "latency_mean_ms": round(float(ms.mean()), _DIGITS),
            "latency_samples": len(seconds),
        }
    )
