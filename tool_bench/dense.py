"""Dense retrieval: one vector per tool, exact search by inner product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tool_bench.dataset import Examples
from tool_bench.encoder import Encoder
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking
from tool_bench.tool import MAX_CHARACTERS, Style, Tool, render

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ToolVectors = Callable[[Encoder, Sequence[Tool], Examples], "NDArray[np.float32]"]
"""(encoder, tools, examples) -> one vector per tool, shape (tools, dimensions)."""


@runtime_checkable
class TakesInstructions(Protocol):
    """An encoder whose model has a place of its own for what to look for."""

    def encode_queries(self, queries: Sequence[Query]) -> NDArray[np.float32]:
        """Return unit vectors, shape (queries, dimensions), float32."""
        ...


def encode_queries(encoder: Encoder, queries: Sequence[Query]) -> NDArray[np.float32]:
    """Return the queries' vectors, shape (queries, dimensions).

    An encoder that takes instructions gets those of the queries; to any other they are text.
    """
    if isinstance(encoder, TakesInstructions):
        return encoder.encode_queries(queries)
    return encoder.encode([query.instructed for query in queries], "query")


def rendered(style: Style, max_characters: int = MAX_CHARACTERS) -> ToolVectors:
    """Return the plain recipe: a tool's vector is that of its text."""

    def vectors(encoder: Encoder, tools: Sequence[Tool], _: Examples) -> NDArray[np.float32]:
        texts = [render(tool, style, max_characters) for tool in tools]
        return encoder.encode(texts, "document")

    return vectors


def encode_groups(encoder: Encoder, groups: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
    """Return the vectors of each group's texts, encoded as queries in one go.

    Returns:
        For each group shape (texts, dimensions).
    """
    import numpy as np

    vectors = encoder.encode([text for group in groups for text in group], "query")
    return np.split(vectors, np.cumsum([len(group) for group in groups])[:-1])


def unit_means(encoder: Encoder, groups: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """Return the unit mean of the vectors of each group's texts, encoded as queries.

    Args:
        encoder: makes the vectors.
        groups: at least one text each.

    Returns:
        Shape (groups, dimensions).
    """
    import numpy as np

    sums = np.stack([own.sum(axis=0) for own in encode_groups(encoder, groups)])
    unit: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return unit


class DenseRetriever:
    """Ranks tools by the inner product of their vector with the query's."""

    def __init__(self, encoder: Encoder, tool_vectors: ToolVectors) -> None:
        self._encoder = encoder
        self._tool_vectors = tool_vectors

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Compute one vector per tool."""
        self._catalogue = Catalogue(tools)
        self._matrix = self._tool_vectors(self._encoder, self._catalogue.tools, examples)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Encode the queries and score every tool."""
        vectors = encode_queries(self._encoder, queries)
        return [
            self._catalogue.top(self._matrix @ vector, k, candidates)
            for vector, candidates in zip(vectors, scopes, strict=True)
        ]
