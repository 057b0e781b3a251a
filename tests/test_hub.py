from __future__ import annotations

import pickle
from pathlib import Path

import fakes
import pytest
import tiny
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import BoW
from test_harness import Recorder

from tool_bench import hub, store
from tool_bench.errors import UnavailableError, UsageError
from tool_bench.evaluate import search_scope
from tool_bench.harness import run_cells
from tool_bench.measures import mean, score
from tool_bench.plan import make_plan
from tool_bench.query import Query
from tool_bench.runs import read_run
from tool_bench.tool import Tool


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of a few words, made here."""
    vocabulary = ["employee", "invoice", "ticket", "create", "delete", "list", "archive"]
    folder = tmp_path / "bag-of-words"
    SentenceTransformer(modules=[BoW(vocabulary)], device="cpu").save(str(folder))
    return folder


def test_a_local_model_is_a_method(model: Path) -> None:
    baseline = pickle.loads(pickle.dumps(hub.model_baseline(str(model))))  # noqa: S301  our own
    assert baseline.name.startswith("local/bag-of-words-")
    data = fakes.dataset()
    retriever = baseline.load()
    retriever.index(data.tools, {})
    run = search_scope(retriever, data, "global")
    assert mean(score(run, data.relevance)["Hit@1"].values()) == 1


def test_a_local_model_runs_through_the_harness(model: Path, tmp_path: Path) -> None:
    spaced = model.rename(model.with_name("My model, v2"))
    baseline = hub.model_baseline(str(spaced))
    results = tmp_path / "results"
    (outcome,) = run_cells(make_plan([fakes.TASK], [baseline], results), results, Recorder())
    assert (outcome.end, outcome.message) == ("done", "Hit@1 1.000, nDCG@10 1.000")
    (result,), broken = store.read_results(results)
    assert broken == []
    assert result.provenance.command == (
        f"python -m tool_bench run --tasks Tiny --model '{spaced}' --force"
    )
    for scope in result.scopes.values():
        folder = results / store.folder_name(baseline.name)
        assert len(read_run(folder / scope.run.name)) == 12


def test_other_weights_have_another_name(model: Path) -> None:
    before = hub.model_baseline(str(model))
    (model / "README.md").write_text("changed")
    after = hub.model_baseline(str(model))
    assert before.name != after.name
    assert before.revision != after.revision


@pytest.mark.parametrize(
    "name", ["nothing-like-it", "a/b/c", "/b", "a/", "./my-model", "../no-such-model", "a b/c"]
)
def test_what_can_be_no_model_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="neither a local folder nor a hub name"):
        hub.model_baseline(name)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no model"):
        hub.model_baseline(str(tmp_path))


@pytest.mark.parametrize("name", ["mongodb/voyage-3", "google/gemini-embedding-001"])
def test_a_paid_service_that_is_not_declared_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cost could be neither limited nor stated"):
        hub.model_baseline(name)


def test_another_revision_than_mtebs_is_refused() -> None:
    with pytest.raises(UsageError, match="Leave out --revision"):
        hub.model_baseline("BAAI/bge-small-en-v1.5", "0" * 40)


@pytest.mark.parametrize("name", ["BAAI/bge-small-en-v1.5", "nobody/no-such-model"])
def test_weights_that_cannot_be_had_are_unavailable(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny.hub_cache(tmp_path, monkeypatch)
    baseline = hub.model_baseline(name)
    with pytest.raises(UnavailableError, match=f"weights of {name} cannot be had: .*hf download"):
        baseline.load()


def test_a_hub_model_that_mteb_does_not_know_keeps_its_own_prompts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name, revision = "nobody/tiny", "5" * 40
    cache = tiny.hub_cache(tmp_path / "hub", monkeypatch)
    prompts = {"query": "asked: ", "document": "told: "}
    made = tiny.sentence_model(tmp_path, prompts)
    folder = tiny.snapshot(cache, name, revision, made)
    baseline = hub.model_baseline(name)
    assert baseline.revision == revision
    retriever = baseline.load()
    retriever.index([Tool(id="t", name="rain", description="Rain or sun")], {})
    (((_, found),),) = retriever.search([Query(id="q", text="will it rain")], 1, [None])
    direct = SentenceTransformer(str(made), device="cpu")
    told, asked = direct.encode(
        ["told: rain: Rain or sun", "asked: will it rain"], normalize_embeddings=True
    )
    assert found == pytest.approx(told @ asked, abs=1e-5)

    (folder / "modules.json").unlink()
    with pytest.raises(UnavailableError, match=r"modules.json is missing"):
        baseline.load()
    unknown = folder.parent.parent / ".no_exist" / revision / "modules.json"
    unknown.parent.mkdir(parents=True)
    unknown.touch()  # as the hub's library notes that upstream has none
    assert baseline.load() is not None
