from __future__ import annotations

import math
import tomllib
from pathlib import Path

import optuna
import pytest
import searches

from tool_bench.errors import UsageError
from tool_bench.training.recipe import Recipe, read_recipe
from tool_bench.training.recipe_file import as_toml
from tool_bench.training.search_space import (
    Choice,
    Range,
    checked,
    differences,
    flat,
    knobs,
    point_of,
    recipe_at,
    suggest,
    widest,
)

ODD = searches.base(
    name="odd",
    text={"style": "verbatim", "max_characters": 333},
    negatives={"count": 11, "kinds": ["random", "same"]},
    optimiser={"learning_rate": 0.00123456, "batch": 48, "epochs": 7, "scale": 3.21},
)
"""A recipe outside the space as it is declared."""
BASES = {"plain": searches.base(), "odd": ODD}


def drawn(base: Recipe, count: int) -> list[Recipe]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    return [suggest(study.ask(), base, f"drawn-{number}") for number in range(count)]


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_the_base_is_a_point_of_its_own_space(base: Recipe) -> None:
    point = point_of(base)
    assert recipe_at(point, base, base.name) == base
    assert all(knob.has(point[knob.name]) for knob in knobs(base))


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_drawn_recipes_are_valid_and_keep_what_decides_validation(
    base: Recipe, tmp_path: Path
) -> None:
    recipes = drawn(base, 60)
    assert len({recipe.model_dump_json(exclude={"name"}) for recipe in recipes}) == 60
    for recipe in recipes:
        path = tmp_path / "recipe.toml"
        path.write_text(as_toml(recipe), encoding="utf-8")
        assert read_recipe(path) == recipe
        assert list(recipe.data.sources) == list(base.data.sources)
        same = ("base", "revision", "seed", "data.held_out", "data.refit", "optimiser.warmup")
        assert [flat(recipe)[field] for field in same] == [flat(base)[field] for field in same]


@pytest.mark.parametrize("knob", knobs(searches.base()), ids=lambda knob: str(knob.name))
def test_each_knob_moves_its_own_field(knob: Choice | Range) -> None:
    base = searches.base()
    ends = knob.values if isinstance(knob, Choice) else (knob.low, knob.high)
    moved = [recipe_at({**point_of(base), knob.name: end}, base, "moved") for end in ends]
    changed = {field for recipe in moved for field in differences(base, recipe)}
    own = "negatives.kinds" if knob.name.startswith("negatives.kinds.") else knob.name
    assert changed == {own}


def test_numbers_are_short_but_the_bases_stay_as_they_are() -> None:
    recipe = recipe_at({**point_of(ODD), "optimiser.scale": 12.3456789}, ODD, "odd")
    assert recipe.optimiser.scale == 12.3
    assert recipe.optimiser.learning_rate == 0.00123456


def test_kinds_of_no_negatives_do_not_count() -> None:
    base = searches.base()
    none = {**point_of(base), "negatives.count": 0}
    other = {**none, "negatives.kinds.cross": False}
    assert recipe_at(none, base, "a") == recipe_at(other, base, "a")


def test_a_source_keeps_at_least_a_row() -> None:
    base = searches.base(data={"sources": {"small": 3}})
    recipe = recipe_at({**point_of(base), "data.sources.small": 0.1}, base, "a")
    assert recipe.data.sources == {"small": 1}


def test_the_widest_recipe_holds_the_rows_of_all() -> None:
    base = ODD
    wide = widest(drawn(base, 1)[0], base)
    for recipe in drawn(base, 60):
        assert wide.data.per_tool >= recipe.data.per_tool
        assert all(wide.data.sources[name] >= n for name, n in recipe.data.sources.items())
    assert (wide.negatives.kinds, wide.data.paraphrases) == (("mined",), True)


def test_allowed_changes_are_taken() -> None:
    changes = {"optimiser.scale": 25, "data.paraphrases": False, "data.sources.one": 0.5}
    assert checked(changes, searches.base()) == changes


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("optimiser.speed", 1, "there is no knob 'optimiser.speed'"),
        ("data.held_out", 0.5, "there is no knob"),
        ("data.sources.three", 1.0, "there is no knob"),
        ("optimiser.scale", 1_000, "from 8 to 80"),
        ("optimiser.scale", math.nan, "from 8 to 80"),
        ("optimiser.scale", True, "from 8 to 80"),
        ("optimiser.scale", "20", "from 8 to 80"),
        ("optimiser.batch", 33, "one of 16, 32, 64"),
        ("data.paraphrases", 1, "one of True, False"),
        ("negatives.count", False, "one of 0, 1"),
        ("text.style", ["full"], "one of name-description"),
        ("text.style", None, "one of name-description"),
    ],
)
def test_other_changes_are_refused(name: str, value: object, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        checked({name: value}, searches.base())


def test_differences_name_fields_and_both_values() -> None:
    new = searches.base(name="new", text={"style": "full"}, data={"sources": {"one": 7}})
    assert differences(searches.base(), new) == {
        "text.style": ("name-description", "full"),
        "data.sources.one": (1_000, 7),
        "data.sources.two": (500, None),
    }


def test_toml_takes_any_source_name_and_text() -> None:
    odd = searches.base(base='C:\\models\\"x"\x7f é', data={"sources": {"a b.c": 1, "plain": 2}})
    assert Recipe.model_validate(tomllib.loads(as_toml(odd))) == odd
