"""Writes every page and file of the board but the explorer's pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_bench.leaderboard import view
from tool_bench.leaderboard.documents import docs_folder, documents
from tool_bench.leaderboard.exports import exports
from tool_bench.leaderboard.pages import Templates, site_folder
from tool_bench.leaderboard.pareto import Point, pareto_svg
from tool_bench.releases import changes, freeze
from tool_bench.significance import ALPHA, POWER
from tool_bench.stats import FEW_CLUSTERS, RESAMPLES
from tool_bench.store import result_path

if TYPE_CHECKING:
    from tool_bench.leaderboard.curves import Curves
    from tool_bench.leaderboard.explore import TableQueries
    from tool_bench.leaderboard.home import Home
    from tool_bench.leaderboard.methods import MethodPage
    from tool_bench.leaderboard.output import Output
    from tool_bench.leaderboard.view import TaskSection
    from tool_bench.releases import Change, Release
    from tool_bench.reported import ReportedSource
    from tool_bench.results import Result


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that pages are made of."""

    sections: Sequence[TaskSection]
    queries: Mapping[str, TableQueries]
    """Table's anchor -> what is shown of its queries."""
    home: Home
    methods: Sequence[MethodPage]
    unmeasured: Sequence[tuple[str, tuple[str, ...]]]
    reported: Sequence[ReportedSource]
    curves: Mapping[str, Curves]
    released: Sequence[Release]
    results: Sequence[Result]
    pages: Mapping[str, str]
    """Task, table's anchor or method -> the name of its page."""


def write(content: Content, output: Output, results: Path, repository: str | None) -> None:
    """Write the board; ``results`` is the folder that run files are copied from."""
    shown = [section for section in content.sections if section.tables]
    templates = Templates(
        {
            "pages": content.pages,
            "sections": content.sections,
            "repository": repository,
            "columns": view.COLUMNS,
            "slice_measures": view.SLICE_MEASURES,
            "sorted_by": view.SORTED_BY,
            "checked": view.CHECKED,
            "resamples": RESAMPLES,
            "few": FEW_CLUSTERS,
            "level": ALPHA,
            "power": POWER,
        }
    )
    for path, template, values in _pages(content, shown):
        output.write(path, templates.render(template, path, **values))
    for document in documents(docs_folder(), repository):
        path = f"docs/{document.path}"
        output.write(path, templates.render("document", path, document=document))
    for name, text in exports(shown, content.home.overall, content.pages):
        output.write(f"data/{name}", text)
    for asset in sorted((site_folder() / "assets").iterdir()):
        output.write(f"assets/{asset.name}", asset.read_bytes())
    for result in content.results:
        folder = result_path(results, result.task, result.baseline).parent
        for scores in result.scopes.values():
            for file in (scores.run, scores.per_query):
                output.copy(
                    f"runs/{content.pages[result.baseline]}/{file.name}", folder / file.name
                )


def _pages(
    content: Content, shown: Sequence[TaskSection]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (path, template, values) of each page."""
    pages = content.pages
    yield (
        "index.html",
        "home",
        {
            "home": content.home,
            "charts": _charts(content.home),
            "unmeasured": content.unmeasured,
            "reported": content.reported,
            "cells": len(content.results),
        },
    )
    for section in content.sections:
        values = {
            "section": section,
            "queries": content.queries,
            "curves": content.curves.get(section.name),
            "reported": [
                (source, [table for table in source.tables if table.our_task == section.name])
                for source in content.reported
                if any(table.our_task == section.name for table in source.tables)
            ],
        }
        yield f"tasks/{pages[section.name]}.html", "task", values
    for section in shown:
        values = {"section": section, "queries": content.queries}
        yield f"explore/{pages[section.name]}.html", "explore", values
    for method in content.methods:
        yield f"methods/{pages[method.name]}.html", "method", {"method": method}
    yield "methodology.html", "methodology", {"home": content.home}
    yield "reported.html", "reported", {"reported": content.reported}
    yield "changes.html", "changes", {"steps": _steps(content)}
    yield "downloads.html", "downloads", {"shown": shown, "results": content.results}


def _charts(home: Home) -> dict[str, str]:
    """Return quality against latency and against cost, as SVG; without points no chart."""
    keys = [column.key for column in home.columns]
    charts = {}
    for key, effort, note in (
        ("p50", f"p50 latency on {home.timed_on}, ms", "; ".join(home.machines)),
        ("usd", f"USD per 1,000 queries on {home.timed_on}", "prices as stated on the task's page"),
    ):
        points = []
        for entry in home.ranked:
            figure = entry.cells[keys.index(key)].sort
            if entry.place and isinstance(figure, int | float) and figure > 0:
                points.append(Point(entry.name, entry.kind, figure, entry.place.value))
        if points:
            charts[key] = pareto_svg(points, effort, "mean nDCG@10", note)
    return charts


def _steps(content: Content) -> list[tuple[str, Release | None, Release, tuple[Change, ...]]]:
    """Return (title, earlier, later, what changed), from today back to the first release."""
    now = freeze(content.results, "now", "")
    releases = [*content.released, now]
    steps = []
    for number in range(len(releases) - 1, -1, -1):
        later = releases[number]
        earlier = releases[number - 1] if number else None
        title = "Since the last release" if later is now else f"Release {later.name}"
        found = changes(earlier.cells, later.cells) if earlier else ()
        if later is not now or earlier:
            steps.append((title, earlier, later, found))
    return steps
