"""A trained model as one small folder that runs without torch.

Torch's own exporter writes the graph, pooling and normalisation in it;
:mod:`tool_bench.training.int8` shrinks the weights; :mod:`tool_bench.onnx_encoder` runs the result.
"""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from tool_bench.data.fetch import sha256_of
from tool_bench.errors import DataError, ToolBenchError, UnavailableError, UsageError
from tool_bench.onnx_encoder import CONFIG, FORMAT, MODEL, TOKENIZER, OnnxEncoder
from tool_bench.progress import report
from tool_bench.serving import CATALOGUE
from tool_bench.tool import MAX_CHARACTERS, Style
from tool_bench.trained import read_card

if TYPE_CHECKING:
    from onnx import ModelProto
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

    from tool_bench.training.validation import Encode

LEAST_COSINE = 0.99
"""Of an exported vector to the model's own: an export below it is broken, not merely rounded."""

_WEIGHTS = "model.safetensors"
_OPSET = 17  # the first with LayerNormalization
_STEPS = 3
_FAR = -1e4  # added to a score before the softmax: e to its power is 0
_PROBES = (
    "weather",
    "Book a table for two tonight.",
    "create_issue: Open a new issue in a repository, with a title, a body, labels and assignees.",
    "zażółć gęślą jaźń: 東京の天気は?",
    "list_invoices: " + "Returns invoices by customer, date, state and amount, newest first. " * 40,
)


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to."""

    folder: Path
    size: int
    """Bytes of all its files."""
    cosine: float
    """The least cosine between its vectors and the model's own, over a few texts."""


def export(
    folder: Path,
    made: Path,
    style: Style | None = None,
    max_characters: int | None = None,
) -> Exported:
    """Write the model of ``folder`` as ``made``, whole or not at all.

    Args:
        folder: a sentence-transformers model: BERT or MiniLM, mean or CLS pooling.
        made: what is to be made; an earlier export there is replaced.
        style: how the model expects tools to be rendered: by default as its folder says that it
            was trained, ``name-description`` where it does not say.
        max_characters: and where their text is cut.

    Raises:
        DataError: ``folder`` holds no such model.
        UnavailableError: onnx or onnxruntime is not installed.
        UsageError: ``made`` holds something that is no export.
        ToolBenchError: the exported vectors are not the model's.
    """
    for module in ("onnx", "onnxruntime"):
        if find_spec(module) is None:
            raise UnavailableError(f"export needs {module}: pip install 'tool-bench[train]'")
    from tool_bench.training.models import encoder

    made = made.resolve()
    if made.exists() and not _replaceable(made):
        raise UsageError(
            f"{made} holds something else than an exported model; name a new or empty folder"
        )
    card = read_card(folder)
    report("load the model", 0, _STEPS)
    model, pooling = load(folder)
    made.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=made.parent, prefix=".new-") as temporary:
        new, old = Path(temporary) / "new", Path(temporary) / "old"
        new.mkdir()
        report("write its graph", 1, _STEPS)
        _write(model, pooling, new)
        config = {
            "format": FORMAT,
            "dimensions": model.get_embedding_dimension(),
            "max_tokens": _max_tokens(model),
            "pooling": pooling,
            "prompts": {role: model.prompts.get(role, "") for role in ("query", "document")},
            "style": style or (card.style if card else "name-description"),
            "max_characters": max_characters or (card.max_characters if card else MAX_CHARACTERS),
            "weights_sha256": sha256_of(folder / _WEIGHTS),
            "model_sha256": sha256_of(new / MODEL),
            "tokenizer_sha256": sha256_of(new / TOKENIZER),
        }
        (new / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
        report("compare vectors", 2, _STEPS)
        cosine = least_cosine(OnnxEncoder(new).encode, encoder(model))
        if made.exists():
            os.replace(made, old)
        try:
            os.replace(new, made)
        except BaseException:
            if old.exists():
                os.replace(old, made)
            raise
    size = sum(file.stat().st_size for file in made.iterdir())
    return Exported(made, size, cosine)


def _replaceable(folder: Path) -> bool:
    """Tell whether ``folder`` is empty, or an export and nothing else."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    if not names:
        return True
    try:
        config = json.loads((folder / CONFIG).read_bytes())
    except (OSError, ValueError):
        return False
    ours = isinstance(config, dict) and "model_sha256" in config
    return ours and names <= {MODEL, TOKENIZER, CONFIG, CATALOGUE}


def load(folder: Path) -> tuple[SentenceTransformer, str]:
    """Return the model in floats on the CPU, and how it pools.

    Raises:
        DataError: there is none, or it has parts that are not exported.
    """
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    from tool_bench.training.models import load_model

    model = load_model(folder)
    if not (folder / _WEIGHTS).is_file():
        raise DataError(folder, f"holds no {_WEIGHTS}")
    parts = list(model)
    kinds = [type(part) for part in parts]
    if kinds not in ([Transformer, Pooling], [Transformer, Pooling, Normalize]):
        names = ", ".join(kind.__name__ for kind in kinds)
        problem = f"is made of {names}; only Transformer, Pooling and Normalize are exported"
        raise DataError(folder / "modules.json", problem)
    pooling = str(parts[1].pooling_mode)
    if pooling not in {"mean", "cls"}:
        raise DataError(
            folder / "1_Pooling", f"pools by '{pooling}'; only mean and cls are exported"
        )
    return model.to("cpu").float().eval(), pooling


def _max_tokens(model: SentenceTransformer) -> int:
    transformer: Any = model[0]
    positions: int = transformer.model.config.max_position_embeddings
    return min(model.max_seq_length or positions, positions)


def _write(model: SentenceTransformer, pooling: str, folder: Path) -> None:
    """Write ``model.onnx`` and ``tokenizer.json``, which cuts texts where the model does."""
    import onnx
    from tokenizers import Tokenizer

    from tool_bench.training.int8 import quantise

    graph = trace(model, pooling)
    quantise(graph)
    onnx.save(graph, folder / MODEL)
    tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.enable_truncation(_max_tokens(model))
    tokenizer.no_padding()
    tokenizer.save(str(folder / TOKENIZER), pretty=False)


def trace(model: SentenceTransformer, pooling: str) -> ModelProto:
    """Return the float graph of ``model``: ids and mask, shape (texts, tokens), to unit vectors.

    Args:
        model: its first part is a transformer.
        pooling: ``mean`` or ``cls``.
    """
    import onnx

    some = torch.ones(2, 7, dtype=torch.long)
    names = ["input_ids", "attention_mask"]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        path = Path(folder) / MODEL
        # it is deprecated, but its successor needs onnxscript
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Whole(model[0].model, pooling).eval(),
            (some, some),
            path,
            dynamo=False,
            opset_version=_OPSET,
            input_names=names,
            output_names=["embedding"],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in names}
            | {"embedding": {0: "texts"}},
        )
        return onnx.load(path)


class _Whole(torch.nn.Module):
    """A transformer, its pooling and normalisation."""

    def __init__(self, transformer: Any, pooling: str) -> None:
        super().__init__()
        transformer.set_attn_implementation("eager")
        self.transformer = transformer
        self.pooling = pooling

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        # a mask that has all four axes already spares the graph the code that makes one
        far = (1.0 - mask[:, None, None, :].float()) * _FAR
        states = self.transformer(input_ids=ids, attention_mask=far).last_hidden_state
        if self.pooling == "cls":
            pooled = states[:, 0]
        else:
            kept = mask[:, :, None].float()
            pooled = (states * kept).sum(1) / kept.sum(1)
        return torch.nn.functional.normalize(pooled, dim=1)


def least_cosine(ours: Encode, theirs: Encode) -> float:
    """Return the least cosine of exported vectors to the model's own.

    Raises:
        ToolBenchError: it is below :data:`LEAST_COSINE`.
    """
    least = float((ours(_PROBES, "document") * theirs(_PROBES, "document")).sum(axis=1).min())
    if not least >= LEAST_COSINE:
        raise ToolBenchError(
            f"the exported vectors are not the model's: a cosine is {least:.3f}, expected at "
            f"least {LEAST_COSINE}"
        )
    return least
