"""``tool-bench site``: the leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from tool_bench.cli.common import ResultsOption, console, examples, results_folder

app = typer.Typer(help="Build the leaderboard.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command(epilog=examples("site build", "site build --results my-results --out my-site"))
def build(
    results: ResultsOption = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045  typer reads the annotation at run time
        typer.Option("--out", help="Output folder (default: site/public).", metavar="DIR"),
    ] = None,
) -> None:
    """Build the page from the stored results and print its address."""
    from tool_bench.leaderboard.build import build as build_page
    from tool_bench.leaderboard.build import default_output

    page = build_page(results_folder(results), default_output() if out is None else out)
    console().print(page.resolve().as_uri(), soft_wrap=True)
