"""Text to vectors: in length-sorted batches, kept in a content-addressed cache.

Latency is measured inside :func:`without_cache`. What a cached vector took to compute on this
machine is added to :func:`seconds_saved`, so that the time to build an index can be stated in
full although part of it was spared. What encoding takes, spared or not, is added to
:func:`seconds_encoding`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, Protocol

from tool_bench.progress import report
from tool_bench.vectors import VectorStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Role = Literal["query", "document"]

_CHUNK = 256
_use_cache: ContextVar[bool] = ContextVar("use_cache", default=True)
_seconds_saved: ContextVar[float] = ContextVar("seconds_saved", default=0.0)
_seconds_encoding: ContextVar[float] = ContextVar("seconds_encoding", default=0.0)


class Encoder(Protocol):
    """A model that turns texts into vectors of one length."""

    identity: str
    """Weights, prompts, truncation and precision: all that changes a vector."""

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions), float32."""
        ...


@contextmanager
def without_cache() -> Iterator[None]:
    """Compute every vector inside the block, and store none."""
    token = _use_cache.set(False)
    try:
        yield
    finally:
        _use_cache.reset(token)


def seconds_saved() -> float:
    """Return the seconds that reading vectors from the cache has spared so far."""
    return _seconds_saved.get()


@contextmanager
def encoding() -> Iterator[None]:
    """Count the block's time as encoding; for encoders that no :class:`CachedEncoder` wraps."""
    began = time.perf_counter()
    try:
        yield
    finally:
        _seconds_encoding.set(_seconds_encoding.get() + time.perf_counter() - began)


def seconds_encoding() -> float:
    """Return the seconds that encoders took so far, those that the cache spared included."""
    return _seconds_encoding.get()


class CachedEncoder:
    """An encoder that computes each text once per machine.

    Identical texts are encoded once. What is computed is stored chunk by chunk, so a killed run
    goes on where it was.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.identity = encoder.identity
        self._encoder = encoder
        self._stores: dict[Role, VectorStore] = {
            "query": VectorStore(f"{encoder.identity}|query"),
            "document": VectorStore(f"{encoder.identity}|document"),
        }

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions), float32."""
        if not _use_cache.get():
            with encoding():
                return self._encoder.encode(texts, role)
        import numpy as np

        store = self._stores[role]
        stored = store.get(texts)
        spared = sum(seconds for _, seconds in stored.values())
        _seconds_saved.set(_seconds_saved.get() + spared)
        _seconds_encoding.set(_seconds_encoding.get() + spared)
        vectors = {text: vector for text, (vector, _) in stored.items()}
        lacking = sorted(set(texts) - vectors.keys(), key=lambda text: (-len(text), text))
        for start in range(0, len(lacking), _CHUNK):
            report(f"encode {role}s", start, len(lacking))
            chunk = lacking[start : start + _CHUNK]
            before = seconds_encoding()
            with encoding():
                computed = self._encoder.encode(chunk, role)
            store.put(chunk, computed, (seconds_encoding() - before) / len(chunk))
            vectors.update(zip(chunk, computed, strict=True))
        return np.stack([vectors[text] for text in texts])
