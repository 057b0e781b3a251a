"""The results folder: ``<baseline>/<task>.json`` and the files it names.

The JSON is written last and names its files by hash, so a result is there whole or not at all.
Every file is written beside its place and moved into it.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_bench.errors import DataError, ToolBenchError
from tool_bench.measures import MEASURES, PerQuery
from tool_bench.runs import gzip_fixed

if TYPE_CHECKING:
    from tool_bench.results import Result


_ABANDONED_S = 3_600


def default_folder() -> Path:
    """Return the checkout's ``results``, or ``results`` in the working folder when installed."""
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / "results"
    return Path.cwd() / "results"


def folder_name(baseline: str) -> str:
    """Return the folder of a baseline; hub names hold a slash."""
    return baseline.replace("/", "__")


def result_path(results: Path, task: str, baseline: str) -> Path:
    """Return where the JSON of a cell lies."""
    return results / folder_name(baseline) / f"{task}.json"


def read_key(results: Path, task: str, baseline: str) -> dict[str, str] | None:
    """Return the key of a stored cell; None where there is no whole result.

    Cheap: nothing is validated beyond what decides whether the cell must run.
    """
    path = result_path(results, task, baseline)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        for scope in record["scopes"].values():
            for file in (scope["run"], scope["per_query"]):
                if _sha256(path.parent / file["name"]) != file["sha256"]:
                    return None
        return dict(record["key"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def read_result(path: Path) -> Result:
    """Read and validate one result.

    Raises:
        DataError: the file is no result of this schema, with the first field that is wrong.
    """
    from pydantic import ValidationError

    from tool_bench.results import Result

    try:
        return Result.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise DataError(path, f"{first['msg']} (delete it and run the cell again)", field) from None


def read_results(results: Path) -> Iterator[Result]:
    """Yield every stored result, by path."""
    for path in sorted(results.glob("*/*.json")):
        yield read_result(path)


def write(results: Path, result: Result, files: Mapping[str, bytes]) -> None:
    """Store ``result`` and the files it names, the JSON last.

    Raises:
        ToolBenchError: the folder cannot be written; earlier results are untouched.
    """
    path = result_path(results, result.task, result.baseline)
    for name, data in files.items():
        write_atomically(path.parent / name, data)
    text = json.dumps(result.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_atomically(path, (text + "\n").encode("utf-8"))


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` whole or not at all; a file that has these bytes is left alone.

    Raises:
        ToolBenchError: the folder cannot be written (permission, full disk).
    """
    temporary: str | None = None
    try:
        if path.is_file() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        raise ToolBenchError(
            f"cannot write {path}: {error.strerror or error}. Earlier results are untouched."
        ) from None


def check_writable(results: Path) -> None:
    """Raise ToolBenchError now rather than after the first cell, if ``results`` is not writable."""
    probe = results / ".write-test"
    write_atomically(probe, b"")
    probe.unlink(missing_ok=True)


def sweep(results: Path) -> None:
    """Remove temporary files that a run killed over an hour ago left behind."""
    for path in results.glob("*/.*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()


def per_query_csv(scores: PerQuery) -> bytes:
    """Return per-query scores as gzipped CSV: ``query`` and one column per measure."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["query", *MEASURES])
    for query_id in scores[MEASURES[0]]:
        writer.writerow([query_id, *(f"{scores[m][query_id]:.6g}" for m in MEASURES)])
    return gzip_fixed(buffer.getvalue())


def read_per_query(path: Path) -> PerQuery:
    """Read what :func:`per_query_csv` wrote."""
    text = gzip.decompress(path.read_bytes()).decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    return {m: {row["query"]: float(row[m]) for row in rows} for m in MEASURES}


def content_hash(data: bytes) -> str:
    """Return the hex sha256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def as_json(value: Any) -> str:
    """Return ``value`` as stable JSON text."""
    return json.dumps(value, indent=1, ensure_ascii=False)


def _sha256(path: Path) -> str:
    return content_hash(path.read_bytes())
