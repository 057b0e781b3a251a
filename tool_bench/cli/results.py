"""``tool-bench results``: the stored results as tables."""

from __future__ import annotations

import json

from rich.markup import escape

from tool_bench import registry
from tool_bench.cli.common import (
    JsonOption,
    ResultsOption,
    TasksOption,
    console,
    examples,
    names,
    results_folder,
    warn,
)

EPILOG = examples("results", "results --tasks MetaTool", "results --json")


def results(
    tasks: TasksOption = [],  # noqa: B006  typer copies it
    as_json: JsonOption = False,
    results: ResultsOption = None,
) -> int:
    """Show stored results: one table per task and scope, best nDCG@10 first."""
    from rich.table import Column, Table

    from tool_bench import store
    from tool_bench.leaderboard import view

    known = {task.name: task for task in registry.pick_tasks(names(tasks) or registry.tasks())}
    folder = results_folder(results)
    whole, broken = store.read_results(folder)
    warn(broken)
    stored = [r for r in whole if not tasks or r.task in known]
    if as_json:
        record = [result.model_dump(mode="json") for result in stored]
        print(json.dumps(record, indent=1, ensure_ascii=False))
        return 1 if broken else 0
    out = console()
    if not stored:
        out.print(f"no results in {escape(str(folder))}: tool-bench run --all")
        return 1 if broken else 0
    for section in view.sections(stored, known):
        for number, table in enumerate(section.tables):
            out.print(
                f"[bold]{section.name}[/], {table.scope}: {table.queries:,} queries, "
                f"{table.counts['tools']:,} tools [dim](data {table.revision})[/]"
            )
            columns = ("Hit@1", "", "Hit@10", "MRR@10", "nDCG@10", "", "p50 ms")
            grid = Table("method", *(Column(c, justify="right") for c in columns), box=None)
            for row in table.rows:
                timing = row.result.timing
                hit, ndcg = row.scores["Hit@1"], row.scores["nDCG@10"]
                grid.add_row(
                    escape(row.result.baseline),
                    view.share(hit.value),
                    f"[dim]{view.margin(hit)}[/]",
                    view.share(row.scores["Hit@10"].value),
                    view.share(row.scores["MRR@10"].value),
                    view.share(ndcg.value),
                    f"[dim]{view.margin(ndcg)}[/]",
                    view.milliseconds(timing.latency["p50"].ms) if timing else "n/a",
                )
            out.print(grid)
            if section.tables[number + 1 :]:
                out.print()
        if section.tables:
            out.print()
    return 1 if broken else 0
