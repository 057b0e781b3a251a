from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx_models
import pytest

import tool_bench
from tool_bench.dense import DenseRetriever, rendered
from tool_bench.encoder import CachedEncoder
from tool_bench.errors import DataError, UnavailableError
from tool_bench.footprint import recording_models
from tool_bench.onnx_encoder import OnnxEncoder
from tool_bench.query import Query
from tool_bench.tool import Tool

TEXTS = (
    "will it rain in Oslo tomorrow",
    "",
    "send_mail: Sends a message to one or more people, now or at a given time.",
    "zażółć gęślą jaźń, 東京の天気",
    "long " * 400,
    "list open invoices",
    "create a ticket",
    "who is on call this week",
    "delete the branch that was merged",
    "x",
)
ENCODE = """
import json
from tool_bench.onnx_encoder import OnnxEncoder

folder, texts = sys.argv[1:]
encoder = OnnxEncoder(Path(folder))
before = ticks()
for _ in range(5):
    vectors = encoder.encode(json.loads(texts), "query")
print(json.dumps({"vectors": vectors.tolist(), **state(before)}))
"""


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return onnx_models.minilm_exported(tmp_path_factory)


@pytest.fixture
def copy(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that may be damaged."""
    _, exported = onnx_models.tiny_exported(tmp_path_factory)
    return Path(shutil.copytree(exported, tmp_path / "copy"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_needs_onnxruntime_tokenizers_and_numpy_alone_and_one_thread(
    minilm: Path, tmp_path: Path
) -> None:
    package = str(Path(tool_bench.__file__).parent)
    code = onnx_models.STATE + ENCODE
    arguments = (minilm, json.dumps(TEXTS))
    found = onnx_models.run_bare(code, tmp_path, (*onnx_models.RUNTIME, package), arguments)
    ours = OnnxEncoder(minilm).encode(TEXTS, "query")
    np.testing.assert_allclose(found["vectors"], ours, atol=1e-5)
    assert found["others"] == []
    assert found["busy"] == 1


def test_vectors_are_of_unit_length_and_no_text_changes_anothers(minilm: Path) -> None:
    encoder = OnnxEncoder(minilm)
    together = encoder.encode(TEXTS, "document")
    assert together.shape == (len(TEXTS), 384)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([encoder.encode([text], "document") for text in TEXTS])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    assert encoder.encode([], "query").shape == (0, 384)


def test_it_ranks_tools_as_a_method_and_says_what_it_loaded(minilm: Path) -> None:
    tools = [
        Tool("mail", "send_mail", "Send an e-mail message"),
        Tool("rain", "get_forecast", "Weather of the next days in a city"),
        Tool("money", "convert", "Convert an amount from one currency to another"),
    ]
    with recording_models() as loaded:
        encoder = OnnxEncoder(minilm)
    assert sum(loaded.values()) == pytest.approx(23.6e6, rel=0.01)
    retriever = DenseRetriever(
        CachedEncoder(encoder), rendered(encoder.style, encoder.max_characters)
    )
    retriever.index(tools, {})
    queries = [Query("1", "will it rain in Oslo"), Query("2", "how many euros are 5 dollars")]
    rankings = retriever.search(queries, 3, [None, ["mail", "money"]])
    assert rankings[0][0][0] == "rain"
    assert [id_ for id_, _ in rankings[1]] == ["money", "mail"]


def test_its_identity_holds_all_that_changes_a_vector(copy: Path) -> None:
    first = OnnxEncoder(copy)
    assert OnnxEncoder(copy).identity == first.identity
    config = json.loads((copy / "config.json").read_text())
    config["prompts"]["query"] = "find: "
    (copy / "config.json").write_text(json.dumps(config))
    assert OnnxEncoder(copy).identity != first.identity
    assert OnnxEncoder(copy, threads=2).identity != OnnxEncoder(copy).identity


def test_a_missing_package_is_named_with_the_way_to_get_it(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("onnxruntime", "tokenizers"):
        with monkeypatch.context() as world:
            world.setitem(sys.modules, module, None)
            with pytest.raises(UnavailableError, match=f"needs {module}.*'tool-bench.onnx.'"):
                OnnxEncoder(copy)


@pytest.mark.parametrize("name", ["config.json", "model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(DataError, match=f"{name}: the file is missing; export the model again"):
        OnnxEncoder(copy)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_cut_short_is_named(copy: Path, name: str) -> None:
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[:-100])
    with pytest.raises(DataError, match=f"{name}: is not the file that config.json names"):
        OnnxEncoder(copy)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "cannot be read"),
        ("[]", "holds no object"),
        ('{"format": 1}', "field 'dimensions' is missing or no int"),
    ],
)
def test_a_damaged_configuration_is_refused(copy: Path, text: str, problem: str) -> None:
    (copy / "config.json").write_text(text)
    with pytest.raises(DataError, match=problem):
        OnnxEncoder(copy)


def test_an_export_of_another_time_is_refused(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"format": 1}))
    with pytest.raises(DataError, match="field 'format' is 1, expected 2"):
        OnnxEncoder(copy)
