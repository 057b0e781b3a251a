"""What is held out: whole providers or tools, by hash, and no request in both parts."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_data import PROVIDERS, tiny

from tool_bench.dataset import Split
from tool_bench.query import letters
from tool_bench.tool import Tool
from tool_bench.training import source
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.sources import named
from tool_bench.training.splits import parts, split_of

NAMES = ("copy", "move", "list")
TEXTS = ("Do it now", "do it, now!", "do that", "DO THAT?", "and this", "or that", "a fourth")


@st.composite
def sources(draw: st.DrawFn, *, providers: bool | None = None) -> TrainingData:
    """Draw up to twelve tools, many of them alike, and requests that several pairs ask."""
    whole = draw(st.booleans()) if providers is None else providers
    tools = tuple(
        Tool(
            id=f"t{number}",
            name=draw(st.sampled_from(NAMES)),
            description=draw(st.sampled_from(("", "It does.", "it does")))
            if whole
            else f"{number}",
            provider=draw(st.sampled_from("abcdef")) if whole else None,
        )
        for number in range(draw(st.integers(1, 12)))
    )
    ids = st.sampled_from([tool.id for tool in tools])
    some = st.lists(ids, min_size=1, max_size=3, unique=True).map(tuple)
    pairs = draw(st.lists(st.builds(Pair, st.sampled_from(TEXTS), some, st.just("x")), max_size=12))
    families = draw(st.dictionaries(st.sampled_from("fgh"), some, max_size=3))
    return TrainingData("drawn", tools, tuple(pairs), families)


SHARES = st.floats(0, 0.9)


@given(data=sources(), share=SHARES)
@settings(deadline=None)
def test_no_request_is_in_both_parts_and_none_is_lost(data: TrainingData, share: float) -> None:
    split = split_of(data, share)
    found = parts(data, split)
    in_train = {letters(pair.query) for pair in found.train}
    assert in_train.isdisjoint(letters(pair.query) for pair in found.validation)
    assert len(found.train) + len(found.validation) + found.crossing == len(data.pairs)
    assert {split[id_] for pair in found.train for id_ in pair.tools} <= {"train"}
    assert {split[id_] for pair in found.validation for id_ in pair.tools} <= {"validation"}


@given(data=sources(), share=SHARES)
@settings(deadline=None)
def test_a_right_answer_of_one_part_is_no_tool_of_the_other(
    data: TrainingData, share: float
) -> None:
    """Tools of one text, and without providers those of one family, are held out together."""
    split = split_of(data, share)
    assert split.keys() == data.by_id.keys()
    for tool in data.tools:
        for other in data.tools:
            same = letters(tool.name + "|" + tool.description) == letters(
                other.name + "|" + other.description
            )
            if same or (tool.provider and tool.provider == other.provider):
                assert split[tool.id] == split[other.id]
            if tool.provider is None and other.id in data.alike[tool.id]:
                assert split[tool.id] == split[other.id]


@given(data=sources(), share=SHARES, order=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_input_does_not_matter(
    data: TrainingData, share: float, order: random.Random
) -> None:
    tools, pairs, families = list(data.tools), list(data.pairs), list(data.families.items())
    for rows in (tools, pairs, families):
        order.shuffle(rows)
    shuffled = replace(
        data,
        tools=tuple(tools),
        pairs=tuple(pairs),
        families={name: tuple(reversed(ids)) for name, ids in families},
    )
    assert split_of(shuffled, share) == split_of(data, share)
    here, there = parts(data, split_of(data, share)), parts(shuffled, split_of(data, share))
    assert sorted(map(str, here.train)) == sorted(map(str, there.train))
    assert sorted(map(str, here.validation)) == sorted(map(str, there.validation))


@given(data=sources(providers=False), less=SHARES, more=SHARES)
@settings(deadline=None)
def test_a_greater_share_holds_out_more_of_the_same(
    data: TrainingData, less: float, more: float
) -> None:
    """So that what one recipe validates with, a recipe that holds out more never trains on."""
    less, more = sorted((less, more))
    held = [
        {id_ for id_, s in split_of(data, x).items() if s == "validation"} for x in (less, more)
    ]
    assert held[0] <= held[1]


def test_the_share_counts_providers() -> None:
    data = tiny()
    split = split_of(data, 0.25)
    held = {tool.provider for tool in data.tools if split[tool.id] == "validation"}
    assert len(held) == 1
    assert set(split_of(data, 0).values()) == {"train"}


def test_providers_that_share_a_tool_are_held_out_together() -> None:
    """Two servers often offer the very same tool; its text would be in both parts."""
    data = tiny()
    copied = replace(data.by_id["ticket_list"], id="meeting_copy", provider="hooli")
    joined = replace(data, tools=(*data.tools, copied))
    for share in (0.25, 0.34, 0.5, 0.75):
        split = split_of(joined, share)
        assert split["ticket_create"] == split["meeting_create"] == split["meeting_copy"]


def test_a_sources_own_split_holds_whatever_the_share() -> None:
    data = tiny()
    own: dict[str, Split] = dict.fromkeys(data.by_id, "train")
    own |= {tool.id: "validation" for tool in data.tools if tool.provider == "initech"}
    kept = replace(data, splits=own)
    assert split_of(kept, 0) == split_of(kept, 0.9) == own
    found = parts(kept, split_of(kept, 0))
    assert {id_.partition("_")[0] for pair in found.validation for id_ in pair.tools} == {"ticket"}


@pytest.mark.parametrize("name", ["tiny", "other", "third", "fourth"])
def test_the_draw_is_the_documented_one_and_each_source_has_its_own(name: str) -> None:
    """Another draw would let an old model be chosen by what it was trained on."""

    def lot(provider: str) -> str:
        return hashlib.sha256(f"tool-bench/training/1:{name}:{provider}".encode()).hexdigest()

    data = tiny(name)
    split = split_of(data, 0.25)
    held = {tool.provider for tool in data.tools if split[tool.id] == "validation"}
    assert held == {min(PROVIDERS.values(), key=lot)}


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", ["mcp-servers", "nl2bash"])
def test_upstreams_requests_never_cross(name: str) -> None:
    data = source.load(named(name))
    split = split_of(data, 0.15)
    found = parts(data, split)
    assert found.validation
    assert not {letters(p.query) for p in found.train} & {
        letters(p.query) for p in found.validation
    }
    texts: dict[Split, set[tuple[str, str]]] = {"train": set(), "validation": set()}
    for tool in data.tools:
        texts[split[tool.id]].add((letters(tool.name), letters(tool.description)))
    assert not texts["train"] & texts["validation"]


def test_mock_connectors_validates_on_its_own_ten_connectors() -> None:
    data = source.load(named("mock-connectors"))
    split = split_of(data, 0.15)
    found = parts(data, split)
    connectors = {data.by_id[id_].provider for pair in found.validation for id_ in pair.tools}
    assert len(connectors) == 10
    assert len({tool.provider for tool in data.tools} - connectors) == 49
    assert found.crossing == 0
