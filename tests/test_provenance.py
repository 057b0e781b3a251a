from __future__ import annotations

import sys
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pytest

from tool_bench.provenance import PACKAGES, collect, hardware


def torch_with(*, cuda: bool = False, mps: bool = False) -> Any:
    return SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cuda, get_device_name=lambda: "NVIDIA H200"),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
    )


@pytest.mark.parametrize(
    ("torch", "expected"),
    [
        (None, None),
        (torch_with(), None),
        (torch_with(cuda=True), "NVIDIA H200"),
        (torch_with(mps=True), "Apple GPU (MPS)"),
    ],
)
def test_an_accelerator_is_named_where_there_is_one(torch: Any, expected: str | None) -> None:
    assert hardware(torch).accelerator == expected


def test_everything_that_makes_a_result_again_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", SimpleNamespace())
    for name in ("openai", "tiktoken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    found = collect(["tool_bench", "run", "--model", "a b"], "float32")
    assert found.command == "python -m tool_bench run --model 'a b'"
    assert found.packages["torch"] == version("torch")
    assert set(PACKAGES) | {"anthropic"} == set(found.packages)
    assert found.precision == "float32"
    assert found.seeds["bootstrap"]
    machine = found.hardware
    assert machine.cpu
    assert machine.cores >= 1
    assert machine.memory_gib > 0
