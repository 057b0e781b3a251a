"""Renders the page. Reads results and templates, writes only to its output folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench import __version__, memo, registry, store

if TYPE_CHECKING:
    from tool_bench.errors import DataError
    from tool_bench.leaderboard.curves import Curves
    from tool_bench.leaderboard.view import TaskSection
    from tool_bench.prices import Prices
    from tool_bench.reported import ReportedSource
    from tool_bench.results import Result

STAMP = ".inputs.sha256"


def site_folder() -> Path:
    """Return the folder with templates and style: the checkout's, or the installed one."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "site"
    return installed if installed.is_dir() else package.parent / "site"


def default_output() -> Path:
    """Return ``site/public`` of the checkout, or of the working folder when installed."""
    return store.default_folder().parent / "site" / "public"


def build(
    results: Path, output: Path, prices: Prices | None = None
) -> tuple[Path, list[DataError]]:
    """Build the leaderboard; an unchanged page is left alone.

    Args:
        results: the results folder.
        output: where the page goes.
        prices: recompute costs at these; None shows them as stored.

    Returns:
        The path of the page, and what is wrong with the files that it leaves out.

    Raises:
        ToolBenchError: ``results`` is not a folder, or ``output`` cannot be written.
    """
    page = output / "index.html"
    stamp = output / STAMP
    fingerprint = f"{_fingerprint(results)} {prices or ''}"
    if page.is_file() and stamp.is_file() and stamp.read_text() == fingerprint:
        return page, []
    from tool_bench.leaderboard import view
    from tool_bench.leaderboard.curves import curves
    from tool_bench.reported import read_reported
    from tool_bench.scaling import read_records

    stored, broken = store.read_results(results)
    reported, unreadable = read_reported(results)
    records, spoilt = read_records(results)
    broken += unreadable + spoilt
    sections = view.sections(stored, registry.tasks(), results, prices)
    rendered = _render(sections, stored, reported, curves(records))
    store.write_atomically({page: rendered.encode("utf-8")})
    if not broken:  # a page with something left out is built, and complained of, every time
        store.write_atomically({stamp: fingerprint.encode()})
    return page, broken


def _render(
    sections: Sequence[TaskSection],
    stored: Sequence[Result],
    reported: Sequence[ReportedSource],
    curves: Mapping[str, Curves],
) -> str:
    import jinja2

    from tool_bench.leaderboard import printed, view
    from tool_bench.significance import ALPHA, POWER
    from tool_bench.stats import FEW_CLUSTERS, RESAMPLES

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(site_folder()),
        autoescape=jinja2.select_autoescape(("html", "j2")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        share=printed.share,
        interval=printed.interval,
        milliseconds=printed.milliseconds,
        parameters=printed.parameters,
        dollars=printed.dollars,
        caption=printed.caption,
        second_hand=printed.second_hand,
        size=printed.size,
        seconds=printed.seconds,
        count=printed.count,
        roughly=printed.roughly,
        span=printed.span,
        probability=printed.probability,
    )
    return environment.get_template("templates/index.html.j2").render(
        sections=sections,
        curves=curves,
        unmeasured=view.unmeasured(stored, registry.baselines().values()),
        reported=reported,
        checked=view.CHECKED,
        columns=view.COLUMNS,
        slice_measures=view.SLICE_MEASURES,
        sorted_by=view.SORTED_BY,
        resamples=RESAMPLES,
        few=FEW_CLUSTERS,
        level=ALPHA,
        power=POWER,
        version=__version__,
        style=(site_folder() / "style.css").read_text(encoding="utf-8"),
        methods=len({result.baseline for result in stored}),
        cells=len(stored),
    )


def _fingerprint(results: Path) -> str:
    declared = [(b.name, b.needs) for b in registry.baselines().values()]
    tasks = [(t.name, t.description, t.rules, t.data_revision) for t in registry.tasks().values()]
    digest = hashlib.sha256(f"{__version__} {declared} {tasks}".encode())
    for path in _inputs(results):
        digest.update(f"{path} {memo.of_file(path, _hash_of)}\n".encode())
    for path in sorted(results.glob("*/*.gz")):  # a result is broken when these are
        stat = path.stat()  # megabytes that the page does not show: not read to see them unchanged
        digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    memo.save()
    return digest.hexdigest()


def _hash_of(path: Path) -> str:
    return store.content_hash(path.read_bytes())


def _inputs(results: Path) -> Iterator[Path]:
    package = Path(__file__).resolve().parent.parent
    yield from sorted(results.glob("*/*.json"))
    yield from sorted(results.glob("reported/*.yaml"))
    yield from sorted(results.glob("scaling/*/*.json"))
    yield from sorted(p for p in site_folder().rglob("*") if p.suffix in {".j2", ".css"})
    yield from sorted(package.glob("leaderboard/*.py"))
    for name in ("context", "pricing", "ranking", "reported", "significance", "stats"):
        yield package / f"{name}.py"
    for folder in (package / "tasks", package.parent / "tasks"):
        yield from sorted(folder.rglob("*.py"))
