"""No evaluated request, and no tool of a task that a model did not train for, is learned from."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import fakes
import pytest
from training_data import built, declared, recipe, tiny

from tool_bench import registry
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset
from tool_bench.errors import UnavailableError
from tool_bench.query import Query
from tool_bench.tool import Tool
from tool_bench.training import source, sources
from tool_bench.training.guard import Evaluated, clean, evaluated
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.snapshot import Snapshot, build


def words(text: str) -> str:
    """The guard's own form of a text, found in another way."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def rows(snapshot: Snapshot, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in snapshot.files[name].splitlines()]


def task(*queries: str, tools: tuple[Tool, ...] = (), name: str = "Eval") -> ToolDataset:
    tools = (*tools, Tool("gold", "gold", "Any."))
    asked = tuple(Query(id=f"q{number}", text=text) for number, text in enumerate(queries))
    return ToolDataset(name, tools, asked, {query.id: {"gold": 1} for query in asked})


@pytest.mark.parametrize("name", ["MockConnectors", "MetaTool", "MetaToolMulti", "ToolBench"])
def test_a_planted_request_is_dropped_and_written_down(
    name: str, request: pytest.FixtureRequest
) -> None:
    if registry.tasks()[name].sources:
        request.getfixturevalue("mirror")
    dataset = load(registry.tasks()[name])
    planted = f"  {dataset.queries[7].text.upper().replace(' ', '  ')} !!"
    data = tiny()
    spoilt = replace(data, pairs=(*data.pairs, Pair(planted, (data.tools[0].id,), "x.txt, line 1")))
    found = built(recipe(), spoilt, known=evaluated([dataset]))
    for file in ("train.jsonl", "validation.jsonl"):
        assert words(planted) not in {words(row["query"]) for row in rows(found, file)}
    assert rows(found, "dropped.jsonl") == [
        {"source": "tiny", "what": "query", "text": planted, "task": name}
    ]
    assert found.manifest["sources"]["tiny"]["queries dropped"] == 1
    assert found.files["train.jsonl"] == built(recipe(), data).files["train.jsonl"]


def test_the_request_is_dropped_whoever_labels_it_and_however_it_is_marked() -> None:
    data = replace(
        tiny(),
        pairs=(
            Pair("Take the café's order", ("ticket_list",), "1"),
            Pair("TAKE THE CAFÉ'S ORDER.", ("ticket_create", "ticket_list"), "2", "paraphrase"),
            Pair("take the cafés order", ("ticket_list",), "3"),  # other letters
        ),
    )
    known = evaluated([task("take the Café's order?")])
    cleaned, dropped = clean(data, None, known)
    assert [pair.where for pair in cleaned.pairs] == ["3"]
    assert [each.text for each in dropped] == [pair.query for pair in data.pairs[:2]]


def test_a_planted_tool_goes_with_its_requests_and_is_no_negative_either() -> None:
    dataset = fakes.dataset("Tiny")
    copied = replace(dataset.tools[0], id="copied", name="CREATE_EMPLOYEE", provider="hooli")
    data = tiny()
    spoilt = replace(
        data,
        tools=(*data.tools, copied),
        pairs=(
            *data.pairs,
            Pair("make one", ("copied",), "1"),
            Pair("make two", ("copied", "ticket_list"), "2"),
        ),
        families={"create": ("copied", "ticket_create")},
        splits=dict.fromkeys([*data.by_id, "copied"], "train"),
    )
    cleaned, dropped = clean(spoilt, None, evaluated([dataset]))
    assert cleaned == replace(
        data, families={"create": ("ticket_create",)}, splits=dict.fromkeys(data.by_id, "train")
    )
    assert [(each.what, each.task) for each in dropped] == [("tool", "Tiny")]
    found = built(recipe(), spoilt, known=evaluated([dataset]))
    assert b"copied" not in b"".join(
        content for name, content in found.files.items() if name != "dropped.jsonl"
    )


def test_a_task_s_training_split_keeps_its_tools_and_loses_its_requests() -> None:
    data = tiny()
    own = task(data.pairs[3].query, tools=data.tools, name="Own")
    another = task(data.pairs[5].query, tools=data.tools, name="Another")  # the same catalogue
    cleaned, dropped = clean(data, "Own", evaluated([own, another]))
    assert cleaned.tools == data.tools
    assert {each.text for each in dropped} == {data.pairs[3].query, data.pairs[5].query}
    foreign, _ = clean(data, "Own", evaluated([another]))
    assert not foreign.tools
    assert not foreign.pairs


def test_a_name_without_a_description_proves_nothing() -> None:
    bare, described = Tool("a", "balance"), Tool("b", "balance", "Shows the balance.")
    data = TrainingData("bank", (bare,), (Pair("how much have i", ("a",), "1"),))
    assert clean(data, None, evaluated([task("x", tools=(described,))])) == (data, ())
    same = evaluated([task("x", tools=(replace(bare, id="other"),))])
    assert not clean(data, None, same)[0].tools


def test_a_request_without_letters_drops_nothing() -> None:
    known = evaluated([task("?!"), task("good")])
    assert set(known.queries) == {"good"}


def test_a_task_that_could_not_be_read_is_named_in_the_manifest() -> None:
    found = built(recipe(), known=Evaluated(unchecked=("ToolRet", "Absent")))
    assert found.manifest["not checked against"] == ["Absent", "ToolRet"]


def loadable() -> list[ToolDataset]:
    found = []
    for each in registry.tasks().values():
        try:
            found.append(load(each))
        except UnavailableError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("mirror")
def test_nothing_that_is_evaluated_is_in_a_snapshot_of_every_source() -> None:
    tasks = loadable()
    assert len(tasks) >= 7
    all_sources = {name: (each, source.load(each)) for name, each in sources.declared().items()}
    found = build(recipe(*all_sources), all_sources, evaluated(tasks))
    asked = {words(query.text): t.name for t in tasks for query in t.queries} | {
        words(query.joined): t.name for t in tasks for query in t.queries
    }
    learned = [*rows(found, "train.jsonl"), *rows(found, "validation.jsonl")]
    assert len(learned) > 50_000
    assert not [row for row in learned if words(row["query"]) in asked]
    dropped = rows(found, "dropped.jsonl")
    assert dropped
    assert all(
        asked[words(row["text"])] == row["task"] for row in dropped if row["what"] == "query"
    )

    connectors = next(t for t in tasks if t.name == "MockConnectors")
    tested = [t for t in connectors.tools if connectors.splits[t.provider or ""] == "test"]
    assert len(tested) > 100
    tools = rows(found, "tools.jsonl")
    assert not {f"mock-connectors/{t.id}" for t in tested} & {row["id"] for row in tools}
    texts = {words(row["text"]) for row in tools}
    assert not texts & {words(f"{t.name} {t.description}") for t in tested}
    known = {row["id"] for row in tools}
    for row in rows(found, "train.jsonl"):
        assert {row["tool"], *row["negatives"], *row["right"]} <= known


def test_tools_of_a_source_that_no_task_owns_are_checked() -> None:
    """A source must say which task it is the training split of; only two do."""
    owned = {name: each.task for name, each in sources.declared().items() if each.task}
    assert owned == {"metatool": "MetaTool", "mock-connectors": "MockConnectors"}
    assert declared(tiny()).task is None
