"""Read upstream files; what cannot be read is named with its file and row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tool_bench.errors import DataError


def read_json(path: Path) -> Any:
    """Return the parsed content of a UTF-8 JSON file.

    Raises:
        DataError: the file is not valid UTF-8 or JSON, with the line.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(path, f"not valid JSON: {error.msg}", f"line {error.lineno}") from None
    except UnicodeDecodeError as error:
        raise DataError(path, f"not valid UTF-8 at byte {error.start}") from None


def read_csv(path: Path, header: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield (row number, cells) of a UTF-8 CSV file; row 0 is the first row after the header.

    Raises:
        DataError: the header or the number of cells of a row differs, or it is not UTF-8.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        try:
            found = next(rows, [])
            if found != list(header):
                raise DataError(path, f"header is {found}, expected {list(header)}", "line 1")
            for number, row in enumerate(rows):
                if len(row) != len(header):
                    raise DataError(
                        path,
                        f"{len(row)} cells, expected {len(header)} ({', '.join(header)})",
                        f"row {number} (line {rows.line_num})",
                    )
                yield number, row
        except UnicodeDecodeError as error:
            raise DataError(path, f"not valid UTF-8 at byte {error.start}") from None


def need(row: Any, field: str, kind: type, path: Path, where: str) -> Any:
    """Return ``row[field]``, which must be there and of type ``kind``.

    Raises:
        DataError: it is not, with the file and the place ``where``.
    """
    if not isinstance(row, dict):
        raise DataError(path, f"expected an object, found {type(row).__name__}", where)
    if field not in row:
        raise DataError(path, f"field '{field}' is missing", where)
    value = row[field]
    if not isinstance(value, kind):
        raise DataError(
            path,
            f"field '{field}' is {type(value).__name__}, expected {kind.__name__}",
            where,
        )
    return value
