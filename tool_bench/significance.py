"""Whether methods differ on the same queries, by more than chance; docs/statistics.md explains it.

Everything here works on the sums of weighted scores per cluster: queries of one cluster are one
piece of evidence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import TYPE_CHECKING

from tool_bench.stats import SEED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA = 0.05
POWER = 0.8
DRAWS = 100_000
"""The smallest p is 1 / (draws + 1): small enough for Holm's correction of 5,000 pairs."""

_CHUNK = 2_000
_CACHED = 200
_TOLERANCE = 1e-6
"""Differences closer than this are ties: scores are stored with six digits, added as float32."""


def p_values(
    scores: NDArray[np.float64],
    cluster: NDArray[np.intp],
    weight: NDArray[np.float64],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> NDArray[np.float64]:
    """Return p of the two-sided paired randomisation test for every pair of methods.

    Were two methods the same, it would be chance which of them got which of a cluster's scores.
    So the sign of their difference is flipped cluster by cluster (Smucker et al. 2007), and p is
    the share of flips, the one seen included, whose weighted difference of means is at least as
    large. Where all flips are no more than ``draws`` they are enumerated, and p is exact.

    Args:
        scores: one row per query, one column per method; shape (queries, methods).
        cluster: cluster number of each query, 0, 1, 2…; signs are flipped for whole clusters.
        weight: of each query, adding up to 1.
        draws: how many random flips.
        seed: of the flips; the same flips serve all pairs.

    Returns:
        Symmetric, shape (methods, methods), 1 on the diagonal.
    """
    import numpy as np

    # centring leaves differences as they are and keeps float32 sums small
    sums = _by_cluster((scores - scores.mean(axis=1, keepdims=True)) * weight[:, None], cluster)
    total = sums.sum(axis=0)
    seen = np.abs(total[:, None] - total) - _TOLERANCE
    exact = 2 ** (len(sums) - 1) <= draws
    chunks = _all_flips(len(sums)) if exact else _random_flips(len(sums), draws, seed)
    light, whole = sums.astype(np.float32), total.astype(np.float32)
    counts = np.zeros(seen.shape, dtype=np.int64)
    tried = 0
    for octets in chunks:
        tried += len(octets)
        flipped = np.ascontiguousarray((2 * _kept(octets, light) - whole).T)
        for first in range(len(total) - 1):
            differences = np.abs(flipped[first + 1 :] - flipped[first])
            counts[first, first + 1 :] += (differences >= seen[first, first + 1 :, None]).sum(1)
    counts += counts.T
    p: NDArray[np.float64] = counts / tried if exact else (1 + counts) / (1 + tried)
    np.fill_diagonal(p, 1)
    return p


def _all_flips(clusters: int) -> Iterator[NDArray[np.uint8]]:
    """Yield every choice of clusters that keep their sign, the first always among them.

    The others mirror these, and the test is two-sided. Bits as :func:`_random_flips` has them.
    """
    import numpy as np

    for start in range(0, 2 ** (clusters - 1), _CHUNK):
        numbers = np.arange(start, min(start + _CHUNK, 2 ** (clusters - 1)))
        bits = (numbers[:, None] >> np.arange(clusters - 1)) & 1
        yield np.packbits(np.hstack([np.ones((len(bits), 1), bits.dtype), bits]), axis=1)


def _random_flips(clusters: int, draws: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Yield random choices of clusters that keep their sign: a bit each, a row a choice."""
    import numpy as np

    rng = np.random.default_rng(seed)
    for start in range(0, draws, _CHUNK):
        size = (min(_CHUNK, draws - start), -(-clusters // 8))
        yield rng.integers(0, 256, size=size, dtype=np.uint8)


def _kept(octets: NDArray[np.uint8], sums: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the clusters that keep their sign add up to, shape (choices, methods)."""
    import numpy as np

    added = np.empty((len(octets), sums.shape[1]), dtype=np.float32)
    for start in range(0, len(octets), _CACHED):  # as floats, all at once leave the CPU's cache
        bits = np.unpackbits(octets[start : start + _CACHED], axis=1, count=len(sums))
        added[start : start + _CACHED] = bits.astype(np.float32) @ sums
    return added


def _by_cluster(values: NDArray[np.float64], cluster: NDArray[np.intp]) -> NDArray[np.float64]:
    import numpy as np

    sums = np.zeros((int(cluster.max()) + 1, values.shape[1]))
    np.add.at(sums, cluster, values)
    return sums


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``p``, shape (tests,), corrected for their number (Holm 1979).

    Where those at most 0.05 are called significant, the chance that any is so wrongly is at most
    5 %, however the tests depend on each other.
    """
    import numpy as np

    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1)
    return corrected


def difference_variances(
    scores: NDArray[np.float64], cluster: NDArray[np.intp], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the variance of the weighted difference of means for every pair of methods.

    The cluster-robust variance (Cameron and Miller 2015): deviations from the mean are added up
    within clusters, and the squares of these sums over them. Queries of equal weight are a group
    with a mean of its own, as in :func:`tool_bench.stats.weighted_parts`.

    Args:
        scores: shape (queries, methods).
        cluster: as in :func:`p_values`.
        weight: as in :func:`p_values`.

    Returns:
        Symmetric, shape (methods, methods); what a group with one cluster adds is not known and
        left out.
    """
    import numpy as np

    shared = covariance(scores, cluster, weight)
    own_variance = np.diag(shared)
    variances: NDArray[np.float64] = own_variance[:, None] + own_variance - 2 * shared
    return np.maximum(variances, 0)


def covariance(
    scores: NDArray[np.float64], cluster: NDArray[np.intp], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the cluster-robust covariance of the methods' weighted means.

    Takes what :func:`difference_variances` takes; shape (methods, methods).
    """
    import numpy as np

    shared = np.zeros((scores.shape[1], scores.shape[1]))
    for own in np.unique(weight[weight > 0]):
        rows = weight == own
        _, numbers = np.unique(cluster[rows], return_inverse=True)
        sums = _by_cluster(own * (scores[rows] - scores[rows].mean(axis=0)), numbers)
        shared += sums.T @ sums * (len(sums) / max(len(sums) - 1, 1))
    return shared


def more_queries(
    difference: float, variance: float, queries: int, level: float = ALPHA
) -> int | None:
    """Estimate how many more queries of the same kind would separate two methods.

    A test at ``level`` finds a true difference d of means over n queries with 80 % power when
    d^2 = (z(1 - level/2) + z(0.8))^2 v / n (Cohen 1988), where v / n is the variance of the
    difference. v is estimated from the queries at hand, d is taken to be what they show.

    Args:
        difference: of the means over ``queries``.
        variance: of that difference, as :func:`difference_variances` has it.
        queries: how many there are.
        level: the p at which the two count as different.

    Returns:
        At least 1; None where the difference is 0, so that no number would do.
    """
    if abs(difference) <= _TOLERANCE:
        return None
    normal = NormalDist()
    z = normal.inv_cdf(1 - level / 2) + normal.inv_cdf(POWER)
    return max(1, math.ceil(queries * (z**2 * variance / difference**2 - 1)))
