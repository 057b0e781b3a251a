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
from pathlib import Path

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

    Args:
        queries: what was asked.
        rankings: what came back, one for each query.
        scopes: the candidates of each query; None means the catalogue.
        k: how many tools are kept.
        catalogue: the ids of all tools.

    Raises:
        RetrieverError: the contract of :class:`~tool_bench.retriever.Retriever` is broken.
    """
    if len(rankings) != len(queries):
        raise RetrieverError(f"{len(rankings)} rankings for {len(queries)} queries")
    run: dict[str, Ranking] = {}
    for query, ranking, candidates in zip(queries, rankings, scopes, strict=True):
        allowed = catalogue if candidates is None else frozenset(candidates)
        seen: set[str] = set()
        for tool_id, score in ranking:
            if not math.isfinite(score):
                raise RetrieverError(f"query '{query.id}': score of '{tool_id}' is {score}")
            if tool_id in seen:
                raise RetrieverError(f"query '{query.id}': '{tool_id}' is ranked twice")
            if tool_id not in allowed:
                raise RetrieverError(f"query '{query.id}': '{tool_id}' is out of scope")
            seen.add(tool_id)
        best = sorted(ranking, key=lambda pair: (-pair[1], tie_key(pair[0])))[:k]
        run[query.id] = _strictly_falling(best)
    return run


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
