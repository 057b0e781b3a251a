from __future__ import annotations

import base64
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx_models
import pytest
from numpy.typing import NDArray

from tool_bench import serving
from tool_bench.errors import DataError
from tool_bench.onnx_encoder import OnnxEncoder
from tool_bench.tool import Tool

HANDLER = Path(__file__).parent.parent / "docs" / "serving" / "handler.py"
TOOLS = 39_343  # ToolBench's library
LIMIT_MIB = 512
QUERY = "open invoices of last month"
EVENTS: dict[str, Any] = {
    "plain": {"query": QUERY, "k": 20},
    "default": {"query": QUERY},
    "http": {"body": json.dumps({"query": QUERY, "k": 1}), "headers": {}},
    "base64": {
        "body": base64.b64encode(json.dumps({"query": QUERY, "k": 1}).encode()).decode(),
        "isBase64Encoded": True,
    },
    "provider": {"query": QUERY, "k": 100, "provider": "provider 7"},
    "half a letter": {"query": "\ud83d"},
    "longest": {"query": "word " * 400},
    "no body": {"body": None},
    "no JSON": {"body": "query=x"},
    "no base64": {"body": "é", "isBase64Encoded": True},
    "no object": {"body": "[1]"},
    "nested": {"body": "[" * 100_000},
    "no query": {"k": 3},
    "empty query": {"query": " "},
    "number": {"query": 3},
    "long query": {"query": "x" * 2_001},
    "unknown field": {"query": QUERY, "top_k": 3},
    "k of 0": {"query": QUERY, "k": 0},
    "k of 101": {"query": QUERY, "k": 101},
    "k is true": {"query": QUERY, "k": True},
    "k is text": {"query": QUERY, "k": "3"},
    "no such provider": {"query": QUERY, "provider": "nobody"},
    "provider is a list": {"query": QUERY, "provider": ["a"]},
}
REFUSED = {
    "no body": "the body is not valid JSON",
    "no JSON": "the body is not valid JSON",
    "no base64": "the body is not valid JSON",
    "nested": "the body is not valid JSON",
    "no object": "the request must be a JSON object",
    "no query": "field 'query' must be a text of 1 to 2000 characters",
    "empty query": "field 'query' must be a text of 1 to 2000 characters",
    "number": "field 'query' must be a text of 1 to 2000 characters",
    "long query": "field 'query' must be a text of 1 to 2000 characters",
    "unknown field": "unknown field 'top_k'; known: query, k, provider",
    "k of 0": "field 'k' must be a whole number from 1 to 100",
    "k of 101": "field 'k' must be a whole number from 1 to 100",
    "k is true": "field 'k' must be a whole number from 1 to 100",
    "k is text": "field 'k' must be a whole number from 1 to 100",
    "no such provider": "no tool of the catalogue has the provider 'nobody'",
    "provider is a list": "field 'provider' must be a text or null",
}
SERVE = """
import json, os
place, os.environ["TOOL_BENCH_MODEL"], events = sys.argv[1:]
sys.path.append(place)
import handler

before = ticks()
answers = {}
for name, event in json.loads(events).items():
    answer = handler.handler(event, None)
    answers[name] = [answer["statusCode"], json.loads(answer["body"])]
for _ in range(20):
    handler.handler({"query": "delete the branch that was merged yesterday"})
print(json.dumps({"answers": answers, **state(before)}))
"""


class Random:
    """Random unit vectors, since encoding so many tools would take minutes."""

    style = "name-description"
    max_characters = 2_000

    def __init__(self, folder: Path) -> None:
        self.numbers = np.random.default_rng(1)

    def encode(self, texts: Sequence[str], role: str) -> NDArray[np.float32]:
        vectors = self.numbers.standard_normal((len(texts), 384), dtype=np.float32)
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded model with a catalogue of the size of the largest."""
    minilm = onnx_models.minilm_exported(tmp_path_factory)
    folder = Path(shutil.copytree(minilm, tmp_path_factory.mktemp("served") / "model"))
    tools = [
        Tool(f"tool-{n}", f"action {n}", "What it does. " * 15, provider=f"provider {n % 500}")
        for n in range(TOOLS)
    ]
    with pytest.MonkeyPatch.context() as world:
        world.setattr(serving, "OnnxEncoder", Random)
        serving.write_catalogue(folder, tools)
    return folder


@pytest.fixture(scope="module")
def process(served: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process that can import the three packages alone answered, and what it took."""
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    found: dict[str, Any] = onnx_models.run_bare(
        onnx_models.STATE + SERVE,
        tmp_path_factory.mktemp("bare"),
        onnx_models.RUNTIME,
        (HANDLER.parent, served, json.dumps(EVENTS)),
    )
    return found


def best(folder: Path, k: int, provider: str | None = None) -> list[str]:
    """Return the ids that a full scan finds, computed another way."""
    with np.load(folder / "catalogue.npz") as file:
        tools = json.loads(file["catalogue"].tobytes())["tools"]
        vectors = file["vectors"].astype(np.float64)
    query = OnnxEncoder(folder).encode([QUERY], "query")[0].astype(np.float64)
    scored = sorted(
        (-float(vectors[n] @ query), tool["id"])
        for n, tool in enumerate(tools)
        if provider is None or tool["provider"] == provider
    )
    return [id_ for _, id_ in scored[:k]]


def test_it_serves_a_large_catalogue_in_512_mb_on_one_thread(process: dict[str, Any]) -> None:
    assert process["mib"] < LIMIT_MIB
    assert process["busy"] == 1
    assert process["others"] == []


def test_it_finds_the_tools_that_a_full_scan_finds(process: dict[str, Any], served: Path) -> None:
    status, answer = process["answers"]["plain"]
    assert status == 200
    assert [tool["id"] for tool in answer["tools"]] == best(served, 20)
    assert set(answer["tools"][0]) == {"id", "name", "description", "provider", "score"}
    scores = [tool["score"] for tool in answer["tools"]]
    assert scores == sorted(scores, reverse=True)
    assert len(process["answers"]["default"][1]["tools"]) == 10


def test_it_keeps_to_a_provider(process: dict[str, Any], served: Path) -> None:
    _, answer = process["answers"]["provider"]
    found = [tool["id"] for tool in answer["tools"]]
    assert found == best(served, 100, "provider 7")
    assert len(found) == TOOLS // 500 + 1  # all of its tools, fewer than were asked for


def test_it_reads_http_events(process: dict[str, Any]) -> None:
    first = process["answers"]["plain"][1]["tools"][:1]
    for name in ("http", "base64"):
        assert process["answers"][name] == [200, {"tools": first}]


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_is_told_what_is_wrong(process: dict[str, Any], name: str) -> None:
    assert process["answers"][name] == [400, {"error": REFUSED[name]}]


@pytest.mark.parametrize("name", ["half a letter", "longest"])
def test_odd_requests_are_answered(process: dict[str, Any], name: str) -> None:
    assert process["answers"][name][0] == 200


def test_it_is_short() -> None:
    assert len(HANDLER.read_text(encoding="utf-8").splitlines()) < 120


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[]", "expected a list of tools"),
        ('{"tools": 3}', "field 'tools' is int, expected list"),
        ("[3]", "tool 0: expected an object"),
        ('[{"id": "a"}]', "tool 0: field 'name' is missing"),
        ('[{"name": " "}]', "tool 0: field 'name' is empty"),
        ('[{"name": "a"}, {"name": "a"}]', "tool id 'a' occurs 2 times"),
        ('[{"name": "a", "provider": 3}]', "field 'provider' is int, expected text"),
        ('[{"name": "a", "inputSchema": []}]', "inputSchema: expected an object, found list"),
        ('[{"name": "a", "inputSchema": {"properties": []}}]', "field 'properties' is list"),
        ("{", "not valid JSON"),
    ],
)
def test_a_bad_catalogue_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "tools.json"
    file.write_text(content)
    with pytest.raises(DataError, match=problem):
        serving.read_tools(file)


def test_what_an_mcp_server_lists_is_a_catalogue(tmp_path: Path) -> None:
    file = tmp_path / "tools.json"
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Where"}, "any": True},
        "required": ["city"],
    }
    listed = {"name": "forecast", "description": "Weather", "inputSchema": schema}
    file.write_text(json.dumps({"tools": [listed], "nextCursor": None}))
    (tool,) = serving.read_tools(file)
    assert (tool.id, tool.name, tool.description) == ("forecast", "forecast", "Weather")
    assert [(p.name, p.type, p.required) for p in tool.parameters] == [
        ("city", "string", True),
        ("any", "", False),
    ]
