"""One cell: a method on a task's data, from loading it to a finished result."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tool_bench import footprint, pricing, reference, store, timing
from tool_bench.baseline import Baseline
from tool_bench.dataset import Scope, ToolDataset, dataset_hash
from tool_bench.encoder import seconds_encoding, seconds_saved
from tool_bench.errors import RetrieverError
from tool_bench.fingerprint import cell_key
from tool_bench.progress import report
from tool_bench.provenance import collect
from tool_bench.query import Query
from tool_bench.results import (
    Cost,
    DataCard,
    Footprint,
    Hardware,
    MethodCard,
    Result,
    ScopeScores,
    StoredFile,
    Timing,
)
from tool_bench.retriever import Candidates, Metered, Retriever, Spent
from tool_bench.runs import DEPTH, Run, settle, short, to_trec
from tool_bench.scoring import RUN_SUFFIX, score_scope
from tool_bench.task import Task
from tool_bench.timing import Phases, Subject
from tool_bench.trained import seen_tools

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
    with _blaming(baseline), footprint.recording_models() as models:
        built = _build(baseline, dataset)
        runs, searched = _search(built.retriever, baseline, dataset)
        taken = _footprint(baseline, built, models)  # before scoring adds libraries of its own
        scopes, files = _score(runs, task, baseline, dataset)
        provenance = collect(list(arguments), baseline.precision)
        times, cost = _times(built, searched, dataset, provenance.hardware)
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
        method=_card(baseline, dataset, built.examples),
        scopes=scopes,
        timing=times,
        footprint=taken,
        cost=cost,
        provenance=provenance,
    )
    return result, files


@dataclass(frozen=True, slots=True)
class _Built:
    """A method with its index."""

    retriever: Retriever
    examples: int
    load_s: float
    index_s: float
    index_encode_s: float
    index_bytes: int | None


@dataclass(frozen=True, slots=True)
class _Searched:
    """What searching all queries in scope ``global`` took."""

    queries_per_s: float | None
    """None for a paid service."""
    paid: Mapping[str, Spent]
    """Query id -> what a paid service took; empty for others."""


def _build(baseline: Baseline, dataset: ToolDataset) -> _Built:
    report("load method", 0, 1)
    began = time.perf_counter()
    retriever = baseline.load()
    load_s = time.perf_counter() - began
    report("index", 0, 1)
    examples = dataset.examples if baseline.uses_examples else {}
    began, saved, encoded = time.perf_counter(), seconds_saved(), seconds_encoding()
    retriever.index(dataset.tools, examples)
    return _Built(
        retriever=retriever,
        examples=sum(len(texts) for texts in examples.values()),
        load_s=load_s,
        index_s=time.perf_counter() - began + seconds_saved() - saved,
        index_encode_s=seconds_encoding() - encoded,
        index_bytes=footprint.index_bytes(retriever),  # before searching adds to what it keeps
    )


def _search(
    retriever: Retriever, baseline: Baseline, dataset: ToolDataset
) -> tuple[dict[Scope, Run], _Searched]:
    """Search every scope."""
    runs: dict[Scope, Run] = {}
    searched = _Searched(None, {})
    for scope in dataset.scopes:
        began, saved = time.perf_counter(), seconds_saved()
        run = runs[scope] = search_scope(retriever, dataset, scope)
        if scope == "global" and isinstance(retriever, Metered):
            searched = _Searched(None, dict(retriever.spent()))
        elif scope == "global":
            took = time.perf_counter() - began + seconds_saved() - saved
            searched = _Searched(round(len(dataset.queries) / took, 1), {})
        _require_full(run, baseline, dataset, scope)
    return runs, searched


def _score(
    runs: Mapping[Scope, Run], task: Task, baseline: Baseline, dataset: ToolDataset
) -> tuple[dict[str, ScopeScores], dict[str, bytes]]:
    """Return the scores of every scope, and the content of the files that they name."""
    scopes: dict[str, ScopeScores] = {}
    files: dict[str, bytes] = {}
    for scope, run in runs.items():
        data = to_trec(run, store.folder_name(baseline.name))
        run_file = StoredFile(
            name=f"{task.name}.{scope}{RUN_SUFFIX}", sha256=store.content_hash(data)
        )
        scopes[scope], per_query = score_scope(run, dataset, scope, task.headline, run_file)
        files |= {run_file.name: data, scopes[scope].per_query.name: per_query}
    return scopes, files


def search_scope(retriever: Retriever, dataset: ToolDataset, scope: Scope) -> Run:
    """Search every query of ``dataset`` in ``scope`` and settle the rankings."""
    run: dict[str, tuple[tuple[str, float], ...]] = {}
    queries = dataset.queries
    ids = frozenset(tool.id for tool in dataset.tools)
    for start in range(0, len(queries), _SEARCH_CHUNK):
        report(f"search {scope}", start, len(queries))
        chunk = queries[start : start + _SEARCH_CHUNK]
        candidates = [dataset.candidates(scope, query) for query in chunk]
        with _naming_the_query(retriever, chunk, candidates):
            rankings = retriever.search(chunk, DEPTH, candidates)
        run.update(settle(chunk, rankings, candidates, DEPTH, ids))
    return run


@contextmanager
def _naming_the_query(
    retriever: Retriever, chunk: Sequence[Query], candidates: Sequence[Candidates]
) -> Iterator[None]:
    """Let an error from inside a search begin with its query, found by searching each alone."""
    try:
        yield
    except RetrieverError as error:
        for query, allowed in zip(chunk, candidates, strict=True):
            try:
                retriever.search([query], DEPTH, [allowed])
            except RetrieverError as alone:
                raise RetrieverError(f"query '{query.id}': {alone}") from error
        raise


def _require_full(run: Run, baseline: Baseline, dataset: ToolDataset, scope: Scope) -> None:
    """Refuse rankings that are shorter than the method declares, and a method that ranks nothing.

    What is not ranked counts as missed, so a method that forgets tools would look like one that
    ranks them badly.
    """
    if not any(run.values()):
        raise RetrieverError(f"scope {scope}: it ranked no tool for any of {len(run)} queries")
    lacking = short(run, dataset, scope)
    if lacking and not baseline.may_rank_fewer:
        first = next(query for query in dataset.queries if query.id == lacking[0])
        allowed = dataset.candidates(scope, first)
        there = len(dataset.tools) if allowed is None else len(allowed)
        raise RetrieverError(
            f"scope {scope}: query '{first.id}' got {len(run[first.id])} tools of the {DEPTH} "
            f"asked for, out of {there} candidates ({len(lacking)} of {len(run)} queries got too "
            "few); a method that may rank fewer declares may_rank_fewer"
        )


def _footprint(baseline: Baseline, built: _Built, models: Mapping[Path, int]) -> Footprint:
    peak = footprint.peak_memory_mib()
    known = (models or baseline.parameters == 0) and not isinstance(built.retriever, Metered)
    return Footprint(
        peak_memory_mib=None if peak is None else round(peak, 1),
        index_bytes=built.index_bytes,
        model_bytes=sum(models.values()) if known else None,
    )


def _times(
    built: _Built, searched: _Searched, dataset: ToolDataset, hardware: Hardware
) -> tuple[Timing, Cost | None]:
    """Time single queries; of a paid service, take what each was measured to take."""
    retriever = built.retriever
    phases = Phases(built.load_s, built.index_s, built.index_encode_s, searched.queries_per_s)
    if isinstance(retriever, Metered):
        timed = timing.as_measured([spent.seconds for spent in searched.paid.values()])
        cost = pricing.paid(searched.paid, retriever.indexing(), retriever.model())
        return timing.record(phases, timed, None), cost
    subjects: list[Subject] = [
        (lambda query: retriever.search([query], LATENCY_K, [None]), dataset.queries)
    ]
    unit = reference.subject()
    timed, *others = timing.measured([*subjects, unit] if unit else subjects)
    compared = [timing.compared(timed, t, reference.TASK, reference.BASELINE) for t in others]
    times = timing.record(phases, timed, compared[0] if compared else None)
    return times, pricing.computed(times.latency_mean_ms / 1_000, times.index_s, hardware)


@contextmanager
def _blaming(baseline: Baseline) -> Iterator[None]:
    """Let errors about what a method returned begin with its name."""
    try:
        yield
    except RetrieverError as error:
        raise RetrieverError(f"{baseline.name}: {error}") from error


def _card(baseline: Baseline, dataset: ToolDataset, examples: int) -> MethodCard:
    seen = None if baseline.seen is None else seen_tools(baseline.seen(), dataset.tools)
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
        seen_tools=seen,
        examples=examples,
        whole_catalogue=baseline.whole_catalogue,
    )
