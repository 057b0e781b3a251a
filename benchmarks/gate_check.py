"""Checks the gate on simulated models whose truth is known; prints the table of docs/gate.md.

A simulated score is nDCG@10 of one right tool at a rank drawn from a normal variable. Nearly all of
its variance is shared by the two models, as between an encoder and one that was trained from it,
and half is shared within clusters of one to five queries.

    python benchmarks/gate_check.py [GATES] [SEED]
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import brentq
from scipy.stats import norm

from tool_bench.significance import ALPHA
from tool_bench.training.gate import MARGIN, Paired, Verdict, decide

SHARED = 0.9
"""Part of a score's variance that both models have in common."""
WITHIN = 0.5
"""Part of the variance that the queries of a cluster have in common."""
CLUSTERS = 500
"""The standard error of the difference is then .0075: that of related methods on the gate's tasks
is .004 to .012."""

_FOUND = norm.ppf([0.35, 0.5, 0.58, 0.63, 0.67, 0.70, 0.73, 0.75, 0.77, 0.79])
_SCORES = np.append(1 / np.log2(np.arange(1, 11) + 1), 0.0)


@cache
def shift(gain: float) -> float:
    """Return by how much ranks must improve for the true mean to rise by ``gain``."""

    def surplus(by: float) -> float:
        shares = np.diff(np.concatenate([[0.0], norm.cdf(_FOUND + by), [1.0]]))
        return float(shares @ _SCORES)

    return float(brentq(lambda by: surplus(by) - surplus(0) - gain, -2, 2))


def simulate(rng: np.random.Generator, gain: float, name: str, clusters: int = CLUSTERS) -> Paired:
    """Return one test's scores, of a candidate whose true mean is ``gain`` above production's."""
    cluster = np.repeat(np.arange(clusters), np.arange(clusters) % 5 + 1)

    def part(columns: int) -> NDArray[np.float64]:
        common = rng.standard_normal((clusters, columns))[cluster]
        alone = rng.standard_normal((len(cluster), columns))
        mixed: NDArray[np.float64] = np.sqrt(WITHIN) * common + np.sqrt(1 - WITHIN) * alone
        return mixed

    drawn = np.sqrt(SHARED) * part(1) + np.sqrt(1 - SHARED) * part(2)
    candidate = _SCORES[np.searchsorted(_FOUND, drawn[:, 0] - shift(gain))]
    production = _SCORES[np.searchsorted(_FOUND, drawn[:, 1])]
    weight = np.full(len(cluster), 1 / len(cluster))
    return Paired(name, "global", candidate, production, cluster, weight)


def verdicts(
    gains: Sequence[float],
    gates: int,
    *,
    seed: int = 0,
    clusters: int = CLUSTERS,
    margin: float = MARGIN,
) -> list[Verdict]:
    """Return what the gate says in ``gates`` simulated comparisons with these true gains."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(gates):
        tests = [simulate(rng, gain, f"task {n}", clusters) for n, gain in enumerate(gains)]
        found.append(decide(tests, margin=margin, draws=2_000))
    return found


def better_somewhere(verdict: Verdict) -> bool:
    """Tell whether any test found the candidate better, whatever the others found."""
    return any(row.difference > 0 and row.p_holm <= ALPHA for row in verdict.rows)


_TRUTHS = {
    "equal on all five": [0.0] * 5,
    "1 point better on all": [0.01] * 5,
    "2 points better on all": [0.02] * 5,
    "3 points better on all": [0.03] * 5,
    "5 points better on one, equal on four": [0.05, 0, 0, 0, 0],
    "5 points better on four, 2 worse on one": [0.05, 0.05, 0.05, 0.05, -0.02],
    "5 points better on four, 5 worse on one": [0.05, 0.05, 0.05, 0.05, -0.05],
}


def _main(gates: int = 200, seed: int = 0) -> None:
    print("| true difference | better somewhere | promoted | not better | may be worse | worse |")
    for name, gains in track(_TRUTHS.items(), transient=True):
        found = verdicts(gains, gates, seed=seed)
        rules = Counter(verdict.rule for verdict in found)
        counts = [sum(map(better_somewhere, found))]
        counts += [rules[rule] for rule in ("better", "not better", "may be worse", "worse")]
        print(f"| {name} | " + " | ".join(f"{100 * n / gates:.1f}" for n in counts) + " |")


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))
