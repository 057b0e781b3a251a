"""One cell: a method on a task's data, from loading it to a finished result."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from tool_bench import measures, pricing, store, timing
from tool_bench.baseline import Baseline
from tool_bench.dataset import Scope, ToolDataset
from tool_bench.encoder import seconds_saved
from tool_bench.fingerprint import cell_key
from tool_bench.progress import report
from tool_bench.provenance import collect
from tool_bench.results import (
    Cost,
    DataCard,
    MethodCard,
    Result,
    ScopeScores,
    StoredFile,
)
from tool_bench.retriever import Metered, Retriever, Spent
from tool_bench.runs import DEPTH, Run, settle, to_trec
from tool_bench.scoring import RUN_SUFFIX, score_scope
from tool_bench.task import Task

LATENCY_K = 10
_SEARCH_CHUNK = 100


def evaluate(
    task: Task, baseline: Baseline, dataset: ToolDataset, arguments: Sequence[str]
) -> tuple[Result, dict[str, bytes]]:
    """Run ``baseline`` on ``dataset`` and return its result and the files it names.

    Args:
        task: what ``dataset`` was built from.
        baseline: the method.
        dataset: the data.
        arguments: of the command that makes this cell again, after ``python -m``.

    Raises:
        UnavailableError: the method lacks something on this machine.
        RetrieverError: the method broke its contract.
    """
    report("load method", 0, 1)
    began = time.perf_counter()
    retriever = baseline.load()
    load_s = time.perf_counter() - began

    report("index", 0, 1)
    examples = dataset.examples if baseline.uses_examples else {}
    began, saved = time.perf_counter(), seconds_saved()
    retriever.index(dataset.tools, examples)
    index_s = time.perf_counter() - began + seconds_saved() - saved

    files: dict[str, bytes] = {}
    scopes: dict[str, ScopeScores] = {}
    queries_per_s = None
    paid: Mapping[str, Spent] = {}
    for scope in dataset.scopes:
        began, saved = time.perf_counter(), seconds_saved()
        run = search_scope(retriever, dataset, scope)
        if scope == "global" and isinstance(retriever, Metered):
            paid = dict(retriever.spent())
        elif scope == "global":
            spent = time.perf_counter() - began + seconds_saved() - saved
            queries_per_s = round(len(dataset.queries) / spent, 1)
        data = to_trec(run, store.folder_name(baseline.name))
        run_file = StoredFile(
            name=f"{task.name}.{scope}{RUN_SUFFIX}", sha256=store.content_hash(data)
        )
        scopes[scope], per_query = score_scope(run, dataset, scope, task.headline, run_file)
        files |= {run_file.name: data, scopes[scope].per_query.name: per_query}

    provenance = collect(list(arguments), baseline.precision)
    if isinstance(retriever, Metered):
        seconds = [spent.seconds for spent in paid.values()]
        cost: Cost | None = pricing.paid(paid, retriever.basis())
    else:
        seconds = timing.latencies(
            lambda query: retriever.search([query], LATENCY_K, [None]), dataset.queries
        )
        cost = pricing.computed(measures.mean(seconds), provenance.hardware)
    result = Result(
        task=task.name,
        baseline=baseline.name,
        evidence="measured",
        key=cell_key(task, baseline),
        data=DataCard(
            revision=task.data_revision,
            sha256=dataset_hash(dataset),
            counts=dataset.counts,
            headline=task.headline,
        ),
        method=_card(baseline, sum(len(texts) for texts in examples.values())),
        scopes=scopes,
        timing=timing.record(load_s, index_s, queries_per_s, seconds),
        cost=cost,
        provenance=provenance,
    )
    return result, files


def search_scope(retriever: Retriever, dataset: ToolDataset, scope: Scope) -> Run:
    """Search every query of ``dataset`` in ``scope`` and settle the rankings."""
    run: dict[str, tuple[tuple[str, float], ...]] = {}
    queries = dataset.queries
    ids = frozenset(tool.id for tool in dataset.tools)
    for start in range(0, len(queries), _SEARCH_CHUNK):
        report(f"search {scope}", start, len(queries))
        chunk = queries[start : start + _SEARCH_CHUNK]
        candidates = [dataset.candidates(scope, query) for query in chunk]
        rankings = retriever.search(chunk, DEPTH, candidates)
        run.update(settle(chunk, rankings, candidates, DEPTH, ids))
    return run


def dataset_hash(dataset: ToolDataset) -> str:
    """Return the sha256 of everything in ``dataset`` that an evaluation depends on."""
    content = json.dumps(
        {
            "tools": [asdict(tool) for tool in dataset.tools],
            "queries": [asdict(query) for query in dataset.queries],
            "relevance": dataset.relevance,
            "examples": dataset.examples,
            "groups": dataset.groups,
            "averages": dataset.averages,
        },
        sort_keys=True,
        ensure_ascii=False,
    )
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


def _card(baseline: Baseline, examples: int) -> MethodCard:
    return MethodCard(
        kind=baseline.kind,
        description=baseline.description,
        reference=baseline.reference,
        license=baseline.license,
        parameters=baseline.parameters,
        revision=baseline.revision,
        style=baseline.style,
        settings=dict(baseline.settings),
        deviations=list(baseline.deviations),
        trained_on=list(baseline.trained_on),
        examples=examples,
    )
