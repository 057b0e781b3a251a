"""Each source of training data: what its files become, what is refused, and upstream's counts."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import fakes
import pytest
import source_files
from training_data import recipe

from tool_bench.errors import DataError, UnknownNameError
from tool_bench.training import source
from tool_bench.training.prepare import loaded
from tool_bench.training.records import TrainingData
from tool_bench.training.sources import declared, from_task, named

Build = Callable[..., TrainingData]
APIBENCH = "gorilla-apibench/data/apibench/torchhub_train.json"
CLINC = "clinc-oos/data/data_full.json"
DOMAINS = "clinc-oos/data/domains.json"
TLDR = "tldr/tldr_en.jsonl"
REQUESTS = "nl2bash/data/bash/all.nl"
ULTRATOOL = "gnn4taskplan-ultratool/data/ultratool/data.json"
NODES = "gnn4taskplan-ultratool/data/ultratool/tool_desc.json"
SERVERS = "toucan-mcp-servers/toucan_tools_dedup.jsonl.gz"


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    def build(name: str, changed: dict[str, Any] | None = None, **kwargs: str) -> TrainingData:
        return source_files.build(name, tmp_path, monkeypatch, changed or {}, **kwargs)

    return build


def asked(data: TrainingData) -> dict[str, tuple[str, ...]]:
    return {pair.query: pair.tools for pair in data.pairs}


def test_apibench(build: Build) -> None:
    data = build("apibench")
    sports, depth = (tool.id for tool in data.tools)
    assert sports == "torch.hub.load('a',model='slow_r50')"
    assert data.by_id[sports].name == "slow_r50"
    assert data.by_id[sports].description == "3D ResNet A video network."
    assert asked(data) == {
        "Which model classifies sports in videos?": (sports,),
        "Find the depth of an image.": (depth,),
        "Tell sports apart.": (sports,),
    }


def test_clinc_takes_every_part_and_nothing_out_of_scope(build: Build) -> None:
    data = build("clinc")
    assert {tool.name: tool.category for tool in data.tools} == {
        "freeze_account": "credit cards",
        "routing": "banking",
    }
    assert asked(data) == {
        "freeze my account": ("freeze_account",),
        "where is my routing number": ("routing",),
        "stop my card": ("freeze_account",),
        "block the account": ("freeze_account",),
    }


def test_tldr_leaves_pointers_out_and_knows_a_command_on_two_systems(build: Build) -> None:
    data = build("tldr")
    assert [tool.id for tool in data.tools] == [
        "common/grep",
        "linux/ls",
        "osx/ls",
        "common/find",
        "windows/dir",
    ]
    assert asked(data)["List files"] == ("linux/ls", "osx/ls")
    assert data.families == {"ls": ("linux/ls", "osx/ls")}


def test_nl2bash_labels_by_the_described_utilities_of_common_systems(build: Build) -> None:
    data = build("nl2bash")
    assert {tool.id: tool.description for tool in data.tools} == {
        "grep": "What grep does.",
        "ls": "What ls does.",
        "find": "What find does.",
    }
    assert asked(data) == {
        "Find python files that name foo": ("find", "grep"),
        "Count the logs": ("ls",),  # wc is not described
        "List the folder": ("ls",),
    }


def test_ultratool_asks_for_all_tools_of_a_plan(build: Build) -> None:
    data = build("ultratool")
    assert [tool.category for tool in data.tools] == ["Alarm, Clock", None]
    assert asked(data) == {"Cancel the alarm at 8 and set one at 6.": ("alarm_cancel", "alarm_set")}


def test_mcp_servers_takes_whole_servers_that_have_requests(build: Build) -> None:
    data = build("mcp-servers")
    assert {tool.id: tool.description for tool in data.tools} == {
        "0012.@acme_todo/add_todo": "Adds a todo.",
        "0012.@acme_todo/list_todos": "",  # a crawler's text is no description
    }
    assert {tool.provider for tool in data.tools} == {source_files.SERVER}
    assert set(asked(data)) == {"remind me of the milk", "put milk on my list"}


def test_a_tasks_training_split_leaves_test_providers_out_whole() -> None:
    task = replace(
        fakes.dataset(),
        splits={"employee": "train", "invoice": "validation", "ticket": "test"},
        examples={
            "employee_create": ("hire someone", "new one"),
            "invoice_create": ("new one",),
            "ticket_create": ("new ticket",),
        },
        families={"create": ("employee_create", "ticket_create")},
    )
    data = from_task.training_data("tiny", task)
    assert {tool.provider for tool in data.tools} == {"employee", "invoice"}
    assert asked(data) == {
        "hire someone": ("employee_create",),
        "new one": ("employee_create", "invoice_create"),
    }
    assert data.families == {"create": ("employee_create",)}
    assert data.splits["employee_list"] == "train"
    assert data.splits["invoice_list"] == "validation"


def changed(path: str, *steps: str | int, to: Any = None) -> dict[str, Any]:
    """Return the content of the file at ``path`` with one value replaced."""
    content = deepcopy(source_files.ROWS[path])
    place = content
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = to
    return {path: content}


@pytest.mark.parametrize(
    ("name", "files", "message"),
    [
        ("apibench", changed(APIBENCH, 1, "api_data"), "line 2: field 'api_data' is NoneType"),
        (
            "apibench",
            changed(APIBENCH, 1, "api_data", "description"),
            "line 2: field 'description' is NoneType",
        ),
        ("apibench", changed(APIBENCH, 0, "code", to="?"), "line 1: field 'code' holds no instruc"),
        ("apibench", {APIBENCH: b'{"code": \n'}, "line 1: not valid JSON"),
        ("clinc", changed(CLINC, "val", 0, to=["one"]), "val row 0: expected [query, intent]"),
        ("clinc", changed(CLINC, "val", 0, to=["x", 3]), "val row 0: expected [query, intent]"),
        ("clinc", changed(CLINC, "test"), "the file: field 'test' is NoneType"),
        ("clinc", changed(CLINC, "train", 1, to=["x", "fly"]), "train row 1: field 'tools' names"),
        ("clinc", changed(DOMAINS, "banking"), "domain 'banking': field 'banking' is NoneType"),
        ("clinc", changed(DOMAINS, "banking", 0, to=7), "domain 'banking': expected a list of int"),
        ("clinc", {DOMAINS: b"[]"}, "expected an object, found list"),
        ("tldr", changed(TLDR, 2, "alias", to="no"), "line 3: field 'alias' is str"),
        ("tldr", changed(TLDR, 2, "intents"), "line 3: field 'intents' is NoneType"),
        ("tldr", changed(TLDR, 2, "intents", 1, to=5), "line 3: field 'intents' holds 5"),
        ("tldr", changed(TLDR, 1, "intents", 0, to=" "), "line 2: field 'query' has no letters"),
        ("tldr", {TLDR: b'{"page": "\xff"}\n'}, "line 1: not valid UTF-8"),
        ("tldr", {TLDR: b""}, "the file is empty"),
        ("nl2bash", {REQUESTS: ["one"]}, "line 2: has another number of lines than all.cm"),
        ("nl2bash", {REQUESTS: ["?", "a", "b", "c"]}, "line 1: field 'query' has no letters"),
        ("ultratool", changed(NODES, "nodes", 1, "desc"), "node 1: field 'desc' is NoneType"),
        ("ultratool", changed(NODES, "nodes", 0, "domain", 0), "node 0: field 'domain' must hold"),
        (
            "ultratool",
            changed(ULTRATOOL, 0, "task_nodes", 1, to={"task": "fly"}),
            "line 1: field 'tools' names unknown tool 'fly'",
        ),
        ("ultratool", changed(ULTRATOOL, 0, "task_nodes", 1, to=3), "line 1: expected an object"),
        ("mcp-servers", changed(SERVERS, 0, "parameters"), "line 1: field 'parameters' is None"),
        ("mcp-servers", {SERVERS: b"no archive"}, "cannot be unpacked"),
        (
            "mcp-servers",
            {SERVERS: gzip.compress(b"{}\n" * 99)[:-12]},
            "line 1: field 'file' is mis",
        ),
    ],
)
def test_a_bad_row_is_named_with_its_file(
    build: Build, name: str, files: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError) as error:
        build(name, files)
    assert next(iter(files)) in str(error.value)
    assert message in str(error.value)


def test_an_archive_that_was_cut_off_is_named(build: Build) -> None:
    whole = source_files.encoded(SERVERS, source_files.ROWS[SERVERS])
    with pytest.raises(DataError, match=r"jsonl\.gz: cannot be unpacked"):
        build("mcp-servers", {SERVERS: whole[:-9]})


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("9.x:\n  add: [a]\n", "server '9.x', tool 'add': the server has no such tool"),
        (f"{source_files.SERVER}:\n  fly: [a]\n", "tool 'fly': the server has no such tool"),
        (f"{source_files.SERVER}:\n  add_todo: a\n", "tool 'add_todo': expected a list of requ"),
        (f"{source_files.SERVER}:\n  add_todo: [1]\n", "tool 'add_todo': expected a list of requ"),
        (f"{source_files.SERVER}: [add_todo]\n", "expected tools and their requests"),
        ("- a\n", "expected an object, found list"),
        ("a: [\n", "cannot be read"),
    ],
)
def test_a_bad_written_request_is_named(build: Build, written: str, message: str) -> None:
    with pytest.raises(DataError, match=r"mcp_servers\.yaml") as error:
        build("mcp-servers", written=written)
    assert message in str(error.value)


def test_a_place_names_the_pinned_file_and_not_this_machines_folder(build: Build) -> None:
    """Else two machines would build two snapshots of one recipe."""
    data = build("tldr")
    assert data.pairs[0].where == f"{TLDR}, line 1"


def test_an_unknown_source_names_the_nearest() -> None:
    assert named("tldr").name == "tldr"
    with pytest.raises(UnknownNameError, match="did you mean metatool"):
        named("metatol")
    asked_for = recipe("clinc", data={"as_asked": ["metatol"]})
    with pytest.raises(UnknownNameError, match="did you mean metatool"):
        loaded(asked_for)


COUNTS = {
    "apibench": (156, 1_711),
    "clinc": (150, 22_495),
    "mcp-servers": (2_464, 4_802),
    "metatool": (199, 18_536),
    "mock-connectors": (842, 13_472),
    "nl2bash": (235, 9_796),
    "products": (560, 3_360),
    "tldr": (6_805, 28_412),
    "ultratool": (260, 3_527),
}


@pytest.mark.parametrize("name", COUNTS)
def test_upstreams_files_give_what_they_gave(name: str, request: pytest.FixtureRequest) -> None:
    if name != "mock-connectors":  # which ships with the package
        request.getfixturevalue("mirror")
    data = source.load(named(name))
    assert data.source == name
    assert (len(data.tools), len(data.pairs)) == COUNTS[name]


def test_every_source_is_counted() -> None:
    assert declared().keys() == COUNTS.keys()
