"""Plain tool use: the whole catalogue in the model's context, and the model calls what fits.

The order of its calls is the ranking. The catalogue is the same text for every query, so the
service is asked to cache it: the first request writes it, the others read it at a twentieth of the
price of input.
"""

from __future__ import annotations

from collections.abc import Sequence

from tool_bench import pricing
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

CALLS = 10
MAX_TOKENS = 2_000
EXPECTED_OUTPUT = 500  # ten calls without arguments
SYSTEM = (
    "For the user's request, call the tools that are best suited to carry it out: up to ten "
    "different ones, the best first, all of them in parallel in one answer. Write no text. The "
    "calls are recorded and not carried out, so leave their input empty: {}."
)


class ToolUse(Paid):
    """Ranks by the order of the model's calls."""

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Turn the catalogue into the API's form."""
        self._catalogues = ApiCatalogues(tools)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Ask once for each query; at most ten tools are ranked.

        Raises:
            UnavailableError: a catalogue is larger than the model's context; nothing was paid.
        """
        self._begin(queries)
        catalogues = [self._catalogues.of(candidates) for candidates in scopes]
        pairs = zip(queries, catalogues, strict=True)
        answers = self._ask(queries, [_request(query, tools) for query, tools in pairs])
        return [
            ranked(_called(answer, tools), min(k, CALLS))
            for answer, tools in zip(answers, catalogues, strict=True)
        ]


def _request(query: Query, tools: ApiTools) -> Request | None:
    if not tools.params or not query.instructed.strip():
        return None
    size, limit = _size(query, tools), pricing.model_price(MODEL).context
    if size > limit:
        raise UnavailableError(
            f"{len(tools.params):,} tools take about {size:,} tokens; {MODEL} holds {limit:,}"
        )
    *others, last = tools.params
    cached = [*others, {**last, "cache_control": {"type": "ephemeral"}}]
    return request(query.instructed, MAX_TOKENS, system=SYSTEM, tools=cached)


def _size(query: Query, tools: ApiTools) -> int:
    return sum(tools.sizes) + OVERHEAD + tokens(SYSTEM) + tokens(query.instructed) + MAX_TOKENS


def _called(answer: Answer | None, tools: ApiTools) -> list[str]:
    blocks = answer.blocks if answer else []
    return tools.ids(block["name"] for block in blocks if block["type"] == "tool_use")


def expected(dataset: ToolDataset) -> Spent:
    """Return what a whole run takes; UnavailableError as :meth:`ToolUse.search`."""
    catalogues = ApiCatalogues(dataset.tools)

    def ask(query: Query, candidates: Candidates) -> Ask | None:
        tools = catalogues.of(candidates)
        if _request(query, tools) is None:
            return None
        cached = sum(tools.sizes) + OVERHEAD
        fresh = tokens(SYSTEM) + tokens(query.instructed)
        return Ask(fresh, EXPECTED_OUTPUT, cached)

    return whole_run(dataset, ask)


def load() -> Retriever:
    """Make the retriever."""
    return ToolUse()


BASELINES = (
    Baseline(
        name="anthropic-tool-use",
        kind="llm",
        description=(
            f"The whole catalogue as tools of {MODEL}; the order of its parallel calls is the "
            "ranking."
        ),
        reference="https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview",
        license="proprietary",
        load=load,
        revision=MODEL,
        settings={"calls": CALLS, "max tokens": MAX_TOKENS, "thinking": "between_tools"},
        deviations=(
            "The model is asked for up to ten calls without arguments, not for the one to run.",
            "What it does not call is not ranked: Hit@10 and completeness depend on how many.",
        ),
        may_rank_fewer=True,
        whole_catalogue=True,
        needs=Needs(modules=("anthropic",), extra="llm", key="ANTHROPIC_API_KEY"),
        speed=Speed(start=5, per_query=1.0),
        expected=expected,
    ),
)
