"""A trained model as an adapter of the embedded one, and the one that is shipped."""

from __future__ import annotations

import importlib
import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
import typer
from sentence_transformers import SentenceTransformer
from typer.testing import CliRunner, Result

from tool_bench import registry, store
from tool_bench.adapted import ADAPTER, merged, shipped
from tool_bench.cli import export as command
from tool_bench.data.load import load
from tool_bench.errors import DataError, UsageError
from tool_bench.runs import read_run
from tool_bench.sentence import minilm_folder
from tool_bench.trained import TrainedCard, read_card, read_seen, write
from tool_bench.training.sources import named

TEXTS = ["will it rain in Oslo", "list_invoices: Returns invoices.", "", "a " * 400]
CARD = TrainedCard(style="name-description", max_characters=1_000, trained_on=("clinc",))
LIMIT = 10_000_000
PROVIDER = "salesforce"
"""A test connector: training has not seen it."""
BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded model with a change in every matrix of one layer."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    model = SentenceTransformer(str(minilm_folder()), device="cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "layer.2" in name and weights.ndim == 2:
                weights.add_(0.01 * torch.randn(weights.shape))
    model.save(str(folder), create_model_card=False)
    write(folder, CARD, {"0123456789abcdef"})
    return folder


def invoke(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(command.export)
    return CliRunner().invoke(app, [str(each) for each in arguments])


def vectors(model: SentenceTransformer) -> np.ndarray:
    return np.asarray(model.encode_query(TEXTS, normalize_embeddings=True))


def test_an_exported_adapter_makes_the_same_vectors(trained: Path, tmp_path: Path) -> None:
    made = tmp_path / "adapter"
    done = invoke(trained, "--adapter", made, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["bytes"] == sum(file.stat().st_size for file in made.iterdir()) < 2_000_000
    assert said["cosine"] > 0.998
    ours, theirs = vectors(merged(made)), vectors(SentenceTransformer(str(trained)))
    assert (ours * theirs).sum(axis=1).min() > 0.998
    untrained = vectors(SentenceTransformer(str(minilm_folder())))
    assert (untrained * theirs).sum(axis=1).min() < 0.95  # there was something to keep
    assert read_card(made) == CARD
    assert read_seen(made) == {"0123456789abcdef"}
    again = invoke(trained, "--adapter", made, "--json")
    assert json.loads(again.stdout) == said


def test_an_adapter_is_exported_to_onnx(trained: Path, tmp_path: Path) -> None:
    invoke(trained, "--adapter", tmp_path / "adapter")
    done = invoke(tmp_path / "adapter", "--onnx", tmp_path / "onnx", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["cosine"] > 0.995


def test_what_is_wrong_is_said(trained: Path, tmp_path: Path) -> None:
    tiny_model = tiny.sentence_model(tmp_path / "tiny", {})
    made = tmp_path / "made"
    assert "tool_bench.json: the file is missing" in str(
        invoke(tiny_model, "--adapter", made).exception
    )
    write(tiny_model, CARD, ())
    assert "its weights differ" in str(invoke(tiny_model, "--adapter", made).exception)
    for options in ((), ("--onnx", made, "--adapter", made)):
        with pytest.raises(UsageError, match="--onnx DIR or --adapter DIR"):
            raise invoke(trained, *options).exception or AssertionError
    with pytest.raises(UsageError, match="are for --onnx"):
        raise invoke(trained, "--adapter", made, "--style", "full").exception or AssertionError
    assert not made.exists()
    made.mkdir()
    with pytest.raises(DataError, match="the file is missing"):
        merged(made)


def test_v2_is_what_its_declaration_says() -> None:
    v2, int8 = registry.pick_baselines(["v2", "v2-onnx-int8"])
    folder = shipped("v2")
    assert folder is not None
    assert sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) < LIMIT
    assert (folder / ADAPTER).is_file()
    card = read_card(folder)
    assert card is not None
    for baseline in (v2, int8):
        assert baseline.style == card.style
        assert baseline.settings["max characters"] == card.max_characters
        assert set(baseline.trained_on) == set(card.trained_on)
        assert baseline.seen is not None
        assert len(baseline.seen()) > 1_000
    for name in card.trained_on:
        named(name)


def test_the_model_card_has_the_figures_of_the_results() -> None:
    script = runpy.run_path(str(BENCHMARKS / "v2_card.py"))
    card = script["CARD"].read_text(encoding="utf-8")
    assert script["with_table"](card, store.default_folder()) == card
    assert card.count("| MetaTool | global |") == 2


def test_v2_answers_as_its_results_say() -> None:
    """An adapter that is merged wrongly would still make vectors."""
    dataset = load(registry.tasks()["MockConnectors"])
    tools = [tool for tool in dataset.tools if tool.provider == PROVIDER]
    queries = [query for query in dataset.queries if query.provider == PROVIDER][:20]
    assert len(queries) == 20
    (v2,) = registry.pick_baselines(["v2"])
    retriever = v2.load()
    retriever.index(tools, {})
    found = retriever.search(queries, 1, [None] * len(queries))
    stored = read_run(store.default_folder() / "v2" / "MockConnectors.scoped.run.gz")
    same = [
        ranking[0][0] == stored[query.id][0][0]
        for ranking, query in zip(found, queries, strict=True)
    ]
    assert sum(same) >= 19  # of two nearly equal tools another machine may take the other


@pytest.mark.usefixtures("shared_models")
def test_eight_bits_give_the_vectors_of_v2() -> None:
    from tool_bench.onnx_encoder import OnnxEncoder

    folder = shipped("v2")
    assert folder is not None
    exported = importlib.import_module("tool_bench.baselines.v2").exported()
    assert sum(file.stat().st_size for file in exported.iterdir()) < 25_000_000
    found = OnnxEncoder(exported).encode(TEXTS, "query")
    cosines = (found * vectors(merged(folder))).sum(axis=1)
    assert cosines.min() > 0.99  # of the text of no words
    assert np.median(cosines) > 0.998
