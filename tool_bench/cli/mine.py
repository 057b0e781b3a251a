"""``tool-bench mine``: a trained model's mistakes, as negatives for the next run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tool_bench.cli.common import console, examples
from tool_bench.cli.steps import steps
from tool_bench.cli.train import RecipeArgument, check_mines, find_recipe

EPILOG = examples(
    "mine runs/v2/model v2 --out mined.json",
    "train v2 --mined mined.json --out runs/v2-mined",
)


def mine(
    model: Annotated[Path, typer.Argument(help="A trained model's folder.", metavar="MODEL")],
    recipe: RecipeArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="What to write.", metavar="FILE")] = Path(
        "mined.json"
    ),
) -> None:
    """Find the wrong tools that a model takes for right ones, as negatives for the next run."""
    from tool_bench.training import mining
    from tool_bench.training.prepare import mined_by

    chosen = find_recipe(recipe)
    check_mines(chosen)
    with steps():
        found = mined_by(model, chosen)
    mining.write(out, found)
    n = sum(len(own) for own in found.values())
    console().print(f"{n:,} requests of {len(found)} sources: {escape(str(out))}")
