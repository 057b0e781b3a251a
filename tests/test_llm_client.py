from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from messages_server import KEY, Fault, MessagesServer, serving, texts

from tool_bench.errors import ToolBenchError, UnavailableError
from tool_bench.llm import client as client_module
from tool_bench.llm.answer import spent_on
from tool_bench.llm.budget import Budget, Ledger, LimitReachedError, limited_by, new_ledger
from tool_bench.llm.cache import AnswerStore
from tool_bench.llm.client import AT_ONCE, MAX_RETRIES, Client
from tool_bench.llm.estimate import most_usd
from tool_bench.llm.request import MODEL, key, request
from tool_bench.pricing import model_price
from tool_bench.progress import reporting_to

PRICE = model_price(MODEL)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MessagesServer]:
    monkeypatch.setattr(anthropic._base_client, "INITIAL_RETRY_DELAY", 0.001)
    with serving(monkeypatch) as service:
        yield service


def ask(word: str, tools: int = 0) -> Any:
    names = [{"name": f"t{i}", "input_schema": {"type": "object"}} for i in range(tools)]
    if names:
        names[-1]["cache_control"] = {"type": "ephemeral"}
    return request(word, 100, tools=names)


def test_an_answer_is_paid_once(server: MessagesServer) -> None:
    client = Client()
    assert texts(client, ["a", "b", "a"], 100) == ["echo: a", "echo: b", "echo: a"]
    assert len(server.seen) == 2
    first = client.answers([ask("a")])[0]
    second = Client().answers([ask("a")])[0]
    assert len(server.seen) == 2
    assert first == second
    assert first.spent.seconds > 0
    assert texts(Client(), ["a"], 101) == ["echo: a"]  # another request
    assert len(server.seen) == 3


def test_usage_becomes_dollars_exactly(server: MessagesServer) -> None:
    usage = {
        "input_tokens": 1_000_000,
        "cache_creation_input_tokens": 100_000,
        "cache_read_input_tokens": 2_000_000,
        "output_tokens": 10_000,
    }
    server.edit = {"usage": usage}
    spent = Client().answers([ask("a")])[0].spent
    assert spent.usd == pytest.approx(2.0 + 0.25 + 0.2 + 0.1, rel=1e-12)
    assert (spent.input_tokens, spent.output) == (3_100_000, 10_000)
    assert spent_on({"input_tokens": 1, "output_tokens": 0}, 0, PRICE).usd == 2e-6


def test_the_bill_is_what_the_server_says(server: MessagesServer) -> None:
    answers = Client().answers([ask(f"w{i}", tools=3) for i in range(9)])
    assert math.fsum(a.spent.usd for a in answers) == pytest.approx(server.billed, rel=1e-12)


def test_many_at_once_but_the_first_of_a_catalogue_alone(server: MessagesServer) -> None:
    server.delay = 0.05
    Client().answers([ask(f"w{i}", tools=3) for i in range(20)])
    usages = [Client().answers([ask(f"w{i}", tools=3)])[0].message["usage"] for i in range(20)]
    assert sum("cache_creation_input_tokens" in usage for usage in usages) == 1
    assert sum("cache_read_input_tokens" in usage for usage in usages) == 19
    assert 2 <= server.most_at_once <= AT_ONCE


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, headers={"retry-after-ms": "5"}),
        Fault(529, "Overloaded"),
        Fault(500),
        Fault(cut=True),
    ],
    ids=["429", "529", "500", "cut"],
)
def test_what_passes_is_tried_again(server: MessagesServer, fault: Fault) -> None:
    server.faults.extend([fault, fault])
    assert texts(Client(), ["a"], 10) == ["echo: a"]
    assert len(server.seen) == 3


def test_a_retry_waits_as_long_as_it_is_told(server: MessagesServer) -> None:
    server.faults.append(Fault(429, headers={"retry-after": "0.2"}))
    began = time.perf_counter()
    texts(Client(), ["a"], 10)
    assert time.perf_counter() - began >= 0.2


def test_a_slow_answer_is_given_up_and_asked_again(
    server: MessagesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT_S", 0.2)
    server.faults.append(Fault(delay=0.5))
    assert texts(Client(), ["a"], 10) == ["echo: a"]
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("fault", "unavailable", "message"),
    [
        (Fault(401, "bad key"), True, r"refused the key in ANTHROPIC_API_KEY .*401: bad key"),
        (Fault(403, "no"), True, "ANTHROPIC_API_KEY"),
        (Fault(400, "prompt is too long: 2 > 1"), True, "larger than the model takes"),
        (Fault(400, "Your credit balance is too low"), True, "cannot pay"),
        (Fault(400, "messages: odd"), False, r"refused a request \(HTTP 400: messages: odd\)"),
        (Fault(404, "model: gone"), False, "HTTP 404: model: gone"),
        (Fault(body="<html>"), False, "is ANTHROPIC_BASE_URL right"),
        (Fault(body='{"content": [1], "usage": {}}'), False, "is ANTHROPIC_BASE_URL right"),
    ],
)
def test_what_does_not_pass_is_said_at_once(
    server: MessagesServer, fault: Fault, unavailable: bool, message: str
) -> None:
    server.faults.append(fault)
    with pytest.raises(ToolBenchError, match=message) as error:
        texts(Client(), ["a"], 10)
    assert isinstance(error.value, UnavailableError) == unavailable
    assert len(server.seen) == 1


@pytest.mark.parametrize(("fault", "words"), [(Fault(529), "529"), (Fault(cut=True), "broke off")])
def test_what_goes_on_failing_ends_in_a_clean_error(
    server: MessagesServer, fault: Fault, words: str
) -> None:
    server.faults.extend([fault] * (MAX_RETRIES + 1))
    with pytest.raises(ToolBenchError, match=words) as error:
        texts(Client(), ["a"], 10)
    assert "answers that were paid are kept" in str(error.value)
    assert len(server.seen) == MAX_RETRIES + 1


def test_without_key_or_network_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(UnavailableError, match="needs an API key in ANTHROPIC_API_KEY"):
        texts(Client(), ["a"], 10)
    monkeypatch.setattr(client_module, "MAX_RETRIES", 0)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(UnavailableError, match=r"cannot be reached at http://127.0.0.1:9"):
        texts(Client(), ["a"], 10)


def test_one_failure_loses_no_paid_answer(server: MessagesServer) -> None:
    server.delay = 0.02
    server.faults.extend([Fault(), Fault(), Fault(400, "odd")])
    prompts = [f"w{i}" for i in range(30)]
    with pytest.raises(ToolBenchError, match="odd"):
        texts(Client(), prompts, 10)
    paid = len(server.answered)
    assert 2 <= paid < 30
    assert len(texts(Client(), prompts, 10)) == 30
    assert len(server.answered) == 30


def test_a_damaged_answer_is_asked_again(server: MessagesServer) -> None:
    texts(Client(), ["a", "b"], 10)
    (path,) = [p for p in AnswerStore().folder.rglob("*.json") if "echo: a" in p.read_text()]
    whole = path.read_text()
    damaged = [whole[: len(whole) // 2], "", "[]", "null", json.dumps({"key": path.stem})]
    for text in damaged:
        path.write_text(text)
        assert texts(Client(), ["a", "b"], 10) == ["echo: a", "echo: b"]
    assert len(server.seen) == 2 + len(damaged)


def test_a_kill_while_an_answer_is_written_leaves_the_others(
    server: MessagesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts(Client(), ["a"], 10)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            texts(Client(), ["b"], 10)
    assert texts(Client(), ["a", "b"], 10) == ["echo: a", "echo: b"]
    assert len(server.seen) == 3  # only the one that was lost is asked again


def test_progress_is_told(server: MessagesServer) -> None:
    told: list[tuple[str, int, int]] = []
    with reporting_to(lambda *step: told.append(step)):
        texts(Client(), ["a", "b"], 10)
    assert [(done, total) for _, done, total in told] == [(0, 2), (1, 2)]


@pytest.mark.parametrize("cut", [0, 3])
def test_the_budget_is_never_passed_and_a_higher_one_goes_on(
    server: MessagesServer, cut: int
) -> None:
    """Also where answers are lost on the way, which are billed all the same."""
    server.delay = 0.01
    server.faults.extend([Fault(cut=True)] * cut)
    requests = [ask(f"{i} " + "word " * 400, tools=2) for i in range(60)]
    limit = 8 * most_usd(requests[0], PRICE)
    with new_ledger(limit) as ledger, limited_by(ledger):
        with pytest.raises(UnavailableError) as error:
            Client().answers(requests)
        assert ledger
        assert server.billed <= ledger.total() + 1e-12 <= limit + 1e-9
    kept = len(list(AnswerStore().folder.rglob("*.json")))
    assert 8 - cut < kept < 60  # what was put aside for an answer is freed when it was cheaper
    assert str(error.value) == (
        f"stopped before passing {limit:.2f} USD: {kept} answers are there and kept; "
        "a higher --max-usd goes on from here"
    )
    with new_ledger(100.0) as ledger, limited_by(ledger):
        assert len(Client().answers(requests)) == 60
    assert len(server.answered) == 60 + cut


def test_a_budget_of_nothing_reads_the_disk(server: MessagesServer) -> None:
    texts(Client(), ["a"], 10)
    with new_ledger(0.0) as ledger, limited_by(ledger):
        assert texts(Client(), ["a"], 10) == ["echo: a"]
        with pytest.raises(UnavailableError, match=r"before passing 0.00 USD: 0 answers"):
            texts(Client(), ["b"], 10)
    assert len(server.seen) == 1


def test_the_ledger_goes_from_one_process_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.touch()
    first = Budget(Ledger(path, 1.0))
    first.reserve(0.6)
    first.settle(0.6, 0.25)
    first.reserve(0.5)  # and then the process is killed
    second = Budget(Ledger(path, 1.0))
    with pytest.raises(LimitReachedError):
        second.reserve(0.26)
    second.reserve(0.25)


def test_a_reservation_waits_for_those_that_may_be_cheaper(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.touch()
    budget = Budget(Ledger(path, 1.0))
    budget.reserve(0.9)
    threading.Timer(0.05, budget.settle, (0.9, 0.1)).start()
    budget.reserve(0.9)
    threading.Timer(0.05, budget.settle, (0.9, 0.9)).start()
    with pytest.raises(LimitReachedError):
        budget.reserve(0.9)


def test_the_key_is_of_the_whole_request() -> None:
    base = request("a", 10)
    others = [
        request("b", 10),
        request("a", 11),
        request("a", 10, system="s"),
        request("a", 10, tools=[{"name": "t"}]),
        {**base, "model": "other"},
    ]
    assert len({key(each) for each in [base, *others]}) == 6
    assert key(dict(reversed([*base.items()]))) == key(base)
