"""A recipe says what is wrong with it before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_bench.errors import DataError
from tool_bench.tool import MAX_CHARACTERS
from tool_bench.training.recipe import read_recipe

GOOD = 'name = "one"\n[data.sources]\ntldr = 100\n'


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "one.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_defaults(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, GOOD))
    assert recipe.data.sources == {"tldr": 100}
    assert recipe.data.held_out == 0.15
    assert recipe.negatives.count == 7
    assert recipe.negatives.kinds == ("cross", "same", "mined")
    assert (recipe.text.style, recipe.text.max_characters) == ("name-description", MAX_CHARACTERS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = \n", "not valid TOML"),
        (b"name = '\xff'", "not valid TOML"),
        ('name = "a"\n', "field 'data': Field required"),
        (GOOD.replace("100", "0"), "field 'data.sources.tldr'"),
        (GOOD.replace("100", "'all'"), "field 'data.sources.tldr'"),
        (GOOD.replace("one", "../one"), "field 'name'"),
        (GOOD.replace("one", ".."), "field 'name'"),
        (GOOD.replace("one", ""), "field 'name'"),
        (f"{GOOD}[optimizer]\nepochs = 1\n", "field 'optimizer': Extra inputs are not permitted"),
        (f"{GOOD}[optimiser]\nlr = 1\n", "field 'optimiser.lr': Extra inputs"),
        (f"{GOOD}[optimiser]\nepochs = 0\n", "field 'optimiser.epochs'"),
        (f"{GOOD}[optimiser]\nepochs = inf\n", "field 'optimiser.epochs'"),
        (f"{GOOD}[optimiser]\nscale = nan\n", "field 'optimiser.scale'"),
        (f"{GOOD}[optimiser]\nbatch = 1\n", "field 'optimiser.batch'"),
        (f"{GOOD}[optimiser]\norder = 'length'\n", "field 'optimiser.order'"),
        (f"{GOOD}[optimiser]\ntowards_base = 1\n", "field 'optimiser.towards_base'"),
        (f"{GOOD}[negatives]\nkinds = ['hard']\n", "field 'negatives.kinds.0'"),
        (f"{GOOD}[negatives]\ncount = -1\n", "field 'negatives.count'"),
        (f"{GOOD}[text]\nmax_tokens = 513\n", "field 'text.max_tokens'"),
        (f"{GOOD}[data]\nheld_out = 1\n", "field 'data.held_out'"),
        (f"{GOOD}[data.sources]\n", "not valid TOML"),  # a table twice
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str | bytes, problem: str) -> None:
    with pytest.raises(DataError, match=r"one\.toml") as error:
        read_recipe(written(tmp_path, text))
    assert problem in str(error.value)


def test_a_recipe_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the file does not exist"):
        read_recipe(tmp_path / "none.toml")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_recipe(tmp_path)
