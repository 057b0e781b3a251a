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
from tool_bench.errors import UsageError

app = typer.Typer(help="Build the leaderboard, and look at it.", no_args_is_help=True)

OutOption = Annotated[
    Optional[Path],  # noqa: UP045  typer reads the annotation at run time
    typer.Option(
        "--out",
        help="Output folder (default: site/public, or site in --results).",
        metavar="DIR",
    ),
]
RepositoryOption = Annotated[
    Optional[str],  # noqa: UP045  as above
    typer.Option(
        "--repository",
        help="Web address of the repository, for links to its files and issues.",
        metavar="URL",
    ),
]

EXAMPLES = (
    "site build",
    "site build --results my-results --out my-site",
    "site build --prices my-prices.toml --out my-site",
    "site build --repository https://github.com/me/tool-bench",
)
SERVE_EXAMPLES = ("site serve", "site serve --port 8080 --results my-results")


@app.command(epilog=examples(*EXAMPLES))
def build(
    results: ResultsOption = None,
    out: OutOption = None,
    repository: RepositoryOption = None,
    prices: PricesOption = None,
    usd_per_hour: HourOption = None,
) -> int:
    """Build the board from the stored results and print its address.

    It is a folder of static files: open index.html, or put it on any web server.
    """
    page, whole = _built(results, out, repository, prices, usd_per_hour)
    console().print(page.resolve().as_uri(), soft_wrap=True)
    return 0 if whole else 1


@app.command(epilog=examples(*SERVE_EXAMPLES))
def serve(
    results: ResultsOption = None,
    out: OutOption = None,
    port: Annotated[
        int, typer.Option("--port", help="Where it listens; 0 takes any that is free.")
    ] = 8000,
    repository: RepositoryOption = None,
) -> int:
    """Build the board and serve it to this machine's browsers until Ctrl-C."""
    from tool_bench.leaderboard.serve import HOST, server

    page, whole = _built(results, out, repository, None, None)
    with server(page.parent, port) as running:
        address = f"http://{HOST}:{running.server_address[1]}/"
        console().print(f"{address}  (Ctrl-C stops)", soft_wrap=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            return 0 if whole else 1
    return 0


def _built(
    results: Path | None,
    out: Path | None,
    repository: str | None,
    prices: Path | None,
    usd_per_hour: float | None,
) -> tuple[Path, bool]:
    """Build the board, tell what was left out, and return its page and whether it is whole."""
    from tool_bench.cli.steps import steps
    from tool_bench.leaderboard.build import build as build_board

    if repository is not None and not repository.startswith(("https://", "http://")):
        raise UsageError(f"--repository is '{repository}'; give an address with https://")
    folder = page_folder(results) if out is None else out
    own = asked_prices(prices, usd_per_hour)
    with steps():
        page, broken = build_board(
            results_folder(results), folder, own, repository.rstrip("/") if repository else None
        )
    warn(broken)
    return page, not broken
