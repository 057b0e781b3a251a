"""``tool-bench scale``: quality and latency as the catalogue grows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tool_bench import registry
from tool_bench.cli.common import (
    JsonOption,
    ResultsOption,
    console,
    examples,
    names,
    page_folder,
    results_folder,
    warn,
)
from tool_bench.errors import UsageError

if TYPE_CHECKING:
    from tool_bench.baseline import Baseline
    from tool_bench.plan import Outcome
    from tool_bench.scaling import ScalingRecord
    from tool_bench.task import Task

EPILOG = examples(
    "scale --baseline bm25s --task MetaTool",
    "scale -b bm25s,static-minilm -t ToolBench --sizes 5000,10000,all",
    "scale --show",
    "scale --show --task MetaTool --json",
)
_BUSY_CORES = 0.5
DEFAULT_SIZES = "1000,2000,5000,10000,20000,all"


def scale(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    baselines: Annotated[
        list[str],
        typer.Option("--baseline", "-b", help="Baselines, by comma or repeated.", metavar="NAMES"),
    ] = [],  # noqa: B006  typer copies it
    task: Annotated[str, typer.Option("--task", "-t", help="The task.", metavar="NAME")] = "",
    sizes: Annotated[
        str,
        typer.Option(
            "--sizes",
            help="Tools in the catalogue; 'all' means as many as there are. Those not above the "
            "task's own number are left out.",
            metavar="NUMBERS",
        ),
    ] = DEFAULT_SIZES,
    show: Annotated[
        bool, typer.Option("--show", help="Print what is stored, and measure nothing.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Measure stored sizes again.")] = False,
    as_json: JsonOption = False,
    results: ResultsOption = None,
) -> int:
    """Measure quality and latency as the catalogue grows.

    The catalogue is the task's own tools, then more and more real distractors
    in one fixed order: APIs of RapidAPI, which only a mirror has. Each size is
    stored when it is measured and is not measured again. The first size is the
    task's own. Beyond it scores are a lower bound, because some distractors
    answer a request as well as the tools it is labelled with.

    Exit code: 0 also when methods were only unavailable, 1 when any failed,
    2 when a name or a size is wrong.
    """
    folder, chosen, asked = results_folder(results), names(baselines), _sizes(sizes)
    methods = registry.pick_baselines(chosen)
    tasks = registry.pick_tasks([task] if task else [])
    if show:
        _print(folder, task, chosen, page_folder(results), as_json=as_json)
        return 0
    if not (methods and tasks):
        raise UsageError("give --baseline and --task, or --show for what is stored")
    outcomes = _measure(tasks[0], methods, folder, asked, force=force, quiet=as_json)
    _print(folder, task, chosen, page_folder(results), as_json=as_json)
    return 1 if any(outcome.end == "failed" for outcome in outcomes) else 0


def _sizes(text: str) -> list[int]:
    from tool_bench.nested import ALL

    words = names([text])
    for word in words:
        if word != "all" and not (word.isascii() and word.isdigit() and int(word) > 0):
            raise UsageError(f"--sizes: '{word}' is neither a number of tools above 0 nor 'all'")
    if not words:
        raise UsageError("--sizes is empty")
    return [ALL if word == "all" else int(word) for word in words]


def _measure(  # noqa: PLR0913  all that decides what is measured
    task: Task,
    methods: Sequence[Baseline],
    folder: Path,
    asked: Sequence[int],
    *,
    force: bool,
    quiet: bool,
) -> list[Outcome]:
    """Measure the sizes that are lacking, in a process for each method.

    Raises:
        UsageError: a method pays a service.
    """
    from functools import partial

    from tool_bench.cli.dry_run import print_lacking
    from tool_bench.cli.live import run_watched
    from tool_bench.scaling import measure, pays, plan_curves

    for method in methods:
        if pays(method):
            raise UsageError(
                f"'{method.name}' pays a service: curves are measured of methods that run here"
            )
    cells = plan_curves(task, methods, folder, asked, force=force)
    lacking = [cell for cell in cells if cell.state == "unavailable"]
    if lacking and not quiet:
        print_lacking(lacking)
    job = partial(measure, folder, asked, force=force)
    return run_watched(cells, folder, quiet=quiet, job=job)


def _print(folder: Path, task: str, chosen: Sequence[str], output: Path, *, as_json: bool) -> None:
    """Print the stored curves that were asked for, and draw those of their tasks."""
    from tool_bench.scaling import read_records

    stored, broken = read_records(folder)
    warn(broken)
    shown = [r for r in stored if task in {"", r.task} and (not chosen or r.baseline in chosen)]
    if as_json:
        print(json.dumps([r.model_dump(mode="json") for r in shown], indent=1, ensure_ascii=False))
        return
    out = console()
    if not shown:
        what = "/".join(filter(None, (task, ", ".join(chosen)))) or "any task"
        out.print(f"no curve of {escape(what)} in {escape(str(folder))}", soft_wrap=True)
        return
    for record in shown:
        _print_curve(record)
    for name in dict.fromkeys(record.task for record in shown):
        for path in _draw([record for record in stored if record.task == name], output):
            out.print(f"Chart: {path.resolve().as_uri()}", soft_wrap=True)


def _print_curve(record: ScalingRecord) -> None:
    from rich.table import Column, Table

    from tool_bench.leaderboard import printed

    heads = ("tools", "nDCG@10", "", "Hit@1", "Hit@10", "p50 ms", "", "p95 ms", "index s")
    columns = (Column(head, justify="right", no_wrap=True) for head in heads)
    grid = Table(*columns, box=None, padding=(0, 1, 0, 0))
    for point in record.points:
        scores, p50 = point.measures, point.timing.latency["p50"]
        ndcg = scores["nDCG@10"]
        grid.add_row(
            f"{point.tools:,}",
            printed.share(ndcg.value),
            f"[dim]{printed.interval(printed.Score(ndcg.value, ndcg.low, ndcg.high))}[/]",
            printed.share(scores["Hit@1"].value),
            printed.share(scores["Hit@10"].value),
            printed.milliseconds(p50.ms),
            f"[dim]{printed.span(p50)}[/]",
            printed.milliseconds(point.timing.latency["p95"].ms),
            printed.seconds(point.timing.index_s),
        )
    out = console()
    out.print(f"[bold]{escape(record.task)}/{escape(record.baseline)}[/]")
    out.print(grid)
    busy = sum((point.timing.busy_cores or 0) > _BUSY_CORES for point in record.points)
    if busy:
        out.print(
            f"[yellow]other processes kept the machine busy while {busy} of {len(record.points)} "
            "sizes were timed: their latency is too high[/]"
        )
    own, dropped = record.data.counts["tools"], sum(record.dropped.values())
    out.print(
        f"[dim]{own:,} own tools; {dropped:,} of the catalogue are among them and left out. "
        f"{escape(record.bound)}[/]\n"
    )


def _draw(records: Sequence[ScalingRecord], output: Path) -> list[Path]:
    """Write the charts of one task's curves."""
    from tool_bench.leaderboard.charts import scaling_latency_svg, scaling_svg
    from tool_bench.store import write_atomically

    stem = f"scaling-{records[0].task}"
    drawn = {
        output / f"{stem}.svg": scaling_svg(records).encode("utf-8"),
        output / f"{stem}-latency.svg": scaling_latency_svg(records).encode("utf-8"),
    }
    write_atomically(drawn)
    return list(drawn)
