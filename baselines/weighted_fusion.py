"""Convex combination of BM25 and MiniLM scores (Bruch, Gai and Ingber 2023).

Scores are normalised by the least value that each part can give (0 for BM25, -1 for a cosine) and
the query's best one. The weights, 0.2 and 0.8, were set beforehand and are not tuned on any task
here. Since cosines of real texts fill only the upper part of their range, BM25 has more of a say
than its weight suggests. On MetaTool, where BM25 is far behind, fusion falls below MiniLM alone: on
the other three tasks it is above both parts.
"""

from __future__ import annotations

from tool_bench.baseline import Baseline, Speed
from tool_bench.retriever import Retriever

PARTS = ("bm25s", "minilm")
WEIGHTS, FLOORS, DEPTH = (0.2, 0.8), (0.0, -1.0), 1_000


def load() -> Retriever:
    """Load both parts."""
    from tool_bench.fusion import FusedRetriever, convex, load_parts

    return FusedRetriever(load_parts(PARTS), lambda r: convex(r, WEIGHTS, FLOORS), DEPTH)


BASELINES = (
    Baseline(
        name="weighted-fusion",
        kind="hybrid",
        description="bm25s and minilm, normalised scores added with weights 0.2 and 0.8.",
        reference="https://arxiv.org/abs/2210.11934",
        license="apache-2.0",
        load=load,
        parts=PARTS,
        parameters=22_713_216,
        style="name-description",
        precision="float32",
        settings={"dense weight": WEIGHTS[1], "depth": DEPTH, "normalisation": "TM2C2"},
        speed=Speed(start=12, per_tool=0.025, per_query=0.02),
    ),
)
