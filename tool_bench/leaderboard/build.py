"""Builds the board. Reads results and templates, writes only to its output folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench import registry, store
from tool_bench.errors import DataError
from tool_bench.leaderboard.inputs import fingerprint
from tool_bench.leaderboard.output import STAMP, writing
from tool_bench.progress import report

if TYPE_CHECKING:
    from tool_bench.prices import Prices


def default_output() -> Path:
    """Return ``site/public`` of the checkout, or of the working folder when installed."""
    return store.default_folder().parent / "site" / "public"


def build(
    results: Path, output: Path, prices: Prices | None = None, repository: str | None = None
) -> tuple[Path, list[DataError]]:
    """Build the leaderboard; one whose inputs have not changed is left alone.

    Args:
        results: the results folder.
        output: where the board goes.
        prices: recompute costs at these; None shows them as stored.
        repository: address of the project's repository, for links to its files and issues.

    Returns:
        The path of the home page, and what is wrong with the files that it leaves out.

    Raises:
        ToolBenchError: ``results`` is not a folder, or ``output`` cannot be written.
    """
    page, stamp = output / "index.html", output / STAMP
    made_from = f"{fingerprint(results)} {prices or ''} {repository or ''}"
    if page.is_file() and stamp.is_file() and stamp.read_text("utf-8") == made_from:
        return page, []
    return page, _build(results, output, prices, repository, made_from)


def _build(
    results: Path,
    folder: Path,
    prices: Prices | None,
    repository: str | None,
    made_from: str,
) -> list[DataError]:
    from tool_bench import releases
    from tool_bench.leaderboard import view, write
    from tool_bench.leaderboard.curves import curves
    from tool_bench.leaderboard.explore import explore
    from tool_bench.leaderboard.home import home
    from tool_bench.leaderboard.methods import methods
    from tool_bench.leaderboard.pages import page_names
    from tool_bench.reported import read_reported
    from tool_bench.reproduced import Recorded, current_verdicts
    from tool_bench.scaling import read_records

    report("read results", 0, 0)
    stored, broken = store.read_results(results)
    reported, unreadable = read_reported(results)
    records, spoilt = read_records(results)
    released, lost = releases.read(results)
    report("rank", 0, 0)
    tasks, baselines = registry.tasks(), registry.baselines()
    sections = view.sections(stored, tasks, results, prices)
    shown = [section for section in sections if section.tables]
    anchors = [table.anchor for section in shown for table in section.tables]
    pages = page_names([*(s.name for s in sections), *anchors, *(r.baseline for r in stored)])
    verdicts: dict[str, Recorded] = {}
    try:
        verdicts = current_verdicts(results)
    except DataError as error:
        broken.append(error)
    with writing(folder) as output:
        queries = explore(shown, results, pages, output)
        tables = view.newest_tables(shown)
        scores = {name: queries[table.anchor].scores for name, table in tables.items()}
        own = home(tables, scores, view.data_sets(shown), baselines)
        report("write pages", 0, 0)
        content = write.Content(
            sections=sections,
            queries=queries,
            home=own,
            methods=methods(shown, own.overall, verdicts),
            unmeasured=view.unmeasured(stored, baselines.values()),
            reported=reported,
            curves=curves(records),
            released=released,
            results=stored,
            pages=pages,
        )
        write.write(content, output, results, repository)
        damaged = {str(q.damaged): q.damaged for q in queries.values() if q.damaged}
        broken += [*unreadable, *spoilt, *lost, *damaged.values()]
        output.finish(None if broken else made_from)
    return broken
