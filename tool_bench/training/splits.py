"""Which tools a model is trained on, and which are kept for choosing it.

Whole providers where a source names them, whole tools elsewhere: a model that has seen a tool's
requests says nothing about a tool that it has not seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from tool_bench.dataset import Split
from tool_bench.query import letters
from tool_bench.training.records import Pair, TrainingData

SEED = "tool-bench/training/1"


@dataclass(frozen=True)
class Parts:
    """One source's pairs, sorted."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    crossing: int
    """Pairs left out: some of their tools are in either part, or their text is."""


def split_of(data: TrainingData, share: float) -> Mapping[str, Split]:
    """Return tool id -> its split.

    Args:
        data: the source; where it says itself what is held out, that holds.
        share: of the other sources' providers, or tools where none is named, to hold out: those
            whose sha256 after :data:`SEED` is least. Tools that are alike go together, and so do
            providers that share a tool's text.
    """
    if data.splits:
        return data.splits
    units: dict[str, list[str]] = {}
    for id_, group in _groups(data).items():
        units.setdefault(group, []).append(id_)
    held = set(
        sorted(units, key=lambda unit: _lot(f"{data.source}:{unit}"))[: _count(units, share)]
    )
    return {
        id_: "validation" if unit in held else "train" for unit, ids in units.items() for id_ in ids
    }


def parts(data: TrainingData, split: Mapping[str, Split]) -> Parts:
    """Sort the pairs of ``data`` by the split of their tools; no text is in both parts."""
    train: list[Pair] = []
    validation: list[Pair] = []
    crossing = 0
    for pair in data.pairs:
        found = {split[id_] for id_ in pair.tools}
        if found == {"train"}:
            train.append(pair)
        elif found == {"validation"}:
            validation.append(pair)
        else:
            crossing += 1
    held = {letters(pair.query) for pair in validation}
    kept = tuple(pair for pair in train if letters(pair.query) not in held)
    return Parts(kept, tuple(validation), crossing + len(train) - len(kept))


def _groups(data: TrainingData) -> dict[str, str]:
    """Return tool id -> what it is held out with.

    Its provider, together with those that have a tool of the same text; families do not count,
    since they span most providers. Without providers, the least id of the tools that are alike.
    """
    whole = all(tool.provider for tool in data.tools)
    unit = {tool.id: (tool.provider or "") if whole else tool.id for tool in data.tools}
    group = {name: name for name in unit.values()}

    def first(name: str) -> str:
        while group[name] != name:
            group[name] = name = group[group[name]]
        return name

    for together in data.twins if whole else data.alike.values():
        names = sorted({first(unit[id_]) for id_ in together})
        group.update(dict.fromkeys(names, names[0]))
    return {id_: first(name) for id_, name in unit.items()}


def _count(units: Mapping[str, object], share: float) -> int:
    return round(len(units) * share)


def _lot(text: str) -> str:
    return hashlib.sha256(f"{SEED}:{text}".encode()).hexdigest()
