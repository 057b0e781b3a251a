from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

import fakes
import numpy as np
import pytest
from numpy.typing import NDArray

from tool_bench import registry, sentence
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset
from tool_bench.encoder import Role
from tool_bench.errors import DataError, UnavailableError
from tool_bench.evaluate import search_scope
from tool_bench.query import Query
from tool_bench.runs import Run
from tool_bench.tool import Tool

NAMES = [name for name, baseline in registry.baselines().items() if fakes.runs_anywhere(baseline)]


def run_of(name: str, data: ToolDataset) -> Run:
    baseline = registry.baselines()[name]
    retriever = baseline.load()
    retriever.index(data.tools, data.examples if baseline.uses_examples else {})
    return search_scope(retriever, data, "global")


@pytest.mark.usefixtures("shared_models")
@pytest.mark.parametrize("name", NAMES)
def test_every_method_finds_what_is_plainly_named(name: str) -> None:
    run = run_of(name, fakes.dataset())
    found = [run[q][0][0] for q in run]
    golds = [next(iter(g)) for g in fakes.dataset().relevance.values()]
    assert sum(f == g for f, g in zip(found, golds, strict=True)) >= 10


@pytest.mark.usefixtures("shared_models")
@pytest.mark.parametrize("name", NAMES)
def test_every_method_keeps_to_its_scope_and_answers_anything(name: str) -> None:
    data = fakes.dataset()
    retriever = registry.baselines()[name].load()
    retriever.index(data.tools, {})
    queries = [Query(id=str(i), text=t) for i, t in enumerate(["", "zzz qqq", "员工", "a" * 9_000])]
    scope = ["invoice_list", "ticket_list"]
    for ranking in retriever.search(queries, 5, [scope] * 4):
        assert sorted(id_ for id_, _ in ranking) == scope
    assert [len(r) for r in retriever.search(queries, 5, [None] * 4)] == [5] * 4


@pytest.mark.usefixtures("shared_models")
@pytest.mark.parametrize("name", NAMES)
def test_every_method_handles_a_single_tool_without_description(name: str) -> None:
    retriever = registry.baselines()[name].load()
    retriever.index([Tool(id="only", name="ping")], {})
    ((found,),) = retriever.search([Query(id="q", text="is it up?")], 5, [None])
    assert found[0] == "only"


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("task", ["MetaTool", "ToolBench"])
def test_bm25s_ranks_as_rank_bm25_does(task: str) -> None:
    """At least 97 % of the top ten are shared, and every difference is a near-tie.

    bm25s computes in float32, so tools whose scores are equal to within its rounding may change
    places at the cut.
    """
    data = load(registry.tasks()[task])
    reference, fast = run_of("bm25", data), run_of("bm25s", data)
    exact = registry.baselines()["bm25"].load()
    exact.index(data.tools, {})
    shared = 0
    for query in data.queries:
        ours, theirs = ({id_ for id_, _ in run[query.id][:10]} for run in (fast, reference))
        shared += len(ours & theirs)
        if ours != theirs:
            scores = dict(exact.search([query], len(data.tools), [None])[0])
            lowest = min(scores[id_] for id_ in theirs)
            for tool_id in ours ^ theirs:
                assert scores[tool_id] == pytest.approx(lowest, rel=1e-5), (query.id, tool_id)
    assert shared / (10 * len(data.queries)) >= 0.97


class TwoDimensions:
    """Encodes a text as the angle that it names, in degrees."""

    identity = "two dimensions"

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        angles = np.radians([float(text) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_a_route_is_the_unit_mean_of_its_utterances() -> None:
    semantic_router = importlib.import_module("tool_bench.baselines.semantic_router")
    tools = [Tool(id="a", name="90", description="0"), Tool(id="b", name="90", description=" ")]
    examples = {"a": ("10", "20", "30", "40", "50", "200")}
    routes = [semantic_router.utterances(tool, examples) for tool in tools]
    assert routes == [["10", "20", "30", "40", "50"], ["90"]]
    assert semantic_router.utterances(tools[0], {}) == ["0"]
    found = semantic_router.centroids(TwoDimensions(), tools, examples)
    expected = TwoDimensions().encode(["30", "90"], "query")
    assert found == pytest.approx(expected, abs=1e-6)


def test_minilm_gives_upstreams_vectors() -> None:
    # from the model card of sentence-transformers/all-MiniLM-L6-v2 and its documentation
    vectors = sentence.minilm().encode(
        ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."],
        "document",
    )
    similar = vectors @ vectors.T
    assert np.diag(similar) == pytest.approx([1, 1, 1], abs=1e-5)
    assert similar[0, 1] == pytest.approx(0.6660, abs=1e-3)
    assert similar[0, 2] == pytest.approx(0.1046, abs=1e-3)
    assert similar[1, 2] == pytest.approx(0.1411, abs=1e-3)


def test_another_minilm_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / sentence.MINILM_PACKAGE
    (package / "model" / "1_Pooling").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('must never be imported')")
    real = sentence.minilm_folder()
    for name in sentence.MINILM_SHA256:
        (package / "model" / name).symlink_to(real / name)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert sentence.minilm_folder() == package / "model"
    config = package / "model" / "config.json"
    config.unlink()
    with pytest.raises(DataError, match=r"config.json: the file is missing"):
        sentence.minilm_folder()
    config.write_text("{}")
    with pytest.raises(DataError, match=r"config.json: sha256 is .* expected 953f9c0d"):
        sentence.minilm_folder()


def test_a_missing_minilm_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence, "MINILM_PACKAGE", "no_such_model")
    with pytest.raises(UnavailableError, match="pip install no-such-model"):
        sentence.minilm()
