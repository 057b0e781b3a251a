from __future__ import annotations

import importlib
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fakes
import mteb
import pytest
import tiny
import torch
from mteb.models.model_implementations import MODEL_REGISTRY
from sentence_transformers import SentenceTransformer
from transformers import PreTrainedTokenizerBase

from tool_bench import hub, plan, registry
from tool_bench.baseline import Baseline
from tool_bench.errors import UnavailableError, UsageError
from tool_bench.evaluate import search_scope
from tool_bench.fingerprint import cell_key
from tool_bench.harness import run_cells
from tool_bench.query import Query
from tool_bench.tool import Tool

pytestmark = pytest.mark.filterwarnings(
    "ignore:Model prompts specified", "ignore:Prompt type 'document' not found"
)

BASELINES = importlib.import_module("tool_bench.baselines.hub_models").BASELINES
BY_NAME: dict[str, Baseline] = {baseline.name: baseline for baseline in BASELINES}
BGE = BY_NAME["BAAI/bge-small-en-v1.5"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return tiny.hub_cache(tmp_path / "hub", monkeypatch)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With prompts of its own, which are not to be used where mteb has others."""
    return tiny.sentence_model(tmp_path_factory.mktemp("model"), tiny.OWN_PROMPTS)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.sentence_model(tmp_path_factory.mktemp("plain"), {})


@pytest.fixture
def bge(cache: Path, model: Path) -> Path:
    """The folder of a whole snapshot."""
    assert BGE.revision is not None
    return tiny.snapshot(cache, BGE.name, BGE.revision, model)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that reaches a tokenizer; a prompt also comes alone, to be measured."""
    texts: list[str] = []
    tokenize = PreTrainedTokenizerBase.__call__

    def record(self: PreTrainedTokenizerBase, text: Any = None, *args: Any, **kwargs: Any) -> Any:
        texts.extend([text] if isinstance(text, str) else text)
        return tokenize(self, text, *args, **kwargs)

    monkeypatch.setattr(PreTrainedTokenizerBase, "__call__", record)
    return texts


@pytest.mark.parametrize("declared", BASELINES, ids=lambda b: b.name)
def test_a_declaration_says_what_mteb_does(declared: Baseline) -> None:
    meta = mteb.get_model_meta(declared.name)
    needs = declared.needs
    assert needs.weights is not None
    assert needs.weights.name == declared.name
    assert declared.revision == needs.weights.revision == meta.revision
    assert declared.parameters == meta.n_parameters
    assert declared.license == meta.license
    assert declared.trained_on == tuple(sorted(meta.training_datasets or ()))
    assert meta.memory_usage_mb is not None
    assert needs.memory_gib == math.ceil(meta.memory_usage_mb / 1024) + 2
    dtype = {"bfloat16": "bfloat16", "float16": "float16", "None": "float32"}
    assert declared.precision == dtype[str(meta.output_dtypes)]
    assert bool(needs.modules) == bool(meta.extra_requirements_groups)
    remote = meta.loader_kwargs.get("trust_remote_code", False)
    assert ("trust_remote_code" in declared.description) == remote


@pytest.mark.parametrize("name", BY_NAME)
def test_the_declared_prompts_are_what_the_model_reads(
    name: str,
    cache: Path,
    request: pytest.FixtureRequest,
    read: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    declared = BY_NAME[name]
    assert declared.revision is not None
    asked, told = declared.settings["query prompt"], declared.settings["document prompt"]
    # mteb leaves prompts of the model's own where it has none: MiniLM comes without
    own = "plain" if name.endswith("MiniLM-L6-v2") else "model"
    tiny.snapshot(cache, name, declared.revision, request.getfixturevalue(own))
    meta = MODEL_REGISTRY[name].model_copy(update={"extra_requirements_groups": None})
    monkeypatch.setitem(MODEL_REGISTRY, name, meta)
    retriever = declared.load()
    read.clear()
    retriever.index([Tool(id="t", name="rain", description="Rain or sun")], {})
    assert [text for text in read if text != told] == [f"{told}rain: Rain or sun"]
    read.clear()
    (ranking,) = retriever.search([Query(id="q", text="will it rain")], 1, [None])
    assert [text for text in read if text != asked] == [f"{asked}will it rain"]
    assert [tool for tool, _ in ranking] == ["t"]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("BAAI/bge-small-en-v1.5", torch.float32),
        ("intfloat/e5-mistral-7b-instruct", torch.float16),
        ("Alibaba-NLP/gte-Qwen2-1.5B-instruct", torch.float16),
    ],
)
def test_the_declared_precision_is_that_of_the_weights(
    name: str, dtype: torch.dtype, cache: Path, model: Path
) -> None:
    declared = BY_NAME[name]
    assert f"torch.{declared.precision}" == str(dtype)
    assert declared.revision is not None
    tiny.snapshot(cache, name, declared.revision, model)
    loaded = mteb.get_model_meta(name).load_model()
    found: SentenceTransformer = loaded.model  # type: ignore[union-attr]
    assert {p.dtype for p in found.parameters()} == {dtype}


def test_a_declared_model_is_asked_for_by_name(cache: Path) -> None:
    asked = hub.model_baseline(BGE.name)
    assert asked == replace(BGE, needs=replace(BGE.needs, weights=None))
    assert hub.model_baseline(BGE.name, BGE.revision) == asked
    assert cell_key(fakes.TASK, asked) == cell_key(fakes.TASK, BGE)
    assert asked.arguments == ("--model", BGE.name, "--revision", BGE.revision)
    with pytest.raises(UsageError, match="Leave out --revision"):
        hub.model_baseline(BGE.name, "0" * 40)


def test_no_weights_are_fetched_unasked(cache: Path, model: Path, tmp_path: Path) -> None:
    (cell,) = plan.make_plan([fakes.TASK], [BGE], tmp_path)
    assert cell.state == "unavailable"
    assert f"run --model {BGE.name} fetches them" in cell.note
    (cell,) = plan.make_plan([fakes.TASK], [hub.model_baseline(BGE.name)], tmp_path)
    assert cell.state == "to run"
    assert BGE.revision is not None
    tiny.snapshot(cache, BGE.name, BGE.revision, model)
    (cell,) = plan.make_plan([fakes.TASK], [BGE], tmp_path)
    assert cell.state == "to run"


class Silent:
    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


@pytest.mark.usefixtures("bge")
def test_a_run_by_name_fills_the_declared_cell(tmp_path: Path) -> None:
    results = tmp_path / "results"
    cells = plan.make_plan([fakes.TASK], [hub.model_baseline(BGE.name)], results)
    (outcome,) = run_cells(cells, results, Silent())
    assert outcome.end == "done", outcome.message
    (cell,) = plan.make_plan([fakes.TASK], [BGE], results)
    assert cell.state == "cached"


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:40])


def dangle(file: Path) -> None:
    file.unlink()
    file.symlink_to("../../blobs/never-fetched")


@pytest.mark.parametrize("harm", [Path.unlink, cut, dangle])
@pytest.mark.parametrize(
    "file",
    ["modules.json", "config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"],
)
def test_a_snapshot_that_is_not_whole_is_unavailable(
    bge: Path, file: str, harm: Callable[[Path], None]
) -> None:
    harm(bge / file)
    with pytest.raises(UnavailableError) as error:
        BGE.load()
    assert str(bge) in str(error.value)
    assert f"hf download {BGE.name} --revision {BGE.revision}" in str(error.value)


FULL = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"),
    MemoryError(),
    OSError(12, "Cannot allocate memory"),
]


@pytest.mark.usefixtures("bge")
@pytest.mark.parametrize("error", FULL, ids=repr)
@pytest.mark.parametrize("when", ["__init__", "encode_document", "encode_query"])
def test_a_model_that_does_not_fit_is_unavailable(
    error: Exception, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(SentenceTransformer, when, fail)
    with pytest.raises(UnavailableError, match=r"ran out of memory; it needs about 3 GiB"):
        search_scope(indexed(BGE), fakes.dataset(), "global")


def indexed(baseline: Baseline) -> Any:
    retriever = baseline.load()
    retriever.index(fakes.dataset().tools, {})
    return retriever


@pytest.mark.usefixtures("bge")
def test_other_failures_stay_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    retriever = indexed(BGE)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(SentenceTransformer, "encode_query", fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        search_scope(retriever, fakes.dataset(), "global")


def test_what_nv_embed_needs_is_said_in_one_line(cache: Path) -> None:
    with pytest.raises(UnavailableError, match=r"flash-attn.*nvembed") as error:
        BY_NAME["nvidia/NV-Embed-v1"].load()
    assert "\n" not in str(error.value)


def test_every_model_is_listed_and_the_list_stays_light() -> None:
    assert set(BY_NAME) < set(registry.baselines())
    code = (
        "import sys, tool_bench.baselines.hub_models, tool_bench.baselines.openai_embeddings\n"
        "heavy = {'numpy', 'torch', 'mteb', 'requests', 'openai', 'huggingface_hub'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
