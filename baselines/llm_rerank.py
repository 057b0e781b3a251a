"""A model puts the candidates of BM25 in order: listwise reranking, as RankGPT does.

Sun et al. 2023 slide a window of 20 over 100 passages; 50 tools fit into one request, so there is
one window. What the model leaves out follows in the order of the first stage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tool_bench import registry
from tool_bench.baseline import Baseline, Needs, Speed
from tool_bench.dataset import Examples, ToolDataset
from tool_bench.llm.estimate import tokens
from tool_bench.llm.expect import Ask, whole_run
from tool_bench.llm.paid import Paid, ranked
from tool_bench.llm.request import MODEL, Request, request
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Ranking, Retriever, Spent
from tool_bench.tool import Style, Tool, render

FIRST = "bm25s"
DEPTH = 50
STYLE: Style = "name-description"
CHARACTERS = 500
"""At which the text of a candidate is cut."""
MAX_TOKENS = 300
EXPECTED_OUTPUT = 40
SYSTEM = (
    "You are given numbered tools and a user's request. Answer with the numbers of the ten tools "
    "that are best suited to carry out the request, the best first, as a JSON list such as "
    "[4, 17, 2], and with nothing else."
)

_LIST = re.compile(r"\[([^\[\]]*)\]")
_CUT_OFF = re.compile(r"\[([^\[\]]*),[^,\[\]]*$")  # up to the last number that is surely whole
_NUMBER = re.compile(r"(?<![\w.-])\d{1,4}(?![\w.])")


class LlmRerank(Paid):
    """The first stage's best, in the model's order."""

    def __init__(self) -> None:
        super().__init__()
        (first,) = registry.pick_baselines([FIRST])
        self._first = first.load()

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        """Index the first stage."""
        self._lines = {tool.id: _line(tool) for tool in tools}
        self._first.index(tools, {})

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        """Ask once for each query that has something to put in order."""
        self._begin(queries)
        found = [
            [id_ for id_, _ in sorted(ranking, key=lambda pair: -pair[1])]
            for ranking in self._first.search(queries, max(k, DEPTH), scopes)
        ]
        pairs = zip(queries, found, strict=True)
        answers = self._ask(queries, [self._request(query, ids[:DEPTH]) for query, ids in pairs])
        rankings = []
        for ids, answer in zip(found, answers, strict=True):
            chosen = numbers(answer.text if answer else "", len(ids[:DEPTH]))
            rankings.append(ranked(dict.fromkeys([*(ids[n - 1] for n in chosen), *ids]), k))
        return rankings

    def _request(self, query: Query, ids: Sequence[str]) -> Request | None:
        if len(ids) < 2 or not query.instructed.strip():  # noqa: PLR2004  one has its place
            return None
        lines = [f"{n}. {self._lines[id_]}" for n, id_ in enumerate(ids, start=1)]
        content = "\n".join(["Tools:", *lines, "", f"Request: {query.instructed}"])
        return request(content, MAX_TOKENS, system=SYSTEM)


def _line(tool: Tool) -> str:
    return " ".join(render(tool, STYLE, CHARACTERS).split())


def numbers(text: str, highest: int) -> list[int]:
    """Return the numbers 1 to ``highest`` of the first list in ``text``, repeats left out."""
    match = next((m for m in _LIST.finditer(text) if _NUMBER.search(m[1])), None)
    match = match or _CUT_OFF.search(text)
    given = map(int, _NUMBER.findall(match[1])) if match else ()
    return [number for number in dict.fromkeys(given) if 1 <= number <= highest]


def expected(dataset: ToolDataset) -> Spent:
    """Return what a whole run takes, candidates taken to be of mean length."""
    sizes = {tool.id: tokens(f"00. {_line(tool)}\n") for tool in dataset.tools}

    def ask(query: Query, candidates: Candidates) -> Ask | None:
        ids = sizes if candidates is None else candidates
        if len(ids) < 2 or not query.instructed.strip():  # noqa: PLR2004  one has its place
            return None
        mean = sum(sizes[id_] for id_ in ids) / len(ids)
        listed = round(mean * min(len(ids), DEPTH))
        return Ask(listed + tokens(SYSTEM) + tokens(query.instructed), EXPECTED_OUTPUT)

    return whole_run(dataset, ask)


def load() -> Retriever:
    """Load the first stage."""
    return LlmRerank()


BASELINES = (
    Baseline(
        name="llm-rerank",
        kind="llm",
        description=f"The {DEPTH} best of {FIRST}, put in order by {MODEL}.",
        reference="https://arxiv.org/abs/2304.09542",
        license="proprietary",
        load=load,
        revision=MODEL,
        style=STYLE,
        settings={
            "depth": DEPTH,
            "characters": CHARACTERS,
            "max tokens": MAX_TOKENS,
            "thinking": "between_tools",
        },
        deviations=(f"One window of {DEPTH}, not a sliding one; the model names its ten best.",),
        needs=Needs(modules=("anthropic",), extra="llm", key="ANTHROPIC_API_KEY"),
        parts=(FIRST,),
        speed=Speed(start=5, per_query=0.6),
        expected=expected,
    ),
)
