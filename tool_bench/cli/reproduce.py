"""``tool-bench reproduce``: do the stored values come out again?"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from rich.console import Console
from rich.markup import escape

from tool_bench.cli.common import (
    JsonOption,
    ResultsOption,
    console,
    debugging,
    duration,
    examples,
    results_folder,
    warn,
)
from tool_bench.errors import UsageError

if TYPE_CHECKING:
    from tool_bench.plan import Cell, Outcome
    from tool_bench.reproduce import Reproduction
    from tool_bench.results import Estimate, Result

EPILOG = examples(
    "reproduce MetaTool/bm25s",
    "reproduce MetaTool/minilm ToolBench/BAAI/bge-small-en-v1.5",
    "reproduce --all --record",
    "reproduce MetaTool/llm-rerank --max-usd 5",
)
_STYLE = {"OK": "green", "OKish": "yellow", "FAIL": "bold red", "unavailable": "dim"}
_MEASURES = ("nDCG@10", "Hit@1")


def reproduce(  # noqa: PLR0913, PLR0917  one argument per option of the command line
    cells: Annotated[
        list[str],
        typer.Argument(help="Stored cells.", metavar="TASK/BASELINE...", show_default=False),
    ] = [],  # noqa: B006  typer copies it
    everything: Annotated[bool, typer.Option("--all", help="Every stored cell.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Keep the verdicts in reproduced.json.")
    ] = False,
    max_usd: Annotated[
        Optional[float],  # noqa: UP045  typer reads the annotation at run time
        typer.Option(
            "--max-usd",
            help="Allow methods that pay a service, which is paid anew, up to this.",
            metavar="USD",
        ),
    ] = None,
    as_json: JsonOption = False,
    results: ResultsOption = None,
) -> int:
    """Run stored cells again and compare.

    Each runs as its stored command says, in a process of its own, with nothing
    but downloaded files kept from before. The stored results are not touched.

    OK: every mean of every scope and slice is the stored one, to six decimals.
    OKish: every measure of the headline is within the tolerance, which is 0.001
    (or one query, where there are fewer than 1,000), because other machines add
    up in another order and swap tools that score nearly the same; for a paid
    service, half the width of the stored interval. FAIL: anything else.

    Exit code: 1 when any cell fails, 2 when a name is wrong, 0 otherwise.
    """
    if everything == bool(cells):
        raise UsageError("give cells as TASK/BASELINE, or --all")
    if max_usd is not None and not 0 <= max_usd < math.inf:
        raise UsageError(f"--max-usd is {max_usd}; give an amount of 0 or more")
    from tool_bench.reproduce import pick, plan

    folder = results_folder(results)
    stored, broken = pick(folder, cells)
    warn(broken)
    if not stored:
        raise UsageError(f"no results in {folder}: tool-bench run --all")
    planned, found = plan(stored, folder, paid=max_usd is not None, named=not everything)
    try:
        _run(stored, planned, found, max_usd, folder if record else None, quiet=as_json)
    finally:  # also after Ctrl-C: what is known is worth telling
        if as_json:
            print(json.dumps([_record(one) for one in found], indent=1, ensure_ascii=False))
        else:
            _print(found)
    return 1 if broken or any(one.verdict == "FAIL" for one in found) else 0


def _run(  # noqa: PLR0913  all that a run takes
    stored: Sequence[Result],
    planned: Sequence[Cell],
    found: list[Reproduction],
    max_usd: float | None,
    recorded: Path | None,
    *,
    quiet: bool,
) -> None:
    """Run every planned cell and add its verdict to ``found`` as soon as it ends."""
    from tool_bench import reproduced
    from tool_bench.cli.live import LiveWatcher
    from tool_bench.data.paths import own_cache
    from tool_bench.harness import run_cells
    from tool_bench.reproduce import judge_outcome

    by_name = {f"{result.task}/{result.baseline}": result for result in stored}
    errors = Console(stderr=True, highlight=False, quiet=quiet)
    seconds = sum(cell.seconds for cell in planned)
    errors.print(f"[dim]{len(planned)} to run again, about {duration(seconds)}[/]")
    with own_cache() as fresh:

        def judge(outcome: Outcome) -> None:
            found.append(judge_outcome(by_name[outcome.cell.name], outcome, fresh))
            if recorded is not None:
                reproduced.record(recorded, found[-1])
            if debugging.get() and outcome.trace:
                typer.echo(f"{outcome.cell.name}\n{outcome.trace}", err=True)

        class Judging(LiveWatcher):
            def finished(self, outcome: Outcome) -> None:
                super().finished(outcome)
                judge(outcome)

        with Judging(errors, len(planned)) as watcher:
            run_cells(planned, fresh, watcher, max_usd)


def _print(found: Sequence[Reproduction]) -> None:
    from rich.table import Column, Table

    out = console()
    tried = [one for one in found if one.new is not None]
    if tried:
        right = ("stored", "now", "differs", "tolerance")
        grid = Table(
            Column("cell", overflow="fold"),
            "",
            *(Column(head, justify="right") for head in right),
            "verdict",
            box=None,
        )
        for one in tried:
            verdict = f"[{_STYLE[one.verdict]}]{one.verdict}[/]"
            labels = (f"{one.stored.task}/", escape(one.stored.baseline), "")
            for label, row, last in zip(labels, _rows(one), (verdict, "", ""), strict=True):
                grid.add_row(label, *row, last)
        out.print(grid)
        if any(one.elsewhere for one in tried):
            out.print("[dim]* measured on another machine than this one[/]")
    for verdict in ("FAIL", "OKish", "unavailable"):
        for reason, names in _by_text(
            (one.name, one.reason) for one in found if one.verdict == verdict
        ):
            line = f"[{_STYLE[verdict]}]{verdict}[/] {escape(', '.join(names))}: {escape(reason)}"
            out.print(line, soft_wrap=True)
    changes = ((one.name, "; ".join(one.changed)) for one in tried if one.changed)
    for text, names in _by_text(changes):
        who = names[0] if len(names) == 1 else f"{len(names)} cells"
        out.print(f"[dim]changed since ({escape(who)}): {escape(text)}[/]", soft_wrap=True)
    counts: Counter[str] = Counter(one.verdict for one in found)
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _STYLE if counts[verdict])
    out.print(f"{len(found)} cell{'' if len(found) == 1 else 's'}: {said or 'none'}.")


def _rows(one: Reproduction) -> list[tuple[str, str, str, str, str]]:
    """Return (measure, stored, now, differs, tolerance) of the headline, and of the latency."""
    from tool_bench.reproduce import tolerance

    assert one.new is not None
    rows = []
    before, now = (_headline(result) for result in (one.stored, one.new))
    for measure in _MEASURES:
        was, is_ = before[measure].value, now[measure].value
        allowed = tolerance(one.stored, "global", measure, one.heaviest)
        texts = (f"{was:.6f}", f"{is_:.6f}", f"{abs(was - is_):.6f}", f"{allowed:.4g}")
        rows.append((measure, *texts))
    p50 = [
        f"{result.timing.latency['p50'].ms:.3g}" if result.timing else "n/a"
        for result in (one.stored, one.new)
    ]
    mark = "*" if one.elsewhere else ""
    rows.append(("p50 ms", f"{p50[0]}{mark}", p50[1], "", ""))
    return rows


def _headline(result: Result) -> Mapping[str, Estimate]:
    """Return the measures of a headline in scope ``global``."""
    return result.scopes["global"].slices[result.data.headline].measures


def _by_text(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, list[str]]]:
    """Gather the names that share a text."""
    gathered: dict[str, list[str]] = {}
    for name, text in pairs:
        gathered.setdefault(text, []).append(name)
    return gathered.items()


def _record(one: Reproduction) -> dict[str, Any]:
    record: dict[str, Any] = {
        "task": one.stored.task,
        "baseline": one.stored.baseline,
        "verdict": one.verdict,
        "reason": one.reason,
        "changed": list(one.changed),
    }
    if one.worst is not None:
        record["worst"] = {
            "measure": one.worst.where,
            "differs": one.worst.value,
            "tolerance": one.worst.tolerance,
        }
    if one.new is not None:
        record["other_machine"] = one.elsewhere
        for name, result in (("stored", one.stored), ("now", one.new)):
            record[name] = {m: e.value for m, e in _headline(result).items()}
            record[name]["p50 ms"] = result.timing and result.timing.latency["p50"].ms
    return record
