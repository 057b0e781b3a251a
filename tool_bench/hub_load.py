"""Loads a model by hub name or from a folder; what a hub model's result stands on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tool_bench.errors import UnavailableError, UsageError
from tool_bench.loading import (
    Bounded,
    Model,
    find_hub,
    loading,
    memory_gib,
    no_weights,
    require_whole,
)
from tool_bench.retriever import Retriever
from tool_bench.tool import Style

STYLE: Style = "name-description"


def load_mteb(name: str, revision: str) -> Retriever:
    """Load a model of mteb's registry.

    Raises:
        UnavailableError: its weights cannot be had, are broken or do not fit the memory, or a
            package it needs is missing.
    """
    find_hub()
    from tool_bench.mteb_bridge import load_from_mteb
    from tool_bench.sentence import quiet_libraries

    quiet_libraries()
    meta = mteb_meta(name, revision)
    if meta is None:
        raise UnavailableError(f"mteb no longer knows {name}")
    weights_mib = meta.memory_usage_mb
    model = Model(name, revision, memory_gib(weights_mib) if weights_mib else None)
    with loading(model):
        retriever = load_from_mteb(meta)
    if "Sentence Transformers" in meta.framework:
        require_whole(model, "modules.json")
    return Bounded(retriever, model)


def load_sentence_transformers(name: str, revision: str | None) -> Retriever:
    """Load a hub model by sentence-transformers; errors as :func:`load_mteb`."""
    find_hub()
    from tool_bench.dense import DenseRetriever, rendered
    from tool_bench.encoder import CachedEncoder
    from tool_bench.sentence import SentenceEncoder, quiet_libraries

    quiet_libraries()
    from sentence_transformers import SentenceTransformer

    if revision is None:  # without it, no two states of the model could be told apart
        error = OSError("the hub cannot be asked for its newest commit.")
        raise no_weights(Model(name, "main"), error)
    model = Model(name, revision)
    with loading(model):
        encoder = SentenceEncoder(
            SentenceTransformer(name, revision=revision), f"{name}@{revision}"
        )
    require_whole(model, "modules.json")
    return Bounded(DenseRetriever(CachedEncoder(encoder), rendered(STYLE)), model)


def load_local(folder: str, identity: str, style: Style, max_characters: int) -> Retriever:
    """Load a model from a folder; errors as :func:`load_mteb`."""
    from tool_bench.dense import DenseRetriever, rendered
    from tool_bench.sentence import load_folder

    model = Model(folder)
    with loading(model):
        encoder = load_folder(Path(folder), identity)
    return Bounded(DenseRetriever(encoder, rendered(style, max_characters)), model)


def mteb_meta(name: str, revision: str | None) -> Any:
    """Return what mteb's registry says of ``name``; None where it does not know it.

    Raises:
        UsageError: mteb pins another revision.
    """
    import mteb

    try:
        return mteb.get_model_meta(name, revision)
    except KeyError:
        return None
    except ValueError as error:
        raise UsageError(f"{error} Leave out --revision to use it.") from error
