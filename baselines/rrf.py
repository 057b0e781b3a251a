"""Reciprocal-rank fusion of BM25 and MiniLM (Cormack, Clarke and Buettcher 2009)."""

from __future__ import annotations

from tool_bench.baseline import Baseline, Speed
from tool_bench.retriever import Retriever

PARTS = ("bm25s", "minilm")
CONSTANT, DEPTH = 60, 100


def load() -> Retriever:
    """Load both parts."""
    from tool_bench.fusion import FusedRetriever, load_parts, reciprocal_rank

    return FusedRetriever(load_parts(PARTS), lambda r: reciprocal_rank(r, CONSTANT), DEPTH)


BASELINES = (
    Baseline(
        name="rrf",
        kind="hybrid",
        description="bm25s and minilm fused by reciprocal rank: no weights, no tuning.",
        reference="https://doi.org/10.1145/1571941.1572114",
        license="apache-2.0",
        load=load,
        parts=PARTS,
        parameters=22_713_216,
        style="name-description",
        precision="float32",
        settings={"constant": CONSTANT, "depth": DEPTH},
        speed=Speed(start=12, per_tool=0.025, per_query=0.02),
    ),
)
