"""What the variations of an ablation change, with intervals.

Two models answer the same validation requests, so what counts is the difference on each. Its
interval is the bootstrap of docs/statistics.md over requests, each source resampled by itself;
where recipes were trained with several seeds, it is widened by how far seeds differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tool_bench.stats import LEVEL, average_intervals
from tool_bench.training.ablation import Outcome
from tool_bench.training.variations import UNTRAINED, Variation, kin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tool_bench.stats import Part

Pairing = Mapping[str, tuple[Outcome, Outcome]]
"""Source -> the two outcomes whose difference there is asked for; the mean is over sources."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two outcomes' Hit@1, the first minus the second."""

    value: float
    low: float | None
    """Lower end of the 95 % interval; None where a source's requests are all for one tool."""
    high: float | None

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval misses zero."""
        return self.low is not None and self.high is not None and self.low * self.high > 0


@dataclass(frozen=True, slots=True)
class Effect:
    """What one variation gives."""

    variation: Variation
    hit_at_1: float
    """Mean over sources and seeds; a source with providers counts with the mean of its scopes."""
    difference: Difference
    """From the base."""
    by_source: Mapping[str, Difference]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One source, answered by models that were not trained on it."""

    source: str
    """Empty for the mean over the sources."""
    requests: int
    untrained: float
    others: float
    """Hit@1 of what was trained on the other sources, and on none that shares its tools."""
    all: float
    """Hit@1 of what was trained on all."""
    gain: Difference
    """``others`` - ``untrained``."""


def effects(outcomes: Sequence[Outcome]) -> list[Effect]:
    """Return the effect of every outcome without a problem, the base's of zero first.

    Args:
        outcomes: of :func:`~tool_bench.training.ablation.run`; the first is the base.
    """
    base, *_ = outcomes
    judged = [outcome for outcome in outcomes if outcome.models]
    sources = list(base.models[0])

    def against_base(names: Sequence[str]) -> list[Difference]:
        pairings = [dict.fromkeys(names, (outcome, base)) for outcome in judged]
        return differences(pairings, outcomes)

    total = against_base(sources)
    by_source = {name: against_base([name]) for name in sources}
    return [
        Effect(
            variation=outcome.variation,
            hit_at_1=_hit_at_1(outcome, sources),
            difference=total[number],
            by_source={name: each[number] for name, each in by_source.items()},
        )
        for number, outcome in enumerate(judged)
    ]


def left_out(outcomes: Sequence[Outcome]) -> list[LeftOut]:
    """Return how each source is answered without it, and the mean over sources as the last.

    Empty where the untrained model was not judged. A source whose variation is lacking is left out,
    and so is one of several that share their tools, unless one variation leaves out all of them.
    """
    base, *_ = outcomes
    untrained = next((o for o in outcomes if o.variation.name == UNTRAINED and o.models), None)
    without: dict[str, Outcome] = {}
    groups = kin(base.variation.recipe.data.sources)
    together = {name: {*group} for group in groups for name in group}
    for outcome in outcomes:
        absent = outcome.variation.left_out
        if outcome.models:
            without |= {name: outcome for name in absent if together.get(name, {name}) <= {*absent}}
    sources = [name for name in base.models[0] if name in without]
    if untrained is None or not sources:
        return []
    rows = [(name,) for name in sources] + ([tuple(sources)] if len(sources) > 1 else [])
    found = []
    for names in rows:
        pairing = {name: (without[name], untrained) for name in names}
        (gain,) = differences([pairing], outcomes)
        found.append(
            LeftOut(
                source=names[0] if len(names) == 1 else "",
                requests=sum(len(base.models[0][name].requests) for name in names),
                untrained=_hit_at_1(untrained, names),
                others=sum(_hit_at_1(without[name], [name]) for name in names) / len(names),
                all=_hit_at_1(base, names),
                gain=gain,
            )
        )
    return found


def differences(pairings: Sequence[Pairing], outcomes: Sequence[Outcome]) -> list[Difference]:
    """Return each pairing's mean difference over its sources, with its interval.

    The interval of the requests and that of the seeds (the value plus and minus Student's t times
    a standard error) are joined as Zou and Donner (2008) join limits of independent parts: the
    distances of their ends from the value, added as squares.

    Args:
        pairings: all of the same sources.
        outcomes: what the variance between seeds is estimated from.
    """
    import numpy as np
    from scipy.special import stdtrit

    names = list(pairings[0])
    weight = 1 / len(names)
    parts: list[Part] = []
    for name in names:
        pairs = [pairing[name] for pairing in pairings]
        gaps = [_of_requests(first, name) - _of_requests(second, name) for first, second in pairs]
        clusters = pairs[0][0].models[0][name].clusters
        parts.append((weight, np.stack(gaps, axis=1), clusters))
    values = np.add.reduce([weight * gaps.mean(axis=0) for _, gaps, _ in parts])
    variance_of = cache(lambda names: seed_variance(outcomes, names))
    found = []
    for pairing, value, ends in zip(pairings, values, average_intervals(parts), strict=True):
        if np.isnan(ends).any():
            found.append(Difference(float(value), None, None))
            continue
        variance, freedom = _between_seeds(pairing, variance_of)
        half = stdtrit(freedom, (1 + LEVEL) / 2) * variance**0.5 if freedom else 0.0
        below, above = np.hypot(value - ends, half)
        found.append(Difference(float(value), float(value - below), float(value + above)))
    return found


def seed_variance(outcomes: Sequence[Outcome], names: Sequence[str]) -> tuple[float, int]:
    """Return the variance that seeds give one recipe's mean Hit@1, and its degrees of freedom.

    The component of variance of a two-way analysis, seeds by clusters of requests: from the
    variance of the seeds' means that is subtracted which comes of seeds being luckier on single
    requests, since the bootstrap over requests holds that part. All recipes are taken to vary
    alike; (0, 0) where none has several seeds.

    Args:
        outcomes: of all variations; those with one recipe count once.
        names: the sources that the mean is over.
    """
    squares, luck, freedom = 0.0, 0.0, 0
    for outcome in {each.variation.recipe.name: each for each in outcomes if each.models}.values():
        means = _of_seeds(outcome, names)
        squares += float(((means - means.mean()) ** 2).sum())
        luck += sum(_luck(outcome, name) for name in names) / len(names) ** 2
        freedom += len(means) - 1
    return (max(0.0, (squares - luck) / freedom), freedom) if freedom else (0.0, 0)


def _luck(outcome: Outcome, name: str) -> float:
    """Return the squares that luck on single requests adds to those of the seeds' means."""
    import numpy as np

    values = np.array([judgement[name].values for judgement in outcome.models])
    rest = values - values.mean(axis=0)
    rest -= rest.mean(axis=1, keepdims=True)
    clusters = np.array(outcome.models[0][name].clusters)
    n = int(clusters.max()) + 1
    sums = np.zeros((n, len(values)))
    np.add.at(sums, clusters, rest.T)
    return float((sums**2).sum() / len(clusters) ** 2 * n / max(n - 1, 1))


def _between_seeds(
    pairing: Pairing, variance_of: Callable[[tuple[str, ...]], tuple[float, int]]
) -> tuple[float, int]:
    """Return the variance of a pairing's mean that comes from seeds, and its degrees of freedom.

    Two outcomes of one recipe are the same models, whose seeds add nothing.
    """
    used: dict[str, tuple[Outcome, list[str]]] = {}
    for name, pair in pairing.items():
        recipes = {outcome.variation.recipe.name: outcome for outcome in pair}
        for recipe, outcome in recipes.items() if len(recipes) > 1 else ():
            if outcome.variation.trained:
                used.setdefault(recipe, (outcome, []))[1].append(name)
    variance, least = 0.0, 0
    for outcome, names in used.values():
        own, freedom = variance_of(tuple(names))
        variance += (len(names) / len(pairing)) ** 2 * own / len(outcome.models)
        least = min(least or freedom, freedom)
    return variance, least


def _of_requests(outcome: Outcome, name: str) -> NDArray[np.float64]:
    """Return each request's hit, averaged over seeds; shape (requests,)."""
    import numpy as np

    values = np.array([judgement[name].values for judgement in outcome.models])
    averaged: NDArray[np.float64] = values.mean(axis=0)
    return averaged


def _of_seeds(outcome: Outcome, names: Sequence[str]) -> NDArray[np.float64]:
    """Return each seed's Hit@1, averaged over sources; shape (seeds,)."""
    import numpy as np

    return np.array(
        [
            np.mean([np.mean(judgement[name].values) for name in names])
            for judgement in outcome.models
        ]
    )


def _hit_at_1(outcome: Outcome, names: Sequence[str]) -> float:
    return float(_of_seeds(outcome, names).mean())
