"""Checks intervals and tests on simulated scores whose truth is known; prints docs/statistics.md's.

A simulated score is that of a right tool at a rank drawn from a normal variable, which has a part
that all methods share (some requests are hard for every method) and a part of its own, each with
one half common to the queries of a cluster. Every number is a share of many simulated tables.

    python benchmarks/statistics_check.py coverage
    python benchmarks/statistics_check.py errors
    python benchmarks/statistics_check.py power
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.stats import norm

from tool_bench.significance import ALPHA, difference_variances, holm, more_queries, p_values
from tool_bench.stats import average_intervals, weighted_parts

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

SHARED = 0.5
"""Part of a score's variance that all methods have in common."""
WITHIN = 0.5
"""Part of the variance that the queries of a cluster have in common."""
DEPTH = 10


@dataclass(frozen=True)
class Kind:
    """A distribution of scores: ``values[i]`` where a normal variable is in the ith interval."""

    edges: Floats
    values: Floats

    def of(self, normal: Floats) -> Floats:
        """Turn normal variables into scores."""
        scores: Floats = self.values[np.searchsorted(self.edges, normal)]
        return scores

    @property
    def mean(self) -> float:
        """The truth that intervals should cover."""
        below = np.concatenate([[0.0], norm.cdf(self.edges), [1.0]])
        return float(np.diff(below) @ self.values)


def binary(share: float) -> Kind:
    """Return hits and misses."""
    return Kind(np.array([norm.ppf(share)]), np.array([1.0, 0.0]))


def graded(shift: float = 0) -> Kind:
    """Return nDCG@10 of one right tool: first in 35 % of the queries, not found in 21 %."""
    found = np.array([0.35, 0.5, 0.58, 0.63, 0.67, 0.70, 0.73, 0.75, 0.77, 0.79])
    gains = 1 / np.log2(np.arange(1, DEPTH + 1) + 1)
    return Kind(norm.ppf(found) + shift, np.append(gains, 0.0))


KINDS = {
    "nDCG, mean .49": graded(),
    "hits, mean .50": binary(0.5),
    "hits, mean .90": binary(0.9),
    "hits, mean .97": binary(0.97),
}


def clusters(number: int) -> Numbers:
    """Return the cluster of each query: clusters of one to five queries."""
    return np.repeat(np.arange(number), np.arange(number) % 5 + 1)


def normals(rng: np.random.Generator, cluster: Numbers, tables: int, methods: int) -> Floats:
    """Return correlated normal variables, shape (queries, tables, methods)."""

    def part(columns: int) -> Floats:
        common = rng.standard_normal((int(cluster.max()) + 1, tables, columns))[cluster]
        alone = rng.standard_normal((len(cluster), tables, columns))
        mixed: Floats = np.sqrt(WITHIN) * common + np.sqrt(1 - WITHIN) * alone
        return mixed

    drawn: Floats = np.sqrt(SHARED) * part(1) + np.sqrt(1 - SHARED) * part(methods)
    return drawn


def covered(values: Floats, cluster: Numbers, weight: Floats, truth: float) -> float:
    """Return the share of columns whose interval holds ``truth``."""
    ends = average_intervals(weighted_parts(values, cluster, weight))
    return float(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())


def mean_coverage(kind: Kind, number: int, tables: int, seed: int = 0) -> float:
    """Return how often the interval of a mean over ``number`` clusters holds the truth."""
    cluster = clusters(number)
    scores = kind.of(normals(np.random.default_rng(seed), cluster, tables, 1)[:, :, 0])
    return covered(scores, cluster, np.full(len(cluster), 1 / len(cluster)), kind.mean)


def difference_coverage(a: Kind, b: Kind, number: int, tables: int, seed: int = 0) -> float:
    """Return how often the interval of a difference of two methods holds the truth."""
    cluster = clusters(number)
    drawn = normals(np.random.default_rng(seed), cluster, tables, 2)
    scores = a.of(drawn[:, :, 0]) - b.of(drawn[:, :, 1])
    return covered(scores, cluster, np.full(len(cluster), 1 / len(cluster)), a.mean - b.mean)


def headline_coverage(kinds: Sequence[Kind], numbers: Sequence[int], tables: int) -> float:
    """Return how often the interval of a mean of groups' means holds the truth."""
    cluster = np.concatenate([clusters(n) + sum(numbers[:i]) for i, n in enumerate(numbers)])
    sizes = [len(clusters(n)) for n in numbers]
    weight = np.repeat([1 / len(sizes) / size for size in sizes], sizes)
    drawn = normals(np.random.default_rng(0), cluster, tables, 1)[:, :, 0]
    rows = np.split(drawn, np.cumsum(sizes)[:-1])
    scores = np.concatenate([kind.of(own) for kind, own in zip(kinds, rows, strict=True)])
    return covered(scores, cluster, weight, float(np.mean([kind.mean for kind in kinds])))


def pairs_called(p: Floats, _: Floats) -> bool:
    """Tell whether Holm over all pairs calls any two methods different."""
    return bool((holm(p[np.triu_indices(len(p), 1)]) <= ALPHA).any())


def leader_called(p: Floats, means: Floats) -> bool:
    """Tell whether Holm over the pairs with the best mean calls any method worse than it."""
    best = int(means.argmax())
    return bool((holm(np.delete(p[best], best)) <= ALPHA).any())


def uncorrected(p: Floats, _: Floats) -> bool:
    """Tell whether any two methods differ without a correction."""
    return bool((p <= ALPHA).any())


Rule = Callable[[Floats, Floats], bool]


def false_positives(  # noqa: PLR0913, PLR0917  what is simulated
    rules: Sequence[Rule],
    kinds: Sequence[Kind],
    number: int,
    tables: int,
    draws: int = 20_000,
    seed: int = 0,
) -> list[float]:
    """Return, rule by rule, how often it calls any two of some methods of equal truth different."""
    cluster = clusters(number)
    weight = np.full(len(cluster), 1 / len(cluster))
    rng = np.random.default_rng(seed)
    called = np.zeros(len(rules))
    for _ in range(tables):
        drawn = normals(rng, cluster, 1, len(kinds))[:, 0]
        scores = np.stack([kind.of(own) for kind, own in zip(kinds, drawn.T, strict=True)], axis=1)
        p = p_values(scores, cluster, weight, draws=draws)
        called += [rule(p, scores.mean(axis=0)) for rule in rules]
    return [float(share) for share in called / tables]


def power_with_more(level: float, tables: int, *, pilot: int = 60, seed: int = 0) -> float:
    """Return how often as many queries as :func:`more_queries` names separate two methods.

    The pilot's own clusters are the population that the larger tables are drawn from.
    """
    cluster = clusters(pilot)
    rng = np.random.default_rng(seed)
    drawn = normals(rng, cluster, 1, 2)[:, 0]
    scores = np.stack([graded(0.1).of(drawn[:, 0]), graded().of(drawn[:, 1])], axis=1)
    n = len(cluster)
    variance = difference_variances(scores, cluster, np.full(n, 1 / n))[0, 1]
    more = more_queries(float(np.subtract(*scores.mean(axis=0))), variance, n, level)
    assert more is not None
    members = [np.flatnonzero(cluster == c) for c in range(pilot)]
    found = 0
    for _ in range(tables):
        own = [members[c] for c in rng.integers(0, pilot, round(pilot * (n + more) / n))]
        rows = np.concatenate(own)
        renumbered = np.repeat(np.arange(len(own)), [len(m) for m in own])
        weight = np.full(len(rows), 1 / len(rows))
        found += p_values(scores[rows], renumbered, weight, draws=int(8 / level))[0, 1] <= level
    return found / tables


def _coverage() -> None:
    sizes = (5, 10, 20, 30, 50, 100, 200, 500)
    print("| clusters | " + " | ".join(str(n) for n in sizes) + " |")
    rows: dict[str, Callable[[int], float]] = {}
    for name, kind in KINDS.items():
        rows[name] = partial(mean_coverage, kind, tables=4_000)
    rows["difference of nDCG"] = lambda n: difference_coverage(graded(0.15), graded(), n, 4_000)
    rows["difference of hits"] = lambda n: difference_coverage(binary(0.55), binary(0.5), n, 4_000)
    rows["headline of three groups"] = lambda n: headline_coverage(
        [graded(0.5), graded(), graded(-0.5)], [n, 2 * n, 6 * n], 4_000
    )
    for name, measure in rows.items():
        shares = [f"{100 * measure(n):.1f}" for n in track(sizes, name, transient=True)]
        print(f"| {name} | {' | '.join(shares)} |")


def _errors() -> None:
    rules = (uncorrected, leader_called, pairs_called)
    print("| methods | " + " | ".join(rule.__name__ for rule in rules) + " |")
    for methods in (2, 5, 20):
        shares = false_positives(rules, [graded()] * methods, 100, 4_000)
        print(f"| {methods} | " + " | ".join(f"{100 * share:.1f} %" for share in shares) + " |")
    unlike = [graded(), binary(graded().mean)]
    (share,) = false_positives([pairs_called], unlike, 100, 4_000)
    print(f"equal means of unlike scores, one pair: {100 * share:.1f} %")
    (share,) = false_positives([pairs_called], unlike * 3, 30, 4_000)
    print(f"equal means of unlike scores, six methods, 30 clusters: {100 * share:.1f} %")


def _power() -> None:
    for level in (ALPHA, ALPHA / 190):
        shares = [power_with_more(level, 400, seed=seed) for seed in range(5)]
        print(f"level {level:.5f}: " + ", ".join(f"{100 * share:.0f} %" for share in shares))


if __name__ == "__main__":
    {"coverage": _coverage, "errors": _errors, "power": _power}[sys.argv[1]]()
