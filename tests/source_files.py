"""Each training source's files in the form in which upstream publishes them, a few rows each."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tool_bench.training.records import TrainingData
from tool_bench.training.sources import apibench, clinc, mcp_servers, nl2bash, tldr, ultratool

SERVER = "0012.@acme_todo"

_API = {
    "code": "###Instruction: Which model classifies sports in videos?\n###Output: {'domain': 'x'}",
    "api_call": "torch.hub.load('a', model='slow_r50')",
    "provider": "PyTorch",
    "api_data": {
        "domain": "Video Classification",
        "functionality": "3D ResNet",
        "api_name": "slow_r50",
        "description": "A video network.",
    },
}
_QUOTED = {
    **_API,
    "code": "{'Instruction': Find the depth of an image., 'Output': {'domain': 'y'}}",
    "api_call": "torch.hub.load('b',  model='MiDaS')",
    "api_data": {**_API["api_data"], "api_name": "MiDaS"},  # type: ignore[dict-item]  # a dict
}


def _page(page: str, command: str, *intents: str, alias: bool = False) -> dict[str, Any]:
    return {
        "page": f"pages/{page}.md",
        "platform": page.partition("/")[0],
        "command": command,
        "description": f"What {command} does.",
        "alias": alias,
        "intents": list(intents),
    }


def _server_tool(name: str, description: str, file: str = SERVER) -> dict[str, Any]:
    return {
        "server": "Todo",
        "file": f"mcp_servers/{file}_labeled.json",
        "category": "Productivity",
        "source": "live",
        "name": name,
        "description": description,
        "parameters": [{"name": "title", "type": "string", "description": None}],
    }


PAGES = [
    _page("common/grep", "grep", "Search for a pattern in files", "Show line numbers"),
    _page("linux/ls", "ls", "List files"),
    _page("osx/ls", "ls", "List files", "List files by size"),
    _page("common/((", "((", "View documentation for the original command", alias=True),
    _page("common/find", "find", "Find files by extension"),
    _page("windows/dir", "dir", "Show what a folder holds"),
]
ROWS: dict[str, Any] = {
    "gorilla-apibench/data/apibench/torchhub_train.json": [_API, _QUOTED],
    "gorilla-apibench/data/apibench/torchhub_eval.json": [
        {**_API, "code": "###Instruction: Tell sports apart.\n###Output: x"}
    ],
    "gorilla-apibench/data/apibench/tensorflow_eval.json": [_API],
    clinc.QUERIES.path: {
        "oos_val": [["a show on broadway", "oos"]],
        "val": [["stop my card", "freeze_account"]],
        "train": [
            ["freeze my account", "freeze_account"],
            ["where is my routing number", "routing"],
        ],
        "oos_test": [],
        "test": [["block the account", "freeze_account"]],
        "oos_train": [],
    },
    clinc.DOMAINS.path: {"credit_cards": ["freeze_account"], "banking": ["routing"]},
    tldr.PAGES.path: PAGES,
    nl2bash.REQUESTS.path: [
        "Find python files that name foo",
        "Count the logs",
        "Print the date in many ways",
        " List the folder ",
    ],
    nl2bash.COMMANDS.path: [
        "find . -name '*.py' | xargs grep foo",
        "ls *.log | wc -l",
        "date",
        "ls",
    ],
    ultratool.REQUESTS.path: [
        {
            "id": "3186",
            "user_request": "Cancel the alarm at 8 and set one at 6.\n",
            "task_steps": ["Step 1 ..."],
            "task_nodes": [{"task": "alarm_cancel"}, {"task": "alarm_set"}],
            "n_tools": 2,
            "type": "chain",
        }
    ],
    ultratool.TOOLS.path: {
        "nodes": [
            {"id": "alarm_cancel", "desc": "Cancel an alarm", "domain": ["Alarm", "Clock"]},
            {"id": "alarm_set", "desc": "Set an alarm", "domain": []},
        ]
    },
    mcp_servers.SERVERS.path: [
        _server_tool("add_todo", "Adds\n  a todo."),
        _server_tool("list_todos", "Deploy Server Todo to your machine"),
        _server_tool("add_todo", "The same name again."),
        _server_tool("search", "Searches.", file="0013.@other"),
    ],
}
"""A source's path -> the content of its file: what it parses to."""
WRITTEN = f"{SERVER}:\n  add_todo:\n    - remind me of the milk\n    - put milk on my list\n"
"""The requests for the servers' tools."""
OF_SOURCE = {
    "apibench": apibench.SOURCE,
    "clinc": clinc.SOURCE,
    "tldr": tldr.SOURCE,
    "nl2bash": nl2bash.SOURCE,
    "ultratool": ultratool.SOURCE,
    "mcp-servers": mcp_servers.SOURCE,
}


def encoded(path: str, content: Any) -> bytes:
    """Return ``content`` as upstream's file at ``path`` holds it."""
    if isinstance(content, bytes):
        return content
    if path.endswith((".nl", ".cm")):
        return "".join(f"{line}\n" for line in content).encode()
    if isinstance(content, list):
        lines = "".join(json.dumps(row) + "\n" for row in content).encode()
        return gzip.compress(lines) if path.endswith(".gz") else lines
    return json.dumps(content, indent=4).encode()


def build(
    name: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    changed: Mapping[str, Any],
    written: str = WRITTEN,
) -> TrainingData:
    """Build the source ``name`` from :data:`ROWS`, but for the files that are ``changed``."""
    (folder / "requests").mkdir()
    (folder / "requests" / "mcp_servers.yaml").write_text(written)
    monkeypatch.setattr(mcp_servers, "package_files", lambda _: folder)
    source = OF_SOURCE[name]
    files = {}
    for each in source.sources:
        files[each.path] = folder / each.path
        files[each.path].parent.mkdir(parents=True, exist_ok=True)
        files[each.path].write_bytes(encoded(each.path, changed.get(each.path, ROWS[each.path])))
    return source.build(files)
