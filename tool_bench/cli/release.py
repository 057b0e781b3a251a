"""``tool-bench release``: keep what stands on the board today."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from tool_bench.cli.common import ResultsOption, console, examples, results_folder, warn
from tool_bench.errors import UsageError

EPILOG = examples('release 2026-11 --note "v2 joins the board"')


def release(
    name: Annotated[str, typer.Argument(help="Its name, for example year and month.")],
    note: Annotated[str, typer.Option("--note", help="What is new in it, for people.")] = "",
    results: ResultsOption = None,
) -> int:
    """Keep the stored scores as a release, for the board's page of what changed and why.

    A release is a file in results/releases that never changes. Later builds of the board list
    every score that differs from the last one, with its cause: data, method, harness.
    """
    from tool_bench import releases, store

    folder = results_folder(results)
    stored, broken = store.read_results(folder)
    warn(broken)
    if broken:
        console().print("[red]no release:[/] some results are broken")
        return 1
    if not stored:
        raise UsageError(f"no results in {folder}: there is nothing to keep")
    path = releases.write(folder, releases.freeze(stored, name, note))
    cells = f"{len(stored)} cell{'' if len(stored) == 1 else 's'}"
    console().print(f"{escape(str(path))}: {cells}", soft_wrap=True)
    return 0
