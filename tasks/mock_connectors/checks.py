"""The standard mock-connectors was written to, as checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from . import wording
from .content import Content, ToolEntry

EXAMPLES = 2_994
"""The numbers of tools and requests are the task's declaration, which loading compares."""
MIN_CONNECTORS, MAX_CONNECTORS = 60, 75
MIN_CATEGORIES = 15
MIN_WORDS, MAX_WORDS = 15, 60
"""Of a tool's description."""
SHARED_BY = 3
"""Connectors that an action must be found in to count as shared."""
MIN_SHARED, MIN_CONFUSABLE = 0.5, 0.4
KIND_SHARES = {
    "everyday": 0.35,
    "problem": 0.25,
    "long": 0.15,
    "jargon": 0.10,
    "several": 0.10,
    "typos": 0.05,
}
NAMING_SHARES = {"explicit": 0.4, "implied": 0.2, "none": 0.4}
SPLIT_SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}
TOLERANCE = 0.05
_READ = "get list search query view filter find retrieve estimate calculate suggest"
_MAKE = "create add new book enter hire open post invite start upload"
_END = (
    "archive block cancel close deactivate decline delete deny disable lock pause reject remove "
    "stop suspend terminate trash unenroll unsubscribe void"
)
_RESUME = "activate enable reactivate restore resume unarchive unblock unlock unreject unsuspend"
EFFECT_OF = {
    verb: effect
    for effect, verbs in (("read", _READ), ("make", _MAKE), ("end", _END), ("resume", _RESUME))
    for verb in verbs.split()
}
"""What a tool does to its object, by its verb; verbs of no clear effect are left out."""

Key = TypeVar("Key", bound=Hashable)


def defects_of(content: Content) -> list[str]:
    """Return everything that falls short, one sentence each."""
    families = list(_families(content))
    return [
        *_counts(content),
        *_catalogue(content),
        *families,
        *([] if families else mixed_actions(content)),  # needs every tool to be known
        *_requests(content),
        *_splits(content),
        *wording.defects_of(content),
    ]


def _counts(content: Content) -> Iterator[str]:
    examples = sum(map(len, content.examples.values()))
    if examples != EXAMPLES:
        yield f"{examples} usage examples, {EXAMPLES} wanted"
    if not MIN_CONNECTORS <= len(content.connectors) <= MAX_CONNECTORS:
        yield f"{len(content.connectors)} connectors, {MIN_CONNECTORS} to {MAX_CONNECTORS} wanted"
    categories = {connector.category for connector in content.connectors.values()}
    if len(categories) < MIN_CATEGORIES:
        yield f"{len(categories)} categories, at least {MIN_CATEGORIES} wanted"


def _catalogue(content: Content) -> Iterator[str]:
    owner = content.owner
    names = [tool.name for c in content.connectors.values() for tool in c.tools]
    for name in _repeated(names):
        yield f"tool '{name}' occurs more than once"
    for tool_name in sorted(set(owner) - set(content.examples)):
        yield f"tool '{tool_name}' has no examples"
    for tool_name in sorted(set(content.examples) - set(owner)):
        yield f"there are examples of '{tool_name}', which is no tool"
    confusable: set[str] = set()
    for id_, connector in content.connectors.items():
        for tool in connector.tools:
            yield from _tool(id_, tool)
            for sibling in tool.confused_with:
                if sibling == tool.name or owner.get(sibling) != id_:
                    yield f"tool '{tool.name}' is confused with '{sibling}', no sibling of it"
                confusable |= {tool.name, sibling}
    if len(confusable) < MIN_CONFUSABLE * len(names):
        yield (
            f"{len(confusable)} tools have a confusable sibling, "
            f"at least {MIN_CONFUSABLE:.0%} of {len(names)} wanted"
        )


def _tool(connector: str, tool: ToolEntry) -> Iterator[str]:
    if not tool.name.startswith(f"{connector}_"):
        yield f"tool '{tool.name}' does not begin with '{connector}_'"
    n = len(tool.description.split())
    if not MIN_WORDS <= n <= MAX_WORDS:
        yield f"the description of '{tool.name}' has {n} words, {MIN_WORDS} to {MAX_WORDS} wanted"
    for parameter in _repeated(p.name for p in tool.parameters):
        yield f"tool '{tool.name}' has two parameters '{parameter}'"


def _families(content: Content) -> Iterator[str]:
    owner = content.owner
    for name in _repeated(t for family in content.families.values() for t in family.tools):
        yield f"tool '{name}' is in two families, or twice in one"
    shared = 0
    for id_, family in content.families.items():
        unknown = [tool for tool in family.tools if tool not in owner]
        if unknown:
            yield f"family '{id_}' names unknown tool '{unknown[0]}'"
            continue
        connectors = {owner[tool] for tool in family.tools}
        if len(connectors) < len(family.tools):
            yield f"family '{id_}' has two tools of one connector"
        if len(connectors) >= SHARED_BY:
            shared += len(family.tools)
    if shared < MIN_SHARED * len(owner):
        yield (
            f"{shared} tools share their action with {SHARED_BY - 1} other connectors, "
            f"at least {MIN_SHARED:.0%} of {len(owner)} wanted"
        )


def mixed_actions(content: Content) -> Iterator[str]:
    """Yield families that hold, beside one kind of effect, the ending of the object or its undoing.

    Reading and making may meet: some products create a link that others hand out.
    """
    owner = content.owner
    for id_, family in content.families.items():
        verbs = {tool.removeprefix(f"{owner[tool]}_").split("_")[0] for tool in family.tools}
        effects = {EFFECT_OF[verb] for verb in verbs if verb in EFFECT_OF}
        if len(effects) > 1 and effects & {"end", "resume"}:
            yield f"family '{id_}' mixes actions: {', '.join(sorted(verbs))}"


def _requests(content: Content) -> Iterator[str]:
    owner = content.owner
    requests = [(id_, request) for id_, own in content.requests.items() for request in own]
    for request_id in _repeated(request.id for _, request in requests):
        yield f"request id '{request_id}' occurs more than once"
    for connector, request in requests:
        for tool in request.tools:
            if owner.get(tool) != connector:
                yield f"request '{request.id}': '{tool}' is no tool of {connector}"
        if len(set(request.tools)) < len(request.tools):
            yield f"request '{request.id}' names a tool twice"
        if (request.kind == "several") != (len(request.tools) > 1):
            yield f"request '{request.id}' of kind {request.kind} has {len(request.tools)} tools"
    for tool in sorted(set(owner) - {tool for _, request in requests for tool in request.tools}):
        yield f"tool '{tool}' has no request"
    yield from _off_shares("kind", Counter(r.kind for _, r in requests), KIND_SHARES)
    yield from _off_shares("naming", Counter(r.names_product for _, r in requests), NAMING_SHARES)


def _splits(content: Content) -> Iterator[str]:
    differing = sorted(set(content.splits) ^ set(content.connectors))
    if differing:
        yield f"connector '{differing[0]}' is in the splits or in the catalogue, not in both"
        return
    yield from _off_shares("split", Counter(content.splits.values()), SPLIT_SHARES)
    held_out = Counter(
        connector.category
        for id_, connector in content.connectors.items()
        if content.splits[id_] != "train"
    )
    for category in sorted({connector.category for connector in content.connectors.values()}):
        if held_out[category] != 1:
            yield f"category '{category}' has {held_out[category]} connectors outside train, not 1"


def _off_shares(what: str, found: Counter[Any], shares: Mapping[str, float]) -> Iterator[str]:
    total = found.total() or 1
    for name, wanted in shares.items():
        share = found[name] / total
        if abs(share - wanted) > TOLERANCE:
            yield f"{what} '{name}': {share:.1%}, {wanted:.0%} wanted"


def _repeated(values: Iterable[Key]) -> list[Key]:
    return [value for value, n in Counter(values).items() if n > 1]
