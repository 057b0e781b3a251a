"""``tool-bench rescore``: scores from run files, without running any method."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer
from rich.markup import escape

from tool_bench import registry, store
from tool_bench.cli.common import (
    ResultsOption,
    TasksOption,
    console,
    examples,
    names,
    results_folder,
)
from tool_bench.errors import UnavailableError

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
    from tool_bench.rescore import compare, rescored

    folder = results_folder(results)
    known = {task.name: task for task in registry.pick_tasks(names(tasks) or registry.tasks())}
    out = console()
    counts: Counter[str] = Counter()
    told: set[str] = set()
    for result in store.read_results(folder):
        if result.task not in known:
            if not tasks:
                counts["of unknown tasks"] += 1
            continue
        name = escape(f"{result.task}/{result.baseline}")
        try:
            new, files = rescored(result, known[result.task], folder)
        except UnavailableError as error:
            counts["unavailable"] += 1
            if str(error) not in told:
                told.add(str(error))
                out.print(f"[yellow]n/a[/] {name}: {escape(str(error))}")
            continue
        differences = compare(result, new)
        if not differences:
            counts["equal"] += 1
            out.print(f"[green]OK[/] {name}")
        else:
            counts["different" if check else "replaced"] += 1
            word = "[red]DIFFERS[/]" if check else "[yellow]replaced[/]"
            out.print(f"{word} {name}: {escape('; '.join(differences[:3]))}")
            if not check:
                store.write(folder, new, files)
    out.print(", ".join(f"{n} {word}" for word, n in counts.items()) or f"no results in {folder}")
    return 1 if counts["different"] else 0
