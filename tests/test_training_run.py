"""A run from its snapshot to its model: it learns, goes on after a kill, and is done once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
import training_data
from sentence_transformers import SentenceTransformer

from tool_bench.errors import DataError, ToolBenchError, UnavailableError
from tool_bench.sentence import minilm_folder
from tool_bench.training import snapshot, trainer
from tool_bench.training.recipe import MINILM, Recipe
from tool_bench.training.trainer import train

TESTS = Path(__file__).parent
FAST = {"batch": 8, "epochs": 2, "learning_rate": 1e-3}
STEPS = 12
"""48 rows, 8 a step, twice."""
NORM = "0.model.embeddings.LayerNorm.weight"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model of a few thousand numbers."""
    return str(tiny.sentence_model(tmp_path_factory.mktemp("base"), {}))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = training_data.built(training_data.recipe())
    return snapshot.save(made, str(tmp_path_factory.mktemp("snapshots")))


def recipe(base: str, **optimiser: Any) -> Recipe:
    return training_data.recipe(base=base, optimiser={**FAST, **optimiser})


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def losses(folder: Path) -> dict[int, float]:
    rows = [row for row in log(folder) if "loss" in row]
    assert len({row["step"] for row in rows}) == len(rows)
    return {row["step"]: row["loss"] for row in rows}


def weights(folder: Path | str) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = SentenceTransformer(str(folder), device="cpu").state_dict()
    return found


def differing(folder: Path, base: Path | str) -> set[str]:
    """Return the names of the weights that are not those of ``base``."""
    ours, theirs = weights(folder / "model"), weights(base)
    assert ours.keys() == theirs.keys()
    return {name for name in ours if not torch.equal(ours[name], theirs[name])}


def killed(run: Recipe, address: str, folder: Path, when: str) -> None:
    """Train in another process that is killed."""
    done = subprocess.run(
        [sys.executable, "killed_run.py", run.model_dump_json(), address, str(folder), when],
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (folder / "model").exists()


def test_a_run_leaves_its_model_its_log_and_its_curves_and_is_not_run_again(
    base: str,
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "run"
    scores = train(recipe(base), address, folder)
    assert {path.name for path in folder.iterdir()} == {
        "recipe.json",
        "manifest.json",
        "log.jsonl",
        "curves.svg",
        "model",
    }
    found = losses(folder)
    assert list(found) == list(range(1, STEPS + 1))
    assert [row["step"] for row in log(folder) if "hit@1" in row] == [0, 3, 6, 9, 12]
    assert log(folder)[-1]["final"]["tiny"]["hit_at_1"] == scores["tiny"].hit_at_1
    assert scores["tiny"].requests == 16
    assert "<svg" in (folder / "curves.svg").read_text()
    assert not capsys.readouterr().out
    manifest, files = snapshot.read(address)
    assert json.loads((folder / "manifest.json").read_text()) == manifest
    keys = {tool["key"] for tool in files["tools.jsonl"] if tool["seen"]}
    assert set((folder / "model" / "seen.txt").read_text().split()) == keys
    assert len(keys) == 12
    assert differing(folder, base)
    assert SentenceTransformer(str(folder / "model")).max_seq_length == 256  # not training's 128

    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    monkeypatch.setattr(trainer, "_fit", None)
    assert train(recipe(base), address, folder) == scores
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_run_that_is_judged_elsewhere_does_not_validate(
    base: str, address: str, tmp_path: Path
) -> None:
    run = recipe(base, epochs=0.2)
    assert train(run, address, tmp_path / "run", validations=0) == {}
    assert train(run, address, tmp_path / "run", validations=0) == {}, "read back"
    assert (tmp_path / "run" / "model").is_dir()


def test_another_recipe_or_snapshot_in_the_folder_is_refused(
    base: str, address: str, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    train(recipe(base, epochs=0.2), address, folder)
    with pytest.raises(DataError, match=r"recipe\.json: is another run's; choose a new folder"):
        train(recipe(base, epochs=0.4), address, folder)
    other = snapshot.save(training_data.built(training_data.recipe(seed=2)), str(tmp_path))
    with pytest.raises(DataError, match=r"manifest\.json: is another run's"):
        train(recipe(base, epochs=0.2), other, folder)


def test_a_run_that_diverges_ends(base: str, address: str, tmp_path: Path) -> None:
    wild = recipe(base, learning_rate=1e30)
    with pytest.raises(ToolBenchError, match="the run diverged"):
        train(wild, address, tmp_path / "run")
    assert not (tmp_path / "run" / "model").exists()


def test_a_damaged_snapshot_or_a_base_that_is_not_here_begins_no_training(
    base: str, address: str, tmp_path: Path
) -> None:
    copied = snapshot.save(training_data.built(training_data.recipe()), str(tmp_path))
    (tmp_path / copied.rpartition("/")[2] / "train.jsonl").write_bytes(b"{}\n")
    with pytest.raises(DataError, match=r"train\.jsonl: is not the file"):
        train(recipe(base), copied, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(UnavailableError, match="the base 'nobody/nothing' cannot be loaded"):
        train(recipe("nobody/nothing"), address, tmp_path / "other")


def interrupted(phase: str, done: int, total: int) -> None:
    if phase.startswith("train ") and done == 11:
        raise KeyboardInterrupt


def assert_as_if_nothing_had_been(run: Recipe, address: str, folder: Path) -> None:
    """Go on with the run in ``folder``, and compare it with one that nothing stopped."""
    scores = train(run, address, folder / "stopped")
    assert train(run, address, folder / "whole") == scores
    whole, resumed = losses(folder / "whole"), losses(folder / "stopped")
    assert list(resumed) == list(range(1, STEPS + 1))
    assert resumed == pytest.approx(whole, rel=1e-4)
    checked = [row["step"] for row in log(folder / "stopped") if "hit@1" in row]
    assert checked == [0, 3, 6, 9, 12]
    theirs = weights(folder / "whole" / "model")
    for name, ours in weights(folder / "stopped" / "model").items():
        torch.testing.assert_close(ours, theirs[name], atol=1e-4, rtol=0)


def test_a_stopped_run_goes_on_where_it_was(
    base: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its second epoch, and with steps since its last checkpoint that are in the log."""
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "report", interrupted)
        patch.setattr(trainer, "CHECKPOINTS", 3)
        with pytest.raises(KeyboardInterrupt):
            train(recipe(base), address, tmp_path / "stopped")
    assert_as_if_nothing_had_been(recipe(base), address, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "lora_rank"), [("step-11", 0), ("step-1", 0), ("checkpoint-8", 0), ("step-11", 4)]
)
def test_a_killed_run_goes_on_where_it_was(
    base: str, address: str, tmp_path: Path, when: str, lora_rank: int
) -> None:
    run = recipe(base, lora_rank=lora_rank)
    killed(run, address, tmp_path / "stopped", when)
    assert_as_if_nothing_had_been(run, address, tmp_path)


def test_a_run_that_was_killed_after_its_last_step_only_finishes(
    base: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recipe(base, epochs=0.5)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "_finish", stopped)
        with pytest.raises(KeyboardInterrupt):
            train(run, address, tmp_path)
    before = losses(tmp_path)
    (tmp_path / "model.part").mkdir()  # of a kill amid the last write
    train(run, address, tmp_path)
    assert losses(tmp_path) == before
    assert sum("final" in row for row in log(tmp_path)) == 1
    assert not (tmp_path / "model.part").exists()
    assert not (tmp_path / "checkpoints").exists()
    assert differing(tmp_path, base)


@pytest.mark.parametrize("lora_rank", [pytest.param(0, marks=pytest.mark.slow), 4])
def test_the_seed_decides(base: str, address: str, tmp_path: Path, lora_rank: int) -> None:
    """And what was drawn before in the same process does not."""
    run = recipe(base, lora_rank=lora_rank, epochs=0.5)
    train(run, address, tmp_path / "one")
    torch.manual_seed(99)
    train(run, address, tmp_path / "two")
    train(run.model_copy(update={"seed": 2}), address, tmp_path / "other")
    one, two, other = (weights(tmp_path / name / "model") for name in ("one", "two", "other"))
    for name, trained in one.items():
        torch.testing.assert_close(two[name], trained, atol=1e-7, rtol=0)
    assert any((other[name] - trained).abs().max() > 1e-4 for name, trained in one.items())


def test_lora_leaves_a_plain_model(base: str, address: str, tmp_path: Path) -> None:
    train(recipe(base, lora_rank=4), address, tmp_path)
    assert not list((tmp_path / "model").rglob("adapter*"))
    changed = differing(tmp_path, base)
    assert changed
    assert not [name for name in changed if "embeddings" in name or "LayerNorm" in name]
    assert all(name.endswith(".weight") for name in changed)
    text = ["create the ticket"]
    before, after = (
        SentenceTransformer(str(x), device="cpu").encode(text) for x in (base, tmp_path / "model")
    )
    assert np.abs(before - after).max() > 1e-3


def test_frozen_embeddings_stay(base: str, address: str, tmp_path: Path) -> None:
    train(recipe(base, freeze_embeddings=True, epochs=0.5), address, tmp_path)
    changed = differing(tmp_path, base)
    assert not [name for name in changed if "word_embeddings" in name]
    assert [name for name in changed if "position_embeddings" in name]


def test_weights_can_be_moved_back_towards_the_base(base: str) -> None:
    before = weights(base)
    model = SentenceTransformer(base, device="cpu")
    with torch.no_grad():
        for each in model.parameters():
            each.add_(0.5)
    trainer._towards(model, before, 0.0)
    assert torch.equal(model.state_dict()[NORM], before[NORM] + 0.5)
    trainer._towards(model, before, 0.25)
    for name, _ in model.named_parameters():
        torch.testing.assert_close(model.state_dict()[name], before[name] + 0.75 * 0.5)


def test_a_run_that_holds_nothing_out_trains_and_scores_nothing(base: str, tmp_path: Path) -> None:
    run = training_data.recipe(base=base, data={"held_out": 0}, optimiser={**FAST, "epochs": 0.5})
    address = snapshot.save(training_data.built(run), str(tmp_path / "snapshots"))
    assert train(run, address, tmp_path / "run") == {}
    assert len(losses(tmp_path / "run")) == 4
    assert train(run, address, tmp_path / "run") == {}


def test_minilm_learns(address: str, tmp_path: Path) -> None:
    run = recipe(MINILM, batch=16, epochs=1, learning_rate=2e-4)
    train(run, address, tmp_path / "run")
    found = losses(tmp_path / "run")
    assert list(found) == [1, 2, 3]
    assert found[3] < 0.7 * found[1]
    assert differing(tmp_path / "run", minilm_folder())


@pytest.mark.slow
@pytest.mark.parametrize("lora_rank", [0, 8])
def test_minilm_goes_on_after_a_kill(address: str, tmp_path: Path, lora_rank: int) -> None:
    run = recipe(MINILM, lora_rank=lora_rank, batch=16, learning_rate=5e-4)
    killed(run, address, tmp_path / "run", "step-5")
    train(run, address, tmp_path / "run")
    found = losses(tmp_path / "run")
    assert list(found) == [1, 2, 3, 4, 5, 6]
    assert found[6] < found[1]
    assert differing(tmp_path / "run", minilm_folder())
