"""Semantic router: each tool is a route, its utterances averaged into one vector.

Follows StackOne's description of how it ran the method (3 to 5 utterances a tool, averaged into
a centroid; descriptions as routes). The semantic-router library itself builds no centroid: it
averages the scores of the nearest utterances.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples
from tool_bench.encoder import Encoder
from tool_bench.retriever import Retriever
from tool_bench.tool import Tool, render

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UTTERANCES = 5


def utterances(tool: Tool, examples: Examples) -> list[str]:
    """Return the utterances of a tool's route.

    They are its first five usage examples. A tool without any has one utterance, its description
    (its name where that is empty too).
    """
    own = examples.get(tool.id, ())[:UTTERANCES]
    return list(own) or [render(tool, "description")]


def centroids(encoder: Encoder, tools: Sequence[Tool], examples: Examples) -> NDArray[np.float32]:
    """Return the unit mean of each tool's utterance vectors, shape (tools, dimensions)."""
    import numpy as np

    routes = [utterances(tool, examples) for tool in tools]
    vectors = encoder.encode([text for route in routes for text in route], "query")
    starts = np.cumsum([0, *(len(route) for route in routes[:-1])])
    sums = np.add.reduceat(vectors, starts, axis=0)
    unit: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return unit


def load() -> Retriever:
    """Load the embedded MiniLM, the library's own default encoder."""
    from tool_bench.dense import DenseRetriever
    from tool_bench.sentence import minilm

    return DenseRetriever(minilm(), centroids)


BASELINES = (
    Baseline(
        name="semantic-router",
        kind="dense",
        description=(
            "Routes with utterances on MiniLM, matched by centroid. Utterances are a tool's first "
            "five usage examples where the task has a training split, else its description."
        ),
        reference="https://github.com/aurelio-labs/semantic-router",
        license="mit",
        load=load,
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
    ),
)
