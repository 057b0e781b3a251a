"""A made-up world in which the effect of each variation is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tool_bench.training.ablation import Judgement
from tool_bench.training.recipe import Recipe
from tool_bench.training.validation import Hits
from tool_bench.training.variations import Variation

REQUESTS = 240
PER_TOOL = 3


def recipe(**parts: object) -> Recipe:
    """A recipe of four sources, two of which share their tools' file."""
    sources = {"metatool": 4_000, "clinc": 2_000, "tldr": 1_000, "nl2bash": 5}
    return Recipe.model_validate({"name": "made-up", "data": {"sources": sources}, **parts})


@dataclass
class World:
    """Judges a model by chance: each request is hit with its own probability plus the effect.

    Requests for one tool share half of their difficulty, as real ones do.
    """

    effects: Mapping[str, float] = field(default_factory=dict)
    """Recipe's name -> what it adds to the probability of a hit."""
    seed_noise: float = 0.0
    """Standard deviation of what a model's seed adds."""
    draw: int = 0
    """Which of the possible worlds."""
    calls: list[tuple[str, int]] = field(default_factory=list)

    def evaluate(self, variation: Variation, folder: Path) -> Judgement:
        """Return hits on every source of the judged recipe; note the call."""
        name, seed = variation.recipe.name, variation.recipe.seed
        self.calls.append((variation.name, seed))
        model = np.random.default_rng([self.draw, seed, *name.encode()])
        shift = self.effects.get(name, 0.0) + self.seed_noise * model.normal()
        return {
            source: self._hits(number, shift, np.random.default_rng([self.draw, number]), model)
            for number, source in enumerate(variation.judged.data.sources)
        }

    def _hits(
        self, number: int, shift: float, shared: np.random.Generator, model: np.random.Generator
    ) -> Hits:
        tool = np.arange(REQUESTS) // PER_TOOL
        hard = 0.25 * (shared.random(REQUESTS // PER_TOOL)[tool] + shared.random(REQUESTS))
        luck = 0.5 * (shared.random(REQUESTS) + model.random(REQUESTS))
        # luck is triangular, so it is made uniform again before it is compared
        level = np.where(luck < 0.5, 2 * luck**2, 1 - 2 * (1 - luck) ** 2)
        hit = tuple(bool(each) for each in level < 0.25 + hard + shift)
        return Hits(
            tools=len(set(tool)),
            requests=tuple(f"request {number}.{n}" for n in range(REQUESTS)),
            clusters=tuple(int(each) for each in tool),
            hit_at_1=hit,
            reciprocal_at_10=tuple(float(each) for each in hit),
            scoped_hit_at_1=(None,) * REQUESTS,
        )
