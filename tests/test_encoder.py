from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tool_bench.encoder import CachedEncoder, Role, seconds_saved, without_cache
from tool_bench.progress import reporting_to
from tool_bench.vectors import VectorStore


class Counting:
    def __init__(self, identity: str = "counting") -> None:
        self.identity = identity
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        self.seen += texts
        time.sleep(0.01)
        sign = 1 if role == "query" else -1
        return np.array([[len(t), sign] for t in texts], dtype=np.float32)


def test_each_text_is_encoded_once_and_kept() -> None:
    inner = Counting()
    encoder = CachedEncoder(inner)
    first = encoder.encode(["aa", "b", "aa", "cccc"], "query")
    assert first.tolist() == [[2, 1], [1, 1], [2, 1], [4, 1]]
    assert inner.seen == ["cccc", "aa", "b"]  # longest first, once each
    before = seconds_saved()
    again = CachedEncoder(Counting()).encode(["b", "ddd"], "query")
    assert again.tolist() == [[1, 1], [3, 1]]
    assert seconds_saved() - before == pytest.approx(0.01 / 3, rel=2)


def test_roles_and_encoders_do_not_mix() -> None:
    encoder = CachedEncoder(Counting())
    assert encoder.encode(["a"], "query").tolist() == [[1, 1]]
    assert encoder.encode(["a"], "document").tolist() == [[1, -1]]
    other = Counting("other weights")
    CachedEncoder(other).encode(["a"], "query")
    assert other.seen == ["a"]


def test_without_cache_everything_is_computed_and_nothing_kept() -> None:
    inner = Counting()
    encoder = CachedEncoder(inner)
    with without_cache():
        encoder.encode(["a"], "query")
        encoder.encode(["a"], "query")
    encoder.encode(["a"], "query")
    assert inner.seen == ["a", "a", "a"]
    encoder.encode(["a"], "query")
    assert len(inner.seen) == 3


def test_a_damaged_cache_is_made_anew() -> None:
    store = VectorStore("x")
    store.put(["a"], np.array([[1, 2]], dtype=np.float32), 0.5)
    assert store.get(["a", "b"])["a"][1] == 0.5
    store.path.write_bytes(b"this is no database, and quite long enough to be noticed" * 100)
    assert store.get(["a"]) == {}
    store.put(["a"], np.array([[3, 4]], dtype=np.float32), 0.5)
    assert store.get(["a"])["a"][0].tolist() == [3, 4]


def test_an_unusable_cache_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("TOOL_BENCH_CACHE", str(blocker / "below"))
    assert CachedEncoder(Counting()).encode(["aa"], "query").tolist() == [[2, 1]]


def test_progress_is_reported() -> None:
    told: list[tuple[str, int, int]] = []
    with reporting_to(lambda *step: told.append(step)):
        CachedEncoder(Counting()).encode([str(n) for n in range(300)], "document")
    assert told == [("encode documents", 0, 300), ("encode documents", 256, 300)]
