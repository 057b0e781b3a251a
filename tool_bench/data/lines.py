"""Lines, JSON and table rows of other people's files; what cannot be read is named with its line.

Streams rather than paths, so that the member of an archive is read like a file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any

from tool_bench.errors import DataError

LONGEST = 16 * 2**20
"""Bytes of a line, at most."""


def decoded(stream: IO[bytes] | BufferedIOBase, place: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 stream.

    Args:
        stream: the bytes.
        place: where they are from, for messages.

    Raises:
        DataError: a line is not UTF-8, or is longer than any row of such a file.
    """
    number = 0
    while line := stream.readline(LONGEST + 1):  # an archive may unpack to any length
        number += 1
        if len(line) > LONGEST:
            raise DataError(place, f"the line is longer than {LONGEST:,} bytes", f"line {number}")
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            problem = (
                f"not valid UTF-8 at byte {error.start} of the line; if the file is in another "
                "encoding, convert it: iconv -f ENCODING -t UTF-8"
            )
            raise DataError(place, problem, f"line {number}") from None


def parsed(text: str, place: Path, where: str) -> Any:
    """Return the JSON value of ``text``.

    Raises:
        DataError: it is not valid JSON.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise DataError(place, "not valid JSON: it is nested too deeply", where) from None
    except ValueError as error:
        raise DataError(place, f"not valid JSON: {error}", where) from None


def whole(value: Any) -> Any:
    """Return a JSON value with halves of characters replaced by U+FFFD.

    JSON can write half a character as an escape; no file and no tokenizer takes one.
    """
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {whole(key): whole(item) for key, item in value.items()}
    return value


def json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, object) of a file with one JSON object a line.

    Raises:
        DataError: the file is not there or empty, or a line is not UTF-8 or no JSON object.
    """
    if not path.is_file():
        raise DataError(path, "the file does not exist")
    number = 0
    with path.open("rb") as stream:
        for number, line in enumerate(decoded(stream, path), start=1):
            where = f"line {number}"
            if not line.strip():
                raise DataError(path, "the line is empty; remove it", where)
            if "\r" in line.rstrip("\r\n"):  # where other readers begin a new line
                raise DataError(path, "a carriage return stands inside the line", where)
            row = parsed(line, path, where)
            if not isinstance(row, dict):
                problem = f"expected an object, found {type(row).__name__}"
                raise DataError(path, problem, where)
            yield where, row
    if not number:
        raise DataError(path, "the file is empty")


def table_rows(
    stream: IO[bytes], place: Path, columns: tuple[str, ...]
) -> Iterator[tuple[str, list[str]]]:
    """Yield (place, cells) of a tab-separated stream; cells may be quoted as pandas quotes them.

    Args:
        stream: the bytes.
        place: where they are from, for messages.
        columns: what each row must have.

    Raises:
        DataError: a row has another number of cells, a quote is not closed, it is not UTF-8.
    """
    csv.field_size_limit(LONGEST)  # a document may be longer than the default of 131,072
    rows = csv.reader(decoded(stream, place), delimiter="\t", strict=True)
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise DataError(place, f"not a table: {error}", f"line {rows.line_num}") from None
        if row is None:
            return
        where = f"line {rows.line_num}"
        if len(row) != len(columns):
            problem = (
                f"{len(row)} columns, expected {len(columns)} ({', '.join(columns)}), "
                "separated by tabs"
            )
            raise DataError(place, problem, where)
        yield where, row


def need_id(text: Any, place: Path, where: str) -> str:
    """Return ``text``, which must be fit to be an id.

    Raises:
        DataError: it is no string, is empty, or holds whitespace or half a character.
    """
    if not isinstance(text, str):
        problem = f"the id {text!r} is {type(text).__name__}, expected a string"
        raise DataError(place, problem, where)
    if text.split() != [text]:
        problem = (
            f"the id {text!r} is empty or holds whitespace, at which run files are split; replace "
            "it in every file, for example by '_'"
        )
        raise DataError(place, problem, where)
    if whole(text) != text:
        raise DataError(place, f"the id {text!r} holds half a character", where)
    return text
