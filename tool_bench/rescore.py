"""Scores a stored run again, and says where two results differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from tool_bench import store
from tool_bench.data.load import load
from tool_bench.dataset import Scope, ToolDataset, dataset_hash
from tool_bench.errors import DataError
from tool_bench.results import Estimate, Result, ScopeScores
from tool_bench.runs import read_run
from tool_bench.scoring import score_scope
from tool_bench.task import Task

TOLERANCE = 1e-6
"""Scores are stored with six decimals."""


@lru_cache(maxsize=2)
def _load(task_name: str) -> tuple[ToolDataset, str]:
    from tool_bench import registry

    dataset = load(registry.tasks()[task_name])
    return dataset, dataset_hash(dataset)


def rescored(result: Result, task: Task, folder: Path) -> tuple[Result, dict[str, bytes]]:
    """Return ``result`` with the scores that its run files give on today's data.

    Raises:
        UnavailableError: the task's data cannot be had here.
        DataError: a run file cannot be read, or was made on other data.
    """
    dataset, data_hash = _load(task.name)
    path = store.result_path(folder, result.task, result.baseline)
    if data_hash != result.data.sha256:
        raise DataError(path, "was made on other data than the task has now; run the cell again")
    scopes: dict[str, ScopeScores] = {}
    files: dict[str, bytes] = {}
    for scope in dataset.scopes:
        if scope not in result.scopes:
            raise DataError(path, f"has no scope '{scope}'; run the cell again")
        scopes[scope] = _scope(result, dataset, scope, path.parent, files)
    return result.model_copy(update={"scopes": scopes}), files


def _scope(
    result: Result, dataset: ToolDataset, scope: Scope, folder: Path, files: dict[str, bytes]
) -> ScopeScores:
    stored = result.scopes[scope]
    run = read_run(folder / stored.run.name)
    scores, per_query = score_scope(run, dataset, scope, result.data.headline, stored.run)
    files[scores.per_query.name] = per_query
    return scores


def compare(old: Result, new: Result) -> list[str]:
    """Return one sentence per score that differs by more than :data:`TOLERANCE`."""
    differences = []
    for scope, scores in new.scopes.items():
        if old.scopes[scope].per_query.sha256 != scores.per_query.sha256:
            differences.append(f"{scope}: per-query scores differ")
        if old.scopes[scope].context != scores.context:
            differences.append(f"{scope}: context tokens differ")
        if old.scopes[scope].short != scores.short:
            differences.append(f"{scope}: other queries with too few tools")
        for name, fresh in scores.slices.items():
            stored = old.scopes[scope].slices.get(name)
            if stored is None or stored.queries != fresh.queries:
                differences.append(f"{scope} {name}: other queries")
                continue
            for kind, old_means, new_means in (
                ("", stored.measures, fresh.measures),
                ("macro ", stored.macro, fresh.macro),
            ):
                differences += [
                    f"{scope} {name} {kind}{text}" for text in _differences(old_means, new_means)
                ]
    return differences


def _differences(old: Mapping[str, Estimate], new: Mapping[str, Estimate]) -> Iterator[str]:
    for measure, estimate in new.items():
        for field in ("value", "low", "high"):
            was, now = getattr(old.get(measure), field, None), getattr(estimate, field)
            if not _equal(was, now):
                yield f"{measure} {field}: {was} -> {now}"


def _equal(was: float | None, now: float | None) -> bool:
    if was is None or now is None:
        return was is now
    return abs(was - now) <= TOLERANCE
