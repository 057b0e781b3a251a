"""all-MiniLM-L6-v2 over everything a tool says of itself, its parameters included.

Parameters and provider add little to name and description: on every task the difference from
``minilm`` is within its interval. MetaTool's tools have no parameters, so there the two are one.
"""

from __future__ import annotations

from tool_bench.baseline import Baseline, Speed
from tool_bench.retriever import Retriever


def load() -> Retriever:
    """Load the embedded weights."""
    from tool_bench.dense import DenseRetriever, rendered
    from tool_bench.sentence import minilm

    return DenseRetriever(minilm(), rendered("full"))


BASELINES = (
    Baseline(
        name="minilm-full",
        kind="dense",
        description="all-MiniLM-L6-v2 over name, description, provider, category and parameters.",
        reference="https://arxiv.org/abs/1908.10084",
        license="apache-2.0",
        load=load,
        parameters=22_713_216,
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        style="full",
        precision="float32",
        settings={"max tokens": 256, "pooling": "mean"},
        speed=Speed(start=10, per_tool=0.03, per_query=0.02),
    ),
)
