from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_models
import pytest
import tiny
import typer
from onnx import numpy_helper
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from typer.testing import CliRunner

from tool_bench.cli import export as command
from tool_bench.data.fetch import sha256_of
from tool_bench.errors import DataError, ToolBenchError, UsageError
from tool_bench.onnx_encoder import OnnxEncoder, read_config
from tool_bench.sentence import minilm_folder
from tool_bench.training import int8
from tool_bench.training.export_onnx import export

TEXTS = (
    "will it rain in Oslo tomorrow",
    "",
    "  Ünïcödé, 東京, emoji 🎉 and \t tabs ",
    "list_invoices: Returns the invoices of a customer, newest first.",
    "a text that is longer than the model reads " * 60,
    *(f"action_{n}: " + "does something with things " * n for n in range(1, 12)),
)
LIMIT = 25_000_000


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return onnx_models.minilm_exported(tmp_path_factory)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return onnx_models.tiny_exported(tmp_path_factory)[0]


@pytest.fixture(scope="session")
def tiny_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return onnx_models.tiny_exported(tmp_path_factory)[1]


def cosines(model: Path, exported: Path, role: str) -> Any:
    """Return the cosine of each text's vector to what sentence-transformers itself says."""
    theirs = SentenceTransformer(str(model), device="cpu")
    call = theirs.encode_query if role == "query" else theirs.encode_document
    expected = call(list(TEXTS), normalize_embeddings=True)
    found = OnnxEncoder(exported).encode(TEXTS, "query" if role == "query" else "document")
    return (np.asarray(expected) * found).sum(axis=1)


def invoke(*arguments: object) -> Any:
    app = typer.Typer()
    app.command()(command.export)
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_minilm_says_the_same_in_under_25_mb(minilm: Path) -> None:
    found = cosines(minilm_folder(), minilm, "document")
    assert found.min() > 0.99  # of the text of no words
    assert np.median(found) > 0.9975
    assert sum(file.stat().st_size for file in minilm.iterdir()) < LIMIT
    assert {file.name for file in minilm.iterdir()} == {
        "model.onnx",
        "tokenizer.json",
        "config.json",
    }


def test_the_configuration_says_what_was_exported(minilm: Path) -> None:
    config = read_config(minilm)
    assert config["weights_sha256"] == sha256_of(minilm_folder() / "model.safetensors")
    assert config["model_sha256"] == sha256_of(minilm / "model.onnx")
    assert (config["dimensions"], config["max_tokens"], config["pooling"]) == (384, 256, "mean")
    assert (config["style"], config["max_characters"]) == ("name-description", 2_000)


@pytest.mark.parametrize("role", ["query", "document"])
def test_prompts_and_cls_pooling_are_exported(tiny_model: Path, tiny_onnx: Path, role: str) -> None:
    assert cosines(tiny_model, tiny_onnx, role).min() > 0.999
    encoder = OnnxEncoder(tiny_onnx)
    query, document = encoder.encode(["text"], "query"), encoder.encode(["text"], "document")
    assert float((query @ document.T).item()) < 0.95


def test_weights_take_one_byte_each(minilm: Path) -> None:
    graph = onnx.load(minilm / "model.onnx").graph
    sizes: dict[str, int] = {}
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        sizes[values.dtype.name] = sizes.get(values.dtype.name, 0) + values.size
    assert sizes["int8"] == (30_522 + 512) * 384 + 6 * (4 * 384 * 384 + 2 * 384 * 1_536)
    assert sizes["float32"] < 0.02 * 22_713_216


def test_no_weight_moves_by_more_than_half_a_step() -> None:
    numbers = np.random.default_rng(1)
    table = numbers.standard_normal((50, 64)).astype(np.float32)
    table[3] = 0
    table[4] *= 1e4  # one row's size is not another's precision
    rows, scales = int8.row_scales(table)
    assert (np.abs(rows * scales - table) <= scales / 2 * 1.001).all()
    assert np.abs(rows[[0, 1, 2, 4]]).max(axis=1).tolist() == [127] * 4
    columns, scales = int8.column_scales(table.T)
    assert (np.abs(columns * scales - table.T) <= scales / 2 * 1.001).all()


@pytest.mark.parametrize("inputs", [64, 65])
def test_two_products_fit_in_sixteen_bits(inputs: int) -> None:
    """Processors without VNNI add neighbouring products in sixteen bits, and cut what is more."""
    matrix = np.random.default_rng(1).standard_normal((inputs, 400)).astype(np.float32)
    matrix[:2] = 9  # two large neighbours of one sign
    columns, _ = int8.column_scales(matrix)
    largest = 255 * np.pad(columns.astype(int), ((0, inputs % 2), (0, 0))).reshape(-1, 2, 400)
    for sign in (largest.clip(min=0), largest.clip(max=0)):
        assert np.abs(sign.sum(axis=1)).max() < 2**15
    assert 60 <= columns[0].min() <= columns[0].max() <= 64, "no more room is left than is needed"


def test_an_export_is_the_same_each_time(tiny_model: Path, tiny_onnx: Path, tmp_path: Path) -> None:
    again = export(tiny_model, tmp_path / "again")
    assert read_config(again.folder) == read_config(tiny_onnx)


def test_an_earlier_export_gives_way_and_nothing_else_does(
    tiny_model: Path, tiny_onnx: Path, tmp_path: Path
) -> None:
    earlier = Path(shutil.copytree(tiny_onnx, tmp_path / "made"))
    (earlier / "catalogue.npz").write_text("of the earlier model")
    export(tiny_model, earlier, "full", 500)
    assert not (earlier / "catalogue.npz").exists()
    assert (OnnxEncoder(earlier).style, OnnxEncoder(earlier).max_characters) == ("full", 500)
    own = tmp_path / "photos"
    own.mkdir()
    (own / "cat.jpg").write_text("miaow")
    shutil.copy(tiny_onnx / "model.onnx", own)  # of somebody else's, for all we know
    with pytest.raises(UsageError, match="photos holds something else than an exported model"):
        export(tiny_model, own)
    (earlier / "cat.jpg").write_text("miaow")
    with pytest.raises(UsageError, match="made holds something else"):
        export(tiny_model, earlier)
    assert (own / "cat.jpg").read_text() == (earlier / "cat.jpg").read_text() == "miaow"
    assert {path.name for path in tmp_path.iterdir()} == {"made", "photos"}


def test_a_broken_export_is_refused_and_leaves_nothing(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wreck(model: onnx.ModelProto) -> None:
        for tensor in model.graph.initializer:
            values = numpy_helper.to_array(tensor)
            if values.ndim == 2:
                tensor.CopyFrom(numpy_helper.from_array(values[::-1].copy(), tensor.name))

    monkeypatch.setattr(int8, "quantise", wreck)
    with pytest.raises(ToolBenchError, match="vectors are not the model's: a cosine is"):
        export(tiny_model, tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no modules\.json"):
        export(tmp_path, tmp_path / "made")
    whole = tiny.sentence_model(tmp_path / "tiny", {})
    by_most = [Transformer(str(tmp_path / "tiny" / "parts")), Pooling(32, "max")]
    SentenceTransformer(modules=by_most, device="cpu").save(str(tmp_path / "max"))
    with pytest.raises(DataError, match="pools by 'max'; only mean and cls"):
        export(tmp_path / "max", tmp_path / "made")
    modules = json.loads((whole / "modules.json").read_text())
    (whole / "modules.json").write_text(json.dumps(modules[:1]))
    with pytest.raises(DataError, match="is made of Transformer; only"):
        export(whole, tmp_path / "made")


def test_the_command_renders_as_the_model_was_trained_and_encodes_a_catalogue(
    tiny_model: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    card = {"style": "full", "max_characters": 300, "trained_on": ["clinc"]}
    (model / "tool_bench.json").write_text(json.dumps(card))
    tools = [{"name": "rain", "description": "Weather", "provider": "meteo"}, {"name": "mail"}]
    (tmp_path / "tools.json").write_text(json.dumps(tools))
    made = tmp_path / "made"
    options = ("--onnx", made, "--catalogue", tmp_path / "tools.json")
    done = invoke(model, *options, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["tools"] == 2
    encoder = OnnxEncoder(made)
    assert (encoder.style, encoder.max_characters) == ("full", 300)
    with np.load(made / "catalogue.npz") as file:
        vectors = file["vectors"]
        catalogue = json.loads(file["catalogue"].tobytes())
    texts = ["rain: Weather\nProvider: meteo", "mail"]
    np.testing.assert_allclose(vectors, encoder.encode(texts, "document"), atol=1e-3)
    assert catalogue["model_sha256"] == sha256_of(made / "model.onnx")
    assert [tool["id"] for tool in catalogue["tools"]] == ["rain", "mail"]
    shown = invoke(model, *options)
    assert "2 tools; cosine to the model's own vectors at least" in shown.output


def test_the_command_says_what_is_wrong_before_it_works(tiny_model: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    for arguments, problem in (
        ((tmp_path / "nothing", "--onnx", made), "holds no trained model"),
        ((tiny_model, "--onnx", made, "--style", "loud"), "'loud' is not one of"),
        ((tiny_model, "--onnx", made, "--catalogue", tmp_path / "no.json"), "does not exist"),
    ):
        done = invoke(*arguments)
        assert problem in f"{done.exception} {done.output}"
    assert not made.exists()
