"""An exported model at work: onnxruntime, tokenizers and numpy alone.

``tool-bench export`` makes the folder: ``model.onnx`` (texts' vectors of unit length come out of
it), ``tokenizer.json`` (which cuts texts) and ``config.json``. Neither torch nor transformers is
imported here or by what this module imports.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_bench.errors import DataError, UnavailableError
from tool_bench.footprint import model_loaded
from tool_bench.hardware import cpu_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tool_bench.encoder import Role
    from tool_bench.tool import Style

FORMAT = 2
"""Raised when the files of an exported model change their form."""
MODEL, TOKENIZER, CONFIG = "model.onnx", "tokenizer.json", "config.json"
BATCH = 8
"""On one thread larger batches only add padding."""

_WAY_OUT = "export the model again: tool-bench export MODEL --onnx DIR"
_FIELDS = {
    "format": int,
    "dimensions": int,
    "max_tokens": int,
    "pooling": str,
    "prompts": dict,
    "style": str,
    "max_characters": int,
    "weights_sha256": str,
    "model_sha256": str,
    "tokenizer_sha256": str,
}


class OnnxEncoder:
    """An exported model as an encoder."""

    identity: str
    """Weights, tokenizer, prompts, runtime and processor: all that changes a vector."""
    dimensions: int
    style: Style
    """How the model expects tools to be rendered."""
    max_characters: int

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load the model in ``folder``.

        Args:
            folder: what ``tool-bench export`` made.
            threads: that onnxruntime computes with.

        Raises:
            UnavailableError: onnxruntime or tokenizers is not installed.
            DataError: a file is missing, or is not the one that was exported.
        """
        config = read_config(folder)
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise UnavailableError(
                f"an exported model needs {error.name}: pip install 'tool-bench[onnx]'"
            ) from None
        for name in (MODEL, TOKENIZER):
            _verify(folder / name, config[f"{name.partition('.')[0]}_sha256"])
            model_loaded(folder / name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / MODEL), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001  its errors share no class of their own
            found = onnxruntime.__version__
            problem = f"onnxruntime {found} cannot load it (1.22 or newer can): {error}"
            raise DataError(folder / MODEL, problem) from None
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._prompts: Mapping[str, str] = config["prompts"]
        self.dimensions = config["dimensions"]
        self.style = config["style"]
        self.max_characters = config["max_characters"]
        self.identity = "|".join(
            (
                config["model_sha256"],
                config["tokenizer_sha256"],
                json.dumps(config["prompts"], sort_keys=True),
                f"onnxruntime {onnxruntime.__version__}",
                f"{threads} threads",
                cpu_model(),
            )
        )

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions), float32; no text changes another's."""
        import numpy as np

        prompted = [self._prompts.get(role, "") + text for text in texts]
        order = sorted(range(len(prompted)), key=lambda n: len(prompted[n]))
        vectors = np.empty((len(prompted), self.dimensions), dtype=np.float32)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            # one by one: encode_batch starts a thread on every core
            tokens = [self._tokenizer.encode(prompted[n]).ids for n in batch]
            shape = len(batch), max(map(len, tokens))
            ids, mask = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
            for row, own in enumerate(tokens):
                ids[row, : len(own)] = own
                mask[row, : len(own)] = 1
            inputs = {"input_ids": ids, "attention_mask": mask}
            (vectors[batch],) = self._session.run(None, inputs)
        return vectors


def read_config(folder: Path) -> dict[str, Any]:
    """Return what ``config.json`` of an exported model says.

    Raises:
        DataError: it is missing, cannot be read, or lacks a field.
    """
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(path, f"the file is missing; {_WAY_OUT}") from None
    except (OSError, ValueError) as error:
        raise DataError(path, f"cannot be read ({error}); {_WAY_OUT}") from None
    if not isinstance(config, dict):
        raise DataError(path, f"holds no object; {_WAY_OUT}")
    for field, kind in _FIELDS.items():
        if not isinstance(config.get(field), kind):
            raise DataError(path, f"field '{field}' is missing or no {kind.__name__}; {_WAY_OUT}")
    if config["format"] != FORMAT:
        problem = f"field 'format' is {config['format']}, expected {FORMAT}; {_WAY_OUT}"
        raise DataError(path, problem)
    return config


def _verify(path: Path, expected: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise DataError(path, f"the file is missing; {_WAY_OUT}") from None
    if found != expected:
        raise DataError(path, f"is not the file that {CONFIG} names; {_WAY_OUT}")
