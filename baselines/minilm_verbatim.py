"""all-MiniLM-L6-v2 over upstream's own document string, which ToolRet and ToolBench prescribe.

The model reads the first 256 word pieces, so of a long string only the beginning counts.
"""

from __future__ import annotations

from tool_bench.baseline import Baseline, Speed
from tool_bench.retriever import Retriever


def load() -> Retriever:
    """Load the embedded weights."""
    from tool_bench.dense import DenseRetriever, rendered
    from tool_bench.sentence import minilm

    return DenseRetriever(minilm(), rendered("verbatim"))


BASELINES = (
    Baseline(
        name="minilm-verbatim",
        kind="dense",
        description=(
            "all-MiniLM-L6-v2 over the first 256 word pieces of upstream's own document string, as "
            "ToolRet and ToolBench prescribe; where a task has none, over everything a tool says "
            "of itself."
        ),
        reference="https://arxiv.org/abs/1908.10084",
        license="apache-2.0",
        load=load,
        parameters=22_713_216,
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        style="verbatim",
        precision="float32",
        settings={"max tokens": 256, "pooling": "mean"},
        speed=Speed(start=10, per_tool=0.05, per_query=0.02),
    ),
)
