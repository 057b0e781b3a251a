"""What a run would do: each cell cached, to run, or unavailable, cheap cells first."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tool_bench import memo, registry
from tool_bench.baseline import Baseline, Needs
from tool_bench.data.fetch import missing_bytes, status
from tool_bench.data.paths import snapshot_folder
from tool_bench.fingerprint import baseline_hash, key_of, task_hash
from tool_bench.hardware import memory_bytes
from tool_bench.store import read_key, result_path
from tool_bench.task import Task

_REFERENCE_S = 2.0  # to time the reference that latencies are compared with

State = Literal["cached", "to run", "unavailable"]
End = Literal["done", "cached", "unavailable", "failed"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One method on one task, and what is to be done about it."""

    task: Task
    baseline: Baseline
    state: State
    note: str
    """Why it must run again, or why it cannot; empty otherwise."""
    seconds: float
    """Estimated time to run it."""

    @property
    def name(self) -> str:
        """``task/baseline``."""
        return f"{self.task.name}/{self.baseline.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a cell ended."""

    cell: Cell
    end: End
    message: str = ""
    """Its headline scores when it is done; why it failed or is unavailable otherwise."""
    seconds: float = 0.0
    trace: str = ""
    """The traceback of a failure in the cell's process."""


def make_plan(  # noqa: PLR0913  all that decides what runs
    tasks: Iterable[Task],
    baselines: Iterable[Baseline],
    results: Path,
    *,
    force: bool = False,
    paid: bool = False,
    asked: Container[str] = (),
) -> list[Cell]:
    """Return every cell of ``tasks`` x ``baselines``, cheapest first.

    Args:
        tasks: the tasks.
        baselines: the methods.
        results: the results folder; a cell whose stored result is current is cached.
        force: plan to run cached cells again.
        paid: whether methods that pay a service may run.
        asked: names of tasks that were asked for by name.
    """
    methods = [(baseline, baseline_hash(baseline)) for baseline in baselines]
    cells = []
    for task in tasks:
        task_key, missing = task_hash(task), lacking_data(task, asked=task.name in asked)
        cells += [
            _cell(task, baseline, key_of(task_key, key), results, missing, force=force, paid=paid)
            for baseline, key in methods
        ]
    memo.save()
    return sorted(cells, key=lambda cell: cell.seconds)


def lacking_data(task: Task, *, asked: bool) -> str:
    """Return why the data of ``task`` cannot or may not be used; empty if it can.

    Args:
        task: the task.
        asked: whether the task was asked for by name.
    """
    if task.on_demand and not asked:
        return f"takes hours, so only 'run --tasks {task.name}' runs it"
    for source in task.sources:
        where = status(source)
        if source.url is None and where == "missing from mirror":
            return f"its data is offered by a mirror only, and the one set lacks {source.path}"
        if source.url is None and where not in {"cached", "mirror"}:
            return "its data is offered by a mirror only: set TOOL_BENCH_MIRROR"
    return ""


def _cell(  # noqa: PLR0913  all that decides whether it runs
    task: Task,
    baseline: Baseline,
    key: Mapping[str, str],
    results: Path,
    missing_data: str,
    *,
    force: bool,
    paid: bool,
) -> Cell:
    stored = read_key(results, task.name, baseline.name)
    if stored == key and not force:
        return Cell(task, baseline, "cached", "", 0.0)
    missing = lacking(task, baseline, paid=paid) or missing_data
    if missing:
        if stored == key:
            missing = f"{missing}; the stored result stays"
        return Cell(task, baseline, "unavailable", missing, 0.0)
    changed = [part for part, value in key.items() if (stored or {}).get(part) != value]
    note = f"changed: {', '.join(changed)}" if stored and changed else ""
    size = missing_bytes([task])
    if size:
        note = "; ".join(filter(None, (note, f"fetches {size / 1e6:.1f} MB first")))
    return Cell(task, baseline, "to run", note, _estimate(task, baseline, results))


def _estimate(task: Task, baseline: Baseline, results: Path) -> float:
    """Return what the cell took last time, or what the method's declared speed gives."""
    try:
        path = result_path(results, task.name, baseline.name)
        timing = json.loads(path.read_text(encoding="utf-8"))["timing"]
        searched = task.queries / timing["queries_per_s"]
        sampled = timing["latency_samples"] * timing["latency_mean_ms"] / 1_000
        reference = _REFERENCE_S if timing["reference"] else 0
        return float(timing["load_s"] + timing["index_s"] + searched + sampled + reference)
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError):
        speed = baseline.speed
        return speed.start + speed.per_tool * task.tools + speed.per_query * task.queries


def lacking(task: Task, baseline: Baseline, *, paid: bool = False) -> str:
    """Return why ``baseline``, or a part of it, cannot or may not run on ``task``; empty if it can.

    Args:
        task: the task.
        baseline: the method.
        paid: whether a method that pays a service may run.
    """
    if baseline.needs.providers and not task.providers:
        return f"needs tools with providers; {task.name} names none"
    missing = _missing_here(baseline.needs)
    if not missing and baseline.expected is not None and not paid:
        missing = "is paid for: 'run --dry-run' says what it costs, 'run --max-usd' allows it"
    if missing:
        return missing
    parts = (lacking(task, part, paid=paid) for part in registry.pick_baselines(baseline.parts))
    return next(filter(None, parts), "")


def _missing_here(needs: Needs) -> str:
    missing = [m for m in needs.modules if importlib.util.find_spec(m) is None]
    if missing:
        target = f"'tool-bench[{needs.extra}]'" if needs.extra else " ".join(missing)
        return f"needs {', '.join(missing)}: pip install {target}"
    if needs.key and not os.environ.get(needs.key):
        return f"needs an API key in {needs.key}"
    memory = memory_bytes() / 2**30
    if 0 < memory < needs.memory_gib:
        return f"needs {needs.memory_gib:g} GiB of memory; this machine has {memory:.0f}"
    if needs.weights and not snapshot_folder(needs.weights).is_dir():
        return (
            f"weights of {needs.weights.name} are not on this machine: "
            f"run --model {needs.weights.name} fetches them"
        )
    return ""


def stay_offline(baseline: Baseline) -> None:
    """Keep the hub's library in this process from fetching what a method's weights still lack.

    They are fetched for ``--model`` only, and that declares no weights that must be there.
    """
    if baseline.needs.weights is not None:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read when the library is imported
