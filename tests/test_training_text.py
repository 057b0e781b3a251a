"""What a model is trained on is what it is evaluated with, letter for letter."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from training_data import built, recipe, tiny

from tool_bench import registry
from tool_bench.baseline import Baseline
from tool_bench.data.load import load
from tool_bench.encoder import Role
from tool_bench.query import Query
from tool_bench.tool import STYLES, Parameter, Tool, render
from tool_bench.training.recipe import MINILM, Text
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.snapshot import Snapshot
from tool_bench.training.sources.from_task import training_data


class Recorder:
    """Encodes nothing, and keeps what it was asked to encode."""

    identity = "recorder"

    def __init__(self) -> None:
        self.seen: dict[Role, list[str]] = {"query": [], "document": []}

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        self.seen[role] += texts
        return np.ones((len(texts), 2), dtype=np.float32)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    found = Recorder()
    monkeypatch.setattr(importlib.import_module("tool_bench.sentence"), "minilm", lambda: found)
    return found


def evaluated(
    recorder: Recorder, method: Baseline, tools: Sequence[Tool], queries: Sequence[str]
) -> dict[Role, list[str]]:
    """Return what ``method`` encodes when it is evaluated."""
    retriever = method.load()
    retriever.index(tools, {})
    asked = [Query(id=f"q{number}", text=text) for number, text in enumerate(queries)]
    retriever.search(asked, 1, [None] * len(asked))
    return recorder.seen


def rows(found: Snapshot, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found.files[name].splitlines()]


ODD = (
    Tool("bare", "bare"),
    Tool("spaced", "spaced", "  Two lines,\n\tone  tab.  "),
    Tool("long", "long", "x" * 5_000),
    Tool("unnamed", "", "Has no name."),
    Tool("other", "übersetze_日本語", "Ça marche: “so”"),
    Tool("full", "full", "Has all.", (Parameter("p", "string", "what"),), "acme", "web", "{raw}"),
)
ASKED = ("what's  THIS?", "two\nlines", "日本語")


def odd() -> TrainingData:
    pairs = tuple(Pair(text, (ODD[number].id,), "x") for number, text in enumerate(ASKED))
    return TrainingData("odd", ODD, pairs)


def test_the_text_of_a_snapshot_is_what_the_retriever_encodes(recorder: Recorder) -> None:
    """The untrained model's method and a recipe's defaults speak of the same text."""
    found = built(recipe("odd", data={"held_out": 0}), odd())
    seen = evaluated(recorder, registry.baselines()["minilm"], ODD, ASKED)
    assert sorted(row["text"] for row in rows(found, "tools.jsonl")) == sorted(seen["document"])
    assert {row["query"] for row in rows(found, "train.jsonl")} == set(seen["query"])


@pytest.mark.parametrize("task", ["MockConnectors", "MetaTool"])
def test_so_it_is_for_the_tools_and_requests_of_the_tasks(
    task: str, recorder: Recorder, request: pytest.FixtureRequest
) -> None:
    if registry.tasks()[task].sources:
        request.getfixturevalue("mirror")
    dataset = load(registry.tasks()[task])
    data = training_data("own", dataset)
    data = replace(data, pairs=data.pairs[::50])
    found = built(recipe("own"), data)
    asked = [row["query"] for row in rows(found, "train.jsonl")]
    seen = evaluated(recorder, registry.baselines()["minilm"], dataset.tools, asked)
    assert seen["query"] == asked
    assert {row["text"] for row in rows(found, "tools.jsonl")} <= set(seen["document"])


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("most", [50, 2_000])
def test_every_style_and_length_is_the_renderers(style: str, most: int) -> None:
    text = Text.model_validate({"style": style, "max_characters": most})
    found = built(recipe("odd", text=text.model_dump(), data={"held_out": 0}), odd())
    expected = [render(tool, text.style, text.max_characters) for tool in ODD]
    assert [row["text"] for row in rows(found, "tools.jsonl")] == expected


def test_the_defaults_are_the_untrained_methods() -> None:
    assert recipe().base == MINILM
    assert recipe().text.style == registry.baselines()["minilm"].style


def test_a_renderer_that_changes_changes_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name with it, so that no run goes on with text of an older renderer."""
    before = built(recipe())
    module = importlib.import_module("tool_bench.training.snapshot")
    monkeypatch.setattr(module, "render", lambda tool, *_: tool.name)
    after = built(recipe())
    assert [row["text"] for row in rows(after, "tools.jsonl")] == [t.name for t in tiny().tools]
    assert after.name != before.name
