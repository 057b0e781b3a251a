"""Re-Invoke: tools as the mean of requests they would serve; requests as their intents.

Chen et al. 2024 (sections 3.1 to 3.3 and Algorithm 2). Offline, an LLM writes requests for each
tool; each is joined to the tool's document, and the copies' vectors are averaged. At search an LLM
extracts the intents of a request; each ranks the tools, and a tool's score is its best (rank,
cosine) over the intents. There is no official code.

``re-invoke`` does without an LLM: usage examples stand for the written requests, and the whole
request is its one intent. ``re-invoke-llm`` asks for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tool_bench.baseline import Baseline, Needs, Speed
from tool_bench.dataset import Examples, ToolDataset
from tool_bench.llm.estimate import tokens
from tool_bench.llm.expect import Ask, per_tool, whole_run
from tool_bench.llm.paid import Paid
from tool_bench.llm.parse import strings
from tool_bench.llm.request import MODEL, request
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking, Retriever, Spent
from tool_bench.tool import Tool, render

if TYPE_CHECKING:
    from tool_bench.encoder import Encoder

REQUESTS = 10
"""Written for a tool, or taken of its examples."""
INTENTS = 3

Write = Callable[[Sequence[Tool], Examples], list[list[str]]]
"""(tools, examples) -> requests that each tool would serve, none or more."""
Extract = Callable[[Sequence[Query]], list[list[str]]]
"""Queries -> the intents of each, at least one."""


def from_examples(tools: Sequence[Tool], examples: Examples) -> list[list[str]]:
    """Return the first usage examples of each tool."""
    return [list(examples.get(tool.id, ())[:REQUESTS]) for tool in tools]


def whole_request(queries: Sequence[Query]) -> list[list[str]]:
    """Return each request as its only intent."""
    return [[query.instructed] for query in queries]


class ReInvoke:
    """Dense retrieval between intents and enriched documents."""

    def __init__(
        self, encoder: Encoder, write: Write = from_examples, extract: Extract = whole_request
    ) -> None:
        self._encoder = encoder
        self._write = write
        self._extract = extract

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Average the vectors of each tool's document joined to each of its requests."""
        from tool_bench.dense import unit_means

        self._catalogue = Catalogue(tools)
        ordered = self._catalogue.tools
        copies = []
        for tool, requests in zip(ordered, self._write(ordered, examples), strict=True):
            document = f"Documentation: {render(tool, 'name-description')}"
            copies.append([f"{document} Query: {text}" for text in requests] or [document])
        self._matrix = unit_means(self._encoder, copies)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Rank by the best (rank, cosine) over the intents."""
        from tool_bench.dense import encode_groups

        rankings = []
        groups = encode_groups(self._encoder, self._extract(queries))
        for vectors, candidates in zip(groups, scopes, strict=True):
            found = [self._catalogue.top(self._matrix @ v, k, candidates) for v in vectors]
            rankings.append(best_over_intents(found)[:k])
        return rankings


def best_over_intents(rankings: Sequence[Ranking]) -> Ranking:
    """Return each tool once, by its best (rank, score) in any ranking; scores are 1 / position."""
    best: dict[str, tuple[int, float]] = {}
    for ranking in rankings:
        for rank, (tool_id, score) in enumerate(ranking):
            place = (-rank, score)
            best[tool_id] = max(place, best.get(tool_id, place))
    if len(rankings) == 1:  # one ranking keeps its own scores
        return tuple(rankings[0])
    order = sorted(best, key=lambda tool_id: best[tool_id], reverse=True)
    return tuple((tool_id, 1 / place) for place, tool_id in enumerate(order, start=1))


WRITE = (
    "Write {n} different requests, in plain language, that a user could make and that this tool "
    'alone would serve. Do not name the tool. Answer with JSON: {{"requests": ["...", ...]}}'
    "\n\nTool: {document}"
)
EXTRACT = (
    "What does the user of this request want to be done? List each separate intent as one short "
    'sentence, {n} at most. Answer with JSON: {{"intents": ["...", ...]}}\n\nRequest: {text}'
)
WRITE_TOKENS, EXTRACT_TOKENS = 1_000, 300


def write_prompt(tool: Tool) -> str:
    """Return what the model is asked about a tool."""
    return WRITE.format(n=REQUESTS, document=render(tool, "name-description"))


def extract_prompt(query: Query) -> str:
    """Return what the model is asked about a request."""
    return EXTRACT.format(n=INTENTS, text=query.instructed)


class LlmReInvoke(Paid):
    """Re-Invoke with an LLM at both ends."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self._dense = ReInvoke(encoder, self._write, self._extract)

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Let the model write requests for each tool, and encode them."""
        self._dense.index(tools, examples)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Let the model extract each request's intents, and rank by them."""
        self._begin(queries)
        return self._dense.search(queries, k, scopes)

    def _write(self, tools: Sequence[Tool], _: Examples) -> list[list[str]]:
        texts = self._ask_for_index([write_prompt(tool) for tool in tools], WRITE_TOKENS)
        return [strings(text, "requests")[:REQUESTS] for text in texts]

    def _extract(self, queries: Sequence[Query]) -> list[list[str]]:
        asked = [request(extract_prompt(query), EXTRACT_TOKENS) for query in queries]
        return [
            (strings(answer.text, "intents") if answer else [])[:INTENTS] or [query.instructed]
            for query, answer in zip(queries, self._ask(queries, asked), strict=True)
        ]


def expected(dataset: ToolDataset) -> Spent:
    """Return what writing requests for all tools and extracting all intents will take."""
    # an intent is asked for once, whatever the candidates
    once = whole_run(
        replace(dataset, queries=tuple(replace(q, provider=None) for q in dataset.queries)),
        lambda query, _: Ask(tokens(extract_prompt(query)), EXTRACT_TOKENS // 5),
    )
    return once + per_tool(dataset, lambda tool: Ask(tokens(write_prompt(tool)), 300))


def load() -> Retriever:
    """Load the embedded MiniLM."""
    from tool_bench.sentence import minilm

    return ReInvoke(minilm())


def load_llm() -> Retriever:
    """Load the embedded MiniLM and the model's client."""
    from tool_bench.sentence import minilm

    return LlmReInvoke(minilm())


OFFLINE = Baseline(
    name="re-invoke",
    kind="dense",
    description=(
        "MiniLM over each tool's document joined to its usage examples, averaged; the whole "
        "request as its one intent. No LLM."
    ),
    reference="https://arxiv.org/abs/2408.01875",
    license="apache-2.0",
    load=load,
    parameters=22_713_216,
    revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    style="name-description",
    precision="float32",
    settings={"requests": REQUESTS, "intents": 1},
    deviations=(
        "No LLM: usage examples for synthetic requests, and no extraction of intents.",
        "MiniLM, not textembedding-gecko.",
    ),
    uses_examples=True,
    speed=Speed(start=10, per_tool=0.1, per_query=0.02),
)
BASELINES = (
    OFFLINE,
    replace(
        OFFLINE,
        name="re-invoke-llm",
        kind="llm",
        description=f"Re-Invoke on MiniLM; {MODEL} writes the requests and extracts the intents.",
        load=load_llm,
        parameters=None,
        settings={"requests": REQUESTS, "intents": INTENTS, "model": MODEL},
        deviations=(
            f"MiniLM and {MODEL}, not textembedding-gecko and text-bison; prompts of our own.",
            f"{INTENTS} intents at most, and the model's own temperature, not 0.7.",
        ),
        uses_examples=False,
        needs=Needs(modules=("anthropic",), extra="llm", key="ANTHROPIC_API_KEY"),
        speed=Speed(start=12, per_tool=0.6, per_query=0.5),
        expected=expected,
    ),
)
