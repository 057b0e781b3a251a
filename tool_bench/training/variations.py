"""What an ablation changes: one thing at a time, from one recipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, get_args

from tool_bench import registry
from tool_bench.errors import UnknownNameError
from tool_bench.tool import Style
from tool_bench.training.recipe import MINILM, ONE_SOURCE, NegativeKind, Order, Recipe, Text
from tool_bench.training.sources import named

BASE = "base"
"""Name of the variation that changes nothing."""
UNTRAINED = "untrained"

COUNTS = (0, 3, 7)
CHARACTERS = (1_000, 2_000)
READ = 256
"""Tokens that are read while training where lengths are compared: the most that MiniLM takes."""
WHOLE = 256
"""Tools of a catalogue that may stand in each of its batches."""
LORA_RANK = 16
LORA_RATE = 10
"""Low-rank factors want about ten times the learning rate of whole weights, so both are tried."""
OTHER_BASE = "BAAI/bge-base-en-v1.5"


@dataclass(frozen=True, slots=True)
class Variation:
    """One model to train, and what it is judged on."""

    name: str
    question: str
    """What is varied; variations of one question stand together in the table."""
    setting: str
    """How this one varies it."""
    recipe: Recipe
    """Variations that train the same way have the same, so that its model is trained once."""
    judged: Recipe
    """Its snapshot holds the validation requests and the tools' texts that the model is given."""
    trained: bool = True
    """False for the base model as it is."""
    left_out: tuple[str, ...] = ()
    """Sources that it does not train on."""


def reduced(recipe: Recipe, scale: float) -> Recipe:
    """Return ``recipe`` with ``scale`` times as many rows of each source at most.

    It holds out what ``recipe`` would hold out, also where that trains on it in the end.

    Args:
        recipe: the recipe that is to be understood.
        scale: over 0, at most 1; the same for all variations.
    """
    rows = {name: max(1, round(scale * most)) for name, most in recipe.data.sources.items()}
    return _changed(recipe, BASE, "data", sources=rows, refit=False)


def variations(base: Recipe) -> tuple[Variation, ...]:
    """Return every variation of ``base``: first :data:`BASE` itself, then the untrained model.

    A variation that asks for what ``base`` does anyway has its recipe.

    Raises:
        UnknownNameError: ``base`` names a source that there is not.
    """
    base = base.model_copy(update={"name": BASE})
    question = "recipe"
    return (
        _variation(base, BASE, question, "as it is", base),
        Variation(
            UNTRAINED,
            question,
            "the base model, untrained",
            base.model_copy(update={"name": UNTRAINED}),
            _judged(base, base.text),
            trained=False,
        ),
        *_negatives(base),
        *_length(base),
        *_format(base),
        *_order(base),
        *_candidates(base),
        *_paraphrases(base),
        *_sources(base),
        *_weights(base),
        *_base(base),
    )


def pick(found: Sequence[Variation], patterns: Iterable[str]) -> list[Variation]:
    """Return the variations that a pattern such as ``without-*`` names; all without patterns.

    Raises:
        UnknownNameError: a pattern names none.
    """
    patterns = list(patterns)
    for pattern in patterns:
        if not any(fnmatchcase(each.name, pattern) for each in found):
            raise UnknownNameError("variation", pattern, [each.name for each in found])
    return [
        each
        for each in found
        if not patterns or any(fnmatchcase(each.name, pattern) for pattern in patterns)
    ]


def _negatives(base: Recipe) -> Iterator[Variation]:
    for count in COUNTS:
        name = f"negatives-{count}"
        recipe = _changed(base, name, "negatives", count=count)
        yield _variation(base, name, "negatives a request", f"{count or 'none'}", recipe)
    if not base.negatives.count:
        return
    question = "kinds of negatives"
    kinds = base.negatives.kinds
    for kind in kinds if len(kinds) > 1 else ():
        name = f"without-{kind}-negatives"
        left = tuple(each for each in kinds if each != kind)
        recipe = _changed(base, name, "negatives", kinds=left)
        yield _variation(base, name, question, f"without '{kind}'", recipe)
    for kind in get_args(NegativeKind):
        name = f"only-{kind}-negatives"
        recipe = _changed(base, name, "negatives", kinds=(kind,))
        yield _variation(base, name, question, f"'{kind}' alone", recipe)


def _length(base: Recipe) -> Iterator[Variation]:
    for characters in CHARACTERS:
        name = f"characters-{characters}"
        recipe = _changed(base, name, "text", max_characters=characters, max_tokens=READ)
        setting = f"{characters:,} characters, {READ} tokens in training"
        yield _variation(base, name, "length of a tool's text", setting, recipe, recipe.text)


def _format(base: Recipe) -> Iterator[Variation]:
    """Two variations of one model: judged in the format it was trained in, and in the base's."""
    own = base.text.style
    other: Style = "name-description" if own == "full" else "full"
    name, question = f"format-{other}", "format of a tool's text"
    recipe = _changed(base, name, "text", style=other)
    yield _variation(base, name, question, f"'{other}' in both", recipe, recipe.text)
    setting = f"trained on '{other}', judged on '{own}'"
    yield _variation(base, f"{name}-misaligned", question, setting, recipe)


def _order(base: Recipe) -> Iterator[Variation]:
    for order in get_args(Order):
        name = f"order-{order}"
        recipe = _changed(base, name, "optimiser", order=order)
        mixed = base.optimiser.whole_catalogue and order not in ONE_SOURCE
        setting = f"{order}, candidates of the batch alone" if mixed else order
        yield _variation(base, name, "order of rows", setting, recipe)


def _candidates(base: Recipe) -> Iterator[Variation]:
    for most in (0, WHOLE):
        name = "whole-catalogues" if most else "batch-alone"
        recipe = _changed(base, name, "optimiser", whole_catalogue=most)
        setting = f"all tools of a source with up to {most}" if most else "those of the batch"
        yield _variation(base, name, "candidates", setting, recipe)


def _paraphrases(base: Recipe) -> Iterator[Variation]:
    for used in (True, False):
        name = "with-paraphrases" if used else "without-paraphrases"
        recipe = _changed(base, name, "data", paraphrases=used)
        yield _variation(base, name, "paraphrases", "used" if used else "left out", recipe)


def _sources(base: Recipe) -> Iterator[Variation]:
    """Each source left out, and those together that describe their tools from the same file."""
    sources = base.data.sources
    groups = [(name,) for name in sources]
    for group in [*groups, *kin(sources)]:
        kept = {name: most for name, most in sources.items() if name not in group}
        if kept:
            name = f"without-{'-'.join(group)}"
            recipe = _changed(base, name, "data", sources=kept)
            setting = f"without {' and '.join(group)}"
            yield _variation(base, name, "sources", setting, recipe, left_out=group)


def kin(sources: Iterable[str]) -> list[tuple[str, ...]]:
    """Return groups of sources that share a file: leaving one out does not hide its tools."""
    users: dict[str, list[str]] = {}
    for name in sources:
        for file in named(name).sources:
            users.setdefault(file.path, []).append(name)
    return list(dict.fromkeys(tuple(group) for group in users.values() if len(group) > 1))


def _weights(base: Recipe) -> Iterator[Variation]:
    rank, rate = base.optimiser.lora_rank, base.optimiser.learning_rate
    name = "all-weights" if rank else f"lora-{LORA_RANK}"
    what = "all" if rank else f"LoRA of rank {LORA_RANK}"
    times = 1 / LORA_RATE if rank else LORA_RATE
    for factor, suffix in ((1.0, ""), (times, "-other-rate")):
        recipe = _changed(
            base,
            name + suffix,
            "optimiser",
            lora_rank=0 if rank else LORA_RANK,
            learning_rate=rate * factor,
        )
        setting = f"{what}, learning rate {rate * factor:.1g}"
        yield _variation(base, name + suffix, "weights", setting, recipe)


def _base(base: Recipe) -> Iterator[Variation]:
    other = MINILM if base.base == OTHER_BASE else OTHER_BASE
    name = other.rpartition("/")[2].lower()
    revision = None if other == MINILM else registry.baselines()[other].revision
    recipe = base.model_copy(update={"name": name, "base": other, "revision": revision})
    yield _variation(base, name, "base model", other, recipe)


def _changed(recipe: Recipe, name: str, part: str, **values: Any) -> Recipe:
    """Return ``recipe`` under another name with other values of one part."""
    own = getattr(recipe, part).model_copy(update=values)
    return recipe.model_copy(update={"name": name, part: own})


def _judged(base: Recipe, text: Text) -> Recipe:
    """Return the recipe whose snapshot has the base's validation requests and ``text``.

    Nothing is trained on that snapshot, so it needs no negatives.
    """
    as_text = {"style": text.style, "max_characters": text.max_characters}
    judged = _changed(base, "judged", "text", **as_text)
    return _changed(judged, "judged", "negatives", count=0)


def _variation(  # noqa: PLR0913, PLR0917  the parts of a variation
    base: Recipe,
    name: str,
    question: str,
    setting: str,
    recipe: Recipe,
    text: Text | None = None,
    left_out: tuple[str, ...] = (),
) -> Variation:
    if recipe.model_copy(update={"name": BASE}) == base:
        recipe = base
    judged = _judged(base, text or base.text)
    return Variation(name, question, setting, recipe, judged, left_out=left_out)
