"""Wrong answers: of the kinds that were asked for, and never one that may be right."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_data import VERBS, tiny

from tool_bench.dataset import Split
from tool_bench.tool import Tool
from tool_bench.training import source
from tool_bench.training.negatives import Row, names_provider, rows
from tool_bench.training.recipe import NegativeKind, Negatives
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.sources import named

FAMILIES = {verb: (f"employee_{verb}", f"invoice_{verb}") for verb in VERBS}
"""Two of the four providers do the same."""
IN_FAMILIES = replace(tiny(), families=FAMILIES)


Found = Mapping[str, Sequence[str]]


def row_of(
    data: TrainingData, query: str, *tools: str, wanted: Negatives, mined: Found | None = None
) -> Row:
    """Return the first row of one more pair of ``data``."""
    pair = Pair(query, tools, "x")
    data = replace(data, pairs=(*data.pairs, pair))
    return next(rows(data, [pair], wanted, mined or {}, seed=1))


def negatives(
    data: TrainingData, query: str, *tools: str, wanted: Negatives, mined: Found | None = None
) -> tuple[str, ...]:
    return row_of(data, query, *tools, wanted=wanted, mined=mined).negatives


def of(*kinds: NegativeKind, count: int) -> Negatives:
    return Negatives(count=count, kinds=kinds)


def test_cross_is_the_same_action_elsewhere() -> None:
    found = negatives(IN_FAMILIES, "make it", "ticket_create", wanted=of("cross", count=3))
    assert set(found) == {"employee_create", "invoice_create", "meeting_create"}


def test_cross_takes_no_family_member_unless_the_request_names_its_provider() -> None:
    unnamed = negatives(IN_FAMILIES, "make it", "employee_create", wanted=of("cross", count=2))
    assert set(unnamed) == {"ticket_create", "meeting_create"}
    named_ = negatives(
        IN_FAMILIES, "make it in Acme", "employee_create", wanted=of("cross", count=3)
    )
    assert set(named_) == {"invoice_create", "ticket_create", "meeting_create"}


def test_without_families_only_a_named_provider_has_cross_negatives() -> None:
    """Nobody says which tools of two servers do the same: a search is a search."""
    unnamed = row_of(tiny(), "make it", "ticket_create", wanted=of("cross", count=3))
    nearest = {"employee_create", "invoice_create", "meeting_create"}
    assert set(unnamed.negatives) != nearest  # random ones in their place
    named_ = negatives(tiny(), "make it in Initech", "ticket_create", wanted=of("cross", count=3))
    assert set(named_) == nearest


def test_same_is_another_action_of_the_provider() -> None:
    found = negatives(IN_FAMILIES, "make it", "ticket_create", wanted=of("same", count=3))
    assert set(found) == {"ticket_delete", "ticket_list", "ticket_archive"}


def test_same_without_providers_is_the_nearest_tool() -> None:
    data = TrainingData(
        "commands",
        (
            Tool("grep", "grep", "Search for a pattern in files."),
            Tool("zgrep", "zgrep", "Search for a pattern in compressed files."),
            Tool("date", "date", "Print the time."),
            Tool("top", "top", "Show processes."),
        ),
        (),
    )
    assert negatives(data, "find foo", "grep", wanted=of("same", count=1)) == ("zgrep",)


def test_mined_are_taken_in_the_models_order_and_never_right_ones() -> None:
    mined = {"make it": ["invoice_create", "ticket_create", "employee_create", "meeting_list"]}
    wanted = of("mined", count=2)
    found = negatives(IN_FAMILIES, "make it", "employee_create", wanted=wanted, mined=mined)
    assert found == ("ticket_create", "meeting_list")


def test_kinds_take_turns_and_random_fills_up() -> None:
    mined = {"make it": ["meeting_list"]}
    wanted = of("mined", "same", "cross", count=14)
    found = negatives(IN_FAMILIES, "make it", "ticket_create", wanted=wanted, mined=mined)
    assert found[0] == "meeting_list"
    assert found[1].startswith("ticket_")
    assert found[2].endswith("_create")
    assert len(set(found)) == 14
    assert "ticket_create" not in found
    none = of("mined", "same", "cross", count=0)
    assert negatives(tiny(), "make it", "ticket_create", wanted=none, mined=mined) == ()


def test_a_near_duplicate_of_any_right_tool_is_no_wrong_answer() -> None:
    """Not of the row's own answer alone, and not in a batch with it either."""
    data = tiny()
    close = replace(
        data.by_id["ticket_list"],
        id="copy",
        provider="meeting",
        description="List the ticket that is named. List the ticket.",
    )
    spoilt = replace(data, tools=(*data.tools, close))
    assert "copy" not in spoilt.alike["ticket_list"]
    row = row_of(spoilt, "do both", "employee_create", "ticket_list", wanted=of("random", count=20))
    assert "copy" not in row.negatives
    assert "copy" in row.right
    assert row.right >= {"employee_create", "ticket_list"}
    assert len(row.negatives) == len(spoilt.tools) - len(row.right)


def test_the_answer_of_the_same_request_elsewhere_is_no_wrong_answer() -> None:
    data = replace(tiny(), pairs=(Pair("Show it!", ("invoice_list",), "1"),))
    row = row_of(data, "show it", "ticket_list", wanted=of("random", count=20))
    assert "invoice_list" not in row.negatives
    assert "invoice_list" in row.right


def test_tools_that_a_source_holds_out_are_no_negatives() -> None:
    splits: dict[str, Split] = dict.fromkeys(tiny().by_id, "train")
    splits |= {f"meeting_{verb}": "validation" for verb in VERBS}
    data = replace(IN_FAMILIES, splits=splits)
    mined = {"make it": ["meeting_create"]}
    wanted = of("cross", "mined", "random", count=20)
    found = negatives(data, "make it", "ticket_create", wanted=wanted, mined=mined)
    assert len(found) == 11
    assert not [id_ for id_ in found if id_.startswith("meeting")]


def test_a_mined_tool_elsewhere_may_be_right_where_nobody_says_which_do_the_same() -> None:
    mined = {q: ["meeting_create", "ticket_list"] for q in ("make it", "make it at initech")}
    wanted = of("mined", count=2)
    unnamed = negatives(tiny(), "make it", "ticket_create", wanted=wanted, mined=mined)
    assert unnamed[0] == "ticket_list"
    named = negatives(tiny(), "make it at initech", "ticket_create", wanted=wanted, mined=mined)
    assert named == ("meeting_create", "ticket_list")


KINDS: list[NegativeKind] = ["cross", "same", "mined", "random"]


@st.composite
def asked(draw: st.DrawFn) -> tuple[TrainingData, Pair, Negatives, dict[str, list[str]]]:
    """Draw a catalogue with twins and families, a request, and what is wanted."""
    tools = tuple(
        Tool(
            id=f"t{number}",
            name=draw(st.sampled_from(["get user", "get_user", "list", "post"])),
            description=draw(st.sampled_from(["", "Gets it.", "gets it", "Lists all things"])),
            provider=draw(st.sampled_from(["acme", "box", None])),
        )
        for number in range(draw(st.integers(1, 15)))
    )
    ids = st.sampled_from([tool.id for tool in tools])
    some = st.lists(ids, min_size=1, max_size=3, unique=True).map(tuple)
    pair = Pair(draw(st.sampled_from(["get it", "get it from acme"])), draw(some), "x")
    families = draw(st.dictionaries(st.sampled_from("fg"), some, max_size=2))
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=4))
    wanted = Negatives(count=draw(st.integers(0, 16)), kinds=tuple(kinds))
    mined = {pair.query: draw(st.lists(ids, max_size=5))}
    return TrainingData("drawn", tools, (pair,), families), pair, wanted, mined


@given(drawn=asked())
@settings(deadline=None)
def test_whatever_is_asked_for_no_right_answer_is_wrong_and_the_count_is_reached(
    drawn: tuple[TrainingData, Pair, Negatives, dict[str, list[str]]],
) -> None:
    data, pair, wanted, mined = drawn
    found = list(rows(data, [pair], wanted, mined, seed=1))
    assert [row.tool for row in found] == list(pair.tools)
    for row in found:
        assert row.right >= data.right(pair)
        assert len(set(row.negatives)) == len(row.negatives) <= wanted.count
        assert set(row.negatives).isdisjoint(pair.tools)
        gold = data.by_id[row.tool]
        for id_ in set(row.negatives) & row.right:  # only where the request says whose it wants
            assert names_provider(pair.query, gold)
            assert data.by_id[id_].provider != gold.provider
            assert "cross" in wanted.kinds
        wrong = len(data.tools) - len(row.right)
        assert len(row.negatives) >= min(wanted.count, wrong)
    assert found == list(rows(data, [pair], wanted, mined, seed=1))


@pytest.mark.parametrize(
    ("query", "provider", "names"),
    [
        ("add a page in Google Drive", "google_drive", True),
        ("put it in GOOGLE-DRIVE, please", "google_drive", True),
        ("drive to google", "google_drive", False),
        ("an unboxing", "box", False),
        ("in box", "box", True),
        ("anything", None, False),
        ("anything", "", False),
    ],
)
def test_naming_a_provider(query: str, provider: str | None, names: bool) -> None:
    assert names_provider(query, Tool("a", "a", provider=provider)) is names


def test_the_seed_decides_the_random_ones_and_nothing_else_does() -> None:
    """Neither the process nor what else is trained on."""
    data, wanted = tiny(), Negatives(count=5, kinds=())
    one = Pair("make it", ("ticket_create",), "x")
    drawn = [next(rows(data, [one], wanted, {}, seed)).negatives for seed in range(4)]
    assert len(set(drawn)) > 1
    both = list(rows(data, [Pair("drop it", ("ticket_delete",), "x"), one], wanted, {}, seed=3))
    assert both[1].negatives == drawn[3]


SCRIPT = """
from test_training_negatives import IN_FAMILIES, negatives, of
print(negatives(IN_FAMILIES, "make it", "ticket_create", wanted=of("cross", "random", count=7)))
"""


@pytest.mark.slow
def test_another_process_chooses_the_same() -> None:
    other = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
        env={"PYTHONHASHSEED": "7"},
    )
    wanted = of("cross", "random", count=7)
    here = negatives(IN_FAMILIES, "make it", "ticket_create", wanted=wanted)
    assert other.stdout == f"{here}\n"


def test_negatives_of_the_real_connectors() -> None:
    """Seven each; no family member for a request that could be anybody's."""
    data = source.load(named("mock-connectors"))
    pairs = [pair for pair in data.pairs if data.splits[pair.tools[0]] == "train"][::40]
    found = list(rows(data, pairs, Negatives(), {}, seed=1))
    assert {len(row.negatives) for row in found} == {7}
    family_negatives = [row for row in found if set(row.negatives) & row.right]
    assert family_negatives
    for row in family_negatives:
        assert names_provider(row.query, data.by_id[row.tool])
    held_out = {id_ for id_, split in data.splits.items() if split != "train"}
    assert not held_out.intersection(*(row.negatives for row in found))
