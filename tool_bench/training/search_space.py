"""What of a recipe is searched, between which values; everything else stays as the base has it.

The validation requests must be the same in every experiment, or scores could not be compared: what
decides them (the sources, ``held_out``, the split) is not in the space.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

from tool_bench.errors import UsageError
from tool_bench.tool import STYLES
from tool_bench.training.recipe import NegativeKind, Order, Recipe

if TYPE_CHECKING:
    from optuna import Trial

Value = bool | int | float | str
Parameters = Mapping[str, Value]
"""Knob -> value: one point of the space."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A field that takes one of a few values."""

    name: str
    values: tuple[Value, ...]

    def suggest(self, trial: Trial) -> Value:
        """Let the sampler choose."""
        return trial.suggest_categorical(self.name, self.values)  # type: ignore[return-value]  # no None

    def has(self, value: object) -> bool:
        """Tell whether ``value`` is one of the values; 1 is not True."""
        return any(
            value == each and isinstance(value, bool) is isinstance(each, bool)
            for each in self.values
        )

    def including(self, value: Value) -> Choice:
        """Return the choice with ``value`` among its values."""
        return self if self.has(value) else replace(self, values=(*self.values, value))

    def described(self) -> str:
        """Return the values as a text."""
        return "one of " + ", ".join(str(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two ends."""

    name: str
    low: float
    high: float
    log: bool = False
    """Whether factors count, not differences."""

    def suggest(self, trial: Trial) -> Value:
        """Let the sampler choose."""
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def has(self, value: object) -> bool:
        """Tell whether ``value`` is a number between the ends."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= float(value) <= self.high  # type: ignore[arg-type]  # checked

    def including(self, value: Value) -> Range:
        """Return the range widened to ``value``."""
        number = float(value)
        return replace(self, low=min(self.low, number), high=max(self.high, number))

    def described(self) -> str:
        """Return the ends as a text."""
        return f"from {self.low:g} to {self.high:g}"


Knob = Choice | Range

SHARES = (0.1, 0.25, 0.5, 1.0, 2.0)
"""Of the rows that the base takes of a source. None is 0: a source that is left out would take its
validation requests with it."""

SPACE: tuple[Knob, ...] = (
    Range("optimiser.learning_rate", 5e-6, 5e-4, log=True),
    Range("optimiser.epochs", 0.5, 4),
    Choice("optimiser.batch", (16, 32, 64, 128, 256)),
    Range("optimiser.scale", 8, 80, log=True),
    Choice("optimiser.order", get_args(Order)),
    Choice("optimiser.whole_catalogue", (0, 256)),
    Range("optimiser.towards_base", 0, 0.6),
    Choice("negatives.count", (0, 1, 3, 5, 7)),
    *(Choice(f"negatives.kinds.{kind}", (True, False)) for kind in get_args(NegativeKind)),
    Choice("data.per_tool", (10, 20, 40, 80)),
    Choice("data.paraphrases", (True, False)),
    Choice("text.style", STYLES),
    Choice("text.max_characters", (250, 500, 1_000, 2_000)),
)
"""The space, but for one more knob a source: ``data.sources.<name>``, its share of the base's
rows."""

_KIND, _SOURCE = "negatives.kinds.", "data.sources."
_DIGITS = 3
"""Numbers of a recipe are rounded to so many digits: more would only be harder to read."""


def knobs(base: Recipe) -> tuple[Knob, ...]:
    """Return the space around ``base``: each knob includes the value that the base has."""
    shares = (Choice(_SOURCE + name, SHARES) for name in base.data.sources)
    here = point_of(base)
    return tuple(knob.including(here[knob.name]) for knob in (*SPACE, *shares))


def point_of(base: Recipe) -> dict[str, Value]:
    """Return the point at which ``base`` itself lies."""
    fields = flat(base)
    point: dict[str, Value] = {}
    for knob in SPACE:
        if knob.name.startswith(_KIND):
            point[knob.name] = knob.name.removeprefix(_KIND) in base.negatives.kinds
        else:
            point[knob.name] = fields[knob.name]
    return point | dict.fromkeys((_SOURCE + name for name in base.data.sources), 1.0)


def suggest(trial: Trial, base: Recipe, name: str) -> Recipe:
    """Return the recipe that the trial's sampler chooses, under ``name``."""
    return recipe_at({knob.name: knob.suggest(trial) for knob in knobs(base)}, base, name)


def recipe_at(point: Parameters, base: Recipe, name: str) -> Recipe:
    """Return the recipe at a point of the space around ``base``.

    Negatives of no kind are random ones; where there are none, the kinds stay the base's, since
    they decide nothing.
    """
    content = base.model_dump() | {"name": name}
    kinds = [kind for kind in _ordered(base) if point[_KIND + kind]]
    for field, value in point.items():
        if field.startswith(_SOURCE):
            source = field.removeprefix(_SOURCE)
            rows = round(base.data.sources[source] * float(value))
            content["data"]["sources"][source] = max(1, rows)
        elif not field.startswith(_KIND):
            part, _, own = field.partition(".")
            content[part][own] = value if value == content[part][own] else _rounded(value)
    if point["negatives.count"]:
        content["negatives"]["kinds"] = kinds
    return Recipe.model_validate(content)


def widest(recipe: Recipe, base: Recipe) -> Recipe:
    """Return ``recipe`` with as many rows as any in the space around ``base``, and mined negatives.

    What is mined for its rows serves nearly every other recipe.
    """
    most = max(SHARES)
    rows = {name: max(round(n * most), 1) for name, n in base.data.sources.items()}
    per_tool = next(knob for knob in knobs(base) if knob.name == "data.per_tool")
    content = recipe.model_dump()
    content["data"] |= {"sources": rows, "paraphrases": True, "per_tool": _most(per_tool)}
    content["negatives"] = {"count": 1, "kinds": ("mined",)}
    return Recipe.model_validate(content)


def checked(changes: Mapping[str, object], base: Recipe) -> dict[str, Value]:
    """Return ``changes`` to a point, proposed by whoever, when all are in the space.

    Raises:
        UsageError: a knob does not exist, or cannot take the value; says what it can.
    """
    known = {knob.name: knob for knob in knobs(base)}
    found: dict[str, Value] = {}
    for name, value in changes.items():
        if name not in known:
            raise UsageError(f"there is no knob '{name}'")
        if not isinstance(value, Value) or not known[name].has(value):
            raise UsageError(f"'{name}' cannot be {value!r}: it is {known[name].described()}")
        found[name] = value
    return found


def differences(old: Recipe, new: Recipe) -> dict[str, tuple[Any, Any]]:
    """Return field -> its values in ``old`` and ``new``, where they differ; names do not count."""
    before, after = flat(old), flat(new)
    return {
        field: (before.get(field), after.get(field))
        for field in {**before, **after}
        if field != "name" and before.get(field) != after.get(field)
    }


def flat(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as dotted field -> value; lists are one value."""
    found: dict[str, Any] = {}

    def add(prefix: str, content: Mapping[str, Any]) -> None:
        for key, value in content.items():
            if isinstance(value, dict):
                add(f"{prefix}{key}.", value)
            else:
                found[prefix + key] = value

    add("", recipe.model_dump(mode="json"))
    return found


def _most(knob: Knob) -> float:
    return knob.high if isinstance(knob, Range) else max(map(float, knob.values))


def _ordered(base: Recipe) -> tuple[str, ...]:
    """Return the kinds of negatives, the base's first and in its order."""
    return tuple(dict.fromkeys((*base.negatives.kinds, *get_args(NegativeKind))))


def _rounded(value: Value) -> Value:
    """Return a number with few digits; what else there is stays."""
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    return float(f"{value:.{_DIGITS}g}")
