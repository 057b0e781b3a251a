"""Several rankings of one query made into one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tool_bench import registry
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Ranking, Retriever, best
from tool_bench.tool import Tool

Fuse = Callable[[Sequence[Ranking]], Mapping[str, float]]
"""Rankings of one query, one of each part -> tool id -> fused score."""


def reciprocal_rank(rankings: Sequence[Ranking], constant: float = 60) -> dict[str, float]:
    """Return the sum of 1 / (constant + rank) over the rankings that hold a tool.

    Tools with equal scores share the best of their ranks, so that a tie in one part is no vote.
    Source: Cormack, Clarke and Buettcher 2009, "Reciprocal Rank Fusion outperforms Condorcet
    and individual Rank Learning Methods", which also gives the constant.
    """
    fused: dict[str, float] = {}
    for ranking in rankings:
        rank, last = 0, None
        for position, (tool_id, score) in enumerate(
            sorted(ranking, key=lambda pair: -pair[1]), start=1
        ):
            if score != last:
                rank, last = position, score
            fused[tool_id] = fused.get(tool_id, 0.0) + 1 / (constant + rank)
    return fused


def convex(
    rankings: Sequence[Ranking], weights: Sequence[float], floors: Sequence[float]
) -> dict[str, float]:
    """Return the weighted sum of normalised scores.

    Args:
        rankings: one of each part.
        weights: of the parts; they sum to 1.
        floors: the least score each part can give: a score becomes its share of the way from
            there to the query's best one. A tool that a part did not return counts 0 there.

    Source: Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"
    (TM2C2).
    """
    fused: dict[str, float] = {}
    for ranking, weight, floor in zip(rankings, weights, floors, strict=True):
        span = max((score for _, score in ranking), default=floor) - floor
        for tool_id, score in ranking:
            share = (score - floor) / span if span > 0 else 0.0
            fused[tool_id] = fused.get(tool_id, 0.0) + weight * share
    return fused


class FusedRetriever:
    """Searches with each part and fuses what they return."""

    def __init__(self, parts: Sequence[Retriever], fuse: Fuse, depth: int) -> None:
        self._parts = parts
        self._fuse = fuse
        self._depth = depth

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Index the catalogue with every part."""
        for part in self._parts:
            part.index(tools, examples)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Fuse the parts' best ``depth`` (or ``k`` where that is more)."""
        depth = max(self._depth, k)
        found = zip(*(part.search(queries, depth, scopes) for part in self._parts), strict=True)
        return [best(self._fuse(rankings), k) for rankings in found]


def load_parts(names: Sequence[str]) -> list[Retriever]:
    """Load baselines by name, for methods that are made of them."""
    return [part.load() for part in registry.pick_baselines(names)]
