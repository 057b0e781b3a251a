"""BM25 at speed: bm25s' sparse score matrix (Lu 2024), same words as ``bm25``.

``robertson`` is bm25s' variant with the term-frequency part of rank-bm25's ``BM25Okapi``. The two
libraries treat a word in more than half of the tools differently: its IDF is negative, which bm25s
sets to 0 and rank-bm25 to a quarter of the mean IDF. In a catalogue of short descriptions that
changes one tool in twelve of a top ten (MetaTool), so rank-bm25's rule is applied here. What is
left are near-ties, because bm25s computes in float32.

``bm25s-verbatim`` reads upstream's own document string instead, whole: what ToolRet and ToolBench
prescribe. Its words are still ours, not those of bm25s' tokenizer, which drops stop words and words
of one letter and keeps ``get_weather`` in one piece.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking, Retriever
from tool_bench.tool import MAX_CHARACTERS, Style, Tool, render
from tool_bench.words import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K1, B, EPSILON, METHOD = 1.5, 0.75, 0.25, "robertson"


class BM25S:
    """bm25s over identifier-aware words."""

    def __init__(self, style: Style, max_characters: int) -> None:
        from bm25s import BM25

        self._style = style
        self._max_characters = max_characters

        # an IDF that is never 0, so that it can be replaced by another
        self._bm25 = BM25(k1=K1, b=B, method=METHOD, idf_method="lucene")

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Compute every (word, tool) score once."""
        self._catalogue = Catalogue(tools)
        corpus = [
            words(render(tool, self._style, self._max_characters)) for tool in self._catalogue.tools
        ]
        self._bm25.index(corpus, show_progress=False)
        _use_okapi_idf(self._bm25.scores, len(corpus))

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Add up the scores of each query's words."""
        return [
            self._catalogue.top(self._scores(query), k, candidates)
            for query, candidates in zip(queries, scopes, strict=True)
        ]

    def _scores(self, query: Query) -> NDArray[np.floating]:
        import numpy as np

        known = [word for word in words(query.joined) if word in self._bm25.vocab_dict]
        if not known:
            return np.zeros(len(self._catalogue.ids))
        scores: NDArray[np.floating] = self._bm25.get_scores(known)
        return scores


def _use_okapi_idf(scores: dict[str, Any], tools: int) -> None:
    """Replace the Lucene IDF in a score matrix of one column per word by rank-bm25's."""
    import numpy as np

    frequency = np.diff(scores["indptr"])  # tools that hold the word
    odds = (tools - frequency + 0.5) / (frequency + 0.5)
    okapi, lucene = np.log(odds), np.log(1 + odds)
    okapi[okapi < 0] = EPSILON * okapi[frequency > 0].mean()
    scores["data"] *= np.repeat(okapi / lucene, frequency).astype(scores["data"].dtype)


def load(style: Style, max_characters: int) -> Retriever:
    """Make the retriever."""
    return BM25S(style, max_characters)


BM25S_PLAIN = Baseline(
    name="bm25s",
    kind="lexical",
    description="The same BM25 from bm25s' precomputed sparse scores: fast enough to serve.",
    reference="https://arxiv.org/abs/2407.03618",
    license="mit",
    load=partial(load, "name-description", MAX_CHARACTERS),
    deviations=("The IDF of words in more than half of the tools is rank-bm25's, not 0.",),
    parameters=0,
    revision="bm25s 0.3.16",
    style="name-description",
    settings={"k1": K1, "b": B, "epsilon": EPSILON, "method": METHOD},
    speed=Speed(start=1, per_tool=1e-4, per_query=3e-4),
)

BASELINES = (
    BM25S_PLAIN,
    replace(
        BM25S_PLAIN,
        name="bm25s-verbatim",
        description=(
            "bm25s over upstream's own document string, whole, as ToolRet and ToolBench prescribe; "
            "where a task has none, over everything a tool says of itself."
        ),
        load=partial(load, "verbatim", sys.maxsize),
        deviations=(
            *BM25S_PLAIN.deviations,
            "Words are split as for bm25s here, not by bm25s' own tokenizer, and none is dropped.",
        ),
        style="verbatim",
        speed=Speed(start=1, per_tool=3e-4, per_query=5e-4),
    ),
)
