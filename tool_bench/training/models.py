"""The models that training starts from and ends with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.errors import DataError, UnavailableError
from tool_bench.sentence import minilm_folder, quiet_libraries
from tool_bench.training.recipe import MINILM, Recipe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    from tool_bench.encoder import Role
    from tool_bench.training.validation import Encode


def base_model(recipe: Recipe) -> SentenceTransformer:
    """Load what ``recipe`` starts from.

    Raises:
        UnavailableError: its weights are not here and cannot be fetched.
    """
    quiet_libraries()
    from sentence_transformers import SentenceTransformer

    if recipe.base == MINILM:
        return SentenceTransformer(str(minilm_folder()))
    try:
        return SentenceTransformer(recipe.base, revision=recipe.revision)
    except (OSError, ValueError) as error:
        raise UnavailableError(f"the base '{recipe.base}' cannot be loaded: {error}") from None


def load_model(folder: Path) -> SentenceTransformer:
    """Load a trained model.

    Raises:
        DataError: the folder holds none.
    """
    quiet_libraries()
    from sentence_transformers import SentenceTransformer

    if not (folder / "modules.json").is_file():
        raise DataError(folder, "holds no model: there is no modules.json in it")
    try:
        return SentenceTransformer(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(folder, f"the model cannot be loaded: {error}") from None


def encoder(model: SentenceTransformer) -> Encode:
    """Return ``model`` as a function of texts and role; whether it is training stays as it was."""
    import numpy as np

    def encode(texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        call = model.encode_query if role == "query" else model.encode_document
        training = model.training
        vectors = call(
            list(texts),
            batch_size=64,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        model.train(training)
        return np.asarray(vectors, dtype=np.float32)

    return encode
