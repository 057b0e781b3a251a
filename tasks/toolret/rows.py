"""The rows of ToolRet's files, parquet or JSON: the hub's columns, with JSON inside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tool_bench.data.lines import whole
from tool_bench.data.read import read_json
from tool_bench.errors import DataError

Row = tuple[str, dict[str, Any]]
"""(where it stands, its fields)."""


def rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield each row of ``path`` with its ``columns``; the suffix says how to read it.

    Raises:
        DataError: the file cannot be read or lacks a column.
    """
    yield from _parquet(path, columns) if path.suffix == ".parquet" else _json(path)


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            lacking = [c for c in columns if c not in file.schema_arrow.names]
            if lacking:
                raise DataError(path, f"column '{lacking[0]}' is missing")
            found = file.read(columns=list(columns)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        problem = " ".join(str(error).split())
        raise DataError(path, f"not a readable parquet file: {problem}") from None
    for number, row in enumerate(found):
        yield f"row {number}", row


def _json(path: Path) -> Iterator[Row]:
    found = read_json(path)
    if not isinstance(found, list):
        raise DataError(path, f"expected a list, found {type(found).__name__}")
    for number, row in enumerate(found):
        yield f"row {number}", whole(row)


def decoded(row: dict[str, Any], field: str, path: Path, where: str) -> Any:
    """Return ``row[field]`` decoded: JSON in a string on the hub, already decoded in copies.

    Raises:
        DataError: it is missing or not JSON.
    """
    if field not in row:
        raise DataError(path, f"field '{field}' is missing", where)
    value = row[field]
    if not isinstance(value, str):
        return value
    try:
        return whole(json.loads(value))
    except RecursionError:
        raise DataError(path, f"field '{field}' is nested too deeply", where) from None
    except json.JSONDecodeError as error:
        problem = f"field '{field}' is not valid JSON: {error.msg} at character {error.pos}"
        raise DataError(path, problem, where) from None
