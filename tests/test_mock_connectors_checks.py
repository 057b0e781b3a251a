"""The checks of mock-connectors: each can fail, and none before its limit."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tool_bench import registry

registry.tasks()
CHECKS = importlib.import_module("tool_bench.tasks.mock_connectors.checks")
CONTENT = importlib.import_module("tool_bench.tasks.mock_connectors.content")
WORDING = importlib.import_module("tool_bench.tasks.mock_connectors.wording")


@pytest.fixture(scope="module")
def content() -> Any:
    return CONTENT.read()


def first_request(content: Any, **changes: object) -> Any:
    connector, requests = next(iter(content.requests.items()))
    changed = (requests[0].model_copy(update=changes), *requests[1:])
    return replace(content, requests={**content.requests, connector: changed})


def first_tool(content: Any, **changes: object) -> Any:
    id_, connector = next(iter(content.connectors.items()))
    tools = (connector.tools[0].model_copy(update=changes), *connector.tools[1:])
    changed = connector.model_copy(update={"tools": tools})
    return replace(content, connectors={**content.connectors, id_: changed})


def first_family(content: Any, add: str) -> Any:
    id_, family = next(iter(content.families.items()))
    changed = family.model_copy(update={"tools": (*family.tools, add)})
    return replace(content, families={**content.families, id_: changed})


def with_requests(content: Any, **changes: object) -> Any:
    """Change every request alike."""
    changed = {
        connector: tuple(r.model_copy(update=changes) for r in own)
        for connector, own in content.requests.items()
    }
    return replace(content, requests=changed)


def with_connectors(content: Any, **changes: object) -> Any:
    """Change every connector alike."""
    changed = {id_: c.model_copy(update=changes) for id_, c in content.connectors.items()}
    return replace(content, connectors=changed)


def with_tools(content: Any, **changes: object) -> Any:
    """Change every tool alike."""
    changed = {
        id_: c.model_copy(update={"tools": tuple(t.model_copy(update=changes) for t in c.tools)})
        for id_, c in content.connectors.items()
    }
    return replace(content, connectors=changed)


def two_of(content: Any, connector: str) -> Any:
    """Put two tools of ``connector`` into a family of their own."""
    one, two = (tool.name for tool in content.connectors[connector].tools[:2])
    return of_their_own(content, one, two)


def of_their_own(content: Any, one: str, two: str) -> Any:
    families = {
        id_: family for id_, family in content.families.items() if not {one, two} & {*family.tools}
    }
    own = CONTENT.Family(does="x", tools=(one, two))
    return replace(content, families={**families, "x.y": own})


def without_request(content: Any) -> Any:
    tool = content.connectors["slack"].tools[0].name
    own = tuple(r for r in content.requests["slack"] if tool not in r.tools)
    return replace(content, requests={**content.requests, "slack": own})


def reworded(content: Any, texts: dict[int, str], **changes: object) -> Any:
    """Give requests of Slack, by position, another text."""
    own = list(content.requests["slack"])
    for number, text in texts.items():
        own[number] = own[number].model_copy(update={"text": text, **changes})
    return replace(content, requests={**content.requests, "slack": tuple(own)})


def drop_connectors(content: Any, keep: int) -> Any:
    kept = dict(list(content.connectors.items())[:keep])
    return replace(content, connectors=kept, requests={id_: content.requests[id_] for id_ in kept})


def told_by_example(content: Any) -> Any:
    return reworded(content, {0: f"{content.examples['slack_search_messages'][0]} x"})


TWELVE = "one two three four five six seven eight nine ten eleven twelve"
NAMED = {"names_product": "explicit", "tools": ("slack_post_message",)}
PARAMETER = CONTENT.ParameterEntry(name="a", type="string", description="x")

SPOILT: list[tuple[Callable[[Any], Any], str]] = [
    (lambda c: replace(c, examples=dict(list(c.examples.items())[1:])), "2991 usage examples"),
    (lambda c: replace(c, examples=dict(list(c.examples.items())[1:])), "has no examples"),
    (lambda c: replace(c, examples={**c.examples, "zz": ("a",) * 3}), "'zz', which is no tool"),
    (lambda c: drop_connectors(c, 59), "59 connectors, 60 to 75 wanted"),
    (lambda c: with_connectors(c, category="one"), "1 categories, at least 15"),
    (lambda c: replace(c, families={}), "0 tools share their action with 2 other"),
    (lambda c: with_tools(c, confused_with=()), "0 tools have a confusable sibling"),
    (lambda c: first_tool(c, description="Too short."), "has 2 words, 15 to 60 wanted"),
    (lambda c: first_tool(c, description="word " * 61), "has 61 words, 15 to 60 wanted"),
    (lambda c: first_tool(c, name="other_tool"), "'other_tool' does not begin with"),
    (lambda c: first_tool(c, name="slack_post_message"), "'slack_post_message' occurs more"),
    (lambda c: first_tool(c, parameters=(PARAMETER, PARAMETER)), "two parameters 'a'"),
    (lambda c: first_tool(c, confused_with=("slack_post_message",)), "no sibling of it"),
    (lambda c: first_family(c, "nope"), "names unknown tool 'nope'"),
    (lambda c: first_family(c, next(iter(c.families.values())).tools[0]), "twice in one"),
    (lambda c: two_of(c, "slack"), "'x.y' has two tools of one connector"),
    (
        lambda c: of_their_own(c, "slack_post_message", "discord_delete_message"),
        "'x.y' mixes actions: delete, post",
    ),
    (lambda c: first_request(c, tools=("slack_post_message",)), "is no tool of"),
    (lambda c: first_request(c, id="slack-01"), "'slack-01' occurs more than once"),
    (lambda c: first_request(c, kind="several"), "of kind several has 1 tools"),
    (lambda c: with_requests(c, tools=("slack_post_message",) * 2), "names a tool twice"),
    (without_request, "has no request"),
    (lambda c: with_requests(c, kind="long"), "kind 'long': 100.0%, 15% wanted"),
    (lambda c: with_requests(c, names_product="none"), "naming 'none': 100.0%, 40% wanted"),
    (lambda c: replace(c, requests={}), "kind 'long': 0.0%"),
    (lambda c: replace(c, splits={**c.splits, "slack": "train"}), "0 connectors outside train"),
    (lambda c: replace(c, splits={**c.splits, "discord": "test"}), "2 connectors outside train"),
    (lambda c: replace(c, splits={**c.splits, "nope": "train"}), "connector 'nope' is in"),
    (lambda c: replace(c, splits=dict.fromkeys(c.splits, "train")), "100.0%, 70% wanted"),
    (lambda c: reworded(c, {0: "Say it in Slack"}, names_product="none"), "not bear out"),
    (lambda c: reworded(c, {0: "Say it somewhere"}, names_product="explicit"), "not bear out"),
    (lambda c: reworded(c, {0: "Tell Discord"}, names_product="none"), "but names Discord"),
    (lambda c: reworded(c, {0: "Slack it to kim@acme.com"}), "an address at acme.com"),
    (lambda c: reworded(c, {0: "slack post message"}, **NAMED), "little more than the name"),
    (lambda c: reworded(c, {0: "slack post message now kim"}, **NAMED), "little more than"),
    (told_by_example, "an example of slack_search_messages are nearly"),
    (lambda c: reworded(c, {0: TWELVE, 1: f"{TWELVE} more"}), "are nearly the same"),
    (lambda c: reworded(c, dict.fromkeys(range(9), "do this thing")), "are nearly the same"),
    (lambda c: with_requests(c, text="do this thing"), "begin with 'do this thing', at most 2%"),
    (lambda c: with_requests(c, text="do this thing"), "mean words of the requests: 3"),
    (lambda c: with_requests(c, text="do this thing"), "distinct words of the requests: 3"),
    (lambda c: with_requests(c, text="do this thing"), "distinct-bigram share of the requests"),
]


@pytest.mark.parametrize(("spoil", "message"), SPOILT, ids=[m for _, m in SPOILT])
def test_each_check_can_fail(
    content: Any, spoil: Callable[[Any], Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = spoil(content)
    if "nearly the same" not in message and "an example of" not in message:
        monkeypatch.setattr(WORDING, "_alike", lambda *_: ())  # takes seconds
    assert any(message in defect for defect in CHECKS.defects_of(spoilt))


def test_the_tools_of_a_family_act_alike(content: Any) -> None:
    assert not list(CHECKS.mixed_actions(content))
    family = CONTENT.Family(does="x", tools=("slack_post_message", "discord_delete_message"))
    mixed = replace(content, families={"x.y": family})
    assert len(list(CHECKS.mixed_actions(mixed))) == 1


def asked(content: Any, *texts: str) -> list[Any]:
    """Return requests for slack_post_message with these texts."""
    first = content.requests["slack"][0]
    changes = ({"id": str(n), "text": t, **NAMED} for n, t in enumerate(texts))
    return [first.model_copy(update=change) for change in changes]


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("a b c d e f g h", "a b c d e f y z", True),  # 6 of 10 words
        ("a b c d e f g h i", "a b c d e f g x y z", False),  # 7 of 12
    ],
)
def test_texts_are_alike_from_three_fifths_on(
    content: Any, one: str, two: str, alike: bool
) -> None:
    bare = replace(content, examples={})
    assert bool(list(WORDING._alike(asked(content, one, two), bare))) is alike
    example = replace(content, examples={"t": (two, "x", "y")})
    assert bool(list(WORDING._alike(asked(content, one), example))) is alike


def test_an_opening_may_begin_two_in_a_hundred(content: Any) -> None:
    others = [f"{n} goes its own way" for n in range(97)]
    assert len(list(WORDING._openings(asked(content, *["do this thing"] * 3, *others)))) == 1
    others.append("98 goes its own way")
    assert not list(WORDING._openings(asked(content, *["do this thing"] * 2, *others)))


def test_three_fifths_of_the_words_may_not_be_the_tools_name(content: Any) -> None:
    three_of_five, three_of_six = "slack post message kim noon", "slack post message kim noon ann"
    assert len(list(WORDING._copied(asked(content, three_of_five)))) == 1
    assert not list(WORDING._copied(asked(content, three_of_six)))
