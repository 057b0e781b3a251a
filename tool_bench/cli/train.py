"""``tool-bench train``: a model from a recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.markup import escape

from tool_bench.cli.common import JsonOption, console, examples
from tool_bench.cli.steps import steps
from tool_bench.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from tool_bench.training.recipe import Recipe
    from tool_bench.training.snapshot import Mine
    from tool_bench.training.validation import Scores

EPILOG = examples(
    "train v2 --data-only",
    "train v2",
    "train my-recipe.toml --out runs/mine --snapshots s3://bucket/snapshots",
    "train v2 --mined mined.json --out runs/v2-mined",
)

RecipeArgument = Annotated[
    str, typer.Argument(help="A TOML file, or the name of a shipped recipe.", metavar="RECIPE")
]
SnapshotsOption = Annotated[
    Optional[str],  # noqa: UP045  typer reads the annotation at run time
    typer.Option(
        "--snapshots",
        help="Where snapshots lie: a folder, s3://… (default: the cache).",
        metavar="ADDRESS",
    ),
]


def train(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    recipe: RecipeArgument,
    out: Annotated[
        Optional[Path],  # noqa: UP045  as above
        typer.Option("--out", help="The run's folder (default: runs/NAME).", metavar="DIR"),
    ] = None,
    snapshots: SnapshotsOption = None,
    snapshot: Annotated[
        Optional[str],  # noqa: UP045  as above
        typer.Option("--snapshot", help="Train on this snapshot; build none.", metavar="ADDRESS"),
    ] = None,
    mined: Annotated[
        Optional[Path],  # noqa: UP045  as above
        typer.Option("--mined", help="Mined negatives (default: the base mines).", metavar="FILE"),
    ] = None,
    data_only: Annotated[
        bool, typer.Option("--data-only", help="Build the snapshot, and train nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model from a recipe: check the data, freeze it, train, validate.

    A run that was killed goes on where it was when the same command is given
    again. The model is written to DIR/model; DIR/curves.svg shows how it went.
    """
    from tool_bench.training import snapshot as snapshots_
    from tool_bench.training.prepare import prepare
    from tool_bench.training.run_folder import begun

    chosen = find_recipe(recipe)
    folder = out or Path("runs") / chosen.name
    if snapshot is not None and mined is not None:
        raise UsageError("--snapshot holds its negatives already; leave --mined out")
    if mined is not None:
        check_mines(chosen)
    if snapshot is None and mined is None and not data_only:
        snapshot = begun(folder, chosen, snapshots or snapshots_.default_base())
    with steps(quiet=as_json):
        address = snapshot or prepare(chosen, snapshots, _mined(mined))
        manifest, _ = snapshots_.read(address)
    if not as_json:
        _print_data(manifest, address)
    scores: dict[str, Scores] = {}
    if not data_only:
        from tool_bench.training.trainer import train as run

        with steps(quiet=as_json):
            scores = run(chosen, address, folder)
    _tell(address, manifest, scores, None if data_only else folder, as_json=as_json)


def find_recipe(named: str) -> Recipe:
    """Return the recipe of a file, or a shipped one by its name.

    Raises:
        UnknownNameError: it is neither a file nor the name of a shipped recipe.
        DataError: the file cannot be read.
    """
    from tool_bench.training.recipe import read_recipe

    path = Path(named)
    if path.suffix == ".toml" or path.is_file():
        return read_recipe(path)
    folder = Path(str(package_files("tool_bench.training") / "recipes"))
    shipped = {each.stem: each for each in folder.glob("*.toml")}
    if named not in shipped:
        raise UnknownNameError("recipe", named, shipped)
    return read_recipe(shipped[named])


def check_mines(recipe: Recipe) -> None:
    """Raise UsageError for a recipe that takes no mined negatives."""
    if "mined" not in recipe.negatives.kinds or not recipe.negatives.count:
        raise UsageError(f"recipe '{recipe.name}' takes no mined negatives: add 'mined' to kinds")


def _mined(path: Path | None) -> Mine | None:
    from tool_bench.training import mining

    return None if path is None else mining.read(path)


def _print_data(manifest: Mapping[str, Any], address: str) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("source")
    columns = ("rows", "tools trained", "validation", "queries dropped", "tools dropped")
    for column in columns:
        table.add_column(column, justify="right")
    for name, counts in manifest["sources"].items():
        table.add_row(name, *(f"{counts[column]:,}" for column in columns))
    console().print(table)
    if manifest["not checked against"]:
        lacking = ", ".join(manifest["not checked against"])
        console().print(f"not here, so not checked against: {lacking}", soft_wrap=True)
    console().print(f"snapshot {escape(address)}", soft_wrap=True)


def _tell(
    address: str,
    manifest: Mapping[str, Any],
    scores: Mapping[str, Scores],
    folder: Path | None,
    *,
    as_json: bool,
) -> None:
    from dataclasses import asdict

    if as_json:
        found = {
            "snapshot": address,
            "sources": manifest["sources"],
            "model": None if folder is None else str(folder / "model"),
            "validation": {name: asdict(each) for name, each in scores.items()},
        }
        typer.echo(json.dumps(found, indent=2))
        return
    if folder is None:
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("validation", "requests", "tools", "Hit@1", "MRR@10", "scoped Hit@1"):
        table.add_column(column, justify="left" if column == "validation" else "right")
    for name, each in scores.items():
        scoped = "" if each.scoped_hit_at_1 is None else f"{each.scoped_hit_at_1:.3f}"
        table.add_row(
            name,
            f"{each.requests:,}",
            f"{each.tools:,}",
            f"{each.hit_at_1:.3f}",
            f"{each.mrr_at_10:.3f}",
            scoped,
        )
    console().print(table)
    console().print(f"model {escape(str(folder / 'model'))}", soft_wrap=True)
