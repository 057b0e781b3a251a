"""Toolshed: enriched tool documents, several readings of each request, one fused ranking.

Lumer et al. 2024 (arXiv 2410.14594), in the three phases of its paper. Before retrieval: a tool's
document joins its name in words, description, arguments, requests it would serve and key topics.
During: a request is split into steps, each step is varied, and every variation searches. After:
the lists are made into one; the paper asks an LLM to rerank them.

``toolshed`` does without an LLM. Usage examples are the requests, category and provider the
topics; sentences are the steps, a step's content words its variation, and reciprocal-rank fusion
the last step. ``toolshed-llm`` lets an LLM write questions and topics, steps and variations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tool_bench.baseline import Baseline, Needs, Speed
from tool_bench.dataset import Examples, ToolDataset
from tool_bench.llm.estimate import tokens
from tool_bench.llm.expect import Ask, per_tool, whole_run
from tool_bench.llm.paid import Paid
from tool_bench.llm.parse import strings
from tool_bench.llm.request import MODEL, request
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking, Retriever, Spent, best
from tool_bench.tool import MAX_CHARACTERS, Tool
from tool_bench.words import words

if TYPE_CHECKING:
    from tool_bench.encoder import Encoder

QUESTIONS, VARIATIONS, STEPS, DEPTH = 5, 2, 4, 20

_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_LEAST_WORDS = 3


@dataclass(frozen=True, slots=True)
class Notes:
    """What is added to a tool's document."""

    questions: tuple[str, ...]
    topics: tuple[str, ...]


Annotate = Callable[[Sequence[Tool], Examples], list[Notes]]
"""(tools, examples) -> notes on each tool."""
Read = Callable[[Sequence[Query]], list[list[str]]]
"""Queries -> the texts that are searched for each, the request itself first."""


def given_notes(tools: Sequence[Tool], examples: Examples) -> list[Notes]:
    """Return each tool's first usage examples as questions, category and provider as topics."""
    return [
        Notes(
            questions=examples.get(tool.id, ())[:QUESTIONS],
            topics=tuple(filter(None, (tool.category, tool.provider))),
        )
        for tool in tools
    ]


def document(tool: Tool, notes: Notes) -> str:
    """Return the enriched document of a tool, its parts joined as the authors join them."""
    arguments = [f"{p.name}: {p.description}" if p.description else p.name for p in tool.parameters]
    parts = [" ".join(words(tool.name)).title(), tool.description.strip(), *arguments]
    return " - ".join(filter(None, (*parts, *notes.questions, *notes.topics)))[:MAX_CHARACTERS]


def readings(queries: Sequence[Query]) -> list[list[str]]:
    """Return each request, its sentences where it has several, and the content words of each."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    found = []
    for query in queries:
        steps = [query.instructed]
        sentences = [s for s in _SENTENCE.split(query.text) if len(words(s)) >= _LEAST_WORDS]
        if len(sentences) > 1:
            steps += sentences[:STEPS]
        content = (" ".join(w for w in words(s) if w not in ENGLISH_STOP_WORDS) for s in steps)
        found.append(list(dict.fromkeys(text for text in (*steps, *content) if text)) or [""])
    return found


class Toolshed:
    """Dense retrieval of every reading of a request, fused."""

    def __init__(
        self, encoder: Encoder, annotate: Annotate = given_notes, read: Read = readings
    ) -> None:
        self._encoder = encoder
        self._annotate = annotate
        self._read = read

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Encode the enriched documents."""
        self._catalogue = Catalogue(tools)
        ordered = self._catalogue.tools
        notes = self._annotate(ordered, examples)
        texts = [document(tool, note) for tool, note in zip(ordered, notes, strict=True)]
        self._matrix = self._encoder.encode(texts, "document")

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Search with every reading of each request and fuse the lists."""
        from tool_bench.dense import encode_groups
        from tool_bench.fusion import reciprocal_rank

        rankings = []
        groups = encode_groups(self._encoder, self._read(queries))
        for vectors, candidates in zip(groups, scopes, strict=True):
            depth = max(DEPTH, k)
            found = [self._catalogue.top(self._matrix @ v, depth, candidates) for v in vectors]
            rankings.append(best(reciprocal_rank(found), k))
        return rankings


NOTE = (
    "Write {n} questions that a user could ask and that this tool would answer, some with values "
    "for its arguments and some without, and 3 to 5 key topics of one to five words. Answer with "
    'JSON: {{"questions": ["...", ...], "topics": ["...", ...]}}\n\nTool: {document}'
)
READ = (
    "Break this request into its steps, {steps} at most; one step where it asks for one thing. "
    "Say each step in {variations} other ways. Answer with JSON that holds the steps and their "
    'variations, one after the other: {{"readings": ["...", ...]}}\n\nRequest: {text}'
)
NOTE_TOKENS, READ_TOKENS = 800, 800


def note_prompt(tool: Tool) -> str:
    """Return what the model is asked about a tool."""
    return NOTE.format(n=QUESTIONS, document=document(tool, Notes((), ())))


def read_prompt(query: Query) -> str:
    """Return what the model is asked about a request."""
    return READ.format(steps=STEPS, variations=VARIATIONS, text=query.instructed)


class LlmToolshed(Paid):
    """Toolshed with an LLM's notes on the tools and readings of the requests."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self._dense = Toolshed(encoder, self._annotate, self._read)

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Let the model write notes on each tool, and encode the documents."""
        self._dense.index(tools, examples)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Let the model read each request in several ways, and fuse what they find."""
        self._begin(queries)
        return self._dense.search(queries, k, scopes)

    def _annotate(self, tools: Sequence[Tool], _: Examples) -> list[Notes]:
        texts = self._ask_for_index([note_prompt(tool) for tool in tools], NOTE_TOKENS)
        return [
            Notes(tuple(strings(text, "questions")[:QUESTIONS]), tuple(strings(text, "topics")))
            for text in texts
        ]

    def _read(self, queries: Sequence[Query]) -> list[list[str]]:
        asked = [request(read_prompt(query), READ_TOKENS) for query in queries]
        most = STEPS * (1 + VARIATIONS)
        return [
            [query.instructed, *(strings(answer.text, "readings") if answer else [])[:most]]
            for query, answer in zip(queries, self._ask(queries, asked), strict=True)
        ]


def expected(dataset: ToolDataset) -> Spent:
    """Return what notes on all tools and readings of all requests will take."""
    # a request is read once, whatever the candidates
    once = whole_run(
        replace(dataset, queries=tuple(replace(q, provider=None) for q in dataset.queries)),
        lambda query, _: Ask(tokens(read_prompt(query)), READ_TOKENS // 6),
    )
    return once + per_tool(dataset, lambda tool: Ask(tokens(note_prompt(tool)), 200))


def load() -> Retriever:
    """Load the embedded MiniLM."""
    from tool_bench.sentence import minilm

    return Toolshed(minilm())


def load_llm() -> Retriever:
    """Load the embedded MiniLM and the model's client."""
    from tool_bench.sentence import minilm

    return LlmToolshed(minilm())


OFFLINE = Baseline(
    name="toolshed",
    kind="dense",
    description=(
        "MiniLM over enriched tool documents; the request, its sentences and their content "
        "words search apart and are fused by reciprocal rank. No LLM."
    ),
    reference="https://arxiv.org/abs/2410.14594",
    license="mit",
    load=load,
    parameters=22_713_216,
    revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    precision="float32",
    settings={"questions": QUESTIONS, "steps": STEPS, "depth": DEPTH, "fusion": "rrf"},
    deviations=(
        (
            "No LLM: usage examples for hypothetical questions, category and provider for key "
            "topics, sentences for steps, content words for variations."
        ),
        "Reciprocal-rank fusion of 20 tools a reading; the paper's LLM reranks the first 5.",
        "MiniLM, not a hosted embedding model.",
    ),
    uses_examples=True,
    speed=Speed(start=10, per_tool=0.04, per_query=0.05),
)
BASELINES = (
    OFFLINE,
    replace(
        OFFLINE,
        name="toolshed-llm",
        kind="llm",
        description=(
            f"Toolshed on MiniLM; {MODEL} writes questions and topics for each tool, and steps and "
            "variations of each request."
        ),
        load=load_llm,
        parameters=None,
        settings={
            "questions": QUESTIONS,
            "steps": STEPS,
            "variations": VARIATIONS,
            "depth": DEPTH,
            "fusion": "rrf",
            "model": MODEL,
        },
        deviations=(
            "Reciprocal-rank fusion of 20 tools a reading; the paper's LLM reranks the first 5.",
            "One request for steps and variations, not one each; prompts of our own.",
            f"MiniLM and {MODEL}, not hosted embeddings and GPT.",
        ),
        uses_examples=False,
        needs=Needs(modules=("anthropic",), extra="llm", key="ANTHROPIC_API_KEY"),
        speed=Speed(start=12, per_tool=0.6, per_query=0.5),
        expected=expected,
    ),
)
