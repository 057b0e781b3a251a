"""One batch: requests against all tools of the batch, with those masked that may be right.

The loss is InfoNCE over in-batch and explicit negatives (van den Oord et al. 2018, arXiv
1807.03748). Each tool is encoded once however many rows name it, and what a row's request may be
answered by is never its wrong answer: in a small catalogue most batches hold such tools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from sentence_transformers.sentence_transformer.data_collator import (
    SentenceTransformerDataCollator,
)
from torch import Tensor, nn

from tool_bench.training.order import source_of

Model = Callable[[dict[str, Any]], Mapping[str, Tensor]]
"""Tokens -> ``sentence_embedding``, shape (texts, dimensions)."""

ANSWER = 1
MASKED = -1
TOGETHER = 32
"""Texts that go through the model at once."""


@dataclass
class Collator(SentenceTransformerDataCollator):
    """Rows of numbers -> what the trainer feeds the model.

    Makes ``query_*`` (the requests), ``document_*`` (the batch's tools, each text once) and
    ``label``, shape (requests, tools): :data:`ANSWER`, 0 for a wrong answer, :data:`MASKED` for a
    tool that may be right.
    """

    rows: Sequence[Mapping[str, Any]] = field(default_factory=list)
    """A snapshot's training rows."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Tool -> text."""
    own_prompts: Mapping[str, str | None] = field(default_factory=dict)
    """``query`` and ``document`` -> what the model puts before such a text when it encodes."""
    whole_catalogue: int = 0
    """See :class:`~tool_bench.training.recipe.Optimiser`."""

    def __post_init__(self) -> None:
        found: dict[str, dict[str, None]] = {}
        for row in self.rows:
            found.setdefault(source_of(row), {})[row["tool"]] = None
        self._catalogues = {
            source: list(own) for source, own in found.items() if len(own) <= self.whole_catalogue
        }

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the batch of the rows that ``features`` name by ``row``."""
        rows = [self.rows[each["row"]] for each in features]
        documents: dict[str, int] = {}
        for row in rows:
            for id_ in (row["tool"], *row["negatives"]):
                documents.setdefault(self.texts[id_], len(documents))
        sources = {source_of(row) for row in rows}
        for id_ in self._catalogues.get(sources.pop(), ()) if len(sources) == 1 else ():
            documents.setdefault(self.texts[id_], len(documents))
        labels = torch.zeros((len(rows), len(documents)), dtype=torch.long)
        for number, row in enumerate(rows):
            for id_ in row["right"]:
                known = documents.get(self.texts[id_])
                if known is not None:
                    labels[number, known] = MASKED
            for id_ in {*row["negatives"]}.intersection(row["right"]):
                labels[number, documents[self.texts[id_]]] = 0  # alike, but of another provider
            labels[number, documents[self.texts[row["tool"]]]] = ANSWER
        batch: dict[str, Any] = {"label": labels}
        for name, texts in (("query", [row["query"] for row in rows]), ("document", [*documents])):
            tokens = self.preprocess_fn(texts, prompt=self.own_prompts.get(name))
            for key, value in tokens.items():
                batch[f"{name}_{key}"] = value
        return batch


class Contrast(nn.Module):
    """Cross-entropy of each request's answer among the batch's tools."""

    def __init__(self, model: nn.Module, scale: float) -> None:
        super().__init__()
        self.model = model
        self.scale = scale

    def forward(self, features: Sequence[dict[str, Tensor]], labels: Tensor) -> Tensor:
        """Return the mean loss of the batch.

        Args:
            features: tokens of the requests, tokens of the tools.
            labels: shape (requests, tools), as :class:`Collator` makes them.
        """
        requests, tools = (unit_vectors(self.model, each) for each in features)
        with torch.autocast(requests.device.type, enabled=False):  # bf16 would round the cosines
            return info_nce(requests @ tools.T * self.scale, labels)


def unit_vectors(model: Model, tokens: Mapping[str, Any]) -> Tensor:
    """Return the texts' vectors of unit length, shape (texts, dimensions).

    Texts of like length go through the model together: padded to the longest of a batch, most of
    the work would be on padding.

    Args:
        model: makes ``sentence_embedding`` of tokens.
        tokens: ``input_ids``, ``attention_mask`` and the like, shape (texts, longest), padded on
            the right; what is no such tensor goes to the model as it is.
    """
    mask = tokens["attention_mask"]
    lengths = mask.sum(dim=1)
    order = lengths.argsort(stable=True)
    vectors = []
    for own in order.split(TOGETHER):
        longest = int(lengths[own].max())
        part = {
            name: value[own, :longest] if getattr(value, "shape", ()) == mask.shape else value
            for name, value in tokens.items()
        }
        vectors.append(model(part)["sentence_embedding"].float())
    return nn.functional.normalize(torch.cat(vectors)[order.argsort()], dim=1)


def info_nce(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over rows of -log softmax of the answer's score, masked tools left out."""
    open_ = scores.masked_fill(labels == MASKED, float("-inf"))
    return nn.functional.cross_entropy(open_, (labels == ANSWER).long().argmax(dim=1))
