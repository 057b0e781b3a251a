"""ToolRet and mteb: its own tasks evaluate our methods, and it scores ours as we do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mteb
import pytest
from datasets import Dataset
from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
from toolret_files import QUERIES, TOOLS

from tool_bench import registry
from tool_bench.baseline import Baseline
from tool_bench.dataset import ToolDataset
from tool_bench.evaluate import search_scope
from tool_bench.measures import mean, score
from tool_bench.mteb_bridge import MtebModel, mteb_task
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Ranking

SUBSETS = {"apibank": "songs", "apigen": "sky", "toolink": "sums"}


def filled(name: str) -> Any:
    """Return mteb's own task with small data in the form of its repository.

    Every subset repeats the whole corpus of document strings, without titles; the queries have
    their instruction beside them.
    """
    corpus = [
        {"id": tool["id"], "text": json.dumps(tool["documentation"]), "title": ""}
        for tools in TOOLS.values()
        for tool in tools
    ]
    corpus += [{"id": f"x{n}", "text": f'{{"name": "other {n}"}}', "title": ""} for n in range(9)]
    task = mteb.get_task(name, hf_subsets=list(SUBSETS))
    task.dataset = {
        subset: {
            "test": RetrievalSplitData(
                corpus=Dataset.from_list(corpus),
                queries=Dataset.from_list(
                    [
                        {"id": q["id"], "text": q["query"], "instruction": q["instruction"]}
                        for q in QUERIES[source]
                        if q["query"]
                    ]
                ),
                relevant_docs={
                    q["id"]: {label["id"]: 1 for label in q["labels"]}
                    for q in QUERIES[source]
                    if q["query"]
                },
                top_ranked=None,
            )
        }
        for subset, source in SUBSETS.items()
    }
    task.dataset_transform()
    task.data_loaded = True
    return task


def evaluated(name: str, model: MtebModel) -> dict[str, Any]:
    result = mteb.evaluate(model, filled(name), cache=None, show_progress_bar=False)
    return {s["hf_subset"]: s for s in result.task_results[0].scores["test"]}


@pytest.mark.parametrize("name", ["ToolRetrieval", "ToolRetrievalInstruction"])
@pytest.mark.parametrize("baseline", ["bm25s", "minilm"])
def test_mtebs_own_tasks_run_with_our_methods(name: str, baseline: str) -> None:
    found = evaluated(name, MtebModel(registry.baselines()[baseline]))
    assert set(found) == set(SUBSETS)
    assert [found[subset]["ndcg_at_10"] for subset in SUBSETS] == [1, 1, 1]


@pytest.mark.parametrize(
    ("name", "instruction"),
    [("ToolRetrieval", None), ("ToolRetrievalInstruction", "Find tools for a1.")],
)
def test_mtebs_instruction_arrives_once_and_apart_from_the_text(
    name: str, instruction: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Query] = []
    model = MtebModel(registry.baselines()["bm25s"])
    search = model._retriever.search

    def record(queries: list[Query], k: int, scopes: list[Candidates]) -> list[Ranking]:
        asked.extend(queries)
        return search(queries, k, scopes)

    monkeypatch.setattr(model._retriever, "search", record)
    evaluated(name, model)
    assert {query.id for query in asked} == {"s1", "k1", "a1"}
    assert Query(id="a1", text="what adds numbers", instruction=instruction) in asked


MEASURES = {"ndcg_at_10": "nDCG@10", "recall_at_10": "Recall@10", "hit_rate_at_1": "Hit@1"}


def assert_mteb_agrees(task: str, data: ToolDataset, baseline: Baseline) -> None:
    retriever = baseline.load()
    retriever.index(data.tools, {})
    mine = score(search_scope(retriever, data, "global"), data.relevance)
    bridged = mteb_task(registry.tasks()[task], data)
    result = mteb.evaluate(MtebModel(baseline), bridged, cache=None, show_progress_bar=False)
    found = {s["hf_subset"]: s for s in result.task_results[0].scores["test"]}
    assert set(found) == {"global", "apibank", "apigen", "gorilla-huggingface", "toolink"}
    for subset, theirs in found.items():
        chosen = data.slices["all" if subset == "global" else subset]
        for name, measure in MEASURES.items():
            ours = mean(mine[measure][q] for q in chosen)
            assert theirs[name] == pytest.approx(ours, abs=1e-5), (subset, measure)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["ToolRet4", "ToolRet4Instruction"])
def test_mteb_scores_our_task_as_we_do(task: str, dataset: ToolDataset, mirror: Path) -> None:
    assert_mteb_agrees(task, dataset, registry.baselines()["bm25s"])
