"""mteb's encoders as ours, each query's own instruction in the place its model has for one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import mteb
import numpy as np
from datasets import Dataset
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models.models_protocols import EncoderProtocol
from mteb.types import PromptType

from tool_bench.encoder import CachedEncoder, Encoder, Role
from tool_bench.prompt import PROMPT
from tool_bench.query import Query
from tool_bench.sentence import machine

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GENERIC = TaskMetadata.model_validate(
    {
        "name": "ToolBenchAnyTask",
        "description": "Any catalogue of tools.",
        "dataset": {"path": "tool-bench", "revision": "1"},
        "type": "Retrieval",
        "category": "t2t",
        "eval_langs": ["eng-Latn"],
        "main_score": "ndcg_at_10",
        "prompt": {"query": PROMPT},
    }
)


def task_arguments(instruction: str = PROMPT) -> dict[str, Any]:
    """Return what mteb's models are told of the task: ``instruction`` and nothing else."""
    told = _GENERIC
    if instruction != PROMPT:
        told = _GENERIC.model_copy(update={"prompt": {"query": instruction}})
    return {"task_metadata": told, "hf_split": "test", "hf_subset": "default"}


class MtebEncoder:
    """An mteb encoder as one of ours; mteb chooses prompts and prefixes."""

    def __init__(self, model: EncoderProtocol, identity: str, batch_size: int = 32) -> None:
        self.identity = f"{identity}|mteb {mteb.__version__}|{PROMPT}|{machine()}"
        self._model = model
        self._batch_size = batch_size

    def encode(
        self, texts: Sequence[str], role: Role, instruction: str = PROMPT
    ) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions), float32; zero stays zero.

        Args:
            texts: what to encode.
            role: queries or documents.
            instruction: what queries ask for, for models that take one.
        """
        from torch.utils.data import DataLoader

        rows: Any = Dataset.from_dict({"text": list(texts)})
        vectors = self._model.encode(
            DataLoader(rows, batch_size=self._batch_size),
            prompt_type=PromptType.query if role == "query" else PromptType.document,
            batch_size=self._batch_size,
            show_progress_bar=False,
            **task_arguments(instruction),
        )
        dense = np.array(vectors, dtype=np.float32)
        lengths = np.linalg.norm(dense, axis=1, keepdims=True)
        lengths[lengths == 0] = 1  # a service that answers an empty text with zeros
        unit: NDArray[np.float32] = dense / lengths
        return unit


class InstructedEncoder:
    """An mteb encoder, cached, that gives its model each query's own instruction."""

    def __init__(self, encoder: MtebEncoder) -> None:
        self.identity = encoder.identity
        self._plain = CachedEncoder(encoder)
        self._instructed = CachedEncoder(_ByInstruction(encoder))

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions), float32."""
        return self._plain.encode(texts, role)

    def encode_queries(self, queries: Sequence[Query]) -> NDArray[np.float32]:
        """Return unit vectors, shape (queries, dimensions), float32."""
        if not any(query.instruction for query in queries):
            return self.encode([query.text for query in queries], "query")
        pairs = [json.dumps([query.instruction or PROMPT, query.text]) for query in queries]
        return self._instructed.encode(pairs, "query")


class _ByInstruction:
    """Encodes pairs of instruction and text, each written as JSON so that it can be cached."""

    def __init__(self, encoder: MtebEncoder) -> None:
        self.identity = f"{encoder.identity}|instructions of the queries"
        self._encoder = encoder

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions), float32."""
        groups: dict[str, list[tuple[int, str]]] = {}
        for row, pair in enumerate(texts):
            instruction, text = json.loads(pair)
            groups.setdefault(instruction, []).append((row, text))
        vectors: dict[int, NDArray[np.float32]] = {}
        for instruction, members in groups.items():
            rows, asked = zip(*members, strict=True)
            vectors.update(zip(rows, self._encoder.encode(asked, role, instruction), strict=True))
        return np.stack([vectors[row] for row in range(len(texts))])


def cached_encoder(model: EncoderProtocol, identity: str) -> Encoder:
    """Return ``model`` as a cached encoder, with the queries' instructions where it takes them."""
    encoder = MtebEncoder(model, identity)
    return InstructedEncoder(encoder) if takes_instructions(model) else CachedEncoder(encoder)


def takes_instructions(model: Any) -> bool:
    """Tell whether the instruction of a task reaches what ``model`` reads, in a template.

    ``ModelMeta.use_instructions`` does not tell: mteb sets it for models with one fixed prefix too.
    """
    if getattr(model, "instruction_template", None) is None:
        return False
    probe = "<what to look for>"
    told = task_arguments(probe)["task_metadata"]
    return probe in model.get_task_instruction(told, PromptType.query)
