"""A small source of training data, and recipes and snapshots of it."""

from __future__ import annotations

from typing import Any

from tool_bench.tool import Tool
from tool_bench.training import guard, snapshot
from tool_bench.training.recipe import Recipe
from tool_bench.training.records import Pair, TrainingData
from tool_bench.training.snapshot import Snapshot
from tool_bench.training.source import TrainingSource

VERBS = ("create", "delete", "list", "archive")
PROVIDERS = {"employee": "acme", "invoice": "globex", "ticket": "initech", "meeting": "hooli"}
"""What its tools are about -> the provider."""
WISHES = ("please {} one {}", "can you {} my {} today", "i must {} this {}", "{} a new {} for us")


def tiny(name: str = "tiny") -> TrainingData:
    """Sixteen tools of four providers, four requests each."""
    return TrainingData(
        source=name,
        tools=tuple(
            Tool(
                id=f"{noun}_{verb}",
                name=f"{verb}_{noun}",
                description=f"{verb.capitalize()} the {noun} that is named.",
                provider=provider,
            )
            for noun, provider in PROVIDERS.items()
            for verb in VERBS
        ),
        pairs=tuple(
            Pair(wish.format(verb, noun), (f"{noun}_{verb}",), where=f"{name}.txt, line {number}")
            for number, wish in enumerate(WISHES)
            for noun in PROVIDERS
            for verb in VERBS
        ),
    )


def declared(data: TrainingData, task: str | None = None) -> TrainingSource:
    """Return a declaration of ``data``, whose training split of ``task`` it may be."""
    return TrainingSource(
        name=data.source,
        description="Made for tests.",
        reference="https://example.org",
        license="mit",
        build=lambda _: data,
        task=task,
    )


def recipe(*sources: str, **sections: Any) -> Recipe:
    """Return a recipe that takes every row of ``sources`` and holds a quarter of each out."""
    data = {"sources": dict.fromkeys(sources or ("tiny",), 1_000_000), "held_out": 0.25}
    return Recipe.model_validate(
        {"name": "test", **sections, "data": {**data, **sections.get("data", {})}}
    )


def built(
    of: Recipe,
    *sources: TrainingData,
    known: guard.Evaluated | None = None,
    task: str | None = None,
) -> Snapshot:
    """Build the snapshot of ``of`` from ``sources``, or from :func:`tiny`."""
    loaded = {data.source: (declared(data, task), data) for data in sources or (tiny(),)}
    return snapshot.build(of, loaded, known or guard.Evaluated())
