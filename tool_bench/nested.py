"""Nested catalogues: a task's own tools and more and more real distractors, in one fixed order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from tool_bench.data.distractors import endpoint_of
from tool_bench.dataset import ToolDataset
from tool_bench.query import fold, letters
from tool_bench.tool import Tool

ALL = 10**9
"""A size that stands for all the tools there are."""


@dataclass(frozen=True, slots=True)
class Distractors:
    """The tools that a task's catalogue can grow by."""

    tools: tuple[Tool, ...]
    """In the catalogue's order; none is one of the task's own."""
    dropped: dict[str, int]
    """Why a tool of the catalogue is left out, as the task's own -> how many."""


def distractors(own: Sequence[Tool], catalogue: Iterable[Tool]) -> Distractors:
    """Return the tools of ``catalogue`` that are not also in ``own``.

    A tool is the same when it has the same id, the same endpoint (provider and name, case and
    punctuation aside), the same name and description, or the name of an own tool that does not say
    whose it is.
    """
    known = {reason: {of_own(tool) for tool in own} - {None} for reason, (of_own, _) in _FORMS}
    dropped = dict.fromkeys(known, 0)
    kept = []
    for tool in catalogue:
        reason = next((r for r, (_, of_other) in _FORMS if of_other(tool) in known[r]), None)
        if reason is None:
            kept.append(tool)
        else:
            dropped[reason] += 1
    return Distractors(tuple(kept), dropped)


def sizes(own: int, available: int, asked: Iterable[int]) -> list[int]:
    """Return the sizes to measure, smallest first.

    Args:
        own: how many tools the task has itself; always the first size.
        available: how many there are with every distractor; a larger size means all of these.
        asked: the sizes wanted; those not above ``own`` are left out.
    """
    return sorted({own, *(min(size, available) for size in asked if size > own)})


def enlarged(dataset: ToolDataset, others: Distractors, size: int) -> ToolDataset:
    """Return ``dataset`` with a catalogue of ``size`` tools: its own, then the first distractors.

    A larger size holds every tool of a smaller one. Queries lose their provider, so that scope
    ``global`` is the only one, and splits are dropped: nothing is trained here.
    """
    return replace(
        dataset,
        tools=(*dataset.tools, *others.tools[: size - len(dataset.tools)]),
        queries=tuple(replace(query, provider=None) for query in dataset.queries),
        splits={},
    )


def _id(tool: Tool) -> str:
    return tool.id


def _name_and_description(tool: Tool) -> str:
    return f"{fold(tool.name)}\n{fold(tool.description)}"


def _name_of_nobody(tool: Tool) -> str | None:
    return letters(tool.name) if tool.provider is None else None


def _own_name(tool: Tool) -> str:
    return letters(tool.name.removeprefix(tool.provider or ""))


Form = Callable[[Tool], str | None]

_FORMS: tuple[tuple[str, tuple[Form, Form]], ...] = (
    ("same id", (_id, _id)),
    ("same endpoint", (endpoint_of, endpoint_of)),
    ("same name and description", (_name_and_description, _name_and_description)),
    ("same name, and the own tool has no provider", (_name_of_nobody, _own_name)),
)
"""How the same tool is seen -> (what an own tool shows, what a distractor shows)."""
