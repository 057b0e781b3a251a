"""Late interaction: every word of the request finds its best match in the tool (ColBERT, 2020).

MiniLM was trained to average its tokens, not for this, and yet its token vectors separate
near-alike tools better than their mean does, because one telling word is not averaged away. The
price is an index of one vector per token and a scan over all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking, Retriever
from tool_bench.tokens import TokenEncoder, max_sim
from tool_bench.tool import Tool, render


class LateInteraction:
    """Token vectors of the whole catalogue, scanned exactly."""

    def __init__(self, encoder: TokenEncoder) -> None:
        self._encoder = encoder

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Encode every token of every tool."""
        import numpy as np

        self._catalogue = Catalogue(tools)
        texts = [render(tool, "name-description") for tool in self._catalogue.tools]
        vectors = self._encoder.encode(texts)
        self._starts = np.cumsum([0, *(len(own) for own in vectors[:-1])])
        self._tokens = np.concatenate(vectors)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Encode the queries' tokens and score every tool."""
        vectors = self._encoder.encode([query.instructed for query in queries])
        return [
            self._catalogue.top(max_sim(vector, self._tokens, self._starts), k, candidates)
            for vector, candidates in zip(vectors, scopes, strict=True)
        ]


def load() -> Retriever:
    """Load the embedded MiniLM."""
    from tool_bench.tokens import minilm_tokens

    return LateInteraction(minilm_tokens())


BASELINES = (
    Baseline(
        name="late-interaction",
        kind="dense",
        description="MaxSim between MiniLM's token vectors, over 'name: description'.",
        reference="https://arxiv.org/abs/2004.12832",
        license="apache-2.0",
        load=load,
        parameters=22_713_216,
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        style="name-description",
        precision="float32",
        settings={"max tokens": 256, "score": "MaxSim"},
        deviations=(
            (
                "all-MiniLM-L6-v2 as it is: no training for late interaction, no projection, no "
                "marker tokens, no padding of requests."
            ),
        ),
        speed=Speed(start=10, per_tool=0.03, per_query=0.04),
    ),
)
