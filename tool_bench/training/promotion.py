"""From a candidate to production: measures what is not measured yet, asks the gate, promotes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from tool_bench import registry, store
from tool_bench.baseline import Baseline
from tool_bench.dataset import Scope
from tool_bench.errors import (
    DataError,
    ToolBenchError,
    UnavailableError,
    UnknownNameError,
    UsageError,
)
from tool_bench.per_query import ScoreTable, read_scores
from tool_bench.plan import Cell, Outcome, make_plan
from tool_bench.training import production
from tool_bench.training.gate import MEASURE, Paired, Verdict, decide
from tool_bench.training.production import Model, Pointer

TASKS = ("MockConnectors", "MetaTool", "ToolBench", "ToolRet4")
"""The gate's tasks."""
FIRST = "minilm"
"""What the first model is compared with: the encoder before any training."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

RunCells = Callable[[list[Cell]], Sequence[Outcome]]
"""Runs cells into the results folder: :func:`tool_bench.harness.run_cells`, all but the cells."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate did."""

    candidate: Model
    against: Model
    verdict: Verdict
    binding: bool
    """Whether the candidate was compared with production, so that the verdict may promote it."""
    promoted: bool


def gate(  # noqa: PLR0913  what is compared, on what, and where it is kept
    candidate: str,
    results: Path,
    pointer: Path,
    run: RunCells,
    *,
    against: str | None = None,
    tasks: Sequence[str] = TASKS,
    scopes: Sequence[str] = SCOPES,
    dry_run: bool = False,
) -> Decision:
    """Promote ``candidate`` if it is not worse than production on any test and better on one.

    Args:
        candidate: a model's folder, or the name of a baseline.
        results: the results folder; what lies there is not measured again.
        pointer: the pointer file.
        run: runs the cells that are lacking into ``results``.
        against: what to compare with, by default production, or :data:`FIRST` before there is one.
            A candidate that was compared with anything else is never promoted.
        tasks: names of tasks; each is used whole.
        scopes: of each task, where it has them.
        dry_run: measure and judge, and leave production as it is.

    Raises:
        UsageError: a name is unknown, no task has such a scope, or the candidate is what it would
            be compared with.
        UnavailableError: a cell cannot be measured here.
        DataError: a stored file is damaged, or a model has changed since it was measured.
        ToolBenchError: a cell failed, or production was changed meanwhile.
    """
    seen = production.read(pointer)
    tests = gate_tests(tasks, scopes)
    new, new_method = find(candidate, pointer)
    old, old_method = _standing(seen, pointer) if against is None else find(against, pointer)
    if new.identity == old.identity:
        raise UsageError(f"'{candidate}' is the very model it would be compared with: {old.name}")
    asked = dict.fromkeys(task for task, _ in tests)
    plan = make_plan(registry.pick_tasks(asked), [new_method, old_method], results, asked=asked)
    _require(run(plan))
    verdict = decide([_paired(results, test, new.name, old.name) for test in tests])
    binding = old == seen.current or (seen.current is None and old.name == FIRST)
    promoted = verdict.passed and binding and not dry_run
    if promoted:
        production.promote(pointer, new, seen, old.name, verdict)
    return Decision(new, old, verdict, binding, promoted)


def gate_tests(tasks: Iterable[str], scopes: Sequence[str]) -> list[tuple[str, Scope]]:
    """Return (task, scope) of every test; a task without a scope has no test there.

    Raises:
        UnknownNameError: there is no such task or scope.
        UsageError: no task has any of the scopes.
    """
    for scope in scopes:
        if scope not in SCOPES:
            raise UnknownNameError("scope", scope, SCOPES)
    chosen = registry.pick_tasks(tasks)
    tests = [
        (task.name, s) for task in chosen for s in SCOPES if s in scopes and s in task.eval_langs
    ]
    if not tests:
        raise UsageError(
            f"none of {', '.join(t.name for t in chosen) or 'no tasks'} has a scope "
            f"{' or '.join(scopes)}"
        )
    return tests


def find(name: str, pointer: Path) -> tuple[Model, Baseline]:
    """Return the model that ``name`` names as it is now, and how it is run.

    Args:
        name: a baseline's name, or a folder.
        pointer: the pointer file that may come to hold it.

    Raises:
        UsageError: it is neither, or the folder holds no model.
    """
    declared = registry.baselines().get(name)
    if declared is not None:
        return production.identify(name, None, pointer), declared
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise UnknownNameError("folder or baseline", name, registry.baselines())
    from tool_bench.hub import model_baseline

    method = model_baseline(name)
    return production.identify(method.name, folder, pointer), method


def _standing(seen: Pointer, pointer: Path) -> tuple[Model, Baseline]:
    """Return the model to beat; errors as :func:`find`, and where its files have changed."""
    if seen.current is None:
        return find(FIRST, pointer)
    try:
        production.verify(seen.current, pointer)
    except DataError as error:
        raise DataError(
            pointer, f"{error}; 'tool-bench gate --rollback' goes back to the one before"
        ) from None
    folder = production.folder_of(seen.current, pointer)
    return find(seen.current.name if folder is None else str(folder), pointer)


def _require(outcomes: Iterable[Outcome]) -> None:
    """Refuse to judge where a cell is lacking."""
    lacking = [outcome for outcome in outcomes if outcome.end in {"failed", "unavailable"}]
    if not lacking:
        return
    said = "; ".join(f"{outcome.cell.name}: {outcome.message}" for outcome in lacking)
    failed = any(outcome.end == "failed" for outcome in lacking)
    raise (ToolBenchError if failed else UnavailableError)(f"the gate lacks cells. {said}")


def _paired(results: Path, test: tuple[str, str], new: str, old: str) -> Paired:
    task, scope = test
    (first, a), (second, b) = (_stored(results, task, scope, name) for name in (new, old))
    if first != second or not a.pairs_with(b):
        path = store.result_path(results, task, old)
        raise DataError(path, f"was made on other data than the result of {new}; delete it")
    return Paired(task, scope, a.scores[MEASURE], b.scores[MEASURE], a.cluster, a.weight)


def _stored(results: Path, task: str, scope: str, method: str) -> tuple[str, ScoreTable]:
    """Return the hash of the data that a result was made on, and its scores."""
    path = store.result_path(results, task, method)
    result = store.read_result(path)
    if scope not in result.scopes:
        raise DataError(path, f"has no scope '{scope}'")
    return result.data.sha256, read_scores(path.parent / result.scopes[scope].per_query.name)
