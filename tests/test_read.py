from __future__ import annotations

from pathlib import Path

import pytest

from tool_bench.data.read import need, read_csv, read_json
from tool_bench.errors import DataError


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "rows"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1,\n "b": }', "line 2: not valid JSON"),
        (b'["\xff"]', "not valid UTF-8 at byte 2"),
    ],
)
def test_broken_json_names_the_place(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=f"rows.*{message}"):
        read_json(write(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"line 1: header is \[\]"),
        (b"Query\n", "header is .*expected .*Tool"),
        (b"Query,Tool\na,b\nc\n", r"row 1 \(line 3\): 1 cells, expected 2 \(Query, Tool\)"),
        (b"Query,Tool\n\xff,b\n", "not valid UTF-8"),
    ],
)
def test_broken_csv_names_the_place(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read_csv(write(tmp_path, content), ("Query", "Tool")))


def test_csv_keeps_quoted_lines_together(tmp_path: Path) -> None:
    path = write(tmp_path, b'Query,Tool\n"two\nlines, and a comma",b\nc,d\n')
    assert list(read_csv(path, ("Query", "Tool"))) == [
        (0, ["two\nlines, and a comma", "b"]),
        (1, ["c", "d"]),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([], "row 3: expected an object, found list"),
        ({}, "row 3: field 'name' is missing"),
        ({"name": 1}, "row 3: field 'name' is int, expected str"),
    ],
)
def test_a_missing_field_is_named(row: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        need(row, "name", str, Path("rows.json"), "row 3")
