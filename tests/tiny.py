"""Models of a few thousand numbers, made here and laid out as the hub's library lays them out."""

from __future__ import annotations

import shutil
import string
from pathlib import Path

import pytest
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    BertTokenizer,
)

OWN_PROMPTS = {"query": "own query: ", "document": "own document: "}
"""What the tiny models would be prompted with if nobody said otherwise."""


LETTERS = string.ascii_letters + string.digits + string.punctuation


def _config() -> BertConfig:
    return BertConfig(
        vocab_size=5 + 2 * len(LETTERS),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=256,
    )


def _tokenizer(folder: Path) -> BertTokenizer:
    """Every letter is a word, so that a text is what its words say."""
    folder.mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{x}" for x in LETTERS)]
    (folder / "vocab.txt").write_text("\n".join(words))
    return BertTokenizer(str(folder / "vocab.txt"), do_lower_case=False, model_max_length=256)


def sentence_model(folder: Path, prompts: dict[str, str]) -> Path:
    """Save a sentence-transformers model with CLS pooling and ``prompts`` of its own."""
    torch.manual_seed(0)
    parts = folder / "parts"
    _tokenizer(parts).save_pretrained(parts)
    BertModel(_config()).save_pretrained(parts)
    modules = [Transformer(str(parts)), Pooling(32, "cls")]
    whole = folder / "whole"
    SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save(str(whole))
    return whole


def cross_encoder(folder: Path, labels: int = 1) -> Path:
    """Save a cross-encoder."""
    torch.manual_seed(0)
    parts = folder / "parts"
    _tokenizer(parts).save_pretrained(parts)
    config = _config()
    config.num_labels = labels
    BertForSequenceClassification(config).save_pretrained(parts)
    whole = folder / "whole"
    CrossEncoder(str(parts), device="cpu").save(str(whole))
    return whole


def hub_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make ``folder`` the hub's local cache for this test."""
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    return folder


def snapshot(cache: Path, name: str, revision: str, model: Path) -> Path:
    """Put a copy of ``model`` where the hub's library looks for ``name`` at ``revision``."""
    place = cache / f"models--{name.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(revision)
    return Path(shutil.copytree(model, place / "snapshots" / revision))
