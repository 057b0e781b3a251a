"""The board as files for programs: ``leaderboard.json``, its schema, and every table as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tool_bench import __version__
from tool_bench.leaderboard.printed import Score, describe
from tool_bench.leaderboard.schema import (
    BoardOverall,
    BoardPlace,
    BoardRow,
    BoardTable,
    BoardTask,
    Leaderboard,
)
from tool_bench.results import Estimate

if TYPE_CHECKING:
    from tool_bench.leaderboard.methods import MethodPage
    from tool_bench.leaderboard.overall import Overall
    from tool_bench.leaderboard.view import Row, Table, TaskSection

RUNS = "../runs"
"""Where the run files are, from the folder of the exports."""

Record = Mapping[str, str | float | int | None]


def exports(
    sections: Sequence[TaskSection],
    methods: Sequence[MethodPage],
    ranking: Overall,
    pages: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    """Yield (file name, content) of everything that programs read.

    Args:
        sections: tasks with their tables.
        methods: with what they declared.
        ranking: over several tasks.
        pages: table's anchor or method -> the name of its files.
    """
    board = leaderboard(sections, methods, ranking, pages)
    yield "leaderboard.json", _json(board.model_dump(mode="json"))
    yield "leaderboard.schema.json", _json(Leaderboard.model_json_schema())
    yield from _table("overall", _overall(board))
    for section in sections:
        for table in section.tables:
            yield from _table(pages[table.anchor], [_record(row) for row in table.rows])
            if table.slices:
                yield from _table(f"{pages[table.anchor]}-slices", _slices(table))


def leaderboard(
    sections: Sequence[TaskSection],
    methods: Sequence[MethodPage],
    ranking: Overall,
    pages: Mapping[str, str],
) -> Leaderboard:
    """Return the whole board as one record; takes what :func:`exports` does."""
    return Leaderboard(
        tool_bench=__version__,
        overall=BoardOverall(
            weights=dict(ranking.weights),
            places=[
                BoardPlace(
                    method=method,
                    rank=place.rank,
                    mean=Estimate(
                        value=place.score.value, low=place.score.low, high=place.score.high
                    ),
                )
                for method, place in ranking.places.items()
            ],
        ),
        tasks=[
            BoardTask(
                name=section.name,
                description=section.task.description,
                reference=section.task.reference,
                license=section.task.license,
                tools=section.task.tools,
                queries=section.task.queries,
            )
            for section in sections
            if section.task
        ],
        methods={method.name: method.card for method in methods},
        tables=[_board_table(s.name, table, pages) for s in sections for table in s.tables],
    )


def _board_table(task: str, table: Table, pages: Mapping[str, str]) -> BoardTable:
    some = table.rows[0].result
    return BoardTable(
        task=task,
        scope=table.scope,
        headline=table.headline,
        revision=table.revision,
        sha256=some.data.sha256,
        counts=dict(table.counts),
        rows=[_board_row(row, table, pages) for row in table.rows],
    )


def _board_row(row: Row, table: Table, pages: Mapping[str, str]) -> BoardRow:
    result, standing = row.result, row.standing
    stored = result.scopes[table.scope]
    folder = f"{RUNS}/{pages[result.baseline]}"
    return BoardRow(
        method=result.baseline,
        evidence=result.evidence,
        rank=standing.rank,
        p=standing.p,
        rival=standing.rival,
        more_queries=standing.more_queries,
        measures=stored.slices[table.headline].measures,
        macro_hit1=stored.slices["all"].macro["Hit@1"],
        context_tokens=row.tokens,
        timing=result.timing,
        footprint=result.footprint,
        cost=row.cost,
        machine=describe(result.provenance) if result.timing else None,
        date=result.provenance.date,
        command=result.provenance.command,
        code_revision=result.provenance.code_revision,
        run=f"{folder}/{stored.run.name}",
        scores=f"{folder}/{stored.per_query.name}",
    )


def _overall(board: Leaderboard) -> list[Record]:
    return [
        {"method": p.method, "rank": p.rank, **_estimate("mean nDCG@10", p.mean)}
        for p in board.overall.places
    ]


def _record(row: Row) -> Record:
    result, timing, footprint = row.result, row.result.timing, row.result.footprint
    record: dict[str, str | float | int | None] = {
        "method": result.baseline,
        "kind": result.method.kind,
        "evidence": result.evidence,
        "rank": row.standing.rank,
    }
    for measure, score in row.scores.items():
        record |= _estimate(measure, score)
    record |= _estimate("Completeness@10", row.complete)
    record |= _estimate("Hit@1 by tool", row.macro)
    for name in ("p50", "p95", "p99"):
        quantile = timing.latency[name] if timing else None
        record[f"{name} ms"] = quantile.ms if quantile else None
        record[f"{name} ms low"] = quantile.low if quantile else None
        record[f"{name} ms high"] = quantile.high if quantile else None
    return record | {
        "machine": describe(result.provenance) if timing else None,
        "queries per s": timing.queries_per_s if timing else None,
        "load s": timing.load_s if timing else None,
        "index s": timing.index_s if timing else None,
        "usd per 1000": row.cost.usd_per_1000 if row.cost else None,
        "index usd": row.cost.index_usd if row.cost else None,
        "price": row.cost.basis if row.cost else None,
        "context tokens": row.tokens,
        "parameters": result.method.parameters,
        "model bytes": footprint.model_bytes if footprint else None,
        "index bytes": footprint.index_bytes if footprint else None,
        "peak memory MiB": footprint.peak_memory_mib if footprint else None,
        "license": result.method.license,
        "data": result.data.sha256,
        "date": result.provenance.date,
        "command": result.provenance.command,
    }


def _slices(table: Table) -> list[Record]:
    assert table.slices is not None
    return [
        {
            "method": method,
            "slice": name,
            "queries": queries,
            **{
                key: value
                for measure, scores in measures.items()
                for key, value in _estimate(measure, scores[number]).items()
            },
        }
        for method, measures in table.slices.rows
        for number, (name, queries) in enumerate(
            zip(table.slices.names, table.slices.queries, strict=True)
        )
    ]


def _estimate(measure: str, score: Score | Estimate) -> dict[str, str | float | int | None]:
    return {measure: score.value, f"{measure} low": score.low, f"{measure} high": score.high}


def _table(name: str, records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    yield f"{name}.json", _json(records)
    buffer = io.StringIO(newline="")
    if records:
        writer = csv.DictWriter(buffer, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows([{key: _safe(value) for key, value in r.items()} for r in records])
    yield f"{name}.csv", buffer.getvalue()


def _safe(value: str | float | None) -> str | float | None:
    """Return ``value`` as a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
