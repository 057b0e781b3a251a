"""BM25, the lexical reference (Robertson and Zaragoza 2009, as rank-bm25's ``BM25Okapi``)."""

from __future__ import annotations

from collections.abc import Sequence

from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking, Retriever
from tool_bench.tool import Tool, render
from tool_bench.words import words

K1, B, EPSILON = 1.5, 0.75, 0.25


class BM25:
    """rank-bm25 over identifier-aware words."""

    def __init__(self) -> None:
        from rank_bm25 import BM25Okapi

        self._make = BM25Okapi

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Count the words of every tool."""
        self._catalogue = Catalogue(tools)
        corpus = [words(render(tool, "name-description")) for tool in self._catalogue.tools]
        self._bm25 = self._make(corpus, k1=K1, b=B, epsilon=EPSILON)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Score every tool for each query."""
        return [
            self._catalogue.top(self._bm25.get_scores(words(query.joined)), k, candidates)
            for query, candidates in zip(queries, scopes, strict=True)
        ]


def load() -> Retriever:
    """Make the retriever."""
    return BM25()


BASELINES = (
    Baseline(
        name="bm25",
        kind="lexical",
        description=(
            "Okapi BM25 over the words of name and description, identifiers split into words. "
            "The reference implementation: plain Python, so its latency grows with the catalogue."
        ),
        reference="https://doi.org/10.1561/1500000019",
        license="apache-2.0",
        load=load,
        parameters=0,
        revision="rank-bm25 0.2.2",
        style="name-description",
        settings={"k1": K1, "b": B, "epsilon": EPSILON},
        speed=Speed(start=1, per_tool=1e-4, per_query=8e-3),
    ),
)
