"""``tool-bench data import``, ``export`` and ``remove``: tasks in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Optional, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from tool_bench import registry
from tool_bench.cli.common import console, examples
from tool_bench.progress import reporting_to
from tool_bench.task import Task

IMPORT = typer.Typer(
    help="Make a task of data that you bring; it is kept in the cache folder.",
    no_args_is_help=True,
    epilog=examples(
        "data import beir my-tools/ --name MyTools", "data import toolbench ~/Downloads/data.zip"
    ),
)
EXPORT_EPILOG = examples("data export ToolBench --beir toolbench/")
REMOVE_EPILOG = examples("data remove MyTools")

Made = TypeVar("Made")
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Put it in the place of an import of the same name.")
]


@IMPORT.command(
    epilog=examples(
        "data import toolbench ~/Downloads/data.zip",
        "data import toolbench ToolBench/data/retrieval",
        "run --tasks ToolBenchG1 --baselines bm25s",
    )
)
def toolbench(
    path: Annotated[Path, typer.Argument(help="The archive (zip, tar.gz) or its folder.")],
    replace: ReplaceOption = False,
) -> None:
    """Import ToolBench's own retrieval data as ToolBenchG1, ToolBenchG2, ToolBenchG3.

    The README of github.com/OpenBMB/ToolBench links to the archive:
    retrieval/G1, G2 and G3 lie in it, and those that are there become
    tasks. It is checked row by row and not unpacked.
    """
    from tool_bench.data.toolbench_official import read_tasks

    tasks, notes = _watched(f"reading {path}", lambda: read_tasks(path))
    _save(tasks, notes, replacing=replace)


@IMPORT.command(
    epilog=examples(
        "data import beir my-tools/ --name MyTools",
        "data import beir scifact/ --split test",
        "data import beir exported/ --name ToolBenchCopy --replace",
    )
)
def beir(
    folder: Annotated[Path, typer.Argument(help="corpus.jsonl, queries.jsonl, qrels/.")],
    name: Annotated[
        Optional[str],  # noqa: UP045  typer reads the annotation at run time
        typer.Option("--name", help="The task's name (default: that of the folder or export)."),
    ] = None,
    split: Annotated[
        str, typer.Option("--split", help="Which file of qrels/ is read.", metavar="SPLIT")
    ] = "test",
    replace: ReplaceOption = False,
) -> None:
    """Import a BEIR folder as a task.

    A document becomes a tool: its title is the name (its id where it has
    none), its text the description. docs/importing.md says what else
    metadata may hold.
    """
    from tool_bench.data.beir_task import read_task
    from tool_bench.data.imported import check_name

    if name is not None:
        check_name(name, registry.declared_tasks())
    task, notes = _watched(f"reading {folder}", lambda: read_task(folder, name, split))
    _save([task], [f"{task.name}: {note}" for note in notes], replacing=replace)


def export(
    task: Annotated[str, typer.Argument(help="The task.", metavar="TASK")],
    beir: Annotated[Path, typer.Option("--beir", help="The folder to make.", metavar="DIR")],
) -> None:
    """Write a task as a BEIR folder.

    What BEIR has no field for stands in the rows' metadata and in
    task.json, licence and source included, so that 'data import beir'
    gives the same task back.
    """
    from tool_bench.data.imported import write_folder

    (chosen,) = registry.pick_tasks([task])
    _watched(f"writing {beir}", lambda: write_folder(chosen, beir))
    console().print(
        f"[green]OK[/] {chosen.name}: {chosen.tools:,} tools and {chosen.queries:,} queries in "
        f"{escape(str(beir))} (licence: {escape(chosen.license)})",
        soft_wrap=True,
    )


def remove(
    name: Annotated[str, typer.Argument(help="The imported task.", metavar="NAME")],
) -> None:
    """Delete an imported task. Its results stay."""
    from tool_bench.data.imported import remove as delete

    delete(name)
    console().print(f"[green]OK[/] {escape(name)}: deleted")


def _save(tasks: Sequence[Task], notes: Iterable[str], *, replacing: bool) -> None:
    from tool_bench.data.imported import folder_of, save

    out = console()
    declared = registry.declared_tasks()
    fresh = _watched("writing", lambda: save(tasks, declared, replacing=replacing))
    for task in tasks:
        what = "imported to" if task.name in fresh else "the same was imported before, in"
        out.print(
            f"[green]OK[/] {task.name}: {task.tools:,} tools, {task.queries:,} queries, {what} "
            f"{escape(str(folder_of(task.name)))}",
            soft_wrap=True,
        )
    for note in notes:
        out.print(f"  {escape(note)}", soft_wrap=True)


def _watched(title: str, work: Callable[[], Made]) -> Made:
    """Do ``work`` while a line on standard error says how far it is."""
    with Console(stderr=True).status(escape(title)) as status:

        def show(phase: str, done: int, total: int) -> None:  # noqa: ARG001  of no known length
            status.update(f"{escape(title)}: {escape(phase)}, {done:,} rows")

        with reporting_to(show):
            return work()
