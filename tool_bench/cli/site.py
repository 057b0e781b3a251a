"""``tool-bench site``: the leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from tool_bench.cli.common import (
    HourOption,
    PricesOption,
    ResultsOption,
    asked_prices,
    console,
    examples,
    page_folder,
    results_folder,
    warn,
)

app = typer.Typer(help="Build the leaderboard.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


EXAMPLES = (
    "site build",
    "site build --results my-results --out my-site",
    "site build --prices my-prices.toml --out my-site",
)


@app.command(epilog=examples(*EXAMPLES))
def build(
    results: ResultsOption = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045  typer reads the annotation at run time
        typer.Option(
            "--out",
            help="Output folder (default: site/public, or site in --results).",
            metavar="DIR",
        ),
    ] = None,
    prices: PricesOption = None,
    usd_per_hour: HourOption = None,
) -> int:
    """Build the page from the stored results and print its address."""
    from tool_bench.leaderboard.build import build as build_page

    folder = page_folder(results) if out is None else out
    own = asked_prices(prices, usd_per_hour)
    page, broken = build_page(results_folder(results), folder, own)
    warn(broken)
    console().print(page.resolve().as_uri(), soft_wrap=True)
    return 1 if broken else 0
