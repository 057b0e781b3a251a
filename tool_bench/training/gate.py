"""Whether a model may replace the one in production: scores in, verdict out; docs/gate.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tool_bench.errors import UsageError
from tool_bench.significance import ALPHA, DRAWS, holm, p_values
from tool_bench.stats import average_intervals, weighted_parts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MEASURE = "nDCG@10"
"""What is compared: the measure that the board ranks by."""

MARGIN = 0.02
"""The loss that counts as none: a candidate must be proven to lose less than this.

Without one, a model could not be shown to be no worse than its equal: 39 of 40 intervals of their
difference begin below 0. Two points are less than half of the smallest gain that a model is trained
for (five points), so that a gain somewhere is not bought with a loss of its size elsewhere. Less
could seldom be shown: the difference of two related methods has a standard error of .004 to .012 on
the gate's tasks, and its interval begins about twice that below it. docs/gate.md says what this
costs in power. It was set before any trained model was measured.
"""

Finding = Literal["better", "not worse", "may be worse", "worse"]
Rule = Literal["better", "not better", "may be worse", "worse"]


@dataclass(frozen=True, slots=True)
class Paired:
    """Both models' scores on the same queries of one task and scope: one test of the gate."""

    task: str
    scope: str
    candidate: NDArray[np.float64]
    """One score a query, in 0..1."""
    production: NDArray[np.float64]
    """Of the same queries, in the same order."""
    cluster: NDArray[np.intp]
    """Cluster number of each query: 0, 1, 2…"""
    weight: NDArray[np.float64]
    """Of each query in the task's headline; they add up to 1."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one test found."""

    task: str
    scope: str
    queries: int
    clusters: int
    candidate: float
    """Weighted mean of its scores."""
    production: float
    difference: float
    """candidate - production."""
    low: float | None
    """Lower end of the difference's 95 % interval; None where there is one cluster."""
    high: float | None
    p: float
    """Of the paired randomisation test, two-sided."""
    p_holm: float
    """Corrected for the number of the gate's tests."""
    finding: Finding


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate may be promoted, and which rule decided that."""

    passed: bool
    rule: Rule
    why: str
    """The rule in words, with the tests that it is about."""
    margin: float
    rows: tuple[Row, ...]
    measure: str = MEASURE


def decide(tests: Sequence[Paired], *, margin: float = MARGIN, draws: int = DRAWS) -> Verdict:
    """Return whether the candidate is not worse on any test and better on at least one.

    *Not worse* has two parts. The paired difference is not significantly negative (p above 0.05,
    uncorrected, since a correction would hide harm), and the lower end of its 95 % interval is
    above ``-margin``. A model must pass this on every test, so its chance of passing while it is
    truly worse by the margin on any of them is at most that of one test, 2.5 % (the
    intersection-union test, Berger 1982).

    *Better* is a positive difference whose p is at most 0.05 after Holm's correction over all tests
    of the gate: a model that equals production is called better anywhere with a chance of 2.5 %.

    Args:
        tests: one for each task and scope.
        margin: the loss that counts as none.
        draws: of the randomisation test.

    Raises:
        UsageError: there is no test.
    """
    import numpy as np

    if not tests:
        raise UsageError("the gate has no test: no task has the scopes that were asked for")
    p = [_p(test, draws) for test in tests]
    corrected = holm(np.array(p))
    rows = tuple(_row(*each, margin) for each in zip(tests, p, map(float, corrected), strict=True))
    rule = _rule(rows)
    return Verdict(
        passed=rule == "better", rule=rule, why=_why(rule, rows, margin), margin=margin, rows=rows
    )


def _p(test: Paired, draws: int) -> float:
    import numpy as np

    pair = np.stack([test.candidate, test.production], axis=1)
    return float(p_values(pair, test.cluster, test.weight, draws=draws)[0, 1])


def _row(test: Paired, p: float, p_holm: float, margin: float) -> Row:
    import numpy as np

    gaps = test.candidate - test.production
    ((low, high),) = average_intervals(weighted_parts(gaps[:, None], test.cluster, test.weight))
    known = not np.isnan(low)
    least = float(low) if known else None
    difference = float(test.weight @ gaps)
    return Row(
        task=test.task,
        scope=test.scope,
        queries=len(gaps),
        clusters=int(test.cluster.max()) + 1,
        candidate=float(test.weight @ test.candidate),
        production=float(test.weight @ test.production),
        difference=difference,
        low=least,
        high=float(high) if known else None,
        p=p,
        p_holm=p_holm,
        finding=_finding(difference, least, p, p_holm, margin),
    )


def _finding(
    difference: float, low: float | None, p: float, p_holm: float, margin: float
) -> Finding:
    if difference < 0 and p <= ALPHA:
        return "worse"
    if low is None or low <= -margin:
        return "may be worse"
    return "better" if difference > 0 and p_holm <= ALPHA else "not worse"


def _rule(rows: Sequence[Row]) -> Rule:
    """Return the rule that decides: harm first, then doubt, then whether anything is gained."""
    found = {row.finding for row in rows}
    if "worse" in found:
        return "worse"
    if "may be worse" in found:
        return "may be worse"
    return "better" if "better" in found else "not better"


def _why(rule: Rule, rows: Sequence[Row], margin: float) -> str:
    where = ", ".join(f"{row.task} ({row.scope})" for row in rows if row.finding == rule)
    tests = "the one test" if len(rows) == 1 else f"any of the {len(rows)} tests"
    return {
        "worse": f"significantly worse on {where}",
        "may be worse": f"not shown to lose less than {margin:g} on {where}",
        "not better": f"not significantly better on {tests}",
        "better": f"significantly better on {where}, and not worse on {tests}",
    }[rule]
