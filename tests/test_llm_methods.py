from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import fakes
import pytest
from anthropic.types import Message
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from messages_server import MessagesServer, serving
from pydantic import TypeAdapter

from tool_bench import pricing, registry
from tool_bench.errors import UnavailableError
from tool_bench.evaluate import search_scope
from tool_bench.llm.cache import AnswerStore
from tool_bench.query import Query
from tool_bench.retriever import Metered, Retriever
from tool_bench.tool import Tool

METHODS = [
    "anthropic-tool-use",
    "anthropic-tool-search-bm25",
    "anthropic-tool-search-regex",
    "llm-rerank",
]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MessagesServer]:
    with serving(monkeypatch) as service:
        yield service


def loaded(name: str, tools: Sequence[Tool] = fakes.dataset().tools) -> Retriever:
    retriever = registry.baselines()[name].load()
    retriever.index(tools, {})
    return retriever


def ask(name: str, text: str, scope: Sequence[str] | None = None, k: int = 10) -> list[str]:
    ((*ranking,),) = loaded(name).search([Query(id="q", text=text)], k, [scope])
    assert [score for _, score in ranking] == sorted((s for _, s in ranking), reverse=True)
    return [id_ for id_, _ in ranking]


@pytest.mark.parametrize("name", METHODS)
def test_requests_and_answers_are_of_the_sdks_types(server: MessagesServer, name: str) -> None:
    ask(name, "delete an invoice now")
    (body,) = server.seen
    TypeAdapter(MessageCreateParamsNonStreaming).validate_python(body)
    Message.model_validate(server.answer(body), strict=True)


def content(*blocks: dict[str, Any], stop: str = "tool_use") -> dict[str, Any]:
    return {"content": list(blocks), "stop_reason": stop}


def called(*names: str) -> list[dict[str, Any]]:
    return [{"type": "tool_use", "id": n, "name": n, "input": {}} for n in names]


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.usefixtures("server")
def test_each_method_finds_what_is_plainly_named(name: str) -> None:
    data = fakes.dataset()
    for scope in data.scopes:
        ranked = search_scope(loaded(name), data, scope)
        hits = [next(iter(data.relevance[q])) in dict(ranked[q][:3]) for q in ranked]
        assert all(hits)


@pytest.mark.parametrize("name", METHODS)
def test_each_method_takes_odd_requests_and_scopes(server: MessagesServer, name: str) -> None:
    assert set(ask(name, "list them", ["invoice_list", "nowhere"])) <= {"invoice_list"}
    assert ask(name, "list", []) == []
    seen = len(server.seen)
    ask(name, "  ")
    assert len(server.seen) == seen  # the service refuses a blank message
    ask(name, "员工 \ud7ff " + "a" * 9_000)


@pytest.mark.parametrize("name", METHODS)
def test_each_method_says_what_its_newest_rankings_took(server: MessagesServer, name: str) -> None:
    data = fakes.dataset()
    twice = replace(
        data,
        queries=(*data.queries[:-1], replace(data.queries[0], id="q11")),
        relevance={**data.relevance, "q11": data.relevance["q0"]},
    )
    retriever = loaded(name)
    assert isinstance(retriever, Metered)
    search_scope(retriever, twice, "global")
    spent = dict(retriever.spent())
    assert spent.keys() == {query.id for query in twice.queries}
    assert spent["q0"] == spent["q11"]  # asked once; each would take it
    total = sum(s.usd for id_, s in spent.items() if id_ != "q11")
    assert total == pytest.approx(server.billed, rel=1e-12)
    again = loaded(name)
    assert isinstance(again, Metered)
    search_scope(again, twice, "global")
    assert again.spent() == spent
    search_scope(again, twice, "scoped")
    assert again.spent() != spent
    cost = pricing.paid(spent, again.indexing(), again.model())
    assert "claude-sonnet-5-5, USD for a million tokens: 2 input, 10 output" in cost.basis
    assert cost.source.startswith("https://platform.claude.com/")
    total = sum(s.usd for s in spent.values())
    assert cost.usd_per_1000 == pytest.approx(1_000 * total / len(spent), rel=1e-3)
    assert cost.index_usd == 0


def test_the_order_of_the_calls_is_the_ranking(server: MessagesServer) -> None:
    names = ["delete_invoice", "no_such_tool", "list_ticket", "delete_invoice", "create_ticket"]
    server.edit = content({"type": "text", "text": "Here."}, *called(*names), stop="max_tokens")
    assert ask("anthropic-tool-use", "x") == ["invoice_delete", "ticket_list", "ticket_create"]
    server.edit = content({"type": "text", "text": "None."}, stop="end_turn")
    assert ask("anthropic-tool-use", "y") == []
    (first, second) = server.seen
    assert first["tools"] == second["tools"]
    assert first["tools"][-1]["cache_control"] == {"type": "ephemeral"}
    assert sum("cache_control" in tool for tool in first["tools"]) == 1
    assert first["tool_choice"] == {"type": "auto"}
    assert first["thinking"] == {"type": "between_tools"}


def test_a_catalogue_is_paid_in_full_once(server: MessagesServer) -> None:
    data = fakes.dataset()
    search_scope(loaded("anthropic-tool-use"), data, "global")
    answers = [json.loads(p.read_text()) for p in AnswerStore().folder.rglob("*.json")]
    written = [a for a in answers if "cache_creation_input_tokens" in a["message"]["usage"]]
    assert (len(answers), len(written)) == (12, 1)
    assert server.answered


def test_a_catalogue_beyond_the_context_is_unavailable_before_it_is_paid(
    server: MessagesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(pricing.model_price("claude-sonnet-5-5"), context=3_000)
    monkeypatch.setattr(pricing, "model_price", lambda _: small)
    with pytest.raises(UnavailableError, match=r"12 tools take about .* holds 3,000"):
        ask("anthropic-tool-use", "x")
    expected = registry.baselines()["anthropic-tool-use"].expected
    assert expected
    with pytest.raises(UnavailableError, match="12 tools take about"):
        expected(fakes.dataset())
    assert ask("anthropic-tool-use", "list", ["invoice_list"]) == ["invoice_list"]
    assert len(server.seen) == 1


def found(*names: str) -> dict[str, Any]:
    references = [{"type": "tool_reference", "tool_name": name} for name in names]
    inner = {"type": "tool_search_tool_search_result", "tool_references": references}
    return {"type": "tool_search_tool_result", "tool_use_id": "s", "content": inner}


def test_calls_come_before_what_searches_found(server: MessagesServer) -> None:
    error = {"type": "tool_search_tool_result_error", "error_code": "unavailable"}
    server.edit = content(
        found("list_ticket", "delete_ticket"),
        {"type": "tool_search_tool_result", "tool_use_id": "t", "content": error},
        found("create_ticket", "gone"),
        *called("delete_ticket"),
    )
    name = "anthropic-tool-search-bm25"
    assert ask(name, "x") == ["ticket_delete", "ticket_list", "ticket_create"]
    assert ask(name, "x", k=2) == ["ticket_delete", "ticket_list"]
    (body,) = server.seen
    tool = "tool_search_tool_bm25"
    assert body["tools"][0] == {"type": f"{tool}_20251119", "name": tool}
    assert all(tool["defer_loading"] for tool in body["tools"][1:])


def test_a_paused_answer_is_gone_on_with(server: MessagesServer) -> None:
    server.pauses = 2
    retriever = loaded("anthropic-tool-search-regex")
    assert isinstance(retriever, Metered)
    retriever.search([Query(id="q", text="please delete an invoice")], 10, [None])
    assert [len(body["messages"]) for body in server.seen] == [1, 2, 3]
    assert server.seen[1]["messages"][1]["role"] == "assistant"
    assert server.seen[1]["messages"][1]["content"][0]["type"] == "server_tool_use"
    assert retriever.spent()["q"].usd == pytest.approx(server.billed)
    server.pauses = 99
    ask("anthropic-tool-search-regex", "please list a ticket")
    assert len(server.seen) == 3 + 4


def test_more_tools_than_the_service_searches_are_unavailable(server: MessagesServer) -> None:
    tools = [Tool(id=str(i), name=f"t{i}") for i in range(10_001)]
    retriever = loaded("anthropic-tool-search-bm25", tools)
    with pytest.raises(UnavailableError, match=r"10,001 tools; .* takes 10,000 at most"):
        retriever.search([Query(id="q", text="x")], 10, [None])
    assert server.seen == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[3, 1, 2]", [3, 1, 2]),
        ('```json\n["2", "1"]\n```', [2, 1]),
        ("Sure [sic]: [2,2, 9, 0, -1, 1.5, 4] and [1]", [2, 4]),
        ("[4, 3, 1", [4, 3]),  # the last number may be half of one
        ("[4", []),
        ("4, 3", []),
        ("[" + "9" * 5_000 + ", 1]", [1]),
        ("", []),
    ],
)
def test_numbers_are_read_from_anything(text: str, expected: list[int]) -> None:
    assert importlib.import_module("tool_bench.baselines.llm_rerank").numbers(text, 4) == expected


def test_what_the_reranker_leaves_out_follows_in_the_first_stages_order(
    server: MessagesServer,
) -> None:
    bm25s, text = loaded("bm25s"), "delete an invoice now"
    first = [id_ for id_, _ in bm25s.search([Query(id="q", text=text)], 12, [None])[0]]
    server.edit = content({"type": "text", "text": "[5, 2, 77]"}, stop="end_turn")
    expected = [first[4], first[1], first[0], *first[2:4], *first[5:]]
    assert ask("llm-rerank", text, k=12) == expected
    assert "\n5. " in server.seen[0]["messages"][0]["content"]
