"""Writes the query explorer's files of all tables, and keeps what the tasks' pages show of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from tool_bench.at_hand import AtHand, at_hand
from tool_bench.errors import DataError
from tool_bench.hardware import cores
from tool_bench.leaderboard import explorer, queries
from tool_bench.leaderboard.rankings import read_rankings
from tool_bench.leaderboard.scores import scores_of
from tool_bench.progress import report
from tool_bench.store import result_path

if TYPE_CHECKING:
    from tool_bench.dataset import Scope
    from tool_bench.leaderboard.output import Output
    from tool_bench.leaderboard.queries import ProviderScores, ShownQuery
    from tool_bench.leaderboard.rankings import Rankings
    from tool_bench.leaderboard.scores import Scores
    from tool_bench.leaderboard.view import Table, TaskSection

_LOADING = Lock()
"""Tasks share files, and two threads must not copy the same one at once."""


@dataclass(frozen=True, slots=True)
class TableQueries:
    """What a task's page shows of one table's queries."""

    scores: Scores
    examples: tuple[ShownQuery, ...]
    hardest: tuple[ShownQuery, ...]
    providers: tuple[ProviderScores, ...]
    without_data: str | None
    """Why there are ids in place of texts; None where there are texts."""
    damaged: DataError | None
    """The same for data that is here and cannot be read."""


def explore(
    sections: Sequence[TaskSection], results: Path, pages: Mapping[str, str], output: Output
) -> dict[str, TableQueries]:
    """Write ``explore/<table>/*.js`` for every table.

    Args:
        sections: tasks with their tables.
        results: the results folder.
        pages: task or method -> the name of its page.
        output: where the files go.

    Returns:
        Table's anchor -> what is shown of its queries.
    """
    found: dict[str, TableQueries] = {}
    done = 0

    def one(section: TaskSection) -> dict[str, TableQueries]:
        return dict(_explored(section, results, pages, output))

    with ThreadPoolExecutor(cores()) as pool:
        for tables in pool.map(one, sections):
            found |= tables
            done += 1
            report("queries", done, len(sections))
    return found


def _explored(
    section: TaskSection, results: Path, pages: Mapping[str, str], output: Output
) -> list[tuple[str, TableQueries]]:
    shown = []
    known: dict[str, AtHand] = {}
    for table in section.tables:
        sha256 = table.rows[0].result.data.sha256
        if sha256 not in known:
            with _LOADING:
                known[sha256] = at_hand(section.name, sha256)
        data = known[sha256]
        scope: Scope = "scoped" if table.scope == "scoped" else "global"
        own = explorer.explored(*_read(table, results), pages, data.dataset, scope)
        for name, content in explorer.files(own):
            output.write(f"explore/{pages[table.anchor]}/{name}", content)
        shown.append(
            (
                table.anchor,
                TableQueries(
                    scores=own.scores,
                    examples=queries.examples(own),
                    hardest=queries.hardest(own),
                    providers=queries.providers(own),
                    without_data="its data is damaged" if data.damaged else data.reason,
                    damaged=DataError(section.name, data.reason or "") if data.damaged else None,
                ),
            )
        )
    return shown


def _read(table: Table, results: Path) -> tuple[Scores, Rankings]:
    scores, runs = [], []
    for row in table.rows:
        folder = result_path(results, row.result.task, row.result.baseline).parent
        stored = row.result.scopes[table.scope]
        scores.append((row.result.baseline, folder / stored.per_query.name))
        runs.append(folder / stored.run.name)
    read = scores_of(scores)
    return read, read_rankings(runs, read.queries)
