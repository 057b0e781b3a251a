"""BM25 at speed: bm25s' sparse score matrix (Lu 2024), same words as ``bm25``.

``robertson`` is the variant nearest to rank-bm25's ``BM25Okapi``. The two differ for one thing:
a word in more than half of the tools has a negative IDF, which bm25s sets to 0 and rank-bm25 to
a quarter of the mean IDF.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking, Retriever
from tool_bench.tool import Tool, render
from tool_bench.words import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K1, B, METHOD = 1.5, 0.75, "robertson"


class BM25S:
    """bm25s over identifier-aware words."""

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Compute every (word, tool) score once."""
        import bm25s

        self._catalogue = Catalogue(tools)
        corpus = [words(render(tool, "name-description")) for tool in self._catalogue.tools]
        self._bm25 = bm25s.BM25(k1=K1, b=B, method=METHOD)
        self._bm25.index(corpus, show_progress=False)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Add up the scores of each query's words."""
        return [
            self._catalogue.top(self._scores(query), k, candidates)
            for query, candidates in zip(queries, scopes, strict=True)
        ]

    def _scores(self, query: Query) -> NDArray[np.floating]:
        tokens = [word for word in words(query.text) if word in self._bm25.vocab_dict]
        scores: NDArray[np.floating] = self._bm25.get_scores(tokens)
        return scores


def load() -> Retriever:
    """Make the retriever."""
    return BM25S()


BASELINES = (
    Baseline(
        name="bm25s",
        kind="lexical",
        description="The same BM25 from bm25s' precomputed sparse scores: fast enough to serve.",
        reference="https://arxiv.org/abs/2407.03618",
        license="mit",
        load=load,
        parameters=0,
        revision="bm25s 0.3.16",
        style="name-description",
        settings={"k1": K1, "b": B, "method": METHOD},
        speed=Speed(start=1, per_tool=1e-4, per_query=3e-4),
    ),
)
