"""One vector per token of a text, and the MaxSim score between two texts.

Source: Khattab and Zaharia 2020, "ColBERT" (section 3.2): each token of the request takes its best
match among the tool's tokens; the score is their sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_bench.encoder import encoding
from tool_bench.footprint import model_loaded
from tool_bench.progress import report

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

_CHUNK = 256
_BATCH = 32


class TokenEncoder:
    """Token vectors of a sentence-transformers model, its special tokens left out."""

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Return for each text its unit token vectors, shape (tokens, dimensions).

        A text without a token of its own keeps its special ones, so that none is empty.
        """
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        vectors: dict[int, NDArray[np.float32]] = {}
        for start in range(0, len(order), _CHUNK):
            if len(order) > _CHUNK:
                report("encode tokens", start, len(order))
            rows = order[start : start + _CHUNK]
            with encoding():
                states = self._model.encode(
                    [texts[row] for row in rows],
                    output_value="token_embeddings",
                    batch_size=_BATCH,
                    convert_to_numpy=False,
                    show_progress_bar=False,
                )
                vectors.update(
                    (row, _unit(state.float().cpu().numpy()))
                    for row, state in zip(rows, states, strict=True)
                )
        return [vectors[row] for row in range(len(texts))]


def _unit(state: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    own = state[1:-1] if len(state) > 2 else state  # noqa: PLR2004  the first and the last token
    unit: NDArray[np.float32] = own / np.linalg.norm(own, axis=1, keepdims=True)
    return unit


def max_sim(
    query: NDArray[np.float32], tokens: NDArray[np.float32], starts: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the mean over the query's tokens of each tool's best match, shape (tools,).

    Args:
        query: token vectors of the request, shape (query tokens, dimensions).
        tokens: token vectors of all tools, one tool after another, shape (tokens, dimensions).
        starts: the row where each tool begins, rising; shape (tools,).

    The mean orders as ColBERT's sum does, and compares across requests.
    """
    import numpy as np

    best: NDArray[np.float32] = np.maximum.reduceat(tokens @ query.T, starts, axis=0).mean(axis=1)
    return best


def minilm_tokens() -> TokenEncoder:
    """Load the embedded MiniLM; errors as :func:`tool_bench.sentence.minilm`."""
    from tool_bench.sentence import minilm_folder, quiet_libraries

    quiet_libraries()
    from sentence_transformers import SentenceTransformer

    folder = minilm_folder()
    model_loaded(folder)
    return TokenEncoder(SentenceTransformer(str(folder)))
