"""``tool-bench results``: the stored results as tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tool_bench import registry
from tool_bench.cli.common import (
    HourOption,
    JsonOption,
    PricesOption,
    ResultsOption,
    TasksOption,
    asked_prices,
    console,
    examples,
    names,
    results_folder,
    warn,
)

if TYPE_CHECKING:
    from tool_bench.leaderboard.view import Row, TaskSection
    from tool_bench.prices import Prices
    from tool_bench.reported import ReportedSource, ReportedTable
    from tool_bench.results import Timing
    from tool_bench.task import Task

EPILOG = examples(
    "results",
    "results --tasks MetaTool",
    "results --usd-per-hour 0.05",
    "results --json",
    "results --reported",
)


def results(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    tasks: TasksOption = [],  # noqa: B006  typer copies it
    reported: Annotated[
        bool,
        typer.Option("--reported", help="Figures that others published, with their sources."),
    ] = False,
    prices: PricesOption = None,
    usd_per_hour: HourOption = None,
    as_json: JsonOption = False,
    results: ResultsOption = None,
) -> int:
    """Show stored results: one table per task and scope, best nDCG@10 first.

    Methods that share a rank cannot be told apart; costs are USD for 1,000 queries.
    """
    known = {task.name: task for task in registry.pick_tasks(names(tasks) or registry.tasks())}
    chosen = set(known) if tasks else None
    folder = results_folder(results)
    if reported:
        return _reported(folder, chosen, as_json=as_json)
    own = asked_prices(prices, usd_per_hour)
    return _measured(folder, known, chosen, own, as_json=as_json)


def _measured(
    folder: Path,
    known: Mapping[str, Task],
    chosen: set[str] | None,
    prices: Prices | None,
    *,
    as_json: bool,
) -> int:
    from tool_bench import store
    from tool_bench.leaderboard import view
    from tool_bench.pricing import repriced

    whole, broken = store.read_results(folder)
    warn(broken)
    stored = [r for r in whole if chosen is None or r.task in chosen]
    if as_json:
        if prices is not None:
            stored = [r.model_copy(update={"cost": repriced(r, prices)}) for r in stored]
        _print_json([result.model_dump(mode="json") for result in stored])
    elif stored:
        _print_measured(view.sections(stored, known, folder, prices))
    else:
        console().print(f"no results in {escape(str(folder))}: tool-bench run --all")
    return 1 if broken else 0


def _print_measured(sections: Sequence[TaskSection]) -> None:
    from rich.table import Column, Table

    from tool_bench.leaderboard import printed

    out = console()
    for section in sections:
        for number, table in enumerate(section.tables):
            out.print(
                f"[bold]{section.name}[/], {table.scope}: {table.queries:,} queries, "
                f"{table.counts['tools']:,} tools [dim](data {table.revision})[/]"
                + ("" if table.headline == "all" else f", {escape(table.headline)}")
            )
            columns = ("rank", "Hit@1", "Hit@10", "nDCG@10", "", "p50 ms", "USD", "tokens")
            grid = Table(
                Column("method", overflow="fold"),
                *(Column(c, justify="right", no_wrap=True) for c in columns),
                box=None,
                pad_edge=False,
                padding=(0, 1, 0, 0),
            )
            for row in table.rows:
                timing = row.result.timing
                ndcg = row.scores["nDCG@10"]
                grid.add_row(
                    escape(row.result.baseline),
                    str(row.standing.rank),
                    printed.share(row.scores["Hit@1"].value),
                    printed.share(row.scores["Hit@10"].value),
                    printed.share(ndcg.value),
                    f"[dim]{printed.margin(ndcg)}[/]",
                    _latency(row, timing),
                    printed.dollars(row.cost.usd_per_1000) if row.cost else "n/a",
                    printed.count(row.tokens),
                )
            out.print(grid)
            for letter, machine in table.machines if len(table.machines) > 1 else ():
                out.print(f"[dim]{letter}: {escape(machine)}[/]")
            if any(row.busy for row in table.rows):
                out.print("[dim]! other processes disturbed this latency[/]")
            for row in table.rows:
                if seen := row.result.method.seen_tools:
                    out.print(f"[dim]{escape(row.result.baseline)}: trained on {seen.words}[/]")
            if section.tables[number + 1 :]:
                out.print()
        if section.tables:
            out.print()


def _latency(row: Row, timing: Timing | None) -> str:
    from tool_bench.leaderboard import printed

    if timing is None:
        return "n/a"
    marks = f"{'!' if row.busy else ''}{row.machine and ' ' + row.machine}"
    return f"{printed.milliseconds(timing.latency['p50'].ms)}{marks}"


def _reported(folder: Path, chosen: set[str] | None, *, as_json: bool) -> int:
    from tool_bench.reported import of_tasks, read_reported

    whole, broken = read_reported(folder)
    warn(broken)
    sources = whole if chosen is None else of_tasks(whole, chosen)
    if as_json:
        _print_json([source.model_dump(mode="json") for source in sources])
    elif sources:
        for source in sources:
            _print_source(source)
    else:
        console().print(f"no reported figures in {escape(str(folder))}")
    return 1 if broken else 0


def _print_source(source: ReportedSource) -> None:
    out = console()
    facts = [source.by, f"published {source.published or 'at a date not known'}"]
    facts += [f"looked up {source.accessed}"] if source.accessed else []
    out.print(f"[bold]{escape(source.title)}[/]\n{escape(', '.join(facts))}")
    out.print(escape(source.url), soft_wrap=True)
    for table in source.tables:
        out.print()
        _print_table(table)
    out.print()


def _print_table(table: ReportedTable) -> None:
    from rich.table import Column, Table

    from tool_bench.leaderboard import printed, view

    out = console()
    out.print(f"{escape(printed.caption(table))}. [yellow]{view.CHECKED[table.checked]}[/]")
    columns = [Column(escape(m), justify="right") for m in table.measures]
    grid = Table("method", *columns, box=None)
    for row in table.rows:
        grid.add_row(escape(row.method), *(value or "–" for value in row.values))
    out.print(grid)
    for text in filter(None, (table.comparable, printed.second_hand(table), table.note)):
        out.print(f"[dim]{escape(text)}[/]")


def _print_json(record: object) -> None:
    print(json.dumps(record, indent=1, ensure_ascii=False))
