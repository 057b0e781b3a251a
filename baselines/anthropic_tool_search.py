"""Anthropic's tool search: the service searches the catalogue for the model, which calls what fits.

All tools are deferred, so the model sees none before it has searched. The ranking: the tools it
calls, in order, then the others that its searches brought, in the order they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from tool_bench.baseline import Baseline, Needs, Speed
from tool_bench.dataset import Examples, ToolDataset
from tool_bench.errors import UnavailableError
from tool_bench.llm.answer import Answer
from tool_bench.llm.catalogue import ApiCatalogues, ApiTools
from tool_bench.llm.estimate import OVERHEAD, tokens
from tool_bench.llm.expect import Ask, whole_run
from tool_bench.llm.paid import Paid, ranked
from tool_bench.llm.request import MODEL, Request, request
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Ranking, Retriever, Spent
from tool_bench.tool import Tool

LIMIT = 10_000
"""Tools that the service searches at most."""
MAX_TOKENS = 2_000
CONTINUATIONS = 3
"""Times an answer that the service paused is gone on with."""
SEARCHES, FOUND, EXPECTED_OUTPUT = 2, 5, 350  # for a query: a guess until it is measured
SYSTEM = (
    "Search for the tools that the user's request needs, then call the ones that are best suited "
    "to carry it out: up to ten different ones, the best first, all of them in parallel in one "
    "answer. Write no text. The calls are recorded and not carried out, so leave their input "
    "empty: {}."
)


class ToolSearch(Paid):
    """Ranks what the model calls, then what else its searches found."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        name = f"tool_search_tool_{variant}"
        self._search_tool = {"type": f"{name}_20251119", "name": name}

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Turn the catalogue into the API's form."""
        self._catalogues = ApiCatalogues(tools)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Ask for each query until the model has finished.

        Raises:
            UnavailableError: a catalogue is larger than the service searches; nothing was paid.
        """
        self._begin(queries)
        catalogues = [self._catalogues.of(candidates) for candidates in scopes]
        pairs = zip(queries, catalogues, strict=True)
        requests = [self._request(query, tools) for query, tools in pairs]
        blocks: list[list[dict[str, Any]]] = [[] for _ in queries]
        for _ in range(1 + CONTINUATIONS):
            answers = self._ask(queries, requests)
            for own, answer in zip(blocks, answers, strict=True):
                own.extend(answer.blocks if answer else ())
            requests = [_continued(r, a) for r, a in zip(requests, answers, strict=True)]
            if not any(requests):
                break
        return [
            ranked(tools.ids(_names(own)), k) for own, tools in zip(blocks, catalogues, strict=True)
        ]

    def _request(self, query: Query, tools: ApiTools) -> Request | None:
        if not tools.params or not query.instructed.strip():
            return None
        _check(tools)
        deferred = [{**param, "defer_loading": True} for param in tools.params]
        offered = [self._search_tool, *deferred]
        return request(query.instructed, MAX_TOKENS, system=SYSTEM, tools=offered)


def _check(tools: ApiTools) -> None:
    if len(tools.params) > LIMIT:
        raise UnavailableError(
            f"{len(tools.params):,} tools; the service's tool search takes {LIMIT:,} at most"
        )


def _continued(asked: Request | None, answer: Answer | None) -> Request | None:
    if asked is None or answer is None or answer.stop_reason != "pause_turn":
        return None
    said = {"role": "assistant", "content": answer.blocks}
    return {**asked, "messages": [*asked["messages"], said]}


def _names(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the names of the tools called, then of those found; an error of a search has none."""
    yield from (block["name"] for block in blocks if block["type"] == "tool_use")
    for block in blocks:
        if block["type"] == "tool_search_tool_result":
            for found in block["content"].get("tool_references", ()):
                yield found["tool_name"]


def expected(dataset: ToolDataset) -> Spent:
    """Return what a whole run takes; UnavailableError as :meth:`ToolSearch.search`."""
    catalogues = ApiCatalogues(dataset.tools)

    def ask(query: Query, candidates: Candidates) -> Ask | None:
        tools = catalogues.of(candidates)
        if not tools.params or not query.instructed.strip():
            return None
        _check(tools)
        given = OVERHEAD + tokens(SYSTEM) + tokens(query.instructed)
        found = FOUND * sum(tools.sizes) // len(tools.sizes)
        # the model reads once before each search and once after the last, what was found included
        read = sum(given + found * searched for searched in range(SEARCHES + 1))
        return Ask(read, EXPECTED_OUTPUT)

    return whole_run(dataset, ask)


def load(variant: str) -> Retriever:
    """Make the retriever that searches with ``bm25`` or ``regex``."""
    return ToolSearch(variant)


BASELINES = tuple(
    Baseline(
        name=f"anthropic-tool-search-{variant}",
        kind="llm",
        description=f"{MODEL} searches the catalogue with the service's own tool search ({how}).",
        reference=(
            "https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool"
        ),
        license="proprietary",
        load=partial(load, variant),
        revision=MODEL,
        settings={"max tokens": MAX_TOKENS, "thinking": "between_tools"},
        deviations=(
            "The model is asked for up to ten calls without arguments, not for the one to run.",
            "A search brings 3 to 5 tools, so the top ten is rarely full.",
        ),
        may_rank_fewer=True,
        needs=Needs(modules=("anthropic",), extra="llm", key="ANTHROPIC_API_KEY"),
        speed=Speed(start=5, per_query=1.5),
        expected=expected,
    )
    for variant, how in (("bm25", "BM25"), ("regex", "patterns that the model writes"))
)
