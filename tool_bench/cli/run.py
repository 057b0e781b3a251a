"""``tool-bench run``: the main job."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from tool_bench import registry
from tool_bench.baseline import Baseline
from tool_bench.cli.common import (
    JsonOption,
    ResultsOption,
    TasksOption,
    console,
    examples,
    names,
    page_folder,
    results_folder,
    warn,
)
from tool_bench.errors import UsageError

if TYPE_CHECKING:
    from tool_bench.plan import Cell, End, Outcome

EPILOG = examples(
    "run --all",
    "run --all --dry-run",
    "run --tasks MetaTool --baselines bm25s,minilm",
    "run --tasks ToolBench --model BAAI/bge-small-en-v1.5",
    "run --model ./my-model",
    "run --baselines llm-rerank --max-usd 5",
)


def run(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    everything: Annotated[
        bool, typer.Option("--all", help="Every task with every baseline.")
    ] = False,
    tasks: TasksOption = [],  # noqa: B006  typer copies it
    baselines: Annotated[
        list[str],
        typer.Option("--baselines", "-b", help="Baselines, by comma or repeated.", metavar="NAMES"),
    ] = [],  # noqa: B006  typer copies it
    models: Annotated[
        list[str],
        typer.Option(
            "--model",
            "-m",
            help="Also any sentence-transformers or mteb model: hub name or local folder.",
            metavar="NAME",
        ),
    ] = [],  # noqa: B006  typer copies it
    revision: Annotated[
        str, typer.Option("--revision", help="Hub commit of --model.", metavar="SHA")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run, and run nothing.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Run cached cells again.")] = False,
    max_usd: Annotated[
        Optional[float],  # noqa: UP045  typer reads the annotation at run time
        typer.Option(
            "--max-usd",
            help="Allow methods that pay a service, and stop before they pay more than this.",
            metavar="USD",
        ),
    ] = None,
    as_json: JsonOption = False,
    results: ResultsOption = None,
) -> int:
    """Run methods on tasks and build the leaderboard.

    A cell is one method on one task. Cells whose results are current are not
    run again; one that fails or lacks something does not stop the others.

    Exit code: 0 also when cells were only unavailable, 1 when any failed,
    2 when a name is unknown.
    """
    for option, given in (("--tasks", tasks), ("--baselines", baselines), ("--model", models)):
        if given and not names(given):
            raise UsageError(f"{option} is empty")
    if not (everything or tasks or baselines or models):
        raise UsageError("nothing chosen: give --all, or --tasks, --baselines or --model")
    if max_usd is not None and not 0 <= max_usd < math.inf:
        raise UsageError(f"--max-usd is {max_usd}; give an amount of 0 or more")
    from tool_bench.cli.steps import steps
    from tool_bench.leaderboard.build import build
    from tool_bench.plan import make_plan

    folder = results_folder(results)
    warn(registry.broken_imports().values())
    chosen_tasks = registry.pick_tasks(names(tasks) or registry.tasks())
    methods = _methods(everything, names(baselines), models, revision)
    cells = make_plan(
        chosen_tasks, methods, folder, force=force, paid=max_usd is not None, asked=names(tasks)
    )
    if dry_run:
        from tool_bench.cli.dry_run import show_plan

        show_plan(cells, as_json=as_json)
        return 0
    outcomes = _run(cells, folder, max_usd, quiet=as_json)
    with steps(quiet=as_json):
        page, broken = build(folder, page_folder(results))
    warn(broken)
    if as_json:
        print(json.dumps({"cells": _records(outcomes, folder), "page": str(page)}, indent=1))
    else:
        _summary(outcomes, page, explain=not everything)
    return 1 if any(outcome.end == "failed" for outcome in outcomes) else 0


def _methods(
    everything: bool, baselines: Sequence[str], models: Sequence[str], revision: str
) -> list[Baseline]:
    if revision and len(models) != 1:
        raise UsageError(f"--revision belongs to one --model; {len(models)} were given")
    chosen: dict[str, Baseline] = {}
    if everything or baselines or not models:
        picked = registry.pick_baselines(baselines or registry.baselines())
        chosen = {baseline.name: baseline for baseline in picked}
    if models:
        from rich.console import Console

        from tool_bench.hub import model_baseline

        with Console(stderr=True).status(f"looking up {', '.join(models)}"):
            asked = [model_baseline(name, revision or None) for name in models]
        chosen |= {baseline.name: baseline for baseline in asked}  # its weights may be fetched
    return list(chosen.values())


def _run(
    cells: Sequence[Cell], folder: Path, max_usd: float | None, *, quiet: bool
) -> list[Outcome]:
    from tool_bench.plan import Outcome

    if all(cell.state != "to run" for cell in cells):
        ends: dict[str, End] = {"cached": "cached", "unavailable": "unavailable"}
        return [Outcome(cell, ends[cell.state], cell.note) for cell in cells]
    from tool_bench.cli.live import run_watched

    return run_watched(cells, folder, quiet=quiet, max_usd=max_usd)


def _records(outcomes: Sequence[Outcome], folder: Path) -> list[dict[str, Any]]:
    from tool_bench.store import result_path

    records = []
    for outcome in outcomes:
        cell = outcome.cell
        path = result_path(folder, cell.task.name, cell.baseline.name)
        record: dict[str, Any] = {
            "task": cell.task.name,
            "baseline": cell.baseline.name,
            "state": outcome.end,
            "seconds": round(outcome.seconds, 1),
        }
        if outcome.end in {"done", "cached"}:
            stored = json.loads(path.read_text(encoding="utf-8"))
            record["result"] = str(path)
            record["headline"] = headline = stored["data"]["headline"]
            record["scores"] = {
                scope: {m: e["value"] for m, e in scores["slices"][headline]["measures"].items()}
                for scope, scores in stored["scopes"].items()
            }
        else:
            record["reason"] = outcome.message
        records.append(record)
    return records


def _summary(outcomes: Sequence[Outcome], page: Path, *, explain: bool) -> None:
    """Print how the run ended.

    What could not run from the start is listed where it was asked for by name; a run of everything
    always has some of it.
    """
    counts: Counter[str] = Counter(outcome.end for outcome in outcomes)
    words = {"done": "run", "cached": "cached", "unavailable": "unavailable", "failed": "failed"}
    said = ", ".join(f"{counts[state]} {word}" for state, word in words.items() if counts[state])
    out = console()
    lacking = [outcome.cell for outcome in outcomes if outcome.cell.state == "unavailable"]
    if lacking and explain:
        from tool_bench.cli.dry_run import print_lacking

        print_lacking(lacking)
    hint = " (--dry-run says why)" if lacking and not explain else ""
    out.print(f"{len(outcomes)} cell{'' if len(outcomes) == 1 else 's'}: {said or 'none'}{hint}.")
    out.print(f"Leaderboard: {page.resolve().as_uri()}", soft_wrap=True)
