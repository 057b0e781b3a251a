"""``leaderboard.json``: the board for programs. docs/leaderboard-json.md describes it.

A field is added without a new version; one that is removed or changes its meaning raises it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tool_bench.results import Cost, Estimate, Evidence, Footprint, MethodCard, Timing

VERSION: Literal[1] = 1


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BoardPlace(_Record):
    """A method over all tasks of the ranking."""

    method: str
    rank: int = Field(description="1 + the number of methods that are significantly better")
    mean: Estimate = Field(description="nDCG@10, mean over data sets, with its 95 % interval")


class BoardOverall(_Record):
    """The ranking over several tasks."""

    weights: dict[str, float] = Field(description="task -> its share of the mean")
    places: list[BoardPlace] = Field(description="methods that have every task, best first")


class BoardRow(_Record):
    """One method in one table."""

    method: str
    evidence: Evidence
    rank: int
    p: float | None = Field(
        description="that it is as good as the best, corrected for all pairs; null for the best"
    )
    rival: str | None = Field(description="the best method that it cannot be told apart from")
    more_queries: int | None = Field(description="how many more queries would separate the two")
    measures: dict[str, Estimate] = Field(description="of the headline")
    macro_hit1: Estimate = Field(description="Hit@1, mean over right tools")
    context_tokens: float = Field(description="of the tools an agent is given, mean over queries")
    timing: Timing | None
    footprint: Footprint | None
    cost: Cost | None
    machine: str | None = Field(description="what the timing was measured on")
    date: str = Field(description="UTC day of the run")
    command: str = Field(description="makes the result again")
    code_revision: str | None
    run: str = Field(description="the ranking in TREC format, from this file's folder")
    scores: str = Field(description="every measure for every query, likewise")


class BoardTable(_Record):
    """The methods that ran on the same data in the same scope."""

    task: str
    scope: str
    headline: str = Field(description="the slice or average that methods are ranked by")
    revision: str = Field(description="of the data")
    sha256: str = Field(description="of the built data")
    counts: dict[str, int]
    rows: list[BoardRow] = Field(description="best nDCG@10 first")


class BoardTask(_Record):
    """What a task is."""

    name: str
    description: str
    reference: str
    license: str
    tools: int
    queries: int


class Leaderboard(_Record):
    """The file."""

    schema_version: Literal[1] = VERSION
    tool_bench: str = Field(description="version that built it")
    overall: BoardOverall
    tasks: list[BoardTask]
    methods: dict[str, MethodCard] = Field(
        description="method -> what it declared in its newest result; 'examples' and 'seen_tools' "
        "are those of that result's task"
    )
    tables: list[BoardTable]
