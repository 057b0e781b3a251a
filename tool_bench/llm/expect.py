"""What a whole run will take, from what each query will ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tool_bench import pricing
from tool_bench.dataset import ToolDataset
from tool_bench.llm.answer import spent_on
from tool_bench.llm.request import MODEL
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Spent
from tool_bench.tool import Tool

LEAST_CACHED = 1_024
"""Tokens below which the service caches nothing."""
SECONDS = 4.0
"""An answer is taken to need."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The request that a query makes, in tokens."""

    fresh: int
    """Input that is not cached."""
    output: int
    cached: int = 0
    """Input that is written to the service's cache once and read by all that share it."""


def whole_run(dataset: ToolDataset, ask: Callable[[Query, Candidates], Ask | None]) -> Spent:
    """Return what all queries in all scopes will take, with nothing on the disk.

    Args:
        dataset: the data.
        ask: gives what a query will ask; None where it asks nothing. Equal queries with equal
            candidates are asked once, and those with equal candidates share what is cached.
    """
    price = pricing.model_price(MODEL)
    total = Spent()
    asked: set[tuple[str, Candidates]] = set()
    filled: set[Candidates] = set()
    for scope in dataset.scopes:
        for query in dataset.queries:
            candidates = dataset.candidates(scope, query)
            made = ask(query, candidates)
            if made is None or (query.instructed, candidates) in asked:
                continue
            asked.add((query.instructed, candidates))
            usage = {"input_tokens": made.fresh, "output_tokens": made.output}
            if made.cached < LEAST_CACHED:
                usage["input_tokens"] += made.cached
            elif candidates in filled:
                usage["cache_read_input_tokens"] = made.cached
            else:
                usage["cache_creation_input_tokens"] = made.cached
                filled.add(candidates)
            total += spent_on(usage, SECONDS, price)
    return total


def per_tool(dataset: ToolDataset, ask: Callable[[Tool], Ask]) -> Spent:
    """Return what asking once for each tool of the catalogue will take."""
    price = pricing.model_price(MODEL)
    return sum(
        (
            spent_on({"input_tokens": made.fresh, "output_tokens": made.output}, SECONDS, price)
            for made in map(ask, dataset.tools)
        ),
        Spent(),
    )
