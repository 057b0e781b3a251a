"""``tool-bench data``: the data of the tasks."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape

from tool_bench import registry
from tool_bench.cli import exchange
from tool_bench.cli.common import console, examples
from tool_bench.errors import ToolBenchError, UnavailableError
from tool_bench.task import Task

app = typer.Typer(
    help="Fetch and verify the data of the tasks; import and export tasks.",
    no_args_is_help=True,
    epilog=examples(
        "data status",
        "data pull",
        "data verify MetaTool",
        "data import beir my-tools/ --name MyTools",
    ),
)
app.add_typer(exchange.IMPORT, name="import")
app.command("export", epilog=exchange.EXPORT_EPILOG)(exchange.export)
app.command("remove", epilog=exchange.REMOVE_EPILOG)(exchange.remove)

Names = typer.Argument(None, help="Tasks; all when none is named.", metavar="[TASK]...")


def _chosen(names: list[str] | None) -> list[Task]:
    return registry.pick_tasks(names or registry.tasks())


def _origin(task: Task) -> str:
    """Return where the data of a task without upstream files is from."""
    found, _ = registry.imported_tasks()
    return "imported on this machine" if task.name in found else "ships with the package"


@app.command(epilog=examples("data status", "data status ToolBench"))
def status(tasks: list[str] = Names) -> None:
    """Show where each file would come from; no network is touched."""
    from tool_bench.data.fetch import status as status_of
    from tool_bench.data.paths import cache_folder, mirror

    out = console()
    for task in _chosen(tasks):
        out.print(f"[bold]{task.name}[/]")
        if not task.sources:
            out.print(f"  [green]{_origin(task)}[/]")
        for source in task.sources:
            where = status_of(source)
            size = f"{source.size / 1e3:,.0f} kB"
            shown = f"[green]{where}[/]" if where == "cached" else where
            out.print(f"  {shown}, {size}: {source.path}", soft_wrap=True)
    out.print(f"cache: {escape(str(cache_folder()))}", soft_wrap=True)
    out.print(f"mirror (TOOL_BENCH_MIRROR): {escape(mirror() or 'none')}", soft_wrap=True)


@app.command(epilog=examples("data pull", "data pull MetaTool"))
def pull(tasks: list[str] = Names) -> int:
    """Fetch every file that is not in the cache; an interrupted download goes on."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from tool_bench.data.fetch import fetch_all, missing_bytes

    out = console()
    failures: list[ToolBenchError] = []
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        for task in _chosen(tasks):
            size = missing_bytes([task])
            bar = progress.add_task(task.name, total=size, visible=size > 0)

            def advance(arrived: int, bar: object = bar) -> None:
                progress.advance(bar, arrived)  # type: ignore[arg-type]  # rich's TaskID

            try:
                fetch_all(task, advance)
            except ToolBenchError as error:
                failures.append(error)
                out.print(f"[red]no[/] {task.name}: {escape(str(error))}", soft_wrap=True)
            else:
                there = "was in the cache" if task.sources else _origin(task)
                done = f"fetched {size / 1e6:.1f} MB" if size else there
                out.print(f"[green]OK[/] {task.name}: {done}")
    return 1 if failures else 0


@app.command(epilog=examples("data verify", "data verify ToolBench"))
def verify(tasks: list[str] = Names) -> int:
    """Check every file's sha256, read every row, compare the data with its declaration.

    Files that are not in the cache are fetched. Data that ships with the package is
    held to the standard it was written to.
    """
    out = console()
    failed = False
    for task in _chosen(tasks):
        try:
            with Console(stderr=True).status(f"verifying {task.name}"):
                counts = _verified(task)
        except UnavailableError as error:
            out.print(f"[yellow]n/a[/] {task.name}: {escape(str(error))}", soft_wrap=True)
        except ToolBenchError as error:
            failed = True
            out.print(f"[red]no[/] {task.name}: {escape(str(error))}", soft_wrap=True)
        else:
            facts = ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)
            out.print(f"[green]OK[/] {task.name}: {facts}")
    return 1 if failed else 0


def _verified(task: Task) -> dict[str, int]:
    """Return the sizes of the data; a ToolBenchError lists every defect of data of our own."""
    from tool_bench.data.fetch import check_cached
    from tool_bench.data.load import load

    for source in task.sources:
        check_cached(source)
    defects = task.defects() if task.defects else ()
    if defects:
        title = "1 defect" if len(defects) == 1 else f"{len(defects)} defects"
        raise ToolBenchError("\n  ".join([title, *defects]))
    return load(task).counts
