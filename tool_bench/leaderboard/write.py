"""Writes every page and file of the board but the explorer's pieces."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_bench.leaderboard import view
from tool_bench.leaderboard.documents import documents
from tool_bench.leaderboard.exports import exports
from tool_bench.leaderboard.folders import docs_folder, site_folder
from tool_bench.leaderboard.pages import Templates
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

DOCS = "docs/index.html"


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
            "task_names": {section.name for section in content.sections},
            "method_names": {method.name for method in content.methods},
            "build": _identity(content),
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
    texts = list(documents(docs_folder(), repository))
    for document in texts:
        path = f"docs/{document.path}"
        output.write(path, templates.render("document", path, document=document))
    output.write(DOCS, templates.render("documents", DOCS, documents=texts))
    for name, text in exports(shown, content.methods, content.home.overall, content.pages):
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
            "methods": content.methods,
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
    yield "downloads.html", "downloads", {"shown": shown}


def _charts(home: Home) -> dict[str, str]:
    """Return quality against latency and against cost, as SVG; without points no chart.

    Latencies of different machines cannot be compared, so that chart has the methods of one.
    """
    machines = Counter(entry.machine for entry in home.ranked if entry.machine)
    machine = machines.most_common(1)[0][0] if machines else ""
    others = sum(machines.values()) - machines[machine]
    note = f"one query at a time on {machine}"
    charts = {}
    for key, effort, told in (
        (
            "p50",
            f"p50 latency on {home.timed_on}, ms",
            note + (f"; {others} measured elsewhere left out" if others else ""),
        ),
        ("usd", f"USD per 1,000 queries on {home.timed_on}", "prices as on the task's page"),
    ):
        points = [
            Point(
                name=entry.name,
                kind=entry.kind,
                effort=figure,
                quality=entry.place.score.value,
            )
            for entry in home.ranked
            if entry.place and isinstance(figure := entry.cells[key].sort, int | float)
            if figure > 0 and (key != "p50" or entry.machine == machine)
        ]
        if points:
            charts[key] = pareto_svg(points, effort, "mean nDCG@10", told)
    return charts


def _identity(content: Content) -> str:
    """Return what tells this board's pieces from those of another that a browser has kept."""
    files = [
        (result.task, result.baseline, scope.run.sha256, scope.per_query.sha256)
        for result in content.results
        for scope in result.scopes.values()
    ]
    texts = [(name, own.without_data) for name, own in content.queries.items()]
    return hashlib.sha256(repr((sorted(files), sorted(texts, key=str))).encode()).hexdigest()[:12]


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
