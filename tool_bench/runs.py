"""Runs: what a method ranked for each query, settled once and kept in TREC's format.

The order in a run is the order that is scored. Ties are broken here and nowhere else, and scores
are written strictly falling, so that trec_eval, which sorts by score and breaks ties by document
id, sees the same order.
"""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Container, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from tool_bench.dataset import Scope, ToolDataset
from tool_bench.errors import DataError, RetrieverError
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Ranking, tie_key

Run = Mapping[str, Ranking]
"""Query id -> ranking, best first."""

DEPTH = 10
"""How many tools a run keeps for each query."""

_COLUMNS = 6
_DIGITS = 5  # of a written score: the order is what counts, and runs are committed
_RELATIVE_STEP = 2e-4  # at least one unit of the last written digit
_ABSOLUTE_STEP = 1e-9


def settle(
    queries: Sequence[Query],
    rankings: Sequence[Ranking],
    scopes: Sequence[Candidates],
    k: int,
    catalogue: Container[str],
) -> Run:
    """Check what a retriever returned, break ties, and cut each ranking at ``k``.

    Rankings of fewer than ``k`` tools pass: :func:`short` says which they are.

    Args:
        queries: what was asked.
        rankings: what came back, one for each query.
        scopes: the candidates of each query; None means the catalogue.
        k: how many tools are kept.
        catalogue: the ids of all tools.

    Raises:
        RetrieverError: the contract of :class:`~tool_bench.retriever.Retriever` is broken.
    """
    if not _is_row(rankings):
        raise RetrieverError(f"search returned {_shown(rankings)}, not a list of rankings")
    if len(rankings) != len(queries):
        first = f", none for '{queries[len(rankings)].id}'" if len(rankings) < len(queries) else ""
        raise RetrieverError(f"{len(rankings)} rankings for {len(queries)} queries{first}")
    run: dict[str, Ranking] = {}
    for query, ranking, candidates in zip(queries, rankings, scopes, strict=True):
        allowed = catalogue if candidates is None else frozenset(candidates)
        try:
            scores = _checked(ranking, catalogue, allowed)
        except RetrieverError as error:
            raise RetrieverError(f"query '{query.id}': {error}") from None
        best = sorted(scores.items(), key=lambda pair: (-pair[1], tie_key(pair[0])))[:k]
        run[query.id] = _strictly_falling(best)
    return run


def _checked(ranking: Any, catalogue: Container[str], allowed: Container[str]) -> dict[str, float]:
    """Return tool id -> score of what a method returned for one query, which may be anything."""
    if not _is_row(ranking):
        raise RetrieverError(f"its ranking is {_shown(ranking)}, not (tool id, score) pairs")
    scores: dict[str, float] = {}
    for pair in ranking:
        if not _is_row(pair) or len(pair) != 2:  # noqa: PLR2004  a pair
            raise RetrieverError(f"ranks {_shown(pair)}, not a (tool id, score) pair")
        tool_id, score = pair
        if not isinstance(tool_id, str):
            raise RetrieverError(f"ranks {_shown(tool_id)}, which is no tool's id")
        if not isinstance(score, Real):
            raise RetrieverError(f"score of '{tool_id}' is {_shown(score)}, not a number")
        value = _as_float(score)
        if not math.isfinite(value):
            raise RetrieverError(f"score of '{tool_id}' is {value}")
        if tool_id in scores:
            raise RetrieverError(f"'{tool_id}' is ranked twice")
        if tool_id not in allowed:
            where = "out of scope" if tool_id in catalogue else "no tool of the catalogue"
            raise RetrieverError(f"'{tool_id}' is {where}")
        scores[tool_id] = value
    return scores


def _as_float(score: Real) -> float:
    try:
        return float(score)
    except OverflowError:
        return math.inf


def _is_row(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {repr(value)[:40]}"


def short(run: Run, dataset: ToolDataset, scope: Scope) -> list[str]:
    """Return the queries that got fewer than :data:`DEPTH` tools although there are more."""

    def enough(candidates: Candidates) -> int:
        return min(DEPTH, len(dataset.tools) if candidates is None else len(candidates))

    return [
        query.id
        for query in dataset.queries
        if len(run.get(query.id, ())) < enough(dataset.candidates(scope, query))
    ]


def _strictly_falling(ranking: Sequence[tuple[str, float]]) -> Ranking:
    falling: list[tuple[str, float]] = []
    ceiling = math.inf
    for tool_id, score in ranking:
        written = float(f"{min(score, ceiling):.{_DIGITS}g}")
        falling.append((tool_id, written))
        ceiling = written - max(abs(written) * _RELATIVE_STEP, _ABSOLUTE_STEP)
    return tuple(falling)


def to_trec(run: Run, tag: str) -> bytes:
    """Return ``run`` as gzipped TREC lines; equal runs give equal bytes."""
    text = "".join(
        f"{query_id} Q0 {tool_id} {rank} {score:.{_DIGITS}g} {tag}\n"
        for query_id, ranking in run.items()
        for rank, (tool_id, score) in enumerate(ranking, start=1)
    )
    return gzip_fixed(text)


def gzip_fixed(text: str) -> bytes:
    """Compress ``text`` with no time stamp and no file name in the header."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as file:
        file.write(text.encode("utf-8"))
    return buffer.getvalue()


def read_run(path: Path) -> Run:
    """Read a TREC run file, gzipped or plain.

    Raises:
        DataError: the file or a line cannot be read, ranks are not 1, 2, 3…, or scores do not
            fall strictly from rank to rank.
    """
    run: dict[str, list[tuple[str, float]]] = {}
    for number, line in enumerate(_lines(path), start=1):
        where = f"line {number}"
        cells = line.split()
        if len(cells) != _COLUMNS:
            raise DataError(
                path, f"{len(cells)} columns, expected {_COLUMNS} (TREC run format)", where
            )
        query_id, _, tool_id, rank, score_text, _ = cells
        ranking = run.setdefault(query_id, [])
        try:
            score = float(score_text)
        except ValueError:
            raise DataError(path, f"score '{score_text}' is not a number", where) from None
        if rank != str(len(ranking) + 1):
            raise DataError(path, f"rank {rank}, expected {len(ranking) + 1}", where)
        if not math.isfinite(score) or (ranking and score >= ranking[-1][1]):
            raise DataError(path, f"score {score_text} does not fall from the rank above", where)
        ranking.append((tool_id, score))
    return {query_id: tuple(ranking) for query_id, ranking in run.items()}


def _lines(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        return data.decode("utf-8").splitlines()
    except FileNotFoundError:
        raise DataError(path, "the file does not exist") from None
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise DataError(path, f"cannot be read: {error}") from None
