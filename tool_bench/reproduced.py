"""The last verdict on each stored cell that was run again: ``reproduced.json`` in the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tool_bench import store
from tool_bench.errors import DataError
from tool_bench.provenance import collect

if TYPE_CHECKING:
    from tool_bench.reproduce import Reproduction

FILE = "reproduced.json"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Recorded(_Record):
    """One verdict."""

    verdict: Literal["OK", "OKish", "FAIL"]
    reason: str = Field(description="empty for an OK")
    date: str = Field(description="UTC day it was run again")
    machine: str = Field(description="processor and cores")
    code_revision: str | None
    dirty: bool | None
    difference: float | None = Field(
        description="of the measure of the headline that differs most in units of its tolerance"
    )
    tolerance: float | None
    result: str = Field(description="sha256 of the stored result that was tried")


class RecordedVerdicts(_Record):
    """The file."""

    schema_version: Literal[1] = 1
    cells: dict[str, Recorded] = Field(description="task/baseline -> its last verdict")


def read_verdicts(results: Path) -> RecordedVerdicts:
    """Return the recorded verdicts; none where there is no file.

    Raises:
        DataError: the file is not of this schema, with the first field that is wrong.
    """
    path = results / FILE
    try:
        return RecordedVerdicts.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return RecordedVerdicts(cells={})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise DataError(path, f"{first['msg']} (delete it to begin anew)", field) from None


def current_verdicts(results: Path) -> dict[str, Recorded]:
    """Return the verdicts on results that have not been replaced since.

    Raises:
        DataError: as :func:`read_verdicts`.
    """
    found = {}
    for name, recorded in read_verdicts(results).cells.items():
        task, _, baseline = name.partition("/")
        if _hash_of(store.result_path(results, task, baseline)) == recorded.result:
            found[name] = recorded
    return found


def record(results: Path, reproduction: Reproduction) -> None:
    """Keep a verdict in place of the cell's earlier one; that a cell was unavailable is not kept.

    Raises:
        DataError: the file that is there cannot be read.
        ToolBenchError: it cannot be written.
    """
    if reproduction.verdict == "unavailable":
        return
    stored, new, worst = reproduction.stored, reproduction.new, reproduction.worst
    made = collect([], None) if new is None else new.provenance
    entry = Recorded(
        verdict=reproduction.verdict,
        reason=reproduction.reason,
        date=made.date,
        machine=f"{made.hardware.cpu}, {made.hardware.cores} cores",
        code_revision=made.code_revision,
        dirty=made.dirty,
        difference=worst.value if worst else None,
        tolerance=worst.tolerance if worst else None,
        result=_hash_of(store.result_path(results, stored.task, stored.baseline)),
    )
    cells = {**read_verdicts(results).cells, reproduction.name: entry}
    kept = RecordedVerdicts(cells={name: cells[name] for name in sorted(cells)})
    text = json.dumps(kept.model_dump(mode="json"), indent=1, ensure_ascii=False)
    store.write_atomically({results / FILE: (text + "\n").encode("utf-8")})


def _hash_of(path: Path) -> str:
    return store.content_hash(path.read_bytes()) if path.is_file() else ""
