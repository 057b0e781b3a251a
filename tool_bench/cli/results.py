"""``tool-bench results``: the stored results as tables."""

from __future__ import annotations

from rich.markup import escape

from tool_bench import registry, store
from tool_bench.cli.common import (
    JsonOption,
    ResultsOption,
    TasksOption,
    console,
    examples,
    names,
    results_folder,
)

EPILOG = examples("results", "results --tasks MetaTool", "results --json")


def results(
    tasks: TasksOption = [],  # noqa: B006  typer copies it
    as_json: JsonOption = False,
    results: ResultsOption = None,
) -> None:
    """Show stored results: one table per task and scope, best nDCG@10 first."""
    from rich.table import Column, Table

    from tool_bench.leaderboard import view

    known = {task.name: task for task in registry.pick_tasks(names(tasks) or registry.tasks())}
    folder = results_folder(results)
    stored = [r for r in store.read_results(folder) if not tasks or r.task in known]
    if as_json:
        print(store.as_json([result.model_dump(mode="json") for result in stored]))
        return
    out = console()
    if not stored:
        out.print(f"no results in {folder}: tool-bench run --all")
        return
    for section in view.sections(stored, known):
        for number, table in enumerate(section.tables):
            out.print(
                f"[bold]{section.name}[/], {table.scope}: {table.queries:,} queries, "
                f"{table.tools:,} tools [dim](data {table.revision})[/]"
            )
            columns = ("Hit@1", "", "Hit@10", "MRR@10", "nDCG@10", "", "p50 ms")
            grid = Table("method", *(Column(c, justify="right") for c in columns), box=None)
            for row in table.rows:
                hit, ndcg = row.scores["Hit@1"], row.scores["nDCG@10"]
                grid.add_row(
                    escape(row.result.baseline),
                    view.share(hit.value),
                    f"[dim]±{view.share((hit.high - hit.low) / 2)}[/]",
                    view.share(row.scores["Hit@10"].value),
                    view.share(row.scores["MRR@10"].value),
                    view.share(ndcg.value),
                    f"[dim]±{view.share((ndcg.high - ndcg.low) / 2)}[/]",
                    view.milliseconds(row.result.timing.latency["p50"].ms),
                )
            out.print(grid)
            if section.tables[number + 1 :]:
                out.print()
        if section.tables:
            out.print()
