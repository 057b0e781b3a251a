"""``tool-bench gate``: whether a model may replace the one in production."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.markup import escape

from tool_bench.cli.common import (
    JsonOption,
    ResultsOption,
    TasksOption,
    console,
    examples,
    names,
    results_folder,
)
from tool_bench.errors import UsageError
from tool_bench.stats import FEW_CLUSTERS

if TYPE_CHECKING:
    from rich.table import Table

    from tool_bench.training.gate import Row
    from tool_bench.training.production import Pointer
    from tool_bench.training.promotion import Decision

EPILOG = examples(
    "gate runs/v2/model",
    "gate runs/v2/model --dry-run",
    "gate v2 --against bm25f --tasks MockConnectors --scope global",
    "gate --history",
    "gate --rollback",
)

_STYLE = {"better": "green", "not worse": "", "may be worse": "yellow", "worse": "red"}


def gate(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    candidate: Annotated[
        Optional[str],  # noqa: UP045  typer reads the annotation at run time
        typer.Argument(help="A model's folder, or a baseline.", metavar="CANDIDATE"),
    ] = None,
    against: Annotated[
        Optional[str],  # noqa: UP045  as above
        typer.Option(
            "--against",
            help="Compare with this folder or baseline. Promotes nothing, unless it is what is "
            "compared with anyway: production, or minilm before there is one.",
            metavar="MODEL",
        ),
    ] = None,
    tasks: TasksOption = [],  # noqa: B006  typer copies it
    scopes: Annotated[
        list[str],
        typer.Option(
            "--scope", help="'global' or 'scoped' (default: all a task has).", metavar="SCOPES"
        ),
    ] = [],  # noqa: B006  as above
    pointer: Annotated[
        Optional[Path],  # noqa: UP045  as above
        typer.Option(
            "--pointer", help="What names production (default: production.json).", metavar="FILE"
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Measure and judge, but leave production as it is."),
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Print how production changed, and do nothing.")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the model before this one.")
    ] = False,
    as_json: JsonOption = False,
    results: ResultsOption = None,
) -> int:
    """Promote a model to production if it is proven better, and worse nowhere.

    On every task and scope of the gate (MockConnectors, MetaTool, ToolBench and
    ToolRet4 unless --tasks names others) the two are compared query by query on
    nDCG@10. Cells that are not measured yet are run first, as 'run' does it.

    Exit code: 0 when the candidate passes, 1 when it is refused or a cell is
    lacking, 2 when a name is wrong.
    """
    from tool_bench.training import production

    chosen = pointer or production.default_path()
    if (candidate is not None) + history + rollback != 1:
        raise UsageError("give one of CANDIDATE, --history and --rollback")
    if candidate is None:
        if against is not None or tasks or scopes or dry_run:
            raise UsageError("--against, --tasks, --scope and --dry-run belong to a CANDIDATE")
        found = production.rollback(chosen) if rollback else production.read(chosen)
        _print_pointer(found, chosen, last=rollback, as_json=as_json)
        return 0
    for option, given in (("--tasks", tasks), ("--scope", scopes)):
        if given and not names(given):
            raise UsageError(f"{option} is empty")
    from tool_bench.cli.live import run_watched
    from tool_bench.training import promotion

    folder = results_folder(results)
    decision = promotion.gate(
        candidate,
        folder,
        chosen,
        lambda cells: run_watched(cells, folder, quiet=as_json),
        against=against,
        tasks=names(tasks) or promotion.TASKS,
        scopes=names(scopes) or promotion.SCOPES,
        dry_run=dry_run,
    )
    if as_json:
        print(json.dumps(_record(decision), indent=1, ensure_ascii=False))
    else:
        _print(decision, chosen)
    return 0 if decision.verdict.passed else 1


def _record(decision: Decision) -> dict[str, object]:
    return {
        "candidate": decision.candidate.model_dump(),
        "against": decision.against.model_dump(),
        "binding": decision.binding,
        "promoted": decision.promoted,
        "verdict": asdict(decision.verdict),
    }


def _print(decision: Decision, pointer: Path) -> None:
    out, verdict = console(), decision.verdict
    new, old = escape(decision.candidate.name), escape(decision.against.name)
    out.print(f"[bold]{new}[/] (new) against [bold]{old}[/] (old), {verdict.measure}")
    out.print()
    out.print(_table(verdict.rows))
    out.print(
        f"[dim]A gain's p is corrected for {len(verdict.rows)} tests (Holm), a loss's is not; "
        f"a loss of less than {verdict.margin:g} counts as none.[/]"
    )
    if any(row.clusters < FEW_CLUSTERS for row in verdict.rows):
        out.print(
            f"[dim]* fewer than {FEW_CLUSTERS} sets of right tools: intervals may be too narrow[/]"
        )
    out.print()
    colour, word = ("green", "Passed") if verdict.passed else ("red", "Refused")
    out.print(f"[bold {colour}]{word}:[/] {escape(verdict.why)}.")
    if decision.promoted:
        out.print(f"Production: [bold]{new}[/] ({escape(str(pointer))})", soft_wrap=True)
    elif verdict.passed and not decision.binding:
        out.print(f"Production stays as it is: {old} is not what it has to be compared with.")
    elif verdict.passed:
        out.print("Production stays as it is (--dry-run).")


def _table(rows: Sequence[Row]) -> Table:
    from rich.table import Column, Table

    from tool_bench.leaderboard.printed import probability, share

    heads = ("old", "new", "gain")
    grid = Table(
        Column("task", overflow="fold"),
        "scope",
        *(Column(head, justify="right", no_wrap=True) for head in heads),
        Column("95 % interval", no_wrap=True),
        Column("p", justify="right", no_wrap=True),
        Column("finding", no_wrap=True),
        box=None,
        padding=(0, 1, 0, 0),
    )
    for row in rows:
        style = _STYLE[row.finding]
        grid.add_row(
            escape(row.task),
            row.scope,
            share(row.production),
            share(row.candidate),
            _signed(row.difference),
            _ends(row),
            probability(row.p if row.difference < 0 else row.p_holm),
            f"[{style}]{row.finding}[/]" if style else row.finding,
        )
    return grid


def _print_pointer(found: Pointer, path: Path, *, last: bool, as_json: bool) -> None:
    """Print a pointer's changes, or the last one alone, and what is in production."""
    if as_json:
        print(json.dumps(found.model_dump(mode="json"), indent=1, ensure_ascii=False))
        return
    out = console()
    for change in found.history[-1:] if last else found.history:
        name = "none" if change.model is None else change.model.name
        than = f" over {change.against}" if change.against else ""
        out.print(f"{change.when} {change.action} [bold]{escape(name)}[/]{escape(than)}")
        out.print(f"   {escape(change.why)}", soft_wrap=True)
    now = "none" if found.current is None else found.current.name
    out.print(f"Production: [bold]{escape(now)}[/] ({escape(str(path))})", soft_wrap=True)


def _ends(row: Row) -> str:
    if row.low is None or row.high is None:
        return "n/a"
    mark = "*" if row.clusters < FEW_CLUSTERS else ""
    return f"{_signed(row.low)} to {_signed(row.high)}{mark}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("0.", ".", 1)
