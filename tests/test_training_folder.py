"""A run's folder: one process at a time, and the snapshot that the run began with."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import training_data
from filelock import FileLock

from tool_bench.errors import DataError, UsageError
from tool_bench.training import snapshot, trainer
from tool_bench.training.recipe import Recipe
from tool_bench.training.run_folder import begun
from tool_bench.training.trainer import train


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    base = str(tiny.sentence_model(tmp_path / "base", {}))
    return training_data.recipe(base=base, optimiser={"batch": 8, "epochs": 0.2})


@pytest.fixture
def address(tmp_path: Path) -> str:
    made = training_data.built(training_data.recipe())
    return snapshot.save(made, str(tmp_path / "snapshots"))


def test_two_do_not_train_in_one_folder(recipe: Recipe, address: str, tmp_path: Path) -> None:
    lock = FileLock(tmp_path / ".run.lock")
    with lock, pytest.raises(UsageError, match="run: another process trains there"):
        train(recipe, address, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    train(recipe, address, tmp_path / "run")


def test_a_run_goes_on_with_the_snapshot_that_it_began_with(
    recipe: Recipe, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, base = tmp_path / "run", address.rpartition("/")[0]
    assert begun(folder, recipe, base) is None

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(trainer, "_fit", stopped)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, address, folder)
    assert begun(folder, recipe, base) == address
    assert begun(folder, recipe.model_copy(update={"seed": 2}), base) is None
    assert begun(folder, recipe, str(tmp_path)) is None  # snapshots lie elsewhere
    train(recipe, address, folder)
    assert begun(folder, recipe, base) == address, "nor is data built for a run that is done"


def test_a_snapshot_of_another_recipe_is_refused(
    recipe: Recipe, address: str, tmp_path: Path
) -> None:
    negatives = recipe.negatives.model_copy(update={"count": 1})
    with pytest.raises(DataError, match=r"built for another recipe .*: negatives\.count"):
        train(recipe.model_copy(update={"negatives": negatives}), address, tmp_path / "run")
    assert not (tmp_path / "run").exists()
