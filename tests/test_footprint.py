from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fakes
import numpy as np
import pytest
from numpy.typing import NDArray

from tool_bench import footprint, registry
from tool_bench.encoder import Role
from tool_bench.evaluate import evaluate
from tool_bench.sentence import MINILM_SHA256, minilm_folder
from tool_bench.tool import Tool

DATA = fakes.dataset()
MINILM_BYTES = sum((minilm_folder() / name).stat().st_size for name in MINILM_SHA256)


class Model:
    """Has an encode, and much that is no index."""

    def __init__(self) -> None:
        self.weights = np.zeros(10**6)

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        raise NotImplementedError


class Index:
    """Whatever a method might keep."""

    def __init__(self, **kept: Any) -> None:
        self.__dict__.update(kept)


def loaded_bytes(name: str) -> int:
    with footprint.recording_models() as models:
        registry.baselines()[name].load()
    return sum(models.values())


def test_an_index_is_the_length_of_its_pickle() -> None:
    kept = {"words": {f"word {n}": n for n in range(1_000)}, "ids": [t.id for t in DATA.tools]}
    assert footprint.index_bytes(Index(**kept)) == len(pickle.dumps(Index(**kept), protocol=5))


def test_arrays_count_once_and_in_full() -> None:
    matrix = np.zeros((1_000, 384), dtype=np.float32)
    alone = footprint.index_bytes(Index(matrix=matrix))
    assert alone == pytest.approx(matrix.nbytes, abs=500)
    assert footprint.index_bytes(Index(matrix=matrix, same=matrix)) == pytest.approx(alone, abs=99)
    assert footprint.index_bytes(Index(matrix=matrix[:, ::2])) == pytest.approx(
        matrix.nbytes // 2, abs=500
    )


def test_what_indexing_did_not_make_is_left_out() -> None:
    tools = [Tool(id=f"t{n}", name="name", description="x" * 1_000) for n in range(100)]
    empty = footprint.index_bytes(Index())
    assert empty
    found = footprint.index_bytes(Index(model=Model(), tools=tools, scorer=lambda: tools))
    assert found
    assert found - empty < 5_000  # of more than 8 MB


def test_a_torch_model_is_left_out_and_a_tensor_is_not() -> None:
    import torch

    layer = torch.nn.Linear(1_000, 1_000)
    tensor = torch.zeros(1_000, 10)
    found = footprint.index_bytes(Index(scorer=layer, vectors=tensor))
    assert found == pytest.approx(40_000, rel=0.1)


def test_what_cannot_be_told_is_null() -> None:
    from datasets import Dataset

    assert footprint.index_bytes(Index(stream=sys.stdout)) is None
    assert footprint.index_bytes(Index(rows=Dataset.from_dict({"text": ["a"]}))) is None


@pytest.mark.parametrize(
    "name", ["bm25", "bm25s", "bm25f", "tfidf", "stackone-sdk", "minilm", "rrf", "bm25s-maxsim"]
)
def test_every_kind_of_method_has_an_index(name: str) -> None:
    method = registry.baselines()[name].load()
    method.index(DATA.tools, {})
    found = footprint.index_bytes(method)
    assert found
    vectors = 12 * 384 * 4 if name in {"minilm", "rrf"} else 0
    assert vectors < found < vectors + 30_000


def test_methods_state_the_models_they_loaded_once() -> None:
    whole = loaded_bytes("minilm")
    assert whole == pytest.approx(MINILM_BYTES, rel=0.001)
    assert loaded_bytes("rrf") == loaded_bytes("late-interaction") == whole


@pytest.mark.slow
def test_a_static_model_is_its_table_not_what_it_was_made_from(shared_models: None) -> None:
    table, tokenizer = 30_522 * 256 * 4, (minilm_folder() / "tokenizer.json").stat().st_size
    assert loaded_bytes("static-minilm") == pytest.approx(table + tokenizer, abs=500)


def test_no_model_is_zero_and_an_unknown_one_is_null() -> None:
    known = {
        parameters: evaluate(
            fakes.TASK, replace(fakes.OVERLAP, parameters=parameters), DATA, ["tool_bench"]
        )[0].footprint
        for parameters in (0, None, 7)
    }
    assert {p: taken and taken.model_bytes for p, taken in known.items()} == {
        0: 0,
        None: None,
        7: None,
    }


def test_a_folder_counts_its_weights_in_one_format(tmp_path: Path) -> None:
    for name, size in (
        ("model.safetensors", 1_000),
        ("pytorch_model.bin", 5_000),
        ("onnx/model.bin", 7_000),
        ("config.json", 10),
        ("1_Pooling/config.json", 10),
        ("README.md", 9_000),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    with footprint.recording_models() as found:
        footprint.model_loaded(tmp_path)
        footprint.model_loaded(tmp_path / "1_Pooling" / "..")
    assert list(found.values()) == [1_020]
    (tmp_path / "model.safetensors").unlink()
    with footprint.recording_models() as found:
        footprint.model_loaded(tmp_path)
    assert list(found.values()) == [5_020]


def test_the_peak_is_kept_after_the_memory_is_given_back() -> None:
    script = (
        "from tool_bench.footprint import peak_memory_mib as peak; before = peak(); "
        "block = b'x' * (200 << 20); del block; print(peak() - before)"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert float(out) == pytest.approx(200, abs=5)
