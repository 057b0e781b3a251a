"""``tool-bench compare``: two methods on one task, query by query."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tool_bench.cli.common import JsonOption, ResultsOption, console, examples, results_folder
from tool_bench.stats import FEW_CLUSTERS

if TYPE_CHECKING:
    from rich.table import Table

    from tool_bench.comparison import Comparison
    from tool_bench.query_differences import QueryDifference, Ranked

EPILOG = examples(
    "compare minilm bm25 --task MetaTool",
    "compare rrf bm25f -t MockConnectors --scope scoped --measure Hit@1",
    "compare minilm bm25 -t MetaTool --top 50 --json",
)

_SMALL_P = 0.001
_MANY = 1_000_000
_SHOWN = 5  # tools of a ranking; right tools further down are shown too
_WIDTH = 76


def compare(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    first: Annotated[str, typer.Argument(help="A method.", metavar="A")],
    second: Annotated[str, typer.Argument(help="Another.", metavar="B")],
    task: Annotated[str, typer.Option("--task", "-t", help="On which task.")],
    scope: Annotated[
        str, typer.Option("--scope", help="'global', or 'scoped' to each query's provider.")
    ] = "global",
    measure: Annotated[str, typer.Option("--measure", "-m", help="What is compared.")] = "nDCG@10",
    top: Annotated[
        int, typer.Option("--top", min=0, help="How many of the queries that differ most.")
    ] = 10,
    as_json: JsonOption = False,
    results: ResultsOption = None,
) -> None:
    """Compare two methods' stored results: by how much they differ, and where.

    The difference has a 95 % interval and a paired randomisation test. Then come
    the slices of the queries, and A's largest wins and losses in turn.
    """
    from rich.console import Console

    from tool_bench import comparison

    errors = Console(stderr=True, highlight=False, quiet=as_json)
    with errors.status(f"comparing {first} and {second} on {task}"):
        found = comparison.compare(
            results_folder(results), task, first, second, scope=scope, measure=measure, top=top
        )
    if as_json:
        print(json.dumps(asdict(found), indent=1, ensure_ascii=False))
    else:
        _print(found)


def _print(found: Comparison) -> None:
    out = console()
    out.print(
        f"[bold]{escape(found.task)}[/], {found.scope}: {found.measure} over "
        f"{found.queries:,} queries ({found.clusters:,} sets of right tools)"
        + ("" if found.headline == "all" else f", {escape(found.headline)}")
    )
    out.print()
    out.print(_means(found))
    out.print()
    out.print(_verdict(found), soft_wrap=False)
    out.print(f"[dim]{escape(found.method_a)}: {_outcomes(found)}.[/]")
    if found.slices:
        out.print()
        out.print(_slices(found))
    if any(map(_few, [found.clusters, *(part.clusters for part in found.slices)])):
        out.print(
            f"[dim]* fewer than {FEW_CLUSTERS} sets of right tools: intervals may be too narrow[/]"
        )
    if found.differing:
        out.print(f"\n[bold]Largest wins and losses of {escape(found.method_a)}[/]")
    for number, query in enumerate(found.differing, start=1):
        out.print()
        _print_query(number, query, found)
    if found.without_data:
        reason = f"Without texts, right tools and intervals of slices: {found.without_data}"
        out.print(f"\n[yellow]{escape(reason)}[/]")


def _means(found: Comparison) -> Table:
    from rich.table import Column, Table

    from tool_bench.leaderboard.printed import share

    grid = Table("", Column("", justify="right"), "", box=None, show_header=False)
    grid.add_row(escape(found.method_a), share(found.a), "")
    grid.add_row(escape(found.method_b), share(found.b), "")
    ends = f"95 % interval {_ends(found.low, found.high)}, " if found.low is not None else ""
    mark = "*" if _few(found.clusters) else ""
    grid.add_row(
        "difference", f"[bold]{_signed(found.difference)}[/]", f"{ends}{_p(found.p)}{mark}"
    )
    return grid


def _verdict(found: Comparison) -> str:
    from tool_bench.significance import ALPHA

    if found.p <= ALPHA:
        better = found.method_a if found.difference > 0 else found.method_b
        return f"[green]{escape(better)} is better beyond chance.[/]"
    if found.more_queries is None:
        return "[yellow]They score the same.[/]"
    return (
        f"[yellow]They cannot be told apart.[/] If the difference is what it seems, "
        f"{_about(found.more_queries)} more queries like these would show it (80 % power)."
    )


def _outcomes(found: Comparison) -> str:
    words = (("win", found.wins), ("tie", found.ties))
    said = [f"{n:,} {word}{'' if n == 1 else 's'}" for word, n in words]
    return ", ".join([*said, f"{found.losses:,} loss{'' if found.losses == 1 else 'es'}"])


def _slices(found: Comparison) -> Table:
    from rich.table import Column, Table

    from tool_bench.leaderboard.printed import share

    names = (found.method_a, found.method_b)
    grid = Table(
        Column("slice", overflow="fold"),
        Column("queries", justify="right"),
        *(Column(escape(n), justify="right", max_width=14, overflow="fold") for n in names),
        Column("difference", justify="right"),
        Column("95 % interval", no_wrap=True),
        box=None,
    )
    for part in found.slices:
        grid.add_row(
            escape(part.name),
            f"{part.queries:,}",
            share(part.a),
            share(part.b),
            _signed(part.difference),
            "n/a"
            if part.low is None
            else _ends(part.low, part.high) + ("*" if _few(part.clusters) else ""),
        )
    return grid


def _print_query(number: int, query: QueryDifference, found: Comparison) -> None:
    from rich.table import Column, Table

    from tool_bench.leaderboard.printed import share

    out = console()
    out.print(f"[bold]{number}.[/] {escape(query.query)} [bold]{_signed(query.a - query.b)}[/]")
    if query.text is not None:
        text = textwrap.shorten(query.text, 3 * _WIDTH, placeholder=" …")
        out.print(escape(textwrap.indent(textwrap.fill(text, _WIDTH), "   ")))
    if query.golds is not None:
        label = "right tool: " if len(query.golds) == 1 else "right tools: "
        wrapped = textwrap.fill(label + ", ".join(query.golds), _WIDTH)
        out.print(f"[green]{escape(textwrap.indent(wrapped, '   '))}[/]")
    heads = (
        f"{escape(found.method_a)} {share(query.a)}",
        f"{escape(found.method_b)} {share(query.b)}",
    )
    columns = (Column(head, ratio=1, no_wrap=True, overflow="ellipsis") for head in heads)
    grid = Table(Column("", justify="right", min_width=4), *columns, box=None, width=_WIDTH + 4)
    for rank, pair in enumerate(zip_longest(query.ranking_a, query.ranking_b), start=1):
        if rank <= _SHOWN or any(tool is not None and tool.gold for tool in pair):
            grid.add_row(str(rank), *map(_tool, pair))
    out.print(grid)


def _tool(tool: Ranked | None) -> str:
    if tool is None:
        return ""
    name = escape(" ".join((tool.name or tool.tool).split()))
    return f"[bold green]✓ {name}[/]" if tool.gold else f"  {name}"


def _few(clusters: int | None) -> bool:
    return clusters is not None and clusters < FEW_CLUSTERS


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("0.", ".", 1)


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{_signed(low)} to {_signed(high)}"


def _p(p: float) -> str:
    return "p < .001" if p < _SMALL_P else f"p = {p:.3f}".replace("0.", ".", 1)


def _about(queries: int) -> str:
    """Return an estimate with two significant digits."""
    if queries > _MANY:
        return "over a million"
    return f"about {int(float(f'{queries:.2g}')):,}"
