"""Reads the per-query scores that lie beside a result."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.errors import DataError
from tool_bench.measures import MEASURES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLUMNS = ["query", "cluster", "weight", *MEASURES]
_OLD = "it was written before scores had clusters and weights; 'tool-bench rescore' writes it anew"
_ROUNDING = 1e-4  # weights are written with six digits


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Every query of one scope, with its scores."""

    queries: tuple[str, ...]
    cluster: NDArray[np.intp]
    """Number of each query's cluster: 0, 1, 2…"""
    weight: NDArray[np.float64]
    """Each query's weight in the headline; they add up to 1."""
    scores: Mapping[str, NDArray[np.float64]]
    """Measure -> score of each query, in 0..1."""

    def pairs_with(self, other: ScoreTable) -> bool:
        """Tell whether ``other`` scores the same queries, clustered and weighted alike."""
        return (
            self.queries == other.queries
            and bool((self.cluster == other.cluster).all())
            and bool((self.weight == other.weight).all())
        )


def read_scores(path: Path) -> ScoreTable:
    """Read a per-query file as :func:`tool_bench.store.per_query_csv` writes it.

    Raises:
        DataError: the file is missing or cannot be read, lacks a column, or has a value that is
            none: a cluster that is no number, a weight below 0, a score outside 0..1.
    """
    import numpy as np

    rows = list(csv.reader(io.StringIO(_text(path), newline="")))
    header = rows[0] if rows else []
    if header != _COLUMNS:
        lacking = next((c for c in _COLUMNS if c not in header), "none")
        old = lacking in {"cluster", "weight"} and "query" in header
        raise DataError(path, _OLD if old else f"lacks column '{lacking}'", "header")
    numbers = np.empty((len(rows) - 1, len(_COLUMNS) - 1))
    for line, row in enumerate(rows[1:]):
        if len(row) != len(_COLUMNS):
            raise DataError(path, f"{len(row)} cells, expected {len(_COLUMNS)}", _line(line))
        try:
            numbers[line] = list(map(float, row[1:]))
        except ValueError:
            raise DataError(path, f"is no row of scores: {','.join(row)}", _line(line)) from None
    wrong = ~(np.isfinite(numbers).all(axis=1) & (numbers >= 0).all(axis=1))
    wrong |= (numbers[:, 2:] > 1).any(axis=1) | (numbers[:, 0] % 1 != 0)
    if wrong.any():
        line = int(wrong.argmax())
        raise DataError(path, f"a value is out of range: {','.join(rows[line + 1])}", _line(line))
    if not math.isclose(numbers[:, 1].sum(), 1, abs_tol=_ROUNDING):
        raise DataError(path, f"the weights add up to {numbers[:, 1].sum():.4g}, expected 1")
    _, cluster = np.unique(numbers[:, 0], return_inverse=True)
    return ScoreTable(
        queries=tuple(row[0] for row in rows[1:]),
        cluster=cluster,
        weight=numbers[:, 1] / numbers[:, 1].sum(),
        scores={m: numbers[:, column] for column, m in enumerate(MEASURES, start=2)},
    )


def _line(row: int) -> str:
    return f"line {row + 2}"


def _text(path: Path) -> str:
    try:
        return gzip.decompress(path.read_bytes()).decode("utf-8")
    except FileNotFoundError:
        raise DataError(path, "the file does not exist") from None
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise DataError(path, f"cannot be read: {error}") from None
