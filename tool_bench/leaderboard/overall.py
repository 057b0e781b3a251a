"""One score over several tasks, and ranks by it.

Data sets count the same, and so do the tasks of one data set. A method that lacks a task has no
score. Means of tasks that ask different queries are independent, so their variances add up; tasks
that ask the same queries are averaged query by query first. Over hundreds of clusters a mean is as
good as normal, which is what the test and the intervals rest on: docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_bench.leaderboard.printed import Score
from tool_bench.leaderboard.scores import Scores
from tool_bench.significance import ALPHA, covariance, holm
from tool_bench.stats import FEW_CLUSTERS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIGITS = 9  # means that differ by less are equal
_LEAST_VARIANCE = 1e-15  # below that it is rounding


@dataclass(frozen=True, slots=True)
class Place:
    """Where a method stands over all tasks."""

    rank: int
    """1 + the number of methods that are significantly better; several can share one."""
    score: Score
    """nDCG@10, with its 95 % interval; none where one task has a single cluster."""
    p: float | None
    """That it is as good as the best, corrected for all pairs; None for the best."""


@dataclass(frozen=True, slots=True)
class Overall:
    """The score over several tasks."""

    weights: Mapping[str, float]
    """Task -> its share of the score."""
    places: Mapping[str, Place]
    """Method -> its place, best first; only methods that have every task."""


def overall(tasks: Mapping[str, Scores], data_sets: Mapping[str, str]) -> Overall:
    """Rank methods by the mean of their scores over data sets.

    Args:
        tasks: task -> its scores.
        data_sets: task -> the data set it belongs to.
    """
    import numpy as np
    from scipy.special import stdtr, stdtrit

    weights = _weights(tasks, data_sets)
    names = _complete(tasks.values())
    if not names:
        return Overall(weights, {})
    means, shared, freedom = np.zeros(len(names)), np.zeros((len(names), len(names))), np.inf
    for group in _same_queries(tasks, data_sets):
        first = tasks[group[0]]
        share = sum(weights[task] for task in group)
        values = sum(
            (weights[task] / share * _columns(tasks[task], names) for task in group),
            start=np.zeros((len(first.queries), len(names))),
        )
        cluster = min((tasks[task].cluster for task in group), key=lambda own: int(own.max()))
        means += share * (first.weight @ values)
        shared += share**2 * covariance(values, cluster, first.weight)
        freedom = min(freedom, int(cluster.max()))
    means = means.round(_DIGITS)
    known = freedom >= 1  # one cluster says nothing about how means vary
    order = np.argsort(-means, kind="stable")
    names, means, shared = [names[i] for i in order], means[order], shared[np.ix_(order, order)]
    own = np.diag(shared)
    gap = means[:, None] - means
    variance = own[:, None] + own - 2 * shared
    pairs = np.triu_indices(len(names), 1)
    p = np.ones_like(gap)
    if known:
        t = np.abs(gap[pairs]) / np.sqrt(np.maximum(variance[pairs], _LEAST_VARIANCE))
        tails = np.asarray(2 * stdtr(freedom, -t), dtype=np.float64)
        # the same difference on every query has no variance to judge it by, but one sign
        same = np.where(gap[pairs] == 0, 1, 0.5**freedom)
        p[pairs] = holm(np.where(variance[pairs] < _LEAST_VARIANCE, same, tails))
    better = (p <= ALPHA) & (gap > 0)
    reach = float(stdtrit(max(freedom, 1), 1 - ALPHA / 2)) * np.sqrt(own)
    few = freedom + 1 < FEW_CLUSTERS
    return Overall(
        weights,
        {
            name: Place(
                rank=1 + int(better[:, row].sum()),
                score=Score(
                    value=float(means[row]),
                    low=max(0.0, float(means[row] - reach[row])) if known else None,
                    high=min(1.0, float(means[row] + reach[row])) if known else None,
                    few=bool(few),
                ),
                p=float(p[0, row]) if row else None,
            )
            for row, name in enumerate(names)
        },
    )


def _weights(tasks: Iterable[str], data_sets: Mapping[str, str]) -> dict[str, float]:
    names = list(tasks)
    sets = [data_sets[name] for name in names]
    return {
        name: 1 / (len(set(sets)) * sets.count(own)) for name, own in zip(names, sets, strict=True)
    }


def _complete(tasks: Iterable[Scores]) -> list[str]:
    """Return the methods that every task has, by name."""
    methods = [set(task.methods) for task in tasks]
    return sorted(set.intersection(*methods)) if methods else []


def _same_queries(tasks: Mapping[str, Scores], data_sets: Mapping[str, str]) -> list[list[str]]:
    """Group tasks of a data set that ask the same queries, weighted alike."""
    groups: list[list[str]] = []
    for name, task in tasks.items():
        for group in groups:
            other = tasks[group[0]]
            related = data_sets[name] == data_sets[group[0]]
            same = task.queries == other.queries
            if related and same and (task.weight == other.weight).all():
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _columns(task: Scores, names: Sequence[str]) -> NDArray[np.float64]:
    columns: NDArray[np.float64] = task.values[:, [task.methods.index(name) for name in names]]
    return columns
