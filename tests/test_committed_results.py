"""The results in the repository: whole, current, and what their run files give."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
import pytrec_eval
from fakes import runs_anywhere

from tool_bench import registry, releases, store
from tool_bench.baseline import Baseline
from tool_bench.dataset import ToolDataset
from tool_bench.fingerprint import cell_key
from tool_bench.measures import mean
from tool_bench.rescore import compare, rescored
from tool_bench.runs import read_run, to_trec
from tool_bench.task import Task

RESULTS = store.default_folder()


def is_due(task: Task, baseline: Baseline) -> bool:
    """Tell whether a cell must be there; of tasks that only a mirror has, some may be missing."""
    if task.on_demand or not runs_anywhere(baseline):
        return False
    if baseline.needs.providers and not task.providers:
        return False
    offered = all(source.url for source in task.sources)
    return offered or store.result_path(RESULTS, task.name, baseline.name).is_file()


CELLS = [
    (task.name, baseline.name)
    for task in registry.declared_tasks().values()
    for baseline in registry.baselines().values()
    if is_due(task, baseline)
]
cells = pytest.mark.parametrize(("task", "baseline"), CELLS, ids=["/".join(c) for c in CELLS])


@cells
def test_every_cell_is_there_whole_and_current(task: str, baseline: str) -> None:
    key = store.read_key(RESULTS, task, baseline)
    assert key == cell_key(registry.declared_tasks()[task], registry.baselines()[baseline])
    result = store.read_result(store.result_path(RESULTS, task, baseline))
    assert (result.task, result.baseline, result.evidence) == (task, baseline, "measured")
    assert result.provenance.dirty is False


@cells
def test_run_files_are_plain_trec_with_fixed_bytes(task: str, baseline: str) -> None:
    result = store.read_result(store.result_path(RESULTS, task, baseline))
    for scope in result.scopes.values():
        path = RESULTS / baseline / scope.run.name
        run = read_run(path)
        depth = max(len(ranking) for ranking in run.values())
        assert 0 < depth <= 10  # a provider may have fewer tools, a method may rank fewer
        assert gzip.decompress(to_trec(run, baseline)) == gzip.decompress(path.read_bytes())


@cells
def test_stored_means_are_those_of_the_per_query_scores(task: str, baseline: str) -> None:
    result = store.read_result(store.result_path(RESULTS, task, baseline))
    for scope in result.scopes.values():
        text = gzip.decompress((RESULTS / baseline / scope.per_query.name).read_bytes()).decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        everything = scope.slices["all"]
        assert len(rows) == everything.queries == result.data.counts["queries"]
        headline = scope.slices[result.data.headline].measures
        for measure, estimate in headline.items():
            weighted = sum(float(row["weight"]) * float(row[measure]) for row in rows)
            assert estimate.value == pytest.approx(weighted, abs=1e-4)
        assert len({row["cluster"] for row in rows}) == everything.clusters
        for measure, estimate in everything.measures.items():
            value = mean(float(row[measure]) for row in rows)
            assert estimate.value == pytest.approx(value, abs=1e-5)
            assert estimate.low is not None
            assert estimate.high is not None
            assert estimate.low <= estimate.value <= estimate.high


def test_nothing_else_lies_there() -> None:
    expected = set((RESULTS / "reported").glob("*.yaml"))
    expected |= set((RESULTS / "scaling").glob("*/*.json")) | set(RESULTS.glob("reproduced.json"))
    released, broken = releases.read(RESULTS)
    assert broken == []
    expected |= {RESULTS / "releases" / one.name / "release.json" for one in released}
    for task, baseline in CELLS:
        path = store.result_path(RESULTS, task, baseline)
        expected.add(path)
        for scope in store.read_result(path).scopes.values():
            expected |= {path.parent / scope.run.name, path.parent / scope.per_query.name}
    found = {p for p in RESULTS.rglob("*") if p.is_file() and p.name != "README.md"}
    assert found == expected


@cells
def test_plain_pytrec_eval_gives_the_stored_scores(
    task: str, baseline: str, dataset: ToolDataset
) -> None:
    result = store.read_result(store.result_path(RESULTS, task, baseline))
    for name, scope in result.scopes.items():
        relevance = dataset.relevant("scoped" if name == "scoped" else "global")
        golds = {q: dict(g) for q, g in relevance.items()}
        run = {q: dict(r) for q, r in read_run(RESULTS / baseline / scope.run.name).items()}
        cut = {q: dict(list(r.items())[:10]) for q, r in run.items()}
        judge = pytrec_eval.RelevanceEvaluator(golds, {"ndcg_cut.10", "success.1", "recip_rank"})
        full, top = judge.evaluate(run), judge.evaluate(cut)
        stored = scope.slices["all"].measures
        assert len(full) == len(golds)
        for measure, values in (
            ("nDCG@10", [s["ndcg_cut_10"] for s in full.values()]),
            ("Hit@1", [s["success_1"] for s in full.values()]),
            ("MRR@10", [s["recip_rank"] for s in top.values()]),
        ):
            assert stored[measure].value == pytest.approx(mean(values), abs=1e-6)


@cells
@pytest.mark.usefixtures("dataset")
def test_rescoring_changes_nothing(task: str, baseline: str) -> None:
    path = store.result_path(RESULTS, task, baseline)
    result = store.read_result(path)
    again, _ = rescored(result, registry.declared_tasks()[task], RESULTS)
    assert compare(result, again) == []


def test_mock_connectors_is_hard_but_fair() -> None:
    def hit(baseline: str, scope: str) -> float:
        result = store.read_result(store.result_path(RESULTS, "MockConnectors", baseline))
        return result.scopes[scope].slices["all"].measures["Hit@1"].value

    assert 0.30 <= hit("bm25", "scoped") <= 0.45
    assert 0.25 <= hit("minilm", "global") <= 0.45


@pytest.mark.parametrize("task", ["MetaTool", "ToolBench"])
def test_minilm_is_at_its_known_level(task: str) -> None:
    result = store.read_result(store.result_path(RESULTS, task, "minilm"))
    assert result.scopes["global"].slices["all"].measures["Hit@1"].value == pytest.approx(
        0.55, abs=0.05
    )


def test_the_folder_is_the_checkouts() -> None:
    assert Path(__file__).resolve().parent.parent / "results" == RESULTS
