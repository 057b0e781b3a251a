"""A second look at the best tools of any retriever."""

from __future__ import annotations

from collections.abc import Sequence

from tool_bench.cross_encoder import PairScorer
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Ranking, Retriever, best
from tool_bench.tool import Style, Tool, render


class Reranked:
    """Orders the first stage's best ``depth`` tools by another score.

    The first stage's order decides nothing but which tools are looked at, and what stays below
    them where more than ``depth`` are asked for.
    """

    def __init__(self, first: Retriever, scorer: PairScorer, depth: int, style: Style) -> None:
        self._first = first
        self._scorer = scorer
        self._depth = depth
        self._style = style

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Index the first stage."""
        self._texts = {tool.id: render(tool, self._style) for tool in tools}
        self._first.index(tools, examples)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Retrieve with the first stage, score each pair, order by that."""
        found = self._first.search(queries, max(self._depth, k), scopes)
        return [
            self._rerank(query, ranking, k) for query, ranking in zip(queries, found, strict=True)
        ]

    def _rerank(self, query: Query, ranking: Ranking, k: int) -> Ranking:
        ordered = sorted(ranking, key=lambda pair: -pair[1])
        head = [tool_id for tool_id, _ in ordered[: self._depth]]
        if not head:
            return ()
        scores = self._scorer(query.instructed, [self._texts[tool_id] for tool_id in head])
        ranked = best(dict(zip(head, map(float, scores), strict=True)), len(head))
        floor = ranked[-1][1]
        tail = [tool_id for tool_id, _ in ordered[self._depth :]]
        below = ((tool_id, floor - place) for place, tool_id in enumerate(tail, start=1))
        return (*ranked, *below)[:k]
