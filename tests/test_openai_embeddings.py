from __future__ import annotations

import hashlib
import importlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import fakes
import mteb
import pytest

from tool_bench import hub
from tool_bench.baseline import Baseline
from tool_bench.errors import UnavailableError
from tool_bench.evaluate import evaluate, search_scope
from tool_bench.llm.budget import Ledger, limited_by
from tool_bench.measures import mean, score
from tool_bench.plan import make_plan
from tool_bench.query import Query
from tool_bench.retriever import Metered

pytest.importorskip("openai", reason="needs the extra: pip install 'tool-bench[openai]'")
tiktoken = pytest.importorskip("tiktoken", reason="needs the extra: 'tool-bench[openai]'")

BASELINES = importlib.import_module("tool_bench.baselines.openai_embeddings").BASELINES
BY_NAME: dict[str, Baseline] = {baseline.name: baseline for baseline in BASELINES}
SMALL = BY_NAME["openai/text-embedding-3-small"]


@dataclass
class Service:
    """Answers /v1/embeddings with bags of words, and keeps what it was asked."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    status: int = 200

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        size = asked.get("dimensions", 1536)
        data = []
        for index, text in enumerate(asked["input"]):
            vector = [0.0] * size
            for word in text.replace("_", " ").replace(":", " ").split():
                vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % size] = 1.0
            data.append({"object": "embedding", "index": index, "embedding": vector})
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return {"object": "list", "data": data, "model": asked["model"], "usage": usage}


class Words:
    """Stands in for the service's tokenizer, whose table is a download: a token is a word."""

    def encode(self, text: str) -> list[str]:
        return text.split()

    encode_ordinary = encode

    def decode(self, tokens: list[str]) -> str:
        return " ".join(tokens)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/embeddings"
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.requests.append(asked)
            found.keys.add(self.headers["Authorization"])
            body = json.dumps(found.answer(asked)).encode()
            self.send_response(found.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setattr(tiktoken, "get_encoding", lambda _: Words())
    monkeypatch.setattr("time.sleep", lambda _: None)  # mteb waits a minute before it gives up
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def test_tools_go_in_batches_and_come_back_in_order(service: Service) -> None:
    data = fakes.dataset()
    many = [
        replace(tool, id=f"{tool.id}{n}", name=f"{tool.name} {n}")
        for tool in data.tools
        for n in range(5)
    ]
    retriever = SMALL.load()
    retriever.index(many, {})
    sent = [request["input"] for request in service.requests]
    assert [len(texts) for texts in sent] == [32, 28]
    assert sorted(text for texts in sent for text in texts) == sorted(
        f"{tool.name}: {tool.description}" for tool in many
    )
    assert {(r["model"], r["dimensions"]) for r in service.requests} == {
        ("text-embedding-3-small", 1536)
    }
    assert service.keys == {"Bearer a-key"}
    queries = [Query(id=tool.id, text=f"{tool.name}: {tool.description}") for tool in many]
    rankings = retriever.search(queries, 1, [None] * len(queries))
    assert [ranking[0][0] for ranking in rankings] == [tool.id for tool in many]


@pytest.mark.parametrize("name", BY_NAME)
def test_each_model_ranks(name: str, service: Service) -> None:
    data = fakes.dataset()
    retriever = BY_NAME[name].load()
    retriever.index(data.tools, {})
    run = search_scope(retriever, data, "global")
    assert mean(score(run, data.relevance)["Hit@1"].values()) == 1
    assert ("dimensions" in service.requests[0]) == ("ada" not in name)


def test_a_query_costs_what_its_tokens_cost(service: Service) -> None:
    data = fakes.dataset()
    result, _ = evaluate(fakes.TASK, SMALL, data, ["tool_bench"])
    assert result.cost is not None
    words = mean(len(query.text.split()) for query in data.queries)
    assert result.cost.tokens is not None
    assert result.cost.tokens.fresh == pytest.approx(words, abs=0.05)
    assert result.cost.usd_per_1000 == pytest.approx(words * 1_000 * 0.02 / 1e6, rel=1e-3)
    assert "0.02 USD for a million tokens, 2026-05" in result.cost.basis
    of_tools = sum(len(f"{tool.name}: {tool.description}".split()) for tool in data.tools)
    assert result.cost.index_usd == pytest.approx(of_tools * 0.02 / 1e6, rel=1e-3)
    assert result.footprint is not None
    assert result.footprint.model_bytes is None  # it lies elsewhere
    assert result.footprint.index_bytes is not None
    assert result.footprint.index_bytes > 12 * 1536 * 4
    asked = [text for request in service.requests for text in request["input"]]
    assert len(asked) == len(set(asked)) == 24  # nothing is bought twice
    retriever = SMALL.load()
    assert isinstance(retriever, Metered)
    assert SMALL.expected is not None
    assert 0 < SMALL.expected(data).usd < 0.001


def test_an_empty_request_is_no_failure(service: Service) -> None:
    data = fakes.dataset()
    retriever = SMALL.load()
    retriever.index(data.tools, {})
    (ranking,) = retriever.search([Query(id="q", text="")], 5, [None])
    assert [value for _, value in ranking] == [0.0] * 5


def test_a_service_that_refuses_makes_it_unavailable(service: Service) -> None:
    retriever = SMALL.load()
    service.status = 401
    with pytest.raises(UnavailableError, match="OpenAI: AuthenticationError"):
        retriever.index(fakes.dataset().tools, {})


def test_without_a_key_it_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (cell,) = make_plan([fakes.TASK], [hub.model_baseline(SMALL.name)], tmp_path, paid=True)
    assert (cell.state, cell.note) == ("unavailable", "needs an API key in OPENAI_API_KEY")
    monkeypatch.setattr(tiktoken, "get_encoding", lambda _: Words())
    with pytest.raises(UnavailableError, match="OPENAI_API_KEY"):
        SMALL.load()


def test_without_the_tokenizers_table_it_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")

    def fail(_: str) -> None:
        raise OSError("no network")

    monkeypatch.setattr(tiktoken, "get_encoding", fail)
    with pytest.raises(UnavailableError, match="no network"):
        SMALL.load()


@pytest.mark.parametrize("declared", BY_NAME.values(), ids=lambda b: b.name)
def test_a_declaration_says_what_mteb_does(declared: Baseline) -> None:
    meta = mteb.get_model_meta(declared.name)
    assert declared.revision == meta.revision
    assert declared.reference == str(meta.reference)
    assert declared.parameters is meta.n_parameters is None
    assert declared.settings["dimensions"] == meta.embed_dim
    assert declared.settings["max tokens"] == meta.max_tokens
    assert hub.model_baseline(declared.name) == declared


def test_what_would_pass_the_budget_is_not_asked(service: Service, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    ledger.write_text("0.5\n")
    with limited_by(Ledger(ledger, 0.5)):
        retriever = SMALL.load()
        with pytest.raises(UnavailableError, match=r"stopped before passing 0\.50 USD"):
            retriever.index(fakes.dataset().tools, {})
    assert service.requests == []
    with limited_by(Ledger(ledger, 0.6)):
        SMALL.load().index(fakes.dataset().tools, {})
    assert 0.5 < sum(map(float, ledger.read_text().split())) < 0.6
