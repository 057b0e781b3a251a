"""``tool-bench ablate``: what each part of a recipe gives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.console import Console
from rich.markup import escape

from tool_bench.cli.common import JsonOption, console, debugging, examples, names
from tool_bench.cli.steps import steps
from tool_bench.cli.train import RecipeArgument, SnapshotsOption, find_recipe
from tool_bench.errors import UsageError

if TYPE_CHECKING:
    from tool_bench.training.ablation import Evaluate, Outcome
    from tool_bench.training.ablation_table import Ablation
    from tool_bench.training.variations import Variation

EPILOG = examples(
    "ablate v2 --list",
    "ablate v2 --only untrained,'negatives-*'",
    "ablate v2 --scale 0.2 --seeds 1,2,3 --docs docs/v2.md",
    "ablate my-recipe.toml --out runs/mine --json",
)


def ablate(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    recipe: RecipeArgument,
    only: Annotated[
        list[str],
        typer.Option(
            "--only",
            help="Variations to train, by comma or repeated; * stands for anything.",
            metavar="NAMES",
        ),
    ] = [],  # noqa: B006  typer copies it
    scale: Annotated[
        float, typer.Option("--scale", help="Share of the recipe's rows, over 0 and at most 1.")
    ] = 0.1,
    seeds: Annotated[
        str, typer.Option("--seeds", help="Each variation is trained once with each.")
    ] = "1,2",
    out: Annotated[
        Optional[Path],  # noqa: UP045  typer reads the annotation at run time
        typer.Option(
            "--out", help="Its folder (default: runs/ablation-NAME-SCALE).", metavar="DIR"
        ),
    ] = None,
    docs: Annotated[
        Optional[Path],  # noqa: UP045  as above
        typer.Option("--docs", help="Put the tables into this document.", metavar="FILE"),
    ] = None,
    snapshots: SnapshotsOption = None,
    listing: Annotated[
        bool, typer.Option("--list", help="List the variations, and train nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Measure what each part of a recipe gives: change one thing at a time.

    Every variation is trained on the same share of the recipe's rows, with the
    same seeds, and judged on the validation requests that the recipe holds out.
    What is judged is kept in DIR: a run that was killed goes on where it was,
    and the tables show all that is there, also what --only leaves out now.

    Exit code: 0 also when variations were only unavailable, 1 when any failed,
    2 when a name, the scale or a seed is wrong.
    """
    from tool_bench.training import ablation, ablation_table
    from tool_bench.training.variations import BASE, pick, reduced, variations

    chosen = find_recipe(recipe)
    if not 0 < scale <= 1:
        raise UsageError(f"--scale {scale:g} is not over 0 and at most 1")
    numbers = _numbers(seeds)
    folder = out or Path("runs") / f"ablation-{chosen.name}-{scale:g}"
    known = variations(reduced(chosen, scale))
    asked = {BASE, *(each.name for each in pick(known, names(only)))}
    asked |= {each.name for each in known if each.recipe == known[0].recipe}
    stored = {each.name for each in known if ablation.is_stored(each, folder, numbers)}
    if listing:
        _list(known, stored, as_json=as_json)
        return 0
    if docs is not None:
        ablation_table.check_document(docs)
    with steps(quiet=as_json):
        outcomes = ablation.run(
            [each for each in known if each.name in asked | stored],
            _evaluate(snapshots),
            folder,
            numbers,
        )
        found = ablation_table.ablation_of(chosen, scale, numbers, outcomes)
    ablation_table.write(folder / "ablation.json", found)
    if docs is not None:
        ablation_table.write_into(docs, found)
    if as_json:
        print(json.dumps(ablation_table.as_json(found), indent=1, ensure_ascii=False))
    else:
        _print(found)
        console().print(f"Written: {escape(str(folder / 'ablation.json'))}", soft_wrap=True)
    return _complain(outcomes)


def _numbers(text: str) -> list[int]:
    words = names([text])
    if not words or not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError(f"--seeds '{text}': expected whole numbers by comma, such as 1,2")
    numbers = [int(word) for word in words]
    if len(set(numbers)) < len(numbers):
        raise UsageError(f"--seeds '{text}' has one number twice")
    return numbers


def _evaluate(snapshots: str | None) -> Evaluate:
    """Return what trains and judges a variation on this machine."""
    from tool_bench.training.ablation import by_training, mined_once
    from tool_bench.training.prepare import by_base, prepare
    from tool_bench.training.recipe import Recipe
    from tool_bench.training.trainer import train

    mine = mined_once(by_base)

    def prepared(recipe: Recipe) -> str:
        return prepare(recipe, snapshots, mine(recipe))

    return by_training(prepared, partial(train, validations=0))


def _list(known: Sequence[Variation], stored: set[str], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "name": each.name,
                "question": each.question,
                "setting": each.setting,
                "judged": each.name in stored,
            }
            for each in known
        ]
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    from rich.table import Column, Table

    grid = Table(Column("variation", no_wrap=True), "what", "", box=None, pad_edge=False)
    for each in known:
        what = escape(f"{each.question}: {each.setting}")
        grid.add_row(each.name, what, "[green]judged[/]" if each.name in stored else "")
    console().print(grid)


def _print(found: Ablation) -> None:
    from rich.table import Column, Table

    from tool_bench.leaderboard.printed import share
    from tool_bench.training.ablation_table import ends, signed
    from tool_bench.training.variations import BASE

    out = console()
    grid = Table(
        Column("variation", overflow="fold"),
        Column("Hit@1", justify="right"),
        Column("difference", justify="right"),
        Column("95 % interval", no_wrap=True),
        box=None,
        pad_edge=False,
    )
    for each in found.effects:
        name, own = escape(each.variation.name), each.difference
        if each.variation.recipe.name == BASE:
            same = "" if name == BASE else "[dim]the recipe itself[/]"
            grid.add_row(name, share(each.hit_at_1), "", same)
        else:
            style = "bold" if own.beyond_chance else "default"
            difference = f"[{style}]{signed(own.value)}[/]"
            grid.add_row(name, share(each.hit_at_1), difference, ends(own))
    out.print(grid)
    if not found.left_out:
        return
    heads = ("requests", "untrained", "others", "all")
    grid = Table(
        Column("source left out", overflow="fold"),
        *(Column(head, justify="right") for head in heads),
        Column("gain", justify="right"),
        Column("95 % interval", no_wrap=True),
        box=None,
        pad_edge=False,
    )
    for row in found.left_out:
        shares = (share(value) for value in (row.untrained, row.others, row.all))
        gain = signed(row.gain.value)
        grid.add_row(row.source or "mean", f"{row.requests:,}", *shares, gain, ends(row.gain))
    out.print()
    out.print(grid)


def _complain(outcomes: Sequence[Outcome]) -> int:
    """Tell what was not judged; return the exit code."""
    errors = Console(stderr=True, highlight=False)
    for outcome in outcomes:
        if outcome.problem is not None:
            mark = "[red]failed[/]" if outcome.failed else "[yellow]n/a[/]"
            name, problem = escape(outcome.variation.name), escape(outcome.problem)
            errors.print(f"{mark} {name}: {problem}", soft_wrap=True)
            if outcome.trace and debugging.get():
                typer.echo(outcome.trace, err=True)
    return 1 if any(outcome.failed for outcome in outcomes) else 0
