"""``tool-bench rescore``: scores from run files, without running any method."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tool_bench import registry
from tool_bench.cli.common import (
    ResultsOption,
    TasksOption,
    console,
    examples,
    names,
    results_folder,
)
from tool_bench.errors import DataError, UnavailableError, UsageError

if TYPE_CHECKING:
    from tool_bench.results import Result
    from tool_bench.task import Task

EPILOG = examples("rescore --check", "rescore --tasks MetaTool")


def rescore(
    check: Annotated[
        bool, typer.Option("--check", help="Compare only; exit code 1 if any score differs.")
    ] = False,
    tasks: TasksOption = [],  # noqa: B006  typer copies it
    results: ResultsOption = None,
) -> int:
    """Compute every stored score again from its run file.

    Without --check the stored scores are replaced; timing, cost and provenance stay.
    """
    from tool_bench import store

    folder = results_folder(results)
    known = {task.name: task for task in registry.pick_tasks(names(tasks) or registry.tasks())}
    stored, broken = store.read_results(folder)
    out = console()
    counts: Counter[str] = Counter()
    told: set[str] = set()
    for problem in broken:
        counts["broken"] += 1
        out.print(f"[red]broken[/] {escape(str(problem))}", soft_wrap=True)
    for result in stored:
        if result.task in known:
            verdict, reason = _rescore(result, known[result.task], folder, check=check)
            counts[verdict] += 1
            shown = "" if reason in told else reason
            told.add(reason)
            line = f"[{_STYLE[verdict]}]{verdict}[/] {result.task}/{result.baseline}"
            out.print(f"{line}: {escape(shown)}" if shown else line, soft_wrap=True)
        elif not tasks:
            counts["of unknown tasks"] += 1
    if not counts:
        raise UsageError(f"no results in {folder}: tool-bench run --all")
    out.print(", ".join(f"{n} {word}" for word, n in counts.items()))
    return 1 if counts["different"] or counts["broken"] else 0


_STYLE = {
    "equal": "green",
    "different": "red",
    "replaced": "yellow",
    "unavailable": "yellow",
    "broken": "red",
}


def _rescore(result: Result, task: Task, folder: Path, *, check: bool) -> tuple[str, str]:
    """Return the verdict on one result and its reason; replace it unless ``check``."""
    from tool_bench import store
    from tool_bench.rescore import compare, rescored

    try:
        new, files = rescored(result, task, folder)
    except UnavailableError as error:
        return "unavailable", str(error)
    except DataError as error:
        return "broken", str(error)
    differences = compare(result, new)
    if not differences:
        return "equal", ""
    if not check:
        store.write(folder, new, files)
    return "different" if check else "replaced", "; ".join(differences[:3])
