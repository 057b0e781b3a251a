"""Methods whose steps an LLM may do: Re-Invoke and Toolshed, with a server that does them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import fakes
import messages_server
import pytest
from messages_server import MessagesServer, serving

from tool_bench import registry
from tool_bench.evaluate import evaluate, search_scope
from tool_bench.llm.parse import strings
from tool_bench.measures import mean, score

DATA = fakes.dataset()
ALIASES = {"employee": "colleague", "invoice": "bill", "ticket": "complaint"}
METHODS = pytest.mark.parametrize("name", ["re-invoke-llm", "toolshed-llm"])


def helpful(body: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """Knows that people say 'complaint' for a ticket, and answers in prose around the JSON."""
    prompt = body["messages"][0]["content"]
    _, _, subject = prompt.rpartition("\n\n")
    said = subject.partition(": ")[2]
    for noun, alias in ALIASES.items():
        said = (
            said.replace(noun, alias) if subject.startswith("Tool") else said.replace(alias, noun)
        )
    known = {"requests": [said], "questions": [said], "topics": ["x"], "intents": [said]}
    text = f"Here it is:\n```json\n{json.dumps({**known, 'readings': [said]})}\n```"
    return [{"type": "text", "text": text}], "end_turn"


def useless(_: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    return [{"type": "text", "text": 'I cannot. {"requests": "none", "intents": [1, null'}], "x"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MessagesServer]:
    with serving(monkeypatch) as service:
        yield service


@METHODS
def test_the_models_words_reach_the_ranking(
    name: str, server: MessagesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages_server, "_content", helpful)
    (method,) = registry.pick_baselines([name])
    result, _ = evaluate(fakes.TASK, method, DATA, ["tool_bench"])
    assert result.scopes["global"].slices["all"].measures["Hit@1"].value >= 0.75
    assert result.cost
    assert result.timing
    assert result.timing.latency_samples == 12
    prompts = [seen["messages"][0]["content"] for seen in server.seen]
    assert len(prompts) == len(set(prompts)) == 24  # a tool each, and a request each, once
    searching = result.cost.usd_per_1000 * 12 / 1_000
    assert searching > 0 < result.cost.index_usd  # stated apart, and nothing else was paid
    assert searching + result.cost.index_usd == pytest.approx(server.billed, rel=1e-3)


@METHODS
def test_rubbish_is_left_out_and_the_request_itself_remains(
    name: str, server: MessagesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages_server, "_content", useless)
    (method,) = registry.pick_baselines([name])
    retriever = method.load()
    retriever.index(DATA.tools, {})
    run = search_scope(retriever, DATA, "global")
    assert mean(score(run, DATA.relevance)["Hit@1"].values()) >= 0.75


@METHODS
def test_what_is_expected_is_about_what_is_paid(
    name: str, server: MessagesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages_server, "_content", helpful)
    (method,) = registry.pick_baselines([name])
    assert method.expected
    expected = method.expected(DATA)
    evaluate(fakes.TASK, method, DATA, ["tool_bench"])
    assert server.billed < expected.usd < 10 * server.billed  # these answers are short


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": ["x", "y"]}', ["x", "y"]),
        ('Sure {not json} {"a": [" x  y ", "", 3, "x y"]} bye {"a": ["z"]}', ["x y"]),
        ('{"a": ["x" "y"]}', ["x", "y"]),
        ('{"b": ["x"]}', []),
        ('{"a": "x"}', []),
        ("[1, 2]", []),
        ('{"a": ["cut', []),
        ('{"a": ["whole", "as whole", "cut', ["whole", "as whole"]),
        ('{"a": [], "b": ["x"]}', []),
        ('{"a": ["half \\ud83d of it"]}', ["half ? of it"]),
        ("", []),
    ],
)
def test_strings_takes_what_is_there(text: str, found: list[str]) -> None:
    assert strings(text, "a") == found
