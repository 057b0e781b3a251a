"""Runs stored cells again and says whether the stored values come out.

A cell counts as reproduced (``OK``) when every mean of every scope and slice is the stored one to
six decimals, and nearly so (``OKish``) when every measure of its headline is within a tolerance:

- Methods here draw nothing at random, but other processors and library versions add up floats in
  another order, which can swap tools with nearly equal scores. The tolerance is 0.001, or one
  query's whole weight where there are fewer than 1,000: one swap must not be a failure.
- A paid service answers differently from day to day. The tolerance is half the width of the stored
  interval: a larger difference would be seen between methods.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tool_bench import registry, store
from tool_bench.baseline import Baseline
from tool_bench.errors import DataError, ToolBenchError, UnknownNameError, UsageError
from tool_bench.per_query import read_scores
from tool_bench.plan import Cell, Outcome, make_plan
from tool_bench.results import Provenance, Result, SliceScores

Verdict = Literal["OK", "OKish", "FAIL", "unavailable"]

EQUAL = 1e-6
"""Means are stored with six decimals."""
TOLERANCE = 0.001


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one measure of a headline is from the stored one."""

    where: str
    """Scope and measure."""
    value: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of running a stored cell again."""

    stored: Result
    verdict: Verdict
    reason: str = ""
    """Why it is no ``OK``."""
    new: Result | None = None
    worst: Difference | None = None
    """The measure of the headline that differs most, in units of its tolerance."""
    changed: tuple[str, ...] = ()
    """What is not as it was: data, code, packages."""
    heaviest: float = 0.0
    """The largest weight of a query in the headline."""

    @property
    def name(self) -> str:
        """``task/baseline``."""
        return f"{self.stored.task}/{self.stored.baseline}"

    @property
    def elsewhere(self) -> bool:
        """Whether the stored cell ran on another machine than this one."""
        return self.new is not None and self.stored.provenance.hardware != (
            self.new.provenance.hardware
        )


def pick(results: Path, names: Sequence[str]) -> tuple[list[Result], list[DataError]]:
    """Return the stored cells ``names``, or all of them, and what is wrong with the others.

    Args:
        results: the results folder.
        names: ``TASK/BASELINE`` each, split at the first slash; empty means every stored cell.

    Raises:
        UsageError: a name is not of that form, or no such result is stored.
        DataError: a named result cannot be read.
    """
    stored, broken = store.read_results(results)
    if not names:
        return stored, broken
    known = {f"{result.task}/{result.baseline}": result for result in stored}
    picked: dict[str, Result] = {}
    for name in names:
        task, slash, baseline = name.partition("/")
        if not (task and slash and baseline):
            raise UsageError(f"'{name}' names no cell: give TASK/BASELINE")
        if name in known:
            picked[name] = known[name]
            continue
        path = store.result_path(results, task, baseline)
        if path.is_file():
            store.read_result(path)  # which says what is wrong with it
        if task in registry.tasks() and baseline in registry.baselines():
            way_out = f"tool-bench run --tasks {task} --baselines {baseline}"
            raise UsageError(f"no result of {name} in {results}: {way_out}")
        raise UnknownNameError("stored cell", name, known)
    return list(picked.values()), []


def method_of(result: Result) -> Baseline:
    """Return the method as the stored command chose it.

    Raises:
        ToolBenchError: it is not declared any more, or its model cannot be found or is another.
    """
    words = shlex.split(result.provenance.command)
    if "--model" not in words:
        (method,) = registry.pick_baselines([result.baseline])
        return method
    from tool_bench.hub import model_baseline

    revision = words[words.index("--revision") + 1] if "--revision" in words else None
    method = model_baseline(words[words.index("--model") + 1], revision)
    if method.name != result.baseline:
        raise ToolBenchError(f"the model at that place is another one now: {method.name}")
    return method


def plan(
    stored: Sequence[Result], results: Path, *, paid: bool, named: bool
) -> tuple[list[Cell], list[Reproduction]]:
    """Return the cells to run again, cheapest first, and those of which not even that is known.

    Args:
        stored: from :func:`pick`.
        results: the results folder, for estimates of time.
        paid: whether methods that pay a service may run.
        named: whether the cells were asked for by name, so that large data may be fetched.
    """
    cells: list[Cell] = []
    lost: list[Reproduction] = []
    for result in stored:
        try:
            (task,) = registry.pick_tasks([result.task])
            method = method_of(result)
        except ToolBenchError as error:
            lost.append(Reproduction(result, "unavailable", str(error)))
            continue
        asked = [task.name] if named else []
        cells += make_plan([task], [method], results, force=True, paid=paid, asked=asked)
    return sorted(cells, key=lambda cell: cell.seconds), lost


def judge_outcome(stored: Result, outcome: Outcome, fresh: Path) -> Reproduction:
    """Return the verdict on a cell that was run again.

    Args:
        stored: the stored result.
        outcome: how the cell ended.
        fresh: the folder with the new results.
    """
    if outcome.end == "done":
        path = store.result_path(fresh, stored.task, stored.baseline)
        new = store.read_result(path)
        weights = read_scores(path.parent / new.scopes["global"].per_query.name).weight
        return judge(stored, new, float(weights.max()))
    verdict: Verdict = "FAIL" if outcome.end == "failed" else "unavailable"
    return Reproduction(stored, verdict, outcome.message)


def judge(stored: Result, new: Result, heaviest: float) -> Reproduction:
    """Compare a new result with the stored one.

    Args:
        stored: the stored result.
        new: the new one.
        heaviest: the largest weight of a query in the headline: one swap must not be a failure.
    """
    changed = tuple(_changes(stored, new))
    if stored.data.sha256 != new.data.sha256:
        reason = (
            f"other data: sha256 {stored.data.sha256[:12]}… ({stored.data.revision}) then, "
            f"{new.data.sha256[:12]}… ({new.data.revision}) now"
        )
        return Reproduction(stored, "FAIL", reason, new, None, changed, heaviest)
    if _shape(stored) != _shape(new):
        reason = "other scopes, slices or measures than were stored"
        return Reproduction(stored, "FAIL", reason, new, None, changed, heaviest)
    differences = list(_headline_differences(stored, new, heaviest))
    worst = max(differences, key=lambda d: d.value / d.tolerance)
    if _largest_difference(stored, new) <= EQUAL:
        return Reproduction(stored, "OK", "", new, worst, changed, heaviest)
    verdict: Verdict = "OKish" if worst.value <= worst.tolerance else "FAIL"
    reason = (
        f"{worst.where} differs by {worst.value:.6f}; the tolerance is {worst.tolerance:.4g}"
        if worst.value > EQUAL
        else "the headline is the stored one; means of slices differ"
    )
    return Reproduction(stored, verdict, reason, new, worst, changed, heaviest)


def _shape(result: Result) -> dict[str, dict[str, tuple[int, list[str], list[str]]]]:
    return {
        scope: {
            name: (scores.queries, sorted(scores.measures), sorted(scores.macro))
            for name, scores in stored.slices.items()
        }
        for scope, stored in result.scopes.items()
    }


def _largest_difference(stored: Result, new: Result) -> float:
    """Return the largest difference between two means, over all scopes and slices."""
    return max(
        abs(before - now)
        for scope, scores in stored.scopes.items()
        for name, slice_ in scores.slices.items()
        for before, now in zip(_means(slice_), _means(new.scopes[scope].slices[name]), strict=True)
    )


def _means(scores: SliceScores) -> list[float]:
    return [
        means[measure].value
        for means in (scores.measures, scores.macro)
        for measure in sorted(means)
    ]


def _headline_differences(stored: Result, new: Result, heaviest: float) -> Iterator[Difference]:
    headline = stored.data.headline
    for scope, scores in stored.scopes.items():
        now = new.scopes[scope].slices[headline].measures
        for measure, estimate in scores.slices[headline].measures.items():
            difference = round(abs(now[measure].value - estimate.value), 6)
            allowed = tolerance(stored, scope, measure, heaviest)
            yield Difference(f"{scope} {measure}", difference, allowed)


def tolerance(stored: Result, scope: str, measure: str, heaviest: float) -> float:
    """Return how far ``measure`` of a stored headline may be off for an ``OKish``.

    Args:
        stored: the result.
        scope: the scope.
        measure: the measure.
        heaviest: the largest weight of a query in the headline.
    """
    scores = stored.scopes[scope].slices[stored.data.headline]
    allowed = max(TOLERANCE, heaviest)
    estimate = scores.measures[measure]
    paid = stored.cost is not None and stored.cost.tokens is not None
    if paid and estimate.low is not None and estimate.high is not None:
        return max(allowed, (estimate.high - estimate.low) / 2)
    return allowed


def _changes(stored: Result, new: Result) -> Iterator[str]:
    """Yield what is not as it was when the stored result was made."""
    then, now = stored.provenance, new.provenance
    for part in sorted({*stored.key, *new.key}):
        if stored.key.get(part) != new.key.get(part):
            yield f"{_PARTS.get(part, part)} changed"
    if then.code_revision != now.code_revision:
        yield f"code {_commit(then)} -> {_commit(now)}"
    elif then.dirty or now.dirty:
        yield "code with changes that are in no commit"
    if then.python != now.python:
        yield f"python {then.python} -> {now.python}"
    yield from _changed_packages(then.packages, now.packages)


_PARTS = {
    "harness": "the harness's version",
    "task": "the task's code or pinned files",
    "baseline": "the method's code or settings",
}


def _commit(provenance: Provenance) -> str:
    revision = (provenance.code_revision or "without a commit")[:16]
    return f"{revision[:8]} with changes" if provenance.dirty else revision[:8]


def _changed_packages(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            yield f"{name} {then.get(name, 'none')} -> {now.get(name, 'none')}"
