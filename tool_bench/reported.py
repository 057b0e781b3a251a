"""Figures that others published: ``results/reported/*.yaml``, one file per source.

They were not measured here, so they are their own record: nothing ranks them, and they never
stand beside a measured figure.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tool_bench.errors import DataError

Figure = Annotated[str, Field(pattern=r"^~?\d[\d,]*(\.\d+)?$")]
"""A number as the source prints it, its last digit and its ``~`` included."""

Checked = Literal["read", "noted", "second-hand"]
"""``read`` in the named source, ``noted`` from it earlier and not checked again, or
``second-hand``: somebody else says that the source gives it."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportedRow(_Record):
    """One method in one table of a source."""

    method: str = Field(description="as the source calls it")
    values: tuple[Figure | None, ...] = Field(
        description="one per measure; null where no figure is given"
    )


class ReportedTable(_Record):
    """One table of a source: its rows in its order."""

    task: str = Field(description="as the source calls it")
    setting: str | None = Field(default=None, description="scope, instructions and the like")
    tools: int | None = Field(default=None, description="size of the catalogue, where it is said")
    queries: int | None = Field(default=None, description="how many queries, where it is said")
    our_task: str | None = Field(default=None, description="the task here that is nearest")
    comparable: str = Field(description="whether figures measured here can be held against it")
    checked: Checked
    via: str | None = Field(
        default=None, description="who says so, for figures that are second-hand"
    )
    note: str | None = Field(default=None, description="known problems")
    measures: tuple[str, ...] = Field(min_length=1)
    rows: tuple[ReportedRow, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> ReportedTable:
        for row in self.rows:
            if len(row.values) != len(self.measures):
                raise ValueError(
                    f"row '{row.method}' has {len(row.values)} values, "
                    f"expected {len(self.measures)}"
                )
        if (self.checked == "second-hand") != (self.via is not None):
            raise ValueError("'via' belongs to second-hand figures, and to no others")
        return self


class ReportedSource(_Record):
    """A page, paper or file that gives figures."""

    title: str
    by: str = Field(description="who published it")
    url: str = Field(pattern=r"^https?://")
    published: str | None = Field(
        pattern=r"^\d{4}(-\d\d){0,2}$", description="year, month or day; null where not known"
    )
    accessed: str | None = Field(
        default=None, pattern=r"^\d{4}-\d\d-\d\d$", description="day it was looked up"
    )
    tables: tuple[ReportedTable, ...] = Field(min_length=1)


def read_reported(results: Path) -> tuple[list[ReportedSource], list[DataError]]:
    """Return every whole source under ``results``, by file name, and what is wrong with others."""
    whole, broken = [], []
    for path in sorted(results.glob("reported/*.yaml")):
        try:
            whole.append(_read(path))
        except DataError as error:
            broken.append(error)
    return whole, broken


def of_tasks(sources: Iterable[ReportedSource], tasks: Container[str]) -> list[ReportedSource]:
    """Return ``sources`` with only their tables that are nearest to one of ``tasks``."""
    kept = (
        (source, tuple(table for table in source.tables if table.our_task in tasks))
        for source in sources
    )
    return [source.model_copy(update={"tables": tables}) for source, tables in kept if tables]


def _read(path: Path) -> ReportedSource:
    import yaml

    try:
        return ReportedSource.model_validate(yaml.safe_load(path.read_bytes()))
    except yaml.YAMLError as error:
        raise DataError(path, " ".join(str(error).split())) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise DataError(path, first["msg"], field) from None
