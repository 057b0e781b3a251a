"""A server on this machine that speaks the Messages API: refuses, answers and bills as it does.

It picks tools by the words they share with the request, so that a test knows the right answer.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import pytest

from tool_bench.llm.answer import spent_on
from tool_bench.llm.client import Client
from tool_bench.llm.request import request
from tool_bench.pricing import model_price

KEY = "test-key"
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_NUMBERED = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_FIELDS = {"model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking"}


@dataclass
class Fault:
    """What one request meets instead of its answer, or before it."""

    status: int = 200
    message: str = "scripted"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Break off in the middle of a body that is billed."""
    delay: float = 0.0
    body: str | None = None


class MessagesServer:
    """The service; its attributes say what it saw."""

    def __init__(self, *, delay: float = 0.0, context: int = 10**9) -> None:
        self.delay, self.context = delay, context
        self.faults: deque[Fault] = deque()
        self.seen: list[dict[str, Any]] = []
        self.answered: list[dict[str, Any]] = []
        self.billed = 0.0
        self.in_flight = self.most_at_once = 0
        self.pauses = 0
        self.edit: Mapping[str, Any] = {}
        """Replaces fields of every answer."""
        self._cached: set[str] = set()
        self.lock = threading.Lock()

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def next_fault(self) -> Fault:
        with self.lock:
            return self.faults.popleft() if self.faults else Fault(delay=self.delay)

    def refusal(self, headers: Mapping[str, str], body: dict[str, Any]) -> tuple[int, str] | None:
        """What the real service would refuse, and how."""
        # the SDK sends the key as a bearer since its version 2, and by its own header before
        if KEY not in {headers.get("x-api-key"), headers.get("authorization", "")[7:]}:
            return 401, "invalid x-api-key"
        problems = [*_problems(headers, body), *_tool_problems(body.get("tools", []))]
        size = _tokens(body)
        if size > self.context:
            problems.append(f"prompt is too long: {size} tokens > {self.context} maximum")
        return (400, problems[0]) if problems else None

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        content, stop = _content(body)
        with self.lock:
            paused = self.pauses > 0
            self.pauses -= paused
        if paused:
            content, stop = content[:-1], "pause_turn"
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": self._usage(body, content),
            **self.edit,
        }

    def _usage(self, body: dict[str, Any], content: Sequence[Any]) -> dict[str, int]:
        tools = [tool for tool in body.get("tools", []) if not tool.get("defer_loading")]
        fresh = _tokens({**body, "tools": []})
        usage = {"output_tokens": _tokens(content)}
        if tools and "cache_control" in tools[-1]:
            prefix = json.dumps(tools)
            kind = "read" if prefix in self._cached else "creation"
            usage[f"cache_{kind}_input_tokens"] = _tokens(tools)
        else:
            fresh += _tokens(tools)
        return {"input_tokens": fresh, **usage}

    def bill(self, body: dict[str, Any], message: Mapping[str, Any]) -> None:
        """Charge for an answer; from now on its prompt is in the cache."""
        with self.lock:
            self.billed += spent_on(message["usage"], 0, model_price(body["model"])).usd
            self._cached.add(json.dumps(body.get("tools", [])))
            self.answered.append(body)


def texts(client: Client, prompts: Sequence[str], max_tokens: int) -> list[str]:
    """Return the model's text for each prompt."""
    answers = client.answers([request(prompt, max_tokens) for prompt in prompts])
    return [answer.text for answer in answers]


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[MessagesServer]:
    """Run a server that the SDK finds, in this process and in those it starts."""
    with MessagesServer() as service:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", service.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield service


class _Handler(BaseHTTPRequestHandler):
    service: MessagesServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        service = self.service
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with service.lock:
            service.seen.append(body)
            service.in_flight += 1
            service.most_at_once = max(service.most_at_once, service.in_flight)
        with suppress(BrokenPipeError, ConnectionResetError):
            self._respond(body, service.next_fault())

    def _respond(self, body: dict[str, Any], fault: Fault) -> None:
        time.sleep(fault.delay)
        refusal = (fault.status, fault.message) if fault.status != 200 else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        refusal = refusal or self.service.refusal(headers, body)
        if self.path != "/v1/messages":
            refusal = 404, f"no such path: {self.path}"
        if refusal:
            status, text = refusal
            error = {"type": "error", "error": {"type": "scripted_error", "message": text}}
            self._send(status, json.dumps(error), fault)
            return
        message = self.service.answer(body)
        self.service.bill(body, message)
        self._send(200, fault.body or json.dumps(message), fault)

    def _send(self, status: int, text: str, fault: Fault) -> None:
        with self.service.lock:
            self.service.in_flight -= 1
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if fault.cut else data)
        self.close_connection = self.close_connection or fault.cut

    def log_message(self, *args: object) -> None: ...


def _problems(headers: Mapping[str, str], body: Mapping[str, Any]) -> Iterator[str]:
    if "anthropic-version" not in headers:
        yield "anthropic-version: header is required"
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            yield f"{name}: Field required"
    for name in set(body) - _FIELDS:
        yield f"{name}: not supported by this model"
    if body.get("tool_choice", {}).get("type", "auto") != "auto":
        yield "tool_choice: forced tool use is not supported by this model"
    if body.get("tool_choice", {}).get("disable_parallel_tool_use"):
        yield "this server is for rankings: it wants parallel calls"
    for message in body.get("messages", []):
        if not message["content"] or not str(message["content"]).strip():
            yield "messages: text content blocks must be non-empty"


def _tool_problems(tools: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = [tool["name"] for tool in tools]
    for tool in tools:
        if not _NAME.fullmatch(tool["name"]):
            yield f"tools.name: '{tool['name']}' does not match"
        if "input_schema" not in tool and not tool.get("type", "").startswith("tool_search"):
            yield "tools.input_schema: Field required"
        for key in tool.get("input_schema", {}).get("properties", {}):
            if not _PROPERTY.fullmatch(key):
                yield f"tools.input_schema.properties: '{key}' does not match"
        if tool.get("defer_loading") and "cache_control" in tool:
            yield "tools: a deferred tool cannot be cached"
    if len(set(names)) < len(names):
        yield "tools: Tool names must be unique."
    if tools and all(tool.get("defer_loading") for tool in tools):
        yield "tools: at least one tool must not be deferred"


def _tokens(value: Any) -> int:
    return len(json.dumps(value)) // 4


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.casefold()))


def _best(asked: str, texts: Mapping[Any, str]) -> list[Any]:
    """Keys of the texts that share words with ``asked``, most first."""
    shared = {key: len(_words(asked) & _words(text)) for key, text in texts.items()}
    return sorted((key for key in shared if shared[key]), key=lambda key: -shared[key])


def _content(body: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    asked = body["messages"][0]["content"]
    tools = body.get("tools", [])
    if not tools:
        listed = {int(n): text for n, text in _NUMBERED.findall(asked)}
        request = asked.rpartition("Request: ")[2]
        text = json.dumps(_best(request, listed)[:10]) if listed else f"echo: {asked}"
        return [{"type": "text", "text": text}], "end_turn"
    texts = {
        tool["name"]: f"{tool['name']} {tool.get('description', '')}"
        for tool in tools
        if "input_schema" in tool
    }
    best = _best(asked, texts)
    content: list[dict[str, Any]] = []
    if len(texts) < len(tools):
        search = tools[0]["name"]
        found = [{"type": "tool_reference", "tool_name": name} for name in best[:5]]
        result = {"type": "tool_search_tool_search_result", "tool_references": found}
        content = [
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": search, "input": {}},
            {"type": "tool_search_tool_result", "tool_use_id": "srvtoolu_1", "content": result},
        ]
        best = best[1:3]  # so that calls and findings differ in their order
    content += [
        {"type": "tool_use", "id": f"toolu_{i}", "name": name, "input": {}}
        for i, name in enumerate(best[:10])
    ]
    return content or [{"type": "text", "text": "None fits."}], "tool_use" if best else "end_turn"
