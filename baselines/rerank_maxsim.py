"""BM25 finds fifty tools, MiniLM's token vectors order them.

Only tools that some request brought up are ever encoded; their vectors are kept for the next one.
Nogueira and Cho 2019 for the two stages; the second is late interaction (``late-interaction``)
instead of a cross-encoder, since it needs no weights beyond the embedded ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_bench.baseline import Baseline, Speed
from tool_bench.retriever import Retriever

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tool_bench.tokens import TokenEncoder

FIRST, DEPTH = "bm25s", 50


class MaxSimScorer:
    """Scores texts against a request; keeps the token vectors of texts it has seen."""

    def __init__(self, encoder: TokenEncoder) -> None:
        self._encoder = encoder
        self._seen: dict[str, NDArray[np.float32]] = {}

    def __call__(self, request: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score per text."""
        import numpy as np

        from tool_bench.tokens import max_sim

        new = sorted(set(texts) - self._seen.keys())
        self._seen.update(zip(new, self._encoder.encode(new), strict=True))
        vectors = [self._seen[text] for text in texts]
        starts = np.cumsum([0, *(len(own) for own in vectors[:-1])])
        return max_sim(self._encoder.encode([request])[0], np.concatenate(vectors), starts)


def load() -> Retriever:
    """Load both stages."""
    from tool_bench.fusion import load_parts
    from tool_bench.rerank import Reranked
    from tool_bench.tokens import minilm_tokens

    (first,) = load_parts([FIRST])
    return Reranked(first, MaxSimScorer(minilm_tokens()), DEPTH, "name-description")


BASELINES = (
    Baseline(
        name="bm25s-maxsim",
        kind="rerank",
        description="bm25s retrieves 50 tools, MaxSim between MiniLM's token vectors orders them.",
        reference="https://arxiv.org/abs/1901.04085",
        license="apache-2.0",
        load=load,
        parts=(FIRST,),
        parameters=22_713_216,
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        style="name-description",
        precision="float32",
        settings={"first": FIRST, "depth": DEPTH, "score": "MaxSim"},
        deviations=("Late interaction in place of a cross-encoder.",),
        speed=Speed(start=12, per_tool=0.03, per_query=0.02),
    ),
)
