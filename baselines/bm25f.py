"""BM25F: BM25 over weighted fields (Zaragoza et al. 2004, Robertson, Zaragoza and Taylor 2004).

The frequency of a word in a tool is a weighted sum over the fields name, description and
parameters, each field's part divided by a norm of its length; only the sum is saturated.

Neither weights nor constants were tuned on any query. A name counts three times, as in StackOne's
SDK, which repeats it three times; parameters count half, because they say what a tool takes, not
what it does. ``K1`` and ``B`` are those of ``bm25``, so that what differs from it are the fields
(and an IDF that is never negative, Lucene's).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking
from tool_bench.tool import MAX_CHARACTERS, Tool
from tool_bench.words import words

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

K1, B = 1.5, 0.75
WEIGHTS = {"name": 3.0, "description": 1.0, "parameters": 0.5}


def fields(tool: Tool) -> dict[str, str]:
    """Return the text of each field of a tool, cut where every method's text is cut."""
    texts = {
        "name": tool.name,
        "description": tool.description,
        "parameters": "\n".join(f"{p.name} {p.description}" for p in tool.parameters),
    }
    return {name: text[:MAX_CHARACTERS] for name, text in texts.items()}


class BM25F:
    """BM25F over identifier-aware words, every (word, tool) score computed once."""

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        self._vectorizer = CountVectorizer(analyzer=words)

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Count the words of every field of every tool."""
        self._catalogue = Catalogue(tools)
        texts = [fields(tool) for tool in self._catalogue.tools]
        self._vectorizer.fit(text[field] for field in WEIGHTS for text in texts)
        self._scores = scores_of(
            {field: self._vectorizer.transform([t[field] for t in texts]) for field in WEIGHTS}
        )

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Add up the scores of each query's words."""
        counts = self._vectorizer.transform([query.joined for query in queries])
        return [
            self._catalogue.top((count @ self._scores).toarray()[0], k, candidates)
            for count, candidates in zip(counts, scopes, strict=True)
        ]


def scores_of(counts: Mapping[str, csr_matrix]) -> csr_matrix:
    """Return the score of every word in every tool, shape (words, tools).

    Args:
        counts: field -> how often each tool's field holds each word, shape (tools, words).
    """
    import numpy as np

    first, *others = (w * _per_length(counts[field]) for field, w in WEIGHTS.items())
    scores: csr_matrix = sum(others, start=first).T.tocsr()
    tools = scores.shape[1]
    holding = np.diff(scores.indptr)  # tools that hold the word
    idf = np.log(1 + (tools - holding + 0.5) / (holding + 0.5))
    scores.data *= np.repeat(idf, holding) / (K1 + scores.data)
    return scores


def _per_length(counts: csr_matrix) -> csr_matrix:
    """Divide each tool's counts by the norm of its field's length."""
    import numpy as np
    from scipy.sparse import diags

    lengths = np.asarray(counts.sum(axis=1), dtype=float).ravel()
    average = lengths.mean() or 1.0  # where no tool has the field, there is nothing to divide
    divided: csr_matrix = diags(1 / (1 - B + B * lengths / average)) @ counts
    return divided


BASELINES = (
    Baseline(
        name="bm25f",
        kind="lexical",
        description=(
            "BM25 that knows fields: a word in a tool's name counts three times, one in its "
            "parameters half. Weights are set beforehand, not tuned."
        ),
        reference="https://doi.org/10.1145/1031171.1031181",
        license="bsd-3-clause",
        load=BM25F,
        deviations=(
            "Field weights are not tuned on relevance judgements.",
            "The IDF is Lucene's, which is never negative.",
        ),
        parameters=0,
        revision="scikit-learn 1.9",
        settings={"k1": K1, "b": B, **{f"weight of {name}": w for name, w in WEIGHTS.items()}},
        speed=Speed(start=1, per_tool=1e-4, per_query=2e-4),
    ),
)
