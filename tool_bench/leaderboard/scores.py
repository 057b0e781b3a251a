"""The scores of every method of a table on every query, as one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.errors import DataError
from tool_bench.per_query import read_scores
from tool_bench.ranking import RANKED_BY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Scores:
    """What methods are ranked by, on each query of one table."""

    methods: tuple[str, ...]
    queries: tuple[str, ...]
    cluster: NDArray[np.intp]
    """Number of each query's cluster: 0, 1, 2…"""
    weight: NDArray[np.float64]
    """Each query's weight in the headline; they add up to 1."""
    values: NDArray[np.float64]
    """nDCG@10, shape (queries, methods)."""


def scores_of(files: Sequence[tuple[str, Path]]) -> Scores:
    """Read the per-query files of one table.

    Args:
        files: (method, its file), at least one.

    Raises:
        DataError: a file cannot be read, or scores other queries than the first.
    """
    import numpy as np

    shared, columns = None, []
    for _, path in files:
        table = read_scores(path)
        shared = shared or table
        if not shared.pairs_with(table):
            raise DataError(path, f"scores other queries than {files[0][1]}")
        columns.append(table.scores[RANKED_BY])
    assert shared is not None
    return Scores(
        methods=tuple(method for method, _ in files),
        queries=shared.queries,
        cluster=shared.cluster,
        weight=shared.weight,
        values=np.stack(columns, axis=1),
    )
