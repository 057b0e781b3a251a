"""How quality and latency change as a task's catalogue grows: one curve per method and task."""

from __future__ import annotations

import gc
import hashlib
import inspect
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tool_bench import hardware, nested, registry, store
from tool_bench.baseline import Baseline
from tool_bench.data import distractors
from tool_bench.data.fetch import fetch
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset, dataset_hash
from tool_bench.errors import DataError
from tool_bench.evaluate import evaluate
from tool_bench.fingerprint import cell_key, code_only
from tool_bench.plan import Cell, lacking
from tool_bench.progress import Report, reporting_to
from tool_bench.results import DataCard, Estimate, Provenance, Timing
from tool_bench.task import Task

MEASURES = ("nDCG@10", "Hit@1", "Hit@10")
FOLDER = "scaling"
BOUND = (
    "Some distractors answer a request as well as its labelled tools do and count as wrong, so "
    "scores beyond the task's own tools are a lower bound."
)
_WAY_OUT = "delete it and run 'tool-bench scale' again"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScalingPoint(_Record):
    """One method on one size of the catalogue."""

    tools: int = Field(description="size of the catalogue")
    sha256: str = Field(description="of the task's data with this catalogue")
    measures: dict[str, Estimate] = Field(description="of the task's headline, in scope 'global'")
    timing: Timing
    index_bytes: int | None = Field(description="as in a result's footprint")
    provenance: Provenance


class ScalingRecord(_Record):
    """The points of one method on one task, all from one machine."""

    schema_version: Literal[1] = 1
    task: str
    baseline: str
    key: dict[str, str] = Field(description="hashes that decide whether the points are current")
    data: DataCard = Field(description="the task's own data, without distractors")
    catalogue: dict[str, str] = Field(description="files of the distractors and their sha256")
    available: int = Field(description="tools there are: the task's own and every distractor")
    dropped: dict[str, int] = Field(
        description="tools of the catalogue that are the task's own, by how that is seen"
    )
    examples: int = Field(
        description="usage examples the method was given, all of the task's own tools"
    )
    bound: str = Field(description="how the scores are to be read")
    points: tuple[ScalingPoint, ...] = Field(description="smallest first")


def record_path(results: Path, task: str, baseline: str) -> Path:
    """Return where the curve of a cell lies."""
    return results / FOLDER / store.folder_name(baseline) / f"{task}.json"


def read_record(path: Path) -> ScalingRecord:
    """Read and validate one curve.

    Raises:
        DataError: the file is missing or not of this schema, with the first field that is wrong.
    """
    try:
        return ScalingRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DataError(path, "the file does not exist") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise DataError(path, f"{first['msg']} ({_WAY_OUT})", field) from None


def read_records(results: Path) -> tuple[list[ScalingRecord], list[DataError]]:
    """Return every whole curve, by path, and what is wrong with the others."""
    whole, broken = [], []
    for path in sorted(results.glob(f"{FOLDER}/*/*.json")):
        try:
            whole.append(read_record(path))
        except DataError as error:
            broken.append(error)
    return whole, broken


def scaling_key(task: Task, baseline: Baseline) -> dict[str, str]:
    """Return what a stored curve must equal to be current: the cell's key and the distractors'."""
    files = [[source.path, source.sha256] for source in distractors.SOURCES]
    code = [code_only(inspect.getsource(module)) for module in (distractors, nested)]
    digest = hashlib.sha256(json.dumps([files, code]).encode()).hexdigest()[:16]
    return {**cell_key(task, baseline), "catalogue": digest}


def pays(baseline: Baseline) -> bool:
    """Tell whether a method, or a part of it, pays a service."""
    return baseline.expected is not None or any(map(pays, registry.pick_baselines(baseline.parts)))


def plan_curves(
    task: Task, baselines: Iterable[Baseline], results: Path, asked: Sequence[int], *, force: bool
) -> list[Cell]:
    """Return what is to be done for each method: a cell with every size measured is cached.

    Args:
        task: the task.
        baselines: the methods.
        results: the results folder.
        asked: the sizes wanted, as for :func:`tool_bench.nested.sizes`.
        force: measure the sizes again that are there.
    """
    cells = []
    for baseline in baselines:
        stored = _current(task, baseline, results)
        missing = lacking(task, baseline, paid=True)
        if stored and not force and not _lacking_sizes(stored, asked):
            cells.append(Cell(task, baseline, "cached", "", 0.0))
        elif missing:
            cells.append(Cell(task, baseline, "unavailable", missing, 0.0))
        else:
            cells.append(Cell(task, baseline, "to run", "", 0.0))
    return cells


def _current(task: Task, baseline: Baseline, results: Path) -> ScalingRecord | None:
    """Return the stored curve if today's code and data would give it; None otherwise."""
    try:
        stored = read_record(record_path(results, task.name, baseline.name))
    except DataError:
        return None
    return stored if stored.key == scaling_key(task, baseline) else None


def _lacking_sizes(stored: ScalingRecord, asked: Iterable[int]) -> set[int]:
    own = stored.data.counts["tools"]
    wanted = nested.sizes(own, stored.available, asked)
    return set(wanted) - {point.tools for point in stored.points}


def measure(  # noqa: PLR0913  a job of the harness, with what is bound to it
    results: Path,
    asked: Sequence[int],
    task: Task,
    baseline: Baseline,
    forward: Report,
    *,
    force: bool,
) -> str:
    """Measure the sizes that are lacking, store each as soon as it is there, and say how it went.

    Args:
        results: the results folder.
        asked: the sizes wanted, as for :func:`tool_bench.nested.sizes`.
        task: the task.
        baseline: the method.
        forward: is told the progress.
        force: measure the sizes again that are there.

    Raises:
        UnavailableError: the task's data, the catalogue of distractors or something that the
            method needs cannot be had here.
    """
    forward("load data", 0, 1)
    dataset = load(task)
    catalogue = distractors.read_catalogue({s.path: fetch(s) for s in distractors.SOURCES})
    others = nested.distractors(dataset.tools, catalogue)
    available = len(dataset.tools) + len(others.tools)
    wanted = nested.sizes(len(dataset.tools), available, asked)
    stored = _current(task, baseline, results)
    points = _stored_here(stored)
    if stored is not None and not points:  # of another machine: what it had is measured here
        wanted = sorted({*wanted, *(point.tools for point in stored.points)})
    for size in wanted:
        if size in points and not force:
            continue

        def at_this_size(phase: str, done: int, total: int, size: int = size) -> None:
            forward(f"{size:,} tools: {phase}", done, total)

        with reporting_to(at_this_size):
            points[size] = measure_point(task, baseline, nested.enlarged(dataset, others, size))
        _store(results, task, baseline, dataset, others, points)
        gc.collect()  # the index of this size, before the next is built
    first, last = (points[size].measures["nDCG@10"].value for size in (wanted[0], wanted[-1]))
    return f"{wanted[0]:,} to {wanted[-1]:,} tools, nDCG@10 {first:.3f} to {last:.3f}"


def _stored_here(stored: ScalingRecord | None) -> dict[int, ScalingPoint]:
    """Return the points of a curve that this machine can go on with: those it measured itself."""
    machine = (hardware.cpu_model(), hardware.cores())
    points = {} if stored is None else {point.tools: point for point in stored.points}
    made_on = {(p.provenance.hardware.cpu, p.provenance.hardware.cores) for p in points.values()}
    return points if made_on <= {machine} else {}


def measure_point(task: Task, baseline: Baseline, dataset: ToolDataset) -> ScalingPoint:
    """Evaluate ``baseline`` on ``dataset``, which has one scope, as any cell is."""
    size = len(dataset.tools)
    command = ["scale", "--task", task.name, "--baseline", baseline.name, "--sizes", str(size)]
    result, _ = evaluate(task, baseline, dataset, ["tool_bench", *command, "--force"])
    headline = result.scopes["global"].slices[task.headline].measures
    assert result.timing is not None
    return ScalingPoint(
        tools=size,
        sha256=result.data.sha256,
        measures={measure: headline[measure] for measure in MEASURES},
        timing=result.timing,
        index_bytes=result.footprint.index_bytes if result.footprint else None,
        provenance=result.provenance,
    )


def _store(  # noqa: PLR0913, PLR0917  all that a record tells of
    results: Path,
    task: Task,
    baseline: Baseline,
    dataset: ToolDataset,
    others: nested.Distractors,
    points: dict[int, ScalingPoint],
) -> None:
    examples = dataset.examples if baseline.uses_examples else {}
    made = ScalingRecord(
        task=task.name,
        baseline=baseline.name,
        key=scaling_key(task, baseline),
        data=DataCard(
            revision=task.data_revision,
            sha256=dataset_hash(dataset),
            counts=dataset.counts,
            headline=task.headline,
        ),
        catalogue={source.path: str(source.sha256) for source in distractors.SOURCES},
        available=len(dataset.tools) + len(others.tools),
        dropped=others.dropped,
        examples=sum(map(len, examples.values())),
        bound=BOUND,
        points=tuple(points[size] for size in sorted(points)),
    )
    text = json.dumps(made.model_dump(mode="json"), indent=1, ensure_ascii=False)
    path = record_path(results, task.name, baseline.name)
    store.write_atomically({path: (text + "\n").encode("utf-8")})
