"""``tool-bench search``: one request through one method."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.markup import escape

from tool_bench import registry
from tool_bench.cli.common import JsonOption, console, examples
from tool_bench.errors import UnavailableError, UsageError

EPILOG = examples(
    'search "make a new employee" --task MetaTool --baseline minilm',
    'search "weather in Oslo tomorrow" -t ToolBench -b bm25s -k 5',
)


def search(
    text: Annotated[str, typer.Argument(help="The request, in plain language.", metavar="TEXT")],
    task: Annotated[str, typer.Option("--task", "-t", help="Whose tools.")] = "MetaTool",
    baseline: Annotated[str, typer.Option("--baseline", "-b", help="Which method.")] = "minilm",
    k: Annotated[int, typer.Option("-k", min=1, max=1_000, help="How many tools.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Rank a task's tools for one request."""
    if not text.strip():
        raise UsageError("the request is empty")
    (chosen,) = registry.pick_tasks([task])
    (method,) = registry.pick_baselines([baseline])
    from rich.console import Console
    from rich.table import Column, Table

    from tool_bench.data.load import load
    from tool_bench.plan import lacking, stay_offline
    from tool_bench.progress import reporting_to
    from tool_bench.query import Query
    from tool_bench.runs import settle

    missing = lacking(chosen, method)
    if missing:
        raise UnavailableError(f"{baseline} on {task}: {missing}")
    stay_offline(method)
    errors = Console(stderr=True, highlight=False, quiet=as_json)
    with errors.status(f"loading {task}") as status:

        def show(phase: str, done: int, total: int) -> None:
            status.update(f"{phase} {done} of {total}")

        with reporting_to(show):
            dataset = load(chosen)
            status.update(f"indexing {len(dataset.tools):,} tools with {baseline}")
            retriever = method.load()
            retriever.index(dataset.tools, dataset.examples if method.uses_examples else {})
            query = Query(id="search", text=text)
            (ranking,) = retriever.search([query], k, [None])
    tools = {tool.id: tool for tool in dataset.tools}
    order = settle([query], [ranking], [None], k, tools)[query.id]
    found = [(tool_id, dict(ranking)[tool_id]) for tool_id, _ in order]
    if as_json:
        rows = [
            {"rank": n, "tool": id_, "score": score, "description": tools[id_].description}
            for n, (id_, score) in enumerate(found, start=1)
        ]
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    table = Table(
        Column("", justify="right"),
        Column("score", justify="right"),
        Column("tool", overflow="fold"),
        Column("what it does", ratio=1, no_wrap=True, overflow="ellipsis"),
        box=None,
        expand=True,
    )
    for rank, (id_, score) in enumerate(found, start=1):
        description = " ".join(tools[id_].description.split())
        table.add_row(str(rank), f"{score:.4g}", f"[bold]{escape(id_)}[/]", escape(description))
    console().print(table)
