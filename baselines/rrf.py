"""Reciprocal-rank fusion of BM25 and MiniLM (Cormack, Clarke and Buettcher 2009).

A tool that shares no word with the request is not BM25's to vote for: its list ends before it.
On MetaTool, where BM25 is far behind, fusion falls between its parts: equal votes for a part that
is mostly wrong cost more than its few finds bring. On the other three tasks it is above both.
"""

from __future__ import annotations

from collections.abc import Sequence

from tool_bench.baseline import Baseline, Speed
from tool_bench.retriever import Ranking, Retriever

PARTS = ("bm25s", "minilm")
CONSTANT, DEPTH = 60, 100


def fuse(rankings: Sequence[Ranking]) -> dict[str, float]:
    """Return the fused scores of BM25's and MiniLM's rankings."""
    from tool_bench.fusion import reciprocal_rank

    lexical, dense = rankings
    found = tuple((tool_id, score) for tool_id, score in lexical if score > 0)
    return reciprocal_rank([found, dense], CONSTANT)


def load() -> Retriever:
    """Load both parts."""
    from tool_bench.fusion import FusedRetriever, load_parts

    return FusedRetriever(load_parts(PARTS), fuse, DEPTH)


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
