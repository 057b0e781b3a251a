from __future__ import annotations

from dataclasses import replace

import fakes
import mteb
import numpy as np
import pytest
from mteb.models import ModelMeta
from mteb.models.search_wrappers import SearchEncoderWrapper
from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper

from tool_bench import hub, mteb_bridge, mteb_models, registry, sentence
from tool_bench.baseline import Baseline
from tool_bench.dataset import Scope, ToolDataset
from tool_bench.evaluate import search_scope
from tool_bench.measures import PerQuery, mean, score
from tool_bench.mteb_bridge import MtebModel, MtebSearcher, mteb_task
from tool_bench.task import Task
from tool_bench.tool import STYLES, render

PAIRS = {
    "ndcg_at_10": "nDCG@10",
    "hit_rate_at_1": "Hit@1",
    "mrr_at_10": "MRR@10",
    "recall_at_10": "Recall@10",
}


def ours(baseline: Baseline, data: ToolDataset) -> dict[Scope, PerQuery]:
    retriever = baseline.load()
    retriever.index(data.tools, data.examples if baseline.uses_examples else {})
    return {
        scope: score(search_scope(retriever, data, scope), data.relevant(scope))
        for scope in data.scopes
    }


def assert_mteb_agrees(task: Task, data: ToolDataset, baseline: Baseline) -> None:
    result = mteb.evaluate(
        MtebModel(baseline, data.examples),
        mteb_task(task, data),
        cache=None,
        show_progress_bar=False,
    )
    found = {s["hf_subset"]: s for s in result.task_results[0].scores["test"]}
    assert set(found) == set(task.eval_langs)
    mine = ours(baseline, data)
    for subset, theirs in found.items():
        scope: Scope = "scoped" if subset == "scoped" else "global"
        chosen = data.slices["all" if subset in data.scopes else subset]
        for name, measure in PAIRS.items():
            value = mean(mine[scope][measure][q] for q in chosen)
            assert theirs[name] == pytest.approx(value, abs=1e-5), (subset, measure)


@pytest.mark.parametrize("baseline", [fakes.OVERLAP, fakes.CONSTANT], ids=lambda b: b.name)
def test_mteb_scores_a_small_task_as_we_do(baseline: Baseline) -> None:
    noisy = fakes.dataset()
    queries = tuple(replace(q, text=q.text.replace("an ", "")) for q in noisy.queries)
    assert_mteb_agrees(fakes.TASK, replace(noisy, queries=queries), baseline)


@pytest.mark.parametrize("name", ["bm25s", pytest.param("minilm", marks=pytest.mark.slow)])
@pytest.mark.parametrize("task", ["MockConnectors", "MetaTool", "ToolBench"])
def test_mteb_scores_the_real_tasks_as_we_do(task: str, name: str, dataset: ToolDataset) -> None:
    assert_mteb_agrees(registry.tasks()[task], dataset, registry.baselines()[name])


def test_a_bridged_retriever_gets_the_whole_record() -> None:
    tool = fakes.dataset().tools[0]
    assert mteb_bridge._tool(mteb_bridge._document(tool)) == tool
    foreign = mteb_bridge._tool({"id": "d1", "title": "Weather", "text": "Rain or sun."})
    assert (foreign.id, foreign.name, foreign.description) == ("d1", "Weather", "Rain or sun.")
    untitled = mteb_bridge._tool({"id": "d1", "title": "", "text": "Rain or sun."})
    assert {render(untitled, style) for style in STYLES} == {"Rain or sun."}


def test_no_two_methods_share_a_place_in_mtebs_cache() -> None:
    learning = replace(fakes.OVERLAP, uses_examples=True)
    models = [
        MtebModel(fakes.OVERLAP),
        MtebModel(fakes.CONSTANT),
        MtebModel(learning),
        MtebModel(learning, fakes.dataset().examples),
    ]
    places = {(m.mteb_model_meta.name, m.mteb_model_meta.revision) for m in models}
    assert len(places) == len(models)


def tiny_meta() -> ModelMeta:
    """The embedded model as mteb's registry would declare it."""
    folder = str(sentence.minilm_folder())

    def loader(_: str, **__: object) -> SentenceTransformerEncoderWrapper:
        return SentenceTransformerEncoderWrapper(
            folder, model_prompts={"query": "query: ", "document": "passage: "}
        )

    return ModelMeta.create_empty(
        {"name": "tests/minilm", "revision": "1", "loader": loader, "model_type": ["dense"]}
    )


@pytest.mark.filterwarnings("ignore:Model prompts specified")
def test_an_mteb_encoder_is_one_of_our_retrievers_with_its_own_prompts() -> None:
    data = fakes.dataset()
    retriever = mteb_bridge.load_from_mteb(tiny_meta())
    retriever.index(data.tools, {})
    run = search_scope(retriever, data, "global")
    assert mean(score(run, data.relevance)["Hit@1"].values()) > 0.8

    encoder = mteb_models.MtebEncoder(tiny_meta().load_model(), "x")  # type: ignore[arg-type]
    plain = sentence.minilm()
    found = encoder.encode(["delete an invoice"], "query")
    assert found == pytest.approx(plain.encode(["query: delete an invoice"], "query"), abs=1e-5)
    found = encoder.encode(["delete an invoice"], "document")
    assert found == pytest.approx(
        plain.encode(["passage: delete an invoice"], "document"), abs=1e-5
    )
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


@pytest.mark.filterwarnings("ignore:Model prompts specified")
def test_an_mteb_searcher_is_one_of_our_retrievers() -> None:
    data = fakes.dataset()
    encoder = tiny_meta().load_model()
    retriever = MtebSearcher(SearchEncoderWrapper(encoder))  # type: ignore[arg-type]
    retriever.index(data.tools, {})
    for scope in data.scopes:
        run = search_scope(retriever, data, scope)
        assert mean(score(run, data.relevant(scope))["Hit@1"].values()) > 0.8


def test_a_registered_model_is_declared_as_mteb_has_it() -> None:
    baseline = hub.model_baseline("BAAI/bge-small-en-v1.5")
    assert baseline.parameters == 33_400_000
    assert baseline.license == "mit"
    assert baseline.revision == mteb.get_model_meta("BAAI/bge-small-en-v1.5").revision
