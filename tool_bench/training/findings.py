"""What an experiment suggests, by one rule.

A difference counts when it is over two standard errors: of the difference of two means over
sources, where each source's requests are a sample and the two runs are independent. They answer the
same requests, which makes the true error smaller, and requests for one tool go together, which
makes it larger: this is a guide for the next experiment, not a test. Many experiments are compared
with few requests, so the best one is still flattered by chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tool_bench.training.experiment import P50, SIZE, Experiment, Limits
from tool_bench.training.search_space import differences
from tool_bench.training.validation import Scores, mean_hit_at_1

ERRORS = 2
"""Standard errors from which a difference counts."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A score before and after, and how much of the difference may be chance."""

    before: float
    after: float
    chance: float
    """:data:`ERRORS` standard errors of the difference."""

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def counts(self) -> bool:
        """Whether the difference is more than chance."""
        return abs(self.difference) > self.chance


def compared(old: Mapping[str, Scores], new: Mapping[str, Scores]) -> Compared:
    """Compare two models' means over sources."""
    variance = sum(_variance(each) for scores in (old, new) for each in scores.values())
    chance = ERRORS * math.sqrt(variance) / len(new)
    return Compared(mean_hit_at_1(old), mean_hit_at_1(new), chance)


def by_source(old: Mapping[str, Scores], new: Mapping[str, Scores]) -> dict[str, Compared]:
    """Compare two models source by source."""
    return {name: compared({name: old[name]}, {name: new[name]}) for name in new}


def suggestion(experiment: Experiment, against: Experiment | None, limits: Limits) -> str:
    """Return what ``experiment`` suggests, compared with the best one before it.

    Args:
        experiment: one that ended.
        against: the best when it was begun; None where there was none.
        limits: of the search.
    """
    if experiment.outcome is None or experiment.recipe is None:
        return "Nothing about the recipe." if experiment.state == "interrupted" else _OF_FAILURE
    if experiment.over:
        over = ", and ".join(_over(name, experiment, limits) for name in experiment.over)
        return f"Not usable: {over}."
    if against is None or against.outcome is None or against.recipe is None:
        return "What follows is compared with it."
    changed = list(differences(against.recipe, experiment.recipe))
    if experiment.notes.mined_by != against.notes.mined_by:
        changed.append("the mined negatives")
    found = compared(against.outcome.scores, experiment.outcome.scores)
    if not found.counts:
        verdict = f"No difference beyond chance (± {_share(found.chance)})"
        return (
            f"{verdict}: {changed[0]} matters less than that."
            if len(changed) == 1
            else f"{verdict}."
        )
    if found.difference > 0:
        return f"Better beyond chance: go on from here, {_among(changed, 'what helps')}."
    return f"Worse beyond chance: go back, {_among(changed, 'what harms')}."


_OF_FAILURE = "This recipe cannot be trained here: stay away from it, or mend the cause."


def _over(name: str, experiment: Experiment, limits: Limits) -> str:
    assert experiment.outcome is not None
    if name == P50:
        return f"p50 {experiment.outcome.p50_ms:.1f} ms is over {limits.p50_ms:g} ms"
    assert name == SIZE
    return f"{experiment.outcome.megabytes:.0f} MB are over {limits.megabytes:g} MB"


def _among(changed: list[str], what: str) -> str:
    if len(changed) == 1:
        return f"{changed[0]} is {what}"
    return f"{what} is among {', '.join(changed)}" if changed else f"{what} is not in the recipe"


def _variance(scores: Scores) -> float:
    """Return the variance of a source's score, from the share of hits with one of each added.

    Two scopes are one question asked twice: their mean counts as one share.
    """
    share = mean_hit_at_1({"": scores})
    share = (share * scores.requests + 1) / (scores.requests + 2)
    return share * (1 - share) / scores.requests


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
