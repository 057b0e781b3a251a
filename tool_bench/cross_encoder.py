"""Cross-encoders: models that read a request and a tool's text together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.errors import UsageError
from tool_bench.loading import Model, enough_memory, find_hub, loading, require_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PairScorer = Callable[[str, Sequence[str]], "NDArray[np.float32]"]
"""(request, texts) -> one score per text, higher is better; shape (texts,)."""

_BATCH = 32


def cross_encoder(name: str, revision: str) -> PairScorer:
    """Load a cross-encoder by sentence-transformers.

    Args:
        name: hub name, or a local folder.
        revision: hub commit; not used for a folder.

    Raises:
        UnavailableError: its weights cannot be had, are broken or do not fit the memory; the
            scorer raises it too when the memory runs out.
        UsageError: the model gives several scores for a pair.
    """
    local = Path(name).is_dir()
    model = Model(name, None if local else revision)
    if not local:
        find_hub()
    from tool_bench.sentence import quiet_libraries

    quiet_libraries()
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    with loading(model):
        encoder = CrossEncoder(name, revision=model.revision)
    require_whole(model)
    if encoder.num_labels != 1:
        raise UsageError(f"{name} gives {encoder.num_labels} scores for a pair, not one")

    def score(request: str, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        if not texts:
            return np.zeros(0, dtype=np.float32)
        with enough_memory(model):
            scores = encoder.predict(
                [(request, text) for text in texts],
                batch_size=_BATCH,
                activation_fn=Identity(),  # a sigmoid would round high scores to the same number
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(scores, dtype=np.float32).reshape(len(texts))

    return score
