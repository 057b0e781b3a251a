"""The results folder: ``<baseline>/<task>.json`` and the files it names.

The JSON is written last and names its files by hash, so a result is there whole or not at all.
Every file is written beside its place and moved into it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_bench import memo
from tool_bench.errors import DataError, ToolBenchError
from tool_bench.measures import MEASURES, PerQuery
from tool_bench.runs import gzip_fixed

if TYPE_CHECKING:
    from tool_bench.results import Result


_ABANDONED_S = 3_600
_TEMPORARY = ".tool-bench-tmp-"
_WAY_OUT = "delete it and run the cell again"


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
        record = memo.of_file(path, _key_and_files)
        named = record["files"].items()
        whole = all(memo.of_file(path.parent / name, _hash_of) == sha for name, sha in named)
        return dict(record["key"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _key_and_files(path: Path) -> dict[str, Any]:
    """Return the key of a result that was measured, and its files' names and hashes."""
    record = json.loads(path.read_text(encoding="utf-8"))
    scopes = record["scopes"].values()
    files = [scope[name] for scope in scopes for name in ("run", "per_query")]
    if not record["timing"]:
        raise ValueError("it was not measured here")
    return {"key": record["key"], "files": {file["name"]: file["sha256"] for file in files}}


def _hash_of(path: Path) -> str:
    return content_hash(path.read_bytes())


def read_result(path: Path) -> Result:
    """Read and validate one result and the hashes of its files.

    Raises:
        DataError: the file is no result of this schema, with the first field that is wrong, or a
            file that it names is missing or another.
    """
    from pydantic import ValidationError

    from tool_bench.results import Result

    try:
        result = Result.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise DataError(path, f"{first['msg']} ({_WAY_OUT})", field) from None
    named = [f.model_dump() for s in result.scopes.values() for f in (s.run, s.per_query)]
    damaged = _damaged(path, named)
    if damaged:
        raise DataError(path.parent / damaged, f"is not the file its result names ({_WAY_OUT})")
    return result


def read_results(results: Path) -> tuple[list[Result], list[DataError]]:
    """Return every whole result, by path, and what is wrong with the others.

    Raises:
        ToolBenchError: ``results`` is not a folder.
    """
    if results.exists() and not results.is_dir():
        raise ToolBenchError(f"{results} is not a folder")
    whole, broken = [], []
    for path in sorted(results.glob("*/*.json")):
        try:
            result = read_result(path)
        except DataError as error:
            broken.append(error)
            continue
        place = result_path(results, result.task, result.baseline)
        if place == path:
            whole.append(result)
        else:
            broken.append(DataError(path, f"is the result that belongs at {place}"))
    return whole, broken


def _damaged(path: Path, named: Iterable[Mapping[str, str]]) -> str | None:
    """Return the first of the files named by the result at ``path`` that is not as named."""
    for file in named:
        stored = path.parent / file["name"]
        if not stored.is_file() or content_hash(stored.read_bytes()) != file["sha256"]:
            return file["name"]
    return None


def write(results: Path, result: Result, files: Mapping[str, bytes]) -> None:
    """Store ``result`` and the files it names.

    All are written beside their places before the first is moved, so that a full disk touches
    nothing; the JSON is moved last, so that a kill leaves no result rather than a mixed one.

    Raises:
        ToolBenchError: the folder cannot be written; earlier results are untouched.
    """
    path = result_path(results, result.task, result.baseline)
    text = json.dumps(result.model_dump(mode="json"), indent=1, ensure_ascii=False)
    content = {path.parent / name: data for name, data in files.items()}
    write_atomically({**content, path: (text + "\n").encode("utf-8")})


def write_atomically(content: Mapping[Path, bytes]) -> None:
    """Write each file whole or not at all; a file that has its bytes already is left alone.

    Raises:
        ToolBenchError: a folder cannot be written (permission, full disk).
    """
    written: dict[Path, Path] = {}
    path = Path()
    try:
        for path, data in content.items():
            if not (path.is_file() and path.read_bytes() == data):
                path.parent.mkdir(parents=True, exist_ok=True)
                written[path] = _write_beside(path, data)
    except OSError as error:
        _discard(written.values())
        raise ToolBenchError(
            f"cannot write {path}: {error.strerror or error}. What was there before is untouched."
        ) from None
    try:
        for path, temporary in written.items():
            os.replace(temporary, path)
    except OSError as error:
        _discard(written.values())
        raise ToolBenchError(f"cannot write {path}: {error.strerror or error}") from None


def _discard(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def _write_beside(path: Path, data: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_TEMPORARY)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
    except OSError:
        _discard([temporary])
        raise
    return temporary


def check_writable(results: Path) -> None:
    """Raise ToolBenchError now rather than after the first cell, if ``results`` is not writable."""
    if results.exists() and not results.is_dir():
        raise ToolBenchError(f"{results} is not a folder")
    probe = results / f"{_TEMPORARY}probe"
    write_atomically({probe: b"?"})
    probe.unlink(missing_ok=True)


def sweep(results: Path) -> None:
    """Remove temporary files of ours that a run killed over an hour ago left behind."""
    for path in results.glob(f"*/{_TEMPORARY}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()


def per_query_csv(scores: PerQuery, cluster: Sequence[int], weights: Mapping[str, float]) -> bytes:
    """Return per-query scores as gzipped CSV, with what statistics over them need.

    Columns: ``query``, ``cluster`` (queries with equal golds share a number), ``weight`` (in the
    headline, all add up to 1) and one per measure.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["query", "cluster", "weight", *MEASURES])
    for query_id, number in zip(scores[MEASURES[0]], cluster, strict=True):
        values = (f"{scores[m][query_id]:.6g}" for m in MEASURES)
        writer.writerow([query_id, number, f"{weights[query_id]:.6g}", *values])
    return gzip_fixed(buffer.getvalue())


def content_hash(data: bytes) -> str:
    """Return the hex sha256 of ``data``."""
    return hashlib.sha256(data).hexdigest()
