"""``tool-bench autoresearch``: a search for a better recipe."""

from __future__ import annotations

import json
import math
import os
import re
import sys
import time
from contextlib import nullcontext, redirect_stdout
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.console import Console
from rich.markup import escape

from tool_bench.cli.common import JsonOption, examples
from tool_bench.cli.searching import Shown, print_best, print_none
from tool_bench.cli.train import RecipeArgument, SnapshotsOption, find_recipe
from tool_bench.errors import ToolBenchError, UnavailableError, UsageError
from tool_bench.progress import reporting_to

if TYPE_CHECKING:
    from tool_bench.training.autoresearch import Evaluate, Mine, Plan, Propose

EPILOG = examples(
    "autoresearch v2 --hours 8",
    "autoresearch v2 --hours 4 --scale 0.1 --workers 2",
    "autoresearch v2 --hours 24 --study postgresql://user@host/studies --name shared",
    "autoresearch my-recipe.toml --hours 8 --llm --max-usd 5",
)


def autoresearch(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    recipe: RecipeArgument,
    hours: Annotated[float, typer.Option("--hours", help="How long to search.", metavar="H")],
    study: Annotated[
        Optional[str],  # noqa: UP045  typer reads the annotation at run time
        typer.Option(
            "--study",
            help="A database that several machines share (default: SQLite in DIR).",
            metavar="URL",
        ),
    ] = None,
    name: Annotated[
        Optional[str],  # noqa: UP045  as above
        typer.Option("--name", help="Of the study (default: the recipe's, and its scale)."),
    ] = None,
    scale: Annotated[
        float, typer.Option("--scale", help="Share of the recipe's rows, over 0 and at most 1.")
    ] = 1,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Experiments at once on this machine.")
    ] = 1,
    llm: Annotated[
        bool, typer.Option("--llm", help="Let a hosted model propose experiments.")
    ] = False,
    max_usd: Annotated[
        Optional[float],  # noqa: UP045  as above
        typer.Option("--max-usd", help="What --llm may pay at most.", metavar="USD"),
    ] = None,
    max_ms: Annotated[
        float, typer.Option("--max-ms", help="Limit of one query's median latency.", metavar="MS")
    ] = 10,
    max_mb: Annotated[
        float, typer.Option("--max-mb", help="Limit of the served model's size.", metavar="MB")
    ] = 25,
    gate: Annotated[
        Optional[bool],  # noqa: UP045  as above
        typer.Option(
            "--gate/--no-gate", help="End at the gate, with the best model (default: on all rows)."
        ),
    ] = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045  as above
        typer.Option("--out", help="The runs (default: runs/autoresearch/NAME).", metavar="DIR"),
    ] = None,
    lab: Annotated[Path, typer.Option("--lab", help="The notebook's folder.", metavar="DIR")] = (
        Path("docs/lab")
    ),
    snapshots: SnapshotsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Search for a better recipe: train, validate, mine, again until time is up.

    The mean Hit@1 on validation requests decides, so that refit = true in the
    recipe is left aside; no evaluation task judges anything before the gate,
    at the end. A search that was stopped or killed
    goes on when the same command is given again; --hours counts anew. Ctrl-C
    ends it after the running experiments, a second one at once.

    Exit code: 0 when there is a best recipe and the gate, if it was asked, has
    promoted its model; 1 when not; 2 when an option is wrong.
    """
    from tool_bench.training.autoresearch import Plan
    from tool_bench.training.experiment import Limits
    from tool_bench.training.variations import reduced

    for option, value in (("--hours", hours), ("--max-ms", max_ms), ("--max-mb", max_mb)):
        if not 0 < value < math.inf:
            raise UsageError(f"{option} is {value:g}; give a number over 0")
    if not 0 < scale <= 1:
        raise UsageError(f"--scale {scale:g} is not over 0 and at most 1")
    if name is not None and not re.fullmatch(r"\w[\w.-]*", name):
        raise UsageError(f"--name '{name}': letters, digits, '.', '_' and '-' make a name")
    chosen = find_recipe(recipe)
    own = chosen.name if scale == 1 else f"{chosen.name}-{scale:g}"
    base = reduced(chosen, scale).model_copy(update={"name": name or own})
    folder = out or Path("runs") / "autoresearch" / base.name
    plan = Plan(
        name=base.name,
        base=base,
        url=study or f"sqlite:///{folder / 'study.db'}",
        folder=folder,
        lab=lab,
        limits=Limits(max_ms, max_mb),
    )
    stopped = _search(plan, hours, workers, snapshots, _allowed(max_usd, llm=llm), quiet=as_json)
    asked = scale == 1 if gate is None else gate
    return _end(plan, gate=asked, stopped=stopped, as_json=as_json)


def trying(snapshots: str | None) -> tuple[Evaluate, Mine]:
    """Return what tries a recipe and what mines on this machine.

    Raises:
        UnavailableError: what measures a trained model is not installed.
    """
    for module in ("onnx", "onnxruntime"):
        if find_spec(module) is None:
            raise UnavailableError(f"needs {module}: pip install 'tool-bench[train,onnx]'")
    from tool_bench.training import attempt
    from tool_bench.training.prepare import prepare
    from tool_bench.training.trainer import train

    return attempt.Attempt(prepare, train, attempt.cost, snapshots), attempt.mine


def _allowed(max_usd: float | None, *, llm: bool) -> float | None:
    """Return what the hosted model may be paid; None where it shall not be asked."""
    if llm is not (max_usd is not None):
        raise UsageError("--llm pays a service: --llm and --max-usd need each other")
    if max_usd is None:
        return None
    from tool_bench.llm.client import KEY

    if not 0 <= max_usd < math.inf:
        raise UsageError(f"--max-usd is {max_usd}; give an amount of 0 or more")
    if not os.environ.get(KEY):
        raise UnavailableError(f"--llm needs an API key in {KEY}")
    return max_usd


def _search(  # noqa: PLR0913  what decides how it is searched
    plan: Plan,
    hours: float,
    workers: int,
    snapshots: str | None,
    max_usd: float | None,
    *,
    quiet: bool,
) -> bool:
    """Search until the time is up; return whether Ctrl-C ended it before.

    Raises:
        ToolBenchError: every worker ended early.
    """
    from tool_bench.llm.budget import new_ledger
    from tool_bench.training.autoresearch import work
    from tool_bench.training.workers import ending_on_interrupt, run_workers

    errors = Console(stderr=True, highlight=False, quiet=quiet)
    until = time.time() + hours * 3_600
    evaluate, mine = trying(snapshots)
    with errors.status("opening the study") as status, new_ledger(max_usd) as ledger:
        shown = Shown(errors, plan.open(), until, status.update)
        propose: Propose | None = None
        if ledger is not None:
            from tool_bench.training import proposal

            propose = partial(proposal.propose, ledger)
        problems = []
        with ending_on_interrupt(shown.ending) as asked:
            if workers == 1:
                with reporting_to(shown.phase):
                    work(
                        plan,
                        evaluate,
                        until=until,
                        mine=mine,
                        propose=propose,
                        stop=asked.is_set,
                        told=lambda _: shown.look(),
                    )
            else:
                problems = run_workers(
                    plan,
                    evaluate,
                    workers=workers,
                    until=until,
                    asked=asked,
                    mine=mine,
                    propose=propose,
                    looked=shown.look,
                )
    if len(problems) == workers:
        raise ToolBenchError("every worker ended early:\n  " + "\n  ".join(problems))
    for problem in problems:
        errors.print(f"[yellow]ended early:[/] {escape(problem)}", soft_wrap=True)
    return asked.is_set()


def _end(plan: Plan, *, gate: bool, stopped: bool, as_json: bool) -> int:
    """Name the best recipe, write it, and hand its model to the gate; return the exit code.

    A search that was ended by Ctrl-C does not go on to the gate, which takes a while.
    """
    from tool_bench.store import write_atomically
    from tool_bench.training.experiment import best, read
    from tool_bench.training.recipe_file import as_toml

    experiments = read(plan.open())
    top = best(experiments)
    found: dict[str, object] = {
        "study": plan.name,
        "experiments": sum(each.state == "done" for each in experiments),
        "notebook": str(plan.notebook),
        "best": None,
    }
    code = 1
    if top is not None and top.recipe is not None:
        recipe = plan.folder / "best.toml"
        write_atomically({recipe: as_toml(top.recipe).encode("utf-8")})
        model = plan.folder / top.notes.run / "model"
        mined = plan.folder / top.notes.run / "mined.json"
        found |= {
            "best": top.number,
            "value": top.value,
            "recipe": str(recipe),
            "mined": str(mined) if mined.is_file() else None,
            "model": str(model) if model.is_dir() else None,
        }
        if not as_json:
            print_best(plan, experiments, found)
            if gate and stopped:
                print(f"The gate was not asked for now: tool-bench gate {model}")
        judged = gate and not stopped
        code = _gate(model, top.notes.host, quiet=as_json) if judged else 0
        found["promoted"] = code == 0 if judged else None
    elif not as_json:
        print_none(plan, experiments)
    if as_json:
        print(json.dumps(found, indent=1))
    return code


def _gate(model: Path, host: str, *, quiet: bool) -> int:
    """Return the gate's exit code; what it prints goes to standard error where that is JSON's.

    Raises:
        UnavailableError: the model is on another machine.
    """
    from tool_bench.cli.gate import gate

    if not model.is_dir():
        raise UnavailableError(
            f"the best model is not here: it was trained on {host}. Give the same command there, "
            "or train its recipe here, and hand the model to tool-bench gate"
        )
    with redirect_stdout(sys.stderr) if quiet else nullcontext():
        return gate(str(model.resolve()))
