"""What a method's page shows: the method, and all its results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tool_bench.leaderboard.overall import Overall, Place
    from tool_bench.leaderboard.view import Row, Table, TaskSection
    from tool_bench.reproduced import Recorded
    from tool_bench.results import MethodCard


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One row of one table."""

    task: str
    table: Table
    row: Row
    of: int
    """How many methods the table has."""
    verdict: Recorded | None
    """Of running the cell again; None where nobody has, or the result was replaced since."""


@dataclass(frozen=True, slots=True)
class MethodPage:
    """One method."""

    name: str
    card: MethodCard
    """As it declared itself in its newest result."""
    place: Place | None
    missing: tuple[str, ...]
    """The tasks of the ranking that it lacks."""
    results: tuple[MethodResult, ...]


def methods(
    sections: Iterable[TaskSection],
    ranking: Overall,
    verdicts: Mapping[str, Recorded],
) -> tuple[MethodPage, ...]:
    """Return every method that has a result, by name.

    Args:
        sections: what the tasks' pages show.
        ranking: over all tasks.
        verdicts: ``task/method`` -> the last verdict on the stored result.
    """
    results: dict[str, list[MethodResult]] = {}
    for section in sections:
        for table in section.tables:
            for row in table.rows:
                name = row.result.baseline
                verdict = verdicts.get(f"{section.name}/{name}")
                shown = MethodResult(section.name, table, row, len(table.rows), verdict)
                results.setdefault(name, []).append(shown)
    return tuple(
        MethodPage(
            name=name,
            card=max((r.row.result for r in own), key=lambda r: (r.provenance.date, r.task)).method,
            place=ranking.places.get(name),
            missing=tuple(t for t in ranking.weights if t not in {r.task for r in own}),
            results=tuple(own),
        )
        for name, own in sorted(results.items())
    )
