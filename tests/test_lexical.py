from __future__ import annotations

import importlib
import math
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_bench.query import Query
from tool_bench.retriever import Ranking, Retriever
from tool_bench.tool import Parameter, Tool

bm25f, stackone_sdk, tfidf = (
    importlib.import_module(f"tool_bench.baselines.{name}")
    for name in ("bm25f", "stackone_sdk", "tfidf")
)

WORDS = ("pay", "list", "create", "invoice", "user")
text = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)


@st.composite
def catalogues(draw: st.DrawFn) -> list[Tool]:
    rows = draw(st.lists(st.tuples(text, text, st.lists(text, max_size=2)), min_size=1, max_size=6))
    return [
        Tool(
            id=str(i),
            name=name or "user",
            description=description,
            parameters=tuple(Parameter(name="pay", description=each) for each in parameters),
        )
        for i, (name, description, parameters) in enumerate(rows)
    ]


def ranked(
    load: Callable[[], Retriever], tools: Sequence[Tool], query: str, scope: Sequence[str] | None
) -> Ranking:
    retriever = load()
    retriever.index(tools, {})
    (ranking,) = retriever.search([Query(id="q", text=query)], len(tools), [scope])
    return ranking


def bm25f_by_the_book(tools: Sequence[Tool], query: str) -> dict[str, float]:
    fields = [
        {
            "name": Counter(tool.name.split()),
            "description": Counter(tool.description.split()),
            "parameters": Counter(
                " ".join(f"{p.name} {p.description}" for p in tool.parameters).split()
            ),
        }
        for tool in tools
    ]
    weights = {"name": 3, "description": 1, "parameters": 0.5}
    average = {f: sum(own[f].total() for own in fields) / len(fields) for f in weights}
    scores = {}
    for tool, own in zip(tools, fields, strict=True):
        score = 0.0
        for word in query.split():
            n = sum(any(word in counts for counts in other.values()) for other in fields)
            tf = 0.0
            for f, weight in weights.items():
                if own[f]:
                    tf += weight * own[f][word] / (0.25 + 0.75 * own[f].total() / average[f])
            score += math.log(1 + (len(tools) - n + 0.5) / (n + 0.5)) * tf / (1.5 + tf)
        scores[tool.id] = score
    return scores


@settings(deadline=None, max_examples=50)
@given(tools=catalogues(), query=text)
def test_bm25f_scores_as_the_formula_says(tools: list[Tool], query: str) -> None:
    found = dict(ranked(bm25f.BM25F, tools, query, None))
    assert found == pytest.approx(bm25f_by_the_book(tools, query))


def test_a_word_counts_most_in_the_name_and_least_in_the_parameters() -> None:
    tools = [
        Tool(id="p", name="one", description="two", parameters=(Parameter(name="invoice"),)),
        Tool(id="d", name="one", description="invoice", parameters=(Parameter(name="two"),)),
        Tool(id="n", name="invoice", description="one", parameters=(Parameter(name="two"),)),
    ]
    assert [id_ for id_, _ in ranked(bm25f.BM25F, tools, "invoice", None)] == ["n", "d", "p"]


def test_tfidf_is_the_cosine_of_weighted_counts() -> None:
    tools = [
        Tool(id="a", name="getUser", description="user of the app"),
        Tool(id="b", name="list_users", description="all"),
    ]
    # user, get, of, the, app occur in one of two texts, so do list, users, all: one IDF for all
    found = dict(ranked(tfidf.TFIDF, tools, "get the user", None))
    assert found == pytest.approx({"a": (1 + 1 + 2) / math.sqrt(3 * (1 + 4 + 1 + 1 + 1)), "b": 0})


SAAS = [
    Tool(
        id="bamboohr_list_employees",
        name="bamboohr_list_employees",
        description="Lists employees, newest hires first.",
    ),
    Tool(
        id="bamboohr_create_employee",
        name="bamboohr_create_employee",
        description="Adds a person; the person's start date is required.",
    ),
    Tool(
        id="jira_create_issue",
        name="jira_create_issue",
        description="Opens an issue or a create-request in a project.",
    ),
    Tool(id="jira_get_issue", name="jira_get_issue"),
    Tool(
        id="slack_send_message",
        name="slack_send_message",
        description="Posts a message to a channel, or à la carte to a person.",
    ),
]
# computed once with Orama 3.1.18, and with the cosine that the SDK publishes
ORAMA: dict[str, list[float]] = {
    "create a new employee in bamboohr": [
        5.631495220228235,
        4.692902009430399,
        2.6482663343513955,
        0,
        0.2336176402382703,
    ],
    "issue issue": [0, 0, 1.0420683614772999, 0.36477864056412496, 0],
    "à la carte messages": [0, 0.8344802003480394, 0.9406225308796783, 0, 3.737566581941989],
    "is": [0, 0.600862560109769, 1.0420683614772999, 0.36477864056412496, 0],
}
COSINE: dict[str, list[float]] = {
    "create a new employee in bamboohr": [
        0.176615353292002,
        0.49731940779917877,
        0.2679953761127498,
        0,
        0,
    ],
    "issue issue": [0, 0, 0.3359776348288491, 0.20011268479004776, 0],
    "à la carte messages": [0, 0, 0, 0, 0.29714752159438046],
    "is": [0, 0, 0, 0, 0],
}


@pytest.mark.parametrize("query", ORAMA)
def test_the_sdks_bm25_gives_oramas_scores(query: str) -> None:
    engine = stackone_sdk.OramaBM25()
    engine.index(SAAS)
    assert engine.scores(query) == pytest.approx(ORAMA[query])


@pytest.mark.parametrize("query", ORAMA)
def test_the_sdk_blends_clamped_scores(query: str) -> None:
    blended = {
        tool.id: 0.2 * min(bm25, 1) + 0.8 * cosine
        for tool, bm25, cosine in zip(SAAS, ORAMA[query], COSINE[query], strict=True)
    }
    assert dict(ranked(stackone_sdk.StackOneSDK, SAAS, query, None)) == pytest.approx(blended)
    scope = [SAAS[0].id, SAAS[3].id]
    scoped = dict(ranked(stackone_sdk.StackOneSDK, SAAS, query, scope))
    assert scoped == pytest.approx({id_: blended[id_] for id_ in scope})


def test_the_sdk_passes_on_fifty_per_engine() -> None:
    tools = [Tool(id=f"t{i}", name=f"invoice {'x' * i}") for i in range(60)]
    retriever = stackone_sdk.StackOneSDK()
    retriever.index(tools, {})
    query = Query(id="q", text="invoice")
    few, many = (retriever.search([query], k, [None])[0] for k in (55, 60))
    assert sum(score > 0 for _, score in few) == 55
    assert sum(score > 0 for _, score in many) == 60
    (ten,) = retriever.search([query], 10, [None])
    assert ten == few[:10]


def test_the_sdks_text_names_integration_and_actions() -> None:
    tool = Tool(id="t", name="getUserList", description="Who is there?", provider="my app")
    found = " ".join(stackone_sdk.terms(stackone_sdk.tfidf_text(tool)))
    assert found == "getuserlist getuserlist getuserlist my app get list who there get user list"


@pytest.mark.parametrize("load", [bm25f.BM25F, tfidf.TFIDF, stackone_sdk.StackOneSDK])
def test_a_catalogue_of_bare_names_is_searched(load: Callable[[], Retriever]) -> None:
    tools = [Tool(id="a", name="ping"), Tool(id="b", name="pay_invoice"), Tool(id="c", name="支付")]
    assert ranked(load, tools, "pay the invoice", None)[0][0] == "b"
    assert {score for _, score in ranked(load, tools, "?!", None)} == {0.0}
    assert [id_ for id_, _ in ranked(load, tools[:1], "ping", None)] == ["a"]


def test_the_sdks_search_survives_a_catalogue_of_another_script() -> None:
    """Its TF-IDF knows ASCII letters only, as the SDK's does."""
    tools = [Tool(id="a", name="搜索"), Tool(id="b", name="天气")]
    best, _ = ranked(stackone_sdk.StackOneSDK, tools, "天气", None)
    assert best[0] == "b"
