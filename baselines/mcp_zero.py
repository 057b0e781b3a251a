"""MCP-Zero's two-step score: first the server, then the tool (Fei et al. 2025, section 3.3).

A tool's score is (s * t) * max(s, t), where s is the request's cosine with the server and t with
the tool. The best servers give their best tools.

On MockConnectors, global, it is below BM25: the right product is among the five servers for 70 % of
the requests only, and a right tool among their fifteen for 51 %. Tasks describe no servers, so that
a server is little more than the names of its tools, and a request that names no product does not
say which of several with like tools is meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_bench.baseline import Baseline, Needs, Speed
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking, Retriever
from tool_bench.tool import MAX_CHARACTERS, Tool, render

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tool_bench.encoder import Encoder

SERVERS, TOOLS = 5, 3


def server_text(provider: str, tools: Sequence[Tool]) -> str:
    """Return what a server says of itself: its name, categories, and what its tools are called."""
    categories = sorted({tool.category for tool in tools if tool.category})
    names = ", ".join(tool.name for tool in tools)
    return ". ".join(filter(None, (provider, *categories, f"Tools: {names}")))[:MAX_CHARACTERS]


class MCPZero:
    """Servers and tools in one vector space."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Encode every server and every tool; a tool without a provider is its own server."""
        import numpy as np

        self._catalogue = Catalogue(tools)
        ordered = self._catalogue.tools
        rows: dict[str, list[int]] = defaultdict(list)
        for row, tool in enumerate(ordered):
            rows[tool.provider or tool.id].append(row)
        texts = [server_text(name, [ordered[row] for row in own]) for name, own in rows.items()]
        self._servers = self._encoder.encode(texts, "document")
        self._tools = self._encoder.encode(
            [render(tool, "name-description") for tool in ordered], "document"
        )
        self._rows = [np.array(own) for own in rows.values()]
        self._server_of = np.empty(len(ordered), dtype=np.intp)
        for server, own in enumerate(self._rows):
            self._server_of[own] = server

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Rank the best servers' best tools first, then the rest by the same score."""
        vectors = self._encoder.encode([query.instructed for query in queries], "query")
        return [
            self._catalogue.top(self._scores(vector), k, candidates)
            for vector, candidates in zip(vectors, scopes, strict=True)
        ]

    def _scores(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        server = np.maximum(self._servers @ vector, 0)[self._server_of]
        tool = np.maximum(self._tools @ vector, 0)
        scores: NDArray[np.float32] = server * tool * np.maximum(server, tool)
        best = np.argsort(-(self._servers @ vector), kind="stable")[:SERVERS]
        for rows in (self._rows[number] for number in best):
            scores[rows[np.argsort(-scores[rows], kind="stable")[:TOOLS]]] += 1  # above all others
        return scores


def load() -> Retriever:
    """Load the embedded MiniLM."""
    from tool_bench.sentence import minilm

    return MCPZero(minilm())


BASELINES = (
    Baseline(
        name="mcp-zero",
        kind="dense",
        description="The best five providers by MiniLM, of each the best three tools.",
        reference="https://arxiv.org/abs/2506.01056",
        license="mit",
        load=load,
        parameters=22_713_216,
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        style="name-description",
        precision="float32",
        settings={"servers": SERVERS, "tools": TOOLS, "score": "(s*t)*max(s,t)"},
        deviations=(
            (
                "The request itself is matched; the paper lets the agent's LLM write one text for "
                "the server and one for the tool."
            ),
            "MiniLM, not text-embedding-3-large.",
            "A server's text is its name, categories and tool names: tasks describe no servers.",
            "The other tools follow below, so that a ranking is never short.",
        ),
        needs=Needs(providers=True),
        speed=Speed(start=10, per_tool=0.03, per_query=0.02),
    ),
)
