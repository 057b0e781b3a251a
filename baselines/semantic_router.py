"""Semantic router: each tool is a route with utterances; a request takes the nearest route.

Two readings of it. ``semantic-router`` follows StackOne's description of how it ran the method (3
to 5 utterances a tool, averaged into a centroid; descriptions as routes).
``semantic-router-library`` ranks as the semantic-router package does: it builds no centroid, but
takes the five utterances nearest to the request and averages their scores by route.
So it never ranks more than five tools, and fewer where one tool has several of the five: its Hit@5
and Hit@10 are the same, and completeness suffers. Where near-alike tools have a few utterances
each, one utterance that happens to be near outranks a tool whose utterances are all fairly near,
which a centroid gets right: on MockConnectors it is below BM25.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking, Retriever
from tool_bench.tool import Tool, render

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tool_bench.encoder import Encoder

UTTERANCES = 5
NEAREST = 5
"""The library's ``top_k``."""


def utterances(tool: Tool, examples: Examples) -> list[str]:
    """Return the utterances of a tool's route.

    They are its first five usage examples. A tool without any has one utterance, its description
    (its name where that is empty too).
    """
    own = examples.get(tool.id, ())[:UTTERANCES]
    return list(own) or [render(tool, "description")]


def centroids(encoder: Encoder, tools: Sequence[Tool], examples: Examples) -> NDArray[np.float32]:
    """Return the unit mean of each tool's utterance vectors, shape (tools, dimensions)."""
    from tool_bench.dense import unit_means

    return unit_means(encoder, [utterances(tool, examples) for tool in tools])


class NearestUtterances:
    """Scores a route by the mean of its utterances among the request's nearest five."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Encode every utterance."""
        ordered = Catalogue(tools).tools
        routes = [(tool.id, text) for tool in ordered for text in utterances(tool, examples)]
        self._routes = [tool_id for tool_id, _ in routes]
        self._vectors = self._encoder.encode([text for _, text in routes], "query")

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Rank the routes of the nearest utterances."""
        vectors = self._encoder.encode([query.instructed for query in queries], "query")
        return [
            self._rank(self._vectors @ vector, k, candidates)
            for vector, candidates in zip(vectors, scopes, strict=True)
        ]

    def _rank(self, scores: NDArray[np.float32], k: int, candidates: Candidates) -> Ranking:
        import numpy as np

        rows = np.arange(len(scores))
        if candidates is not None:
            allowed = frozenset(candidates)
            rows = np.array([row for row in rows if self._routes[row] in allowed], dtype=np.intp)
        nearest = rows[np.argsort(-scores[rows], kind="stable")[:NEAREST]]
        by_route: dict[str, list[float]] = {}
        for row in nearest:
            by_route.setdefault(self._routes[row], []).append(float(scores[row]))
        means = ((route, sum(own) / len(own)) for route, own in by_route.items())
        return tuple(sorted(means, key=lambda pair: -pair[1])[:k])


def load_centroids() -> Retriever:
    """Load the embedded MiniLM, the library's own default encoder."""
    from tool_bench.dense import DenseRetriever
    from tool_bench.sentence import minilm

    return DenseRetriever(minilm(), centroids)


def load_library() -> Retriever:
    """Load the embedded MiniLM."""
    from tool_bench.sentence import minilm

    return NearestUtterances(minilm())


CENTROID = Baseline(
    name="semantic-router",
    kind="dense",
    description=(
        "Routes with utterances on MiniLM, matched by centroid. Utterances are a tool's first "
        "five usage examples where the task has a training split, else its description."
    ),
    reference="https://github.com/aurelio-labs/semantic-router",
    license="mit",
    load=load_centroids,
    parameters=22_713_216,
    revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    style="description",
    precision="float32",
    settings={"utterances": UTTERANCES, "aggregation": "centroid", "threshold": 0},
    deviations=(
        "Utterances are the benchmark's own training queries, not synthetic ones.",
        "No score threshold: every route is ranked.",
    ),
    uses_examples=True,
    speed=Speed(start=10, per_tool=0.02, per_query=0.02),
)
BASELINES = (
    CENTROID,
    replace(
        CENTROID,
        name="semantic-router-library",
        description=(
            "The same routes as the library ranks them: the mean score of a route's utterances "
            "among the request's nearest five. Five tools at most."
        ),
        load=load_library,
        may_rank_fewer=True,
        settings={
            "utterances": UTTERANCES,
            "aggregation": "mean",
            "top_k": NEAREST,
            "limit": "none",
            "threshold": 0,
        },
        deviations=(
            "Utterances are the benchmark's own training queries, not synthetic ones.",
            (
                "All routes of the nearest utterances are ranked (limit none, threshold 0); by "
                "default the library returns one route, and none below its encoder's threshold."
            ),
        ),
    ),
)
