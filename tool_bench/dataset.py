"""A task's data: tools, queries, which tool answers which query, and usage examples."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Literal

from tool_bench.errors import DataError
from tool_bench.query import Query, fold
from tool_bench.tool import Tool

Scope = Literal["global", "scoped"]
Split = Literal["train", "validation", "test"]
Relevance = Mapping[str, Mapping[str, int]]
Examples = Mapping[str, tuple[str, ...]]

_RESERVED = {"all", "global", "scoped"}


@dataclass(frozen=True)
class ToolDataset:
    """Everything one task evaluates with. Built once, checked on construction, never changed.

    Raises:
        DataError: an id is repeated or holds whitespace; a relevance, example, family or group
            names a tool or query that does not exist; a query has no relevant tool; a group is
            empty, repeats a query or has the name of another slice; an average names an unknown
            slice or its weights are not above 0 or do not add up to 1; a kind, group or average
            has an empty name or that of a scope; splits and providers differ.
    """

    name: str
    """The task's name; errors begin with it."""
    tools: tuple[Tool, ...]
    queries: tuple[Query, ...]
    relevance: Relevance
    """Query id -> {tool id: grade}; every grade is at least 1."""
    examples: Examples = field(default_factory=dict)
    """Tool id -> usage queries an index may use; never evaluation queries."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Slice name -> query ids, for slices beside those of the queries' kinds."""
    averages: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Name -> {slice: weight}: means of slices' means, for benchmarks that report such."""
    splits: Mapping[str, Split] = field(default_factory=dict)
    """Provider -> split; empty where the task keeps no provider from training."""
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name -> tools that do the same: in training, none is wrong where another is right."""

    def __post_init__(self) -> None:
        tool_ids = self._unique("tool", (t.id for t in self.tools))
        query_ids = self._unique("query", (q.id for q in self.queries))
        for query_id, golds in self.relevance.items():
            if query_id not in query_ids:
                raise DataError(self.name, f"relevance names unknown query '{query_id}'")
            for tool_id, grade in golds.items():
                if tool_id not in tool_ids:
                    raise DataError(self.name, f"unknown tool '{tool_id}'", f"query '{query_id}'")
                if grade < 1:
                    raise DataError(
                        self.name, f"grade {grade} of '{tool_id}' is below 1", f"query '{query_id}'"
                    )
        for query_id in query_ids:
            if not self.relevance.get(query_id):
                raise DataError(self.name, f"query '{query_id}' has no relevant tool")
        self._check_tools_named(tool_ids)
        self._check_groups(query_ids)
        self._check_averages()
        self._check_splits()
        self._check_scoped()

    def _check_tools_named(self, tool_ids: set[str]) -> None:
        for tool_id in self.examples:
            if tool_id not in tool_ids:
                raise DataError(self.name, f"examples name unknown tool '{tool_id}'")
        for name, members in self.families.items():
            for tool_id in members:
                if tool_id not in tool_ids:
                    raise DataError(self.name, f"family '{name}' names unknown tool '{tool_id}'")

    def _unique(self, kind: str, ids: Iterable[str]) -> set[str]:
        counted = Counter(ids)
        for id_, n in counted.items():
            if n > 1:
                raise DataError(self.name, f"{kind} id '{id_}' occurs {n} times")
            if not id_ or id_.split() != [id_]:
                raise DataError(self.name, f"{kind} id '{id_}' is empty or holds whitespace")
        return set(counted)

    def _check_groups(self, query_ids: set[str]) -> None:
        kinds = {q.kind for q in self.queries if q.kind is not None}
        for name in (*kinds, *self.groups, *self.averages):
            if not name.strip() or name in _RESERVED:
                problem = f"'{name}' cannot be the name of a kind, a group or an average"
                raise DataError(self.name, problem)
        taken = {"all", *kinds}
        for name, ids in self.groups.items():
            if name in taken:
                raise DataError(self.name, f"group '{name}' has the name of another slice")
            if not ids:
                raise DataError(self.name, f"group '{name}' is empty")
            for query_id, n in Counter(ids).items():
                if query_id not in query_ids:
                    raise DataError(self.name, f"group '{name}' names unknown query '{query_id}'")
                if n > 1:
                    raise DataError(self.name, f"group '{name}' repeats query '{query_id}'")

    def _check_averages(self) -> None:
        for name, weights in self.averages.items():
            if name in self.slices:
                raise DataError(self.name, f"average '{name}' has the name of a slice")
            for part in weights:
                if part not in self.slices:
                    raise DataError(self.name, f"average '{name}' names unknown slice '{part}'")
            if not math.isclose(sum(weights.values()), 1) or min(weights.values()) <= 0:
                problem = f"the weights of average '{name}' are not above 0 or do not add up to 1"
                raise DataError(self.name, problem)

    def _check_splits(self) -> None:
        providers = {tool.provider for tool in self.tools}
        if self.splits and set(self.splits) != providers:
            differing = min(map(str, set(self.splits) ^ providers))
            raise DataError(self.name, f"splits and providers differ in '{differing}'")

    def _check_scoped(self) -> None:
        providers = {q.provider for q in self.queries}
        if None in providers and len(providers) > 1:
            lacking = next(q.id for q in self.queries if q.provider is None)
            raise DataError(self.name, "only some queries name a provider", f"query '{lacking}'")
        if None in providers:
            return
        scoped = self.relevant("scoped")
        for query in self.queries:
            if not scoped[query.id]:
                raise DataError(
                    self.name,
                    f"no relevant tool belongs to provider '{query.provider}'",
                    f"query '{query.id}'",
                )

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes this data can be searched in: ``scoped`` needs a provider on each query."""
        if self.queries and self.queries[0].provider is not None:
            return ("global", "scoped")
        return ("global",)

    @cached_property
    def tools_of_provider(self) -> Mapping[str, tuple[str, ...]]:
        """Provider -> ids of its tools, in catalogue order."""
        grouped: dict[str, list[str]] = defaultdict(list)
        for tool in self.tools:
            if tool.provider is not None:
                grouped[tool.provider].append(tool.id)
        return {provider: tuple(ids) for provider, ids in grouped.items()}

    def candidates(self, scope: Scope, query: Query) -> tuple[str, ...] | None:
        """Ids of the tools that may answer ``query`` in ``scope``; None means the catalogue."""
        if scope == "global":
            return None
        return self.tools_of_provider.get(query.provider or "", ())

    def relevant(self, scope: Scope) -> Relevance:
        """Relevance within ``scope``: golds outside a query's candidates do not count there."""
        if scope == "global":
            return self.relevance
        allowed = {p: frozenset(ids) for p, ids in self.tools_of_provider.items()}
        return {
            q.id: {
                t: g
                for t, g in self.relevance[q.id].items()
                if t in allowed.get(q.provider or "", frozenset())
            }
            for q in self.queries
        }

    @property
    def slices(self) -> Mapping[str, tuple[str, ...]]:
        """Slice name -> query ids: ``all``, one per kind in order of appearance, the groups."""
        slices: dict[str, list[str]] = {"all": [q.id for q in self.queries]}
        for query in self.queries:
            if query.kind is not None:
                slices.setdefault(query.kind, []).append(query.id)
        return {**{name: tuple(ids) for name, ids in slices.items()}, **self.groups}

    def weights(self, headline: str) -> dict[str, float]:
        """Return query id -> its weight in the slice or average ``headline``; they add up to 1."""
        parts = self.averages.get(headline, {headline: 1.0})
        weights = dict.fromkeys((q.id for q in self.queries), 0.0)
        for part, weight in parts.items():
            for query_id in self.slices[part]:
                weights[query_id] += weight / len(self.slices[part])
        return weights

    @property
    def training_examples(self) -> Examples:
        """The examples a model may be trained on: those of tools whose provider is in ``train``."""
        if not self.splits:
            return self.examples
        allowed = {t.id for t in self.tools if self.splits[t.provider or ""] == "train"}
        return {tool: texts for tool, texts in self.examples.items() if tool in allowed}

    @property
    def counts(self) -> dict[str, int]:
        """Sizes and defects, as a task's page prints them."""
        texts = Counter(fold(q.text) for q in self.queries)
        return {
            "tools": len(self.tools),
            "queries": len(self.queries),
            "relevant pairs": sum(len(golds) for golds in self.relevance.values()),
            "queries with several golds": sum(len(golds) > 1 for golds in self.relevance.values()),
            "empty queries": texts.get("", 0),
            "repeated queries": sum(n - 1 for n in texts.values()),
            "tools without description": sum(not t.description.strip() for t in self.tools),
            "usage examples": sum(len(texts) for texts in self.examples.values()),
        }


def dataset_hash(dataset: ToolDataset) -> str:
    """Return the sha256 of everything in ``dataset`` that an evaluation depends on."""
    content = json.dumps(
        {
            "tools": [asdict(tool) for tool in dataset.tools],
            "queries": [asdict(query) for query in dataset.queries],
            "relevance": dataset.relevance,
            "examples": dataset.examples,
            "groups": dataset.groups,
            "averages": dataset.averages,
        },
        sort_keys=True,
        ensure_ascii=False,
    )
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


def pool_golds(
    rows: Iterable[tuple[str, Iterable[str]]],
) -> dict[str, dict[str, int]]:
    """Merge the golds of rows with equal (folded) text: folded text -> {tool id: 1}.

    A request that upstream labels twice with different tools has more than one right answer, so
    each counts wherever the request occurs.
    """
    pooled: dict[str, dict[str, int]] = {}
    for text, golds in rows:
        pooled.setdefault(fold(text), {}).update(dict.fromkeys(golds, 1))
    return pooled
