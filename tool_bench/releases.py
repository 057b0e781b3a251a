"""Releases of the results: what stood on the board at a time, and what has changed since, and why.

``results/releases/<name>/release.json`` holds each cell's headline scores and the hashes that say
what they were made with, so that the cause of a change can be told from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tool_bench import store
from tool_bench.errors import DataError, UsageError
from tool_bench.results import Result

FOLDER, FILE = "releases", "release.json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SAME = 5e-7  # scores are stored with six digits


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleasedScores(_Record):
    """What a method is ranked by, and how often its first tool is right."""

    ndcg10: float
    hit1: float


class ReleasedCell(_Record):
    """One method on one task, as it stood."""

    key: dict[str, str] = Field(description="hashes of harness, task and method")
    revision: str = Field(description="of the data")
    sha256: str = Field(description="of the built data")
    code_revision: str | None
    date: str = Field(description="UTC day of the run")
    scores: dict[str, ReleasedScores] = Field(description="scope -> those of the headline")


class Release(_Record):
    """The file."""

    schema_version: Literal[1] = 1
    name: str
    date: str = Field(description="UTC time")
    note: str = Field(description="what is in it, for people")
    cells: dict[str, ReleasedCell] = Field(description="task/method -> the cell")


@dataclass(frozen=True, slots=True)
class Change:
    """A cell that is not what it was."""

    cell: str
    """``task/method``."""
    scope: str
    before: ReleasedScores | None
    """None for a new cell."""
    after: ReleasedScores | None
    """None for one that is gone."""
    cause: str
    """Why, as far as the hashes tell."""


def freeze(results: Iterable[Result], name: str, note: str) -> Release:
    """Return the release ``name`` of ``results``, of today."""
    return Release(
        name=name,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        note=note,
        cells={
            f"{result.task}/{result.baseline}": _cell(result)
            for result in sorted(results, key=lambda r: (r.task, r.baseline))
        },
    )


def _cell(result: Result) -> ReleasedCell:
    return ReleasedCell(
        key=result.key,
        revision=result.data.revision,
        sha256=result.data.sha256,
        code_revision=result.provenance.code_revision,
        date=result.provenance.date,
        scores={
            scope: ReleasedScores(ndcg10=measures["nDCG@10"].value, hit1=measures["Hit@1"].value)
            for scope, scores in result.scopes.items()
            for measures in [scores.slices[result.data.headline].measures]
        },
    )


def write(folder: Path, release: Release) -> Path:
    """Store ``release`` below the results folder, and return where.

    Raises:
        UsageError: its name is no file name, or is taken: a release never changes.
        ToolBenchError: it cannot be written.
    """
    if not _NAME.fullmatch(release.name):
        raise UsageError(f"release '{release.name}': letters, digits and . _ - only")
    path = folder / FOLDER / release.name / FILE
    if path.exists():
        raise UsageError(f"release '{release.name}' is there already, and a release never changes")
    text = json.dumps(release.model_dump(mode="json"), indent=1, ensure_ascii=False)
    store.write_atomically({path: (text + "\n").encode("utf-8")})
    return path


def read(folder: Path) -> tuple[list[Release], list[DataError]]:
    """Return every whole release below the results folder, oldest first, and what is wrong."""
    whole, broken = [], []
    for path in sorted(folder.glob(f"{FOLDER}/*/{FILE}")):
        try:
            whole.append(Release.model_validate_json(path.read_bytes()))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "file"
            broken.append(DataError(path, first["msg"], field))
    return sorted(whole, key=lambda release: (release.date, release.name)), broken


def changes(
    before: Mapping[str, ReleasedCell], after: Mapping[str, ReleasedCell]
) -> tuple[Change, ...]:
    """Return what differs: new cells, cells that are gone, and scores that changed.

    A cell that was made again and gave the same scores has not changed.
    """
    found: list[Change] = []
    for cell in sorted({*before, *after}):
        old, new = before.get(cell), after.get(cell)
        scopes: Sequence[str] = sorted({*(old.scores if old else ()), *(new.scores if new else ())})
        for scope in scopes:
            was = old.scores.get(scope) if old else None
            now = new.scores.get(scope) if new else None
            if was is None or now is None or not _equal(was, now):
                found.append(Change(cell, scope, was, now, _cause(old, new)))
    return tuple(found)


def _equal(was: ReleasedScores, now: ReleasedScores) -> bool:
    return abs(was.ndcg10 - now.ndcg10) <= _SAME and abs(was.hit1 - now.hit1) <= _SAME


def _cause(old: ReleasedCell | None, new: ReleasedCell | None) -> str:
    if old is None:
        return "new"
    if new is None:
        return "removed"
    causes = []
    if old.sha256 != new.sha256:
        causes.append(
            f"data {old.revision} → {new.revision}"
            if old.revision != new.revision
            else "data: built differently from the same revision"
        )
    elif old.key.get("task") != new.key.get("task"):
        causes.append("code of the task")
    if old.key.get("baseline") != new.key.get("baseline"):
        causes.append("code, settings or weights of the method")
    if old.key.get("harness") != new.key.get("harness"):
        causes.append(f"harness {old.key.get('harness')} → {new.key.get('harness')}")
    return "; ".join(causes) or "measured again, with nothing else changed"
