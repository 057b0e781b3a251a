"""Intervals by bootstrap, clustered where queries share their golds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_bench.dataset import Relevance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 20_240_917
LEVEL = 0.95

_CHUNK = 500


def clusters(query_ids: Sequence[str], relevance: Relevance) -> list[int]:
    """Return each query's cluster number: queries with the same set of golds share one.

    Two requests for one tool are not independent evidence, so they are resampled together.
    """
    numbers: dict[frozenset[str], int] = {}
    return [numbers.setdefault(frozenset(relevance[q]), len(numbers)) for q in query_ids]


def mean_intervals(
    values: NDArray[np.float64], cluster: Sequence[int], seed: int = SEED
) -> NDArray[np.float64]:
    """Return the 95 % percentile bootstrap interval of each column's mean.

    Args:
        values: one row per query, one column per measure; shape (queries, measures).
        cluster: cluster number of each row, 0, 1, 2…; clusters are resampled whole.
        seed: of the resampling.

    Returns:
        Lower and upper ends, shape (measures, 2); NaN where there is only one cluster, which
        says nothing about how means vary.
    """
    return average_intervals([(1.0, values, cluster)], seed)


def average_intervals(
    parts: Sequence[tuple[float, NDArray[np.float64], Sequence[int]]], seed: int = SEED
) -> NDArray[np.float64]:
    """Return the 95 % interval of a weighted mean of the means of several groups of queries.

    Args:
        parts: for each group its weight, and its values and clusters as in
            :func:`mean_intervals`; each group is resampled by itself.
        seed: of the resampling.

    Returns:
        As :func:`mean_intervals`; NaN where any group has only one cluster.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    means = sum(weight * _resampled(values, cluster, rng) for weight, values, cluster in parts)
    tail = (1 - LEVEL) / 2
    ends: NDArray[np.float64] = np.quantile(means, [tail, 1 - tail], axis=0).T
    return ends


def _resampled(
    values: NDArray[np.float64], cluster: Sequence[int], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the means of :data:`RESAMPLES` draws of whole clusters, shape (draws, measures)."""
    import numpy as np

    n = max(cluster) + 1
    if n == 1:
        return np.full((RESAMPLES, values.shape[1]), np.nan)
    sums = np.zeros((n, values.shape[1]))
    np.add.at(sums, np.asarray(cluster), values)
    sizes = np.bincount(np.asarray(cluster), minlength=n).astype(np.float64)
    means = np.empty((RESAMPLES, values.shape[1]))
    for start in range(0, RESAMPLES, _CHUNK):
        draws = rng.integers(0, n, size=(_CHUNK, n)) + np.arange(_CHUNK)[:, None] * n
        weights = np.bincount(draws.ravel(), minlength=_CHUNK * n).reshape(_CHUNK, n)
        means[start : start + _CHUNK] = (weights @ sums) / (weights @ sizes)[:, None]
    return means


def quantile_interval(
    values: NDArray[np.float64], quantile: float, seed: int = SEED
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a quantile of independent ``values``, shape (n,)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    draws = rng.choice(values, size=(1_000, len(values)))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.quantile(draws, quantile, axis=1), [tail, 1 - tail])
    return float(low), float(high)
