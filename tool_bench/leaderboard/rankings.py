"""What every method ranked for every query of a task, as one array.

The files were checked by their hashes when the results were read, so that they are parsed here by
a library that is quick and says less about a broken line than :func:`tool_bench.runs.read_run`.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.errors import DataError
from tool_bench.runs import DEPTH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLUMNS = ("query", "q0", "tool", "rank", "score", "tag")


@dataclass(frozen=True, slots=True)
class Rankings:
    """The runs of several methods on the same queries."""

    tools: tuple[str, ...]
    """Ids of all tools that are ranked anywhere."""
    ranked: NDArray[np.int32]
    """Rows of ``tools``, best first, shape (queries, methods, 10); -1 where a ranking has ended."""


def read_rankings(paths: Sequence[Path], queries: Sequence[str]) -> Rankings:
    """Read one run file per method.

    Args:
        paths: gzipped TREC runs, as the store keeps them.
        queries: their ids, in the order wanted; what a run says of others is left out.

    Raises:
        DataError: a file is no run.
    """
    import numpy as np

    row_of = {query: row for row, query in enumerate(queries)}
    tool_of: dict[str, int] = {}
    ranked = np.full((len(queries), len(paths), DEPTH), -1, dtype=np.int32)
    for method, path in enumerate(paths):
        asked, found, ranks = _columns(path)
        rows = _mapped(asked, row_of)
        for name in found[1]:
            tool_of.setdefault(name, len(tool_of))
        tools = _mapped(found, tool_of)
        kept = (rows >= 0) & (ranks >= 1) & (ranks <= DEPTH)
        ranked[rows[kept], method, ranks[kept] - 1] = tools[kept]
    return Rankings(tools=tuple(tool_of), ranked=ranked)


_Coded = tuple["NDArray[np.int32]", Sequence[str]]
"""(for each line a place in the values, the values)."""


def _columns(path: Path) -> tuple[_Coded, _Coded, NDArray[np.int32]]:
    """Return queries, tools and ranks of a run's lines."""
    import pyarrow as pa
    from pyarrow import csv

    word = pa.dictionary(pa.int32(), pa.string())
    try:
        table = csv.read_csv(
            io.BytesIO(gzip.decompress(path.read_bytes())),
            read_options=csv.ReadOptions(column_names=_COLUMNS, use_threads=False),
            parse_options=csv.ParseOptions(delimiter=" ", quote_char=False),
            convert_options=csv.ConvertOptions(
                include_columns=["query", "tool", "rank"],
                column_types={"query": word, "tool": word, "rank": pa.int32()},
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowInvalid, OSError, EOFError, zlib.error) as error:
        if "Empty CSV" in str(error):
            return _nothing()
        raise DataError(path, f"is no run: {error}") from None
    table = table.unify_dictionaries().combine_chunks()
    coded = [table[name].chunk(0) for name in ("query", "tool")] if table.num_rows else None
    if coded is None:
        return _nothing()
    queries, tools = (
        (column.indices.to_numpy(), column.dictionary.to_pylist()) for column in coded
    )
    return queries, tools, table["rank"].to_numpy()


def _nothing() -> tuple[_Coded, _Coded, NDArray[np.int32]]:
    import numpy as np

    none = np.empty(0, dtype=np.int32)
    return (none, ()), (none, ()), none


def _mapped(coded: _Coded, places: Mapping[str, int]) -> NDArray[np.int32]:
    """Return the place of each line's value, -1 for a value that has none."""
    import numpy as np

    codes, values = coded
    place: NDArray[np.int32] = np.array([places.get(value, -1) for value in values], np.int32)
    return place[codes]
