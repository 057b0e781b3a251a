"""TF-IDF and cosine similarity: the vector space model (Salton and Buckley 1988).

A word counts for more the oftener a tool's text holds it and the fewer texts hold it at all. Raw
counts and smoothed IDF are scikit-learn's defaults; ``sublinear_tf`` stays off as it is there.
"""

from __future__ import annotations

from collections.abc import Sequence

from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking
from tool_bench.tool import Tool, render
from tool_bench.words import words


class TFIDF:
    """scikit-learn's TF-IDF over identifier-aware words."""

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(analyzer=words)

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Weigh the words of every tool."""
        self._catalogue = Catalogue(tools)
        texts = [render(tool, "name-description") for tool in self._catalogue.tools]
        self._weights = self._vectorizer.fit_transform(texts).T.tocsr()  # (words, tools)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Score every tool for each query: the product of unit vectors is their cosine."""
        vectors = self._vectorizer.transform([query.joined for query in queries])
        return [
            self._catalogue.top((vector @ self._weights).toarray()[0], k, candidates)
            for vector, candidates in zip(vectors, scopes, strict=True)
        ]


BASELINES = (
    Baseline(
        name="tfidf",
        kind="lexical",
        description="Cosine similarity of TF-IDF vectors over the words of name and description.",
        reference="https://doi.org/10.1016/0306-4573(88)90021-0",
        license="bsd-3-clause",
        load=TFIDF,
        parameters=0,
        revision="scikit-learn 1.9",
        style="name-description",
        settings={"norm": "l2", "smooth idf": True, "sublinear tf": False},
        speed=Speed(start=1, per_tool=5e-5, per_query=4e-4),
    ),
)
