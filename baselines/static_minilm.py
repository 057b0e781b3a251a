"""Static embeddings: MiniLM distilled into one vector per word piece (Model2Vec, Tulkens 2024).

Every word piece goes through MiniLM alone, the vectors are reduced by PCA and weighted by the
piece's estimated frequency (SIF with Zipf's law); a text is the mean of its pieces. model2vec's
own distillation needs an older transformers than this project, so its recipe is followed here and
model2vec's class does the encoding. Distilled once per machine, from the embedded weights alone.

It is below BM25 where requests are long. The order of the vocabulary is a rough guess of
frequency: function words keep half the weight of other words (3.3 against 6.1 on average) and hold
28 to 31 % of a request's weight; pieces of split words hold another 15 % on MockConnectors (10 % on
ToolBench, 7 % on MetaTool), and nothing looks at context to tell which words matter. On
MockConnectors nDCG@10 falls from .29 (requests under 15 words) to .11 (40 and more).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_bench.baseline import Baseline, Speed
from tool_bench.retriever import Retriever

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tool_bench.encoder import Role

DIMENSIONS, SIF = 256, 1e-4
"""model2vec's defaults."""
VERSION = "minilm-1110a243-256-1e-4-1"
_BATCH = 256
_SPECIAL = {"[PAD]", "[CLS]", "[SEP]", "[MASK]"}


class StaticEncoder:
    """A model2vec model as an encoder; too fast for a cache to be worth its while."""

    identity = f"static {VERSION}"

    def __init__(self, model: Any) -> None:
        self._model = model

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions); zero for a text without known pieces."""
        from tool_bench.encoder import encoding

        with encoding():
            vectors: NDArray[np.float32] = self._model.encode(
                list(texts), use_multiprocessing=False
            )
        return vectors


def distil(folder: Path) -> NDArray[np.float32]:
    """Return one weighted vector per word piece of the model in ``folder``.

    Returns:
        Shape (vocabulary, 256); zero for pieces that no text has (special and unused ones).
    """
    import numpy as np
    import torch
    from sklearn.decomposition import PCA
    from transformers import AutoModel, AutoTokenizer

    from tool_bench.progress import report
    from tool_bench.sentence import quiet_libraries

    quiet_libraries()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModel.from_pretrained(folder).eval()
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    used = [n for piece, n in pieces if piece not in _SPECIAL and not piece.startswith("[unused")]
    states = []
    for start in range(0, len(used), _BATCH):
        report("distil", start, len(used))
        ids = [
            [tokenizer.cls_token_id, number, tokenizer.sep_token_id]
            for number in used[start : start + _BATCH]
        ]
        with torch.inference_mode():
            states.append(model(torch.tensor(ids)).last_hidden_state.mean(dim=1).numpy())
    vectors = PCA(DIMENSIONS, svd_solver="covariance_eigh").fit_transform(np.concatenate(states))
    frequency = 1 / np.arange(2, len(used) + 2)  # Zipf: the vocabulary is sorted by frequency
    frequency /= frequency.sum()
    table = np.zeros((len(pieces), DIMENSIONS), dtype=np.float32)
    table[used] = vectors * (SIF / (SIF + frequency))[:, None]
    return table


def load_encoder() -> StaticEncoder:
    """Load the distilled model, making it where it is not there."""
    import numpy as np
    from model2vec import StaticModel
    from tokenizers import Tokenizer

    from tool_bench.data.paths import cache_folder
    from tool_bench.footprint import model_loaded
    from tool_bench.sentence import minilm_folder

    source = minilm_folder()
    stored = cache_folder() / "models" / f"{VERSION}.npy"
    try:
        table = np.load(stored)
    except (OSError, ValueError, EOFError):
        table = distil(source)
        _keep(stored, table)
    for file in (stored, source / "tokenizer.json"):
        model_loaded(file)
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return StaticEncoder(StaticModel(table, tokenizer, normalize=True))


def _keep(path: Path, table: NDArray[np.float32]) -> None:
    """Store ``table`` whole or not at all."""
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        np.save(file, table)
    os.replace(file.name, path)


def load() -> Retriever:
    """Load the distilled model."""
    from tool_bench.dense import DenseRetriever, rendered

    return DenseRetriever(load_encoder(), rendered("name-description"))


BASELINES = (
    Baseline(
        name="static-minilm",
        kind="dense",
        description=(
            "MiniLM distilled into one vector per word piece: a look-up and a mean, no neural "
            "network at search."
        ),
        reference="https://github.com/MinishLab/model2vec",
        license="apache-2.0",
        load=load,
        parameters=30_522 * DIMENSIONS,
        revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        style="name-description",
        precision="float32",
        settings={"dimensions": DIMENSIONS, "sif": SIF},
        speed=Speed(start=20, per_tool=1e-4, per_query=3e-4),
    ),
)
