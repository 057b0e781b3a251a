"""Intervals by bootstrap, clustered where queries share their golds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_bench.dataset import Relevance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Part = tuple[float, NDArray[np.float64], Sequence[int] | NDArray[np.intp]]
    """(weight, one row per query and one column per measure, cluster of each row)."""

RESAMPLES = 10_000
SEED = 20_240_917
LEVEL = 0.95
FEW_CLUSTERS = 50
"""Intervals from fewer clusters than this can be too narrow (docs/statistics.md)."""

_CHUNK = 500
_SAME = 1e-12  # two ways to add up the same numbers differ by less


def clusters(query_ids: Sequence[str], relevance: Relevance) -> list[int]:
    """Return each query's cluster number: queries with the same set of golds share one.

    Two requests for one tool are not independent evidence, so they are resampled together.
    """
    numbers: dict[frozenset[str], int] = {}
    return [numbers.setdefault(frozenset(relevance[q]), len(numbers)) for q in query_ids]


def mean_intervals(
    values: NDArray[np.float64], cluster: Sequence[int] | NDArray[np.intp], seed: int = SEED
) -> NDArray[np.float64]:
    """Return the 95 % bootstrap interval of each column's mean.

    Args:
        values: one row per query, one column per measure; shape (queries, measures).
        cluster: cluster number of each row, 0, 1, 2…; clusters are resampled whole.
        seed: of the resampling.

    Returns:
        Lower and upper ends, shape (measures, 2); NaN where there is only one cluster, which
        says nothing about how means vary.
    """
    return average_intervals([(1.0, values, cluster)], seed)


def average_intervals(parts: Sequence[Part], seed: int = SEED) -> NDArray[np.float64]:
    """Return the 95 % interval of a weighted mean of the means of several groups of queries.

    The quantiles of the resampled means are chosen as in Efron's BCa interval (1987), which
    follows the skewness of scores near 0 and 1, and spread as Hesterberg (2015) has it, since a
    bootstrap of few clusters is too narrow.

    Args:
        parts: for each group its weight, and its values and clusters as in
            :func:`mean_intervals`; each group is resampled by itself.
        seed: of the resampling.

    Returns:
        As :func:`mean_intervals`; NaN where any group has only one cluster.
    """
    import numpy as np

    grouped = [(weight, *_by_cluster(values, cluster)) for weight, values, cluster in parts]
    if any(len(sizes) == 1 for _, _, sizes in grouped):
        return np.full((parts[0][1].shape[1], 2), np.nan)
    rng = np.random.default_rng(seed)
    mean = np.add.reduce([w * sums.sum(axis=0) / sizes.sum() for w, sums, sizes in grouped])
    draws = np.add.reduce([w * _resampled(sums, sizes, rng) for w, sums, sizes in grouped])
    influence = [w * _influence(sums, sizes) for w, sums, sizes in grouped]
    at = _quantiles(draws, mean, influence)
    return np.array([np.quantile(own, ends) for own, ends in zip(draws.T, at.T, strict=True)])


def weighted_parts(
    values: NDArray[np.float64], cluster: NDArray[np.intp], weight: NDArray[np.float64]
) -> list[Part]:
    """Split weighted queries into groups of equal weight, for :func:`average_intervals`.

    The groups that a headline averages need not be known: where two have equal weights, resampling
    them together adds the difference of their means to the spread, which errs on the safe side.

    Args:
        values: one row per query.
        cluster: cluster number of each row; groups that share a cluster are told apart.
        weight: of each row; rows without weight are left out.
    """
    import numpy as np

    parts: list[Part] = []
    for own in np.unique(weight[weight > 0]):
        rows = weight == own
        _, numbers = np.unique(cluster[rows], return_inverse=True)
        parts.append((float(own * rows.sum()), values[rows], numbers))
    return parts


def _by_cluster(
    values: NDArray[np.float64], cluster: Sequence[int] | NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each cluster's sums, shape (clusters, measures), and its number of queries."""
    import numpy as np

    numbers = np.asarray(cluster)
    sizes = np.bincount(numbers).astype(np.float64)
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, numbers, values)
    return sums, sizes


def _resampled(
    sums: NDArray[np.float64], sizes: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the means of :data:`RESAMPLES` draws of whole clusters, shape (draws, measures)."""
    import numpy as np

    n = len(sizes)
    means = np.empty((RESAMPLES, sums.shape[1]))
    for start in range(0, RESAMPLES, _CHUNK):
        draws = rng.integers(0, n, size=(_CHUNK, n)) + np.arange(_CHUNK)[:, None] * n
        weights = np.bincount(draws.ravel(), minlength=_CHUNK * n).reshape(_CHUNK, n)
        means[start : start + _CHUNK] = (weights @ sums) / (weights @ sizes)[:, None]
    return means


def _influence(sums: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each cluster adds to the mean's deviation from it, shape (clusters, measures).

    Their squares add up to the variance of a mean over clusters of unequal sizes, linearised.
    """
    total = sizes.sum()
    deviations: NDArray[np.float64] = (sums - sizes[:, None] * sums.sum(axis=0) / total) / total
    return deviations


def _quantiles(
    draws: NDArray[np.float64],
    mean: NDArray[np.float64],
    influence: Sequence[NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return the shares of ``draws`` below the lower and the upper end, shape (2, measures)."""
    import numpy as np
    from scipy.special import ndtr, ndtri, stdtrit

    squares = np.array([(part**2).sum(axis=0) for part in influence])
    variance = squares.sum(axis=0)
    variance[variance == 0] = np.inf  # every query scores the same: any quantile is the mean
    freedom = np.array([[len(part) - 1] for part in influence])
    unbiased = (squares * (freedom + 1) / freedom).sum(axis=0)
    spread = np.maximum(1, np.sqrt(unbiased / variance))
    welch = unbiased**2 / np.maximum((squares**2 / freedom).sum(axis=0), np.finfo(float).tiny)
    z = spread * stdtrit(np.maximum(welch, freedom.min()), (1 + LEVEL) / 2)
    cubes = np.add.reduce([(part**3).sum(axis=0) for part in influence])
    acceleration = cubes / (6 * variance**1.5)
    below = (draws < mean - _SAME).mean(axis=0)
    equal = (np.abs(draws - mean) <= _SAME).mean(axis=0)
    bias = ndtri(np.clip(below + equal / 2, 1 / RESAMPLES, 1 - 1 / RESAMPLES))
    shifted = bias + np.array([-z, z])
    shares: NDArray[np.float64] = ndtr(bias + shifted / (1 - acceleration * shifted))
    return shares
