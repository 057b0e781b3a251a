"""Nested catalogues: a task's own tools and more and more real distractors, in one fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tool_bench.data.distractors import endpoint_of
from tool_bench.dataset import ToolDataset
from tool_bench.query import fold
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
    punctuation aside) or the same name and description.
    """
    known = {reason: {form(tool) for tool in own} for reason, form in _FORMS.items()}
    dropped = dict.fromkeys(_FORMS, 0)
    kept = []
    for tool in catalogue:
        reason = next((r for r, form in _FORMS.items() if form(tool) in known[r]), None)
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


def _name_and_description(tool: Tool) -> str:
    return f"{fold(tool.name)}\n{fold(tool.description)}"


_FORMS = {
    "same id": lambda tool: tool.id,
    "same endpoint": endpoint_of,
    "same name and description": _name_and_description,
}
