"""What a model is trained on: requests, the tools that answer them, and what must not be told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

from tool_bench.dataset import Split
from tool_bench.errors import DataError
from tool_bench.query import letters
from tool_bench.tool import Tool

Kind = Literal["request", "paraphrase", "description"]
"""Where a pair's query comes from: the source itself, a rewording of it, or a tool's own text."""

MAX_QUERY_CHARACTERS = 2_000
"""A longer query is a defect of the source, not a request."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A request and the tools that fulfil it."""

    query: str
    tools: tuple[str, ...]
    """Ids of tools of the same source; each is a right answer."""
    where: str
    """File and row it was read from, for errors and manifests."""
    kind: Kind = "request"


@dataclass(frozen=True)
class TrainingData:
    """What one source teaches. Checked on construction, never changed.

    Raises:
        DataError: a query is empty or too long, a pair names no tool, a tool twice or an unknown
            one, a tool id is repeated, a tool has neither name nor description, a family or split
            names an unknown tool, or splits name only some tools. The message names the row.
    """

    source: str
    """The source's name; errors without a row begin with it."""
    tools: tuple[Tool, ...]
    """Its catalogue: right answers, and candidates for wrong ones."""
    pairs: tuple[Pair, ...]
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Tools that do the same: none of them is a wrong answer where another is right."""
    splits: Mapping[str, Split] = field(default_factory=dict)
    """Tool id -> split, where the source says so; empty where the split is drawn by hash."""

    def __post_init__(self) -> None:
        ids = Counter(tool.id for tool in self.tools)
        self._check_tools(ids)
        for pair in self.pairs:
            self._check_pair(pair, ids)
        for name, members in self.families.items():
            for id_ in members:
                if id_ not in ids:
                    raise DataError(self.source, f"unknown tool '{id_}'", f"family '{name}'")
        for id_ in self.splits:
            if id_ not in ids:
                raise DataError(self.source, f"the split names unknown tool '{id_}'")
        for id_ in ids:
            if self.splits and id_ not in self.splits:
                raise DataError(self.source, f"tool '{id_}' is in no split, and others are")

    def _check_tools(self, ids: Mapping[str, int]) -> None:
        for id_, n in ids.items():
            if n > 1:
                raise DataError(self.source, f"tool id '{id_}' occurs {n} times")
        for tool in self.tools:
            if not (tool.name.strip() or tool.description.strip()):
                raise DataError(self.source, "has neither name nor description", f"tool {tool.id}")

    def _check_pair(self, pair: Pair, known: Mapping[str, int]) -> None:
        if not letters(pair.query):
            raise DataError(pair.where, "field 'query' has no letters")
        if len(pair.query) > MAX_QUERY_CHARACTERS:
            problem = f"field 'query' has {len(pair.query)} characters, over {MAX_QUERY_CHARACTERS}"
            raise DataError(pair.where, problem)
        if pair.kind not in get_args(Kind):
            raise DataError(pair.where, f"field 'kind' is '{pair.kind}'")
        if not pair.tools:
            raise DataError(pair.where, "field 'tools' names no tool")
        for id_, n in Counter(pair.tools).items():
            if id_ not in known:
                raise DataError(pair.where, f"field 'tools' names unknown tool '{id_}'")
            if n > 1:
                raise DataError(pair.where, f"field 'tools' names '{id_}' {n} times")

    @cached_property
    def by_id(self) -> Mapping[str, Tool]:
        """Tool id -> tool."""
        return {tool.id: tool for tool in self.tools}

    @cached_property
    def twins(self) -> tuple[tuple[str, ...], ...]:
        """Ids of tools of one name and description, but for case and punctuation; alone or not."""
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        for tool in self.tools:
            groups[letters(tool.name), letters(tool.description)].append(tool.id)
        return tuple(map(tuple, groups.values()))

    @cached_property
    def alike(self) -> Mapping[str, frozenset[str]]:
        """Tool id -> ids that are never wrong where it is right: itself, its twins and families."""
        found: dict[str, set[str]] = {tool.id: set() for tool in self.tools}
        for group in (*self.twins, *self.families.values()):
            for id_ in group:
                found[id_].update(group)
        return {id_: frozenset(group) for id_, group in found.items()}

    @cached_property
    def _answers(self) -> Mapping[str, frozenset[str]]:
        """Letters of a query -> the tools of all pairs that ask so."""
        found: dict[str, set[str]] = defaultdict(set)
        for pair in self.pairs:
            found[letters(pair.query)].update(pair.tools)
        return {text: frozenset(ids) for text, ids in found.items()}

    def right(self, pair: Pair) -> frozenset[str]:
        """Return every tool that must not be called a wrong answer to ``pair``.

        Those that answer the same request in another pair are among them.
        """
        ids = self._answers.get(letters(pair.query), frozenset()).union(pair.tools)
        return frozenset().union(*(self.alike[id_] for id_ in ids))


def pooled(rows: Iterable[tuple[str, str, str]]) -> tuple[Pair, ...]:
    """Make one pair of all rows with one text: a request that several tools answer.

    Args:
        rows: (query, tool id, place) of each label.

    Returns:
        The pairs in order of their first rows, whose places they carry.
    """
    right: dict[str, dict[str, str]] = {}
    for text, id_, where in rows:
        right.setdefault(text, {}).setdefault(id_, where)
    return tuple(
        Pair(query=text, tools=tuple(golds), where=next(iter(golds.values())))
        for text, golds in right.items()
    )
