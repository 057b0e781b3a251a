"""Options and texts that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.console import Console
from rich.markup import escape

from tool_bench.errors import DataError

if TYPE_CHECKING:
    from tool_bench.prices import Prices

debugging: ContextVar[bool] = ContextVar("debugging", default=False)
"""Whether ``--debug`` stands anywhere on the command line."""

ResultsOption = Annotated[
    Optional[Path],  # noqa: UP045  typer reads the annotation at run time
    typer.Option("--results", help="Results folder (default: results/).", metavar="DIR"),
]
TasksOption = Annotated[
    list[str],
    typer.Option("--tasks", "-t", help="Tasks, by comma or repeated.", metavar="NAMES"),
]
PricesOption = Annotated[
    Optional[Path],  # noqa: UP045  as above
    typer.Option("--prices", help="Your own prices, a file like pricing.toml.", metavar="FILE"),
]
HourOption = Annotated[
    Optional[float],  # noqa: UP045  as above
    typer.Option(
        "--usd-per-hour",
        help="What an hour of your machine costs, for local methods.",
        metavar="USD",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")]


def examples(*commands: str) -> str:
    """Return an epilog that lists example commands, one a line."""
    return "\n\n".join(("[bold]Examples[/]", *(f"tool-bench {command}" for command in commands)))


def names(given: Iterable[str]) -> list[str]:
    """Split comma-separated names; empty ones are dropped."""
    return [name.strip() for text in given for name in text.split(",") if name.strip()]


def results_folder(given: Path | None) -> Path:
    """Return the folder the user chose, or the default one."""
    from tool_bench.store import default_folder

    return default_folder() if given is None else given


def asked_prices(file: Path | None, usd_per_hour: float | None) -> Prices | None:
    """Return the prices of ``--prices`` and ``--usd-per-hour``; None where neither is given."""
    if file is None and usd_per_hour is None:
        return None
    from tool_bench.prices import load_prices

    return load_prices(file, usd_per_hour)


def page_folder(given: Path | None) -> Path:
    """Return where the page goes: ``site/public``, or ``site`` inside a folder the user chose."""
    from tool_bench.leaderboard.build import default_output

    return default_output() if given is None else given / "site"


def warn(problems: Iterable[DataError]) -> None:
    """Print what is wrong with stored results that were left out."""
    errors = Console(stderr=True, highlight=False)
    for problem in problems:
        errors.print(f"[yellow]left out:[/] {escape(str(problem))}", soft_wrap=True)


def console() -> Console:
    """Return a console for standard output."""
    return Console(highlight=False)


_UNITS = ((5_400, 3_600, "h", 1), (120, 60, "min", 0), (10, 1, "s", 0), (0, 1, "s", 1))
"""(from this many seconds on, seconds in one, name, decimals)"""


def duration(seconds: float) -> str:
    """Return seconds as people say them: ``0.4 s``, ``12 s``, ``3 min``, ``1.5 h``."""
    size, unit, decimals = next(
        (size, unit, decimals) for least, size, unit, decimals in _UNITS if seconds >= least
    )
    return f"{seconds / size:.{decimals}f} {unit}"
