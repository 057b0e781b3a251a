from __future__ import annotations

import json
import pickle
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import searches
import typer

from tool_bench.cli import autoresearch as command
from tool_bench.errors import UnavailableError, UsageError
from tool_bench.training.autoresearch import Evaluate
from tool_bench.training.experiment import Outcome
from tool_bench.training.recipe import Recipe, read_recipe
from tool_bench.training.recipe_file import as_toml

Call = Callable[..., int]


class World:
    """Takes the place of training and of the gate."""

    def __init__(self, experiments: int) -> None:
        self.experiments = experiments
        self.evaluate: Evaluate = searches.evaluate
        self.cost = (5.0, 20.0)
        self.gated: list[str] = []
        self.promotes = True

    def trying(self, snapshots: str | None) -> tuple[Evaluate, None]:
        tried: list[str] = []

        def evaluate(recipe: Recipe, folder: Path) -> Outcome:
            tried.append(folder.name)
            if len(tried) == self.experiments:
                signal.raise_signal(signal.SIGINT)  # as the user ends a search
            p50_ms, megabytes = self.cost
            found = self.evaluate(recipe, folder)
            return replace(found, p50_ms=p50_ms, megabytes=megabytes)

        return evaluate, None

    def gate(self, candidate: str) -> int:
        self.gated.append(candidate)
        print("the gate's own table")
        return 0 if self.promotes else 1


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(experiments=3)
    monkeypatch.setattr(command, "trying", made.trying)
    monkeypatch.setattr("tool_bench.cli.gate.gate", made.gate)
    return made


@pytest.fixture
def call(tmp_path: Path) -> Call:
    app = typer.Typer()
    app.command()(command.autoresearch)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(as_toml(searches.base()), encoding="utf-8")

    def called(*words: str) -> int:
        places = ("--out", str(tmp_path / "runs"), "--lab", str(tmp_path / "lab"))
        return int(app([str(recipe), *places, *words], standalone_mode=False) or 0)

    return called


def ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the time be up after the experiments that there are."""
    monkeypatch.setattr("tool_bench.training.autoresearch._Worker.fits", lambda *_: False)


def test_a_search_ends_with_a_recipe_a_notebook_and_the_gate(
    world: World,
    call: Call,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert call("--hours", "1") == 0
    captured = capsys.readouterr()
    assert world.gated == [], "a search that the user ends is not judged"
    assert "not asked for now: tool-bench gate" in " ".join(captured.out.split())
    assert "experiment 2: Hit@1" in captured.err
    assert "ending after the running experiments" in captured.err
    ended(monkeypatch)
    assert call("--hours", "1", "--json") == 0
    captured = capsys.readouterr()
    found: dict[str, Any] = json.loads(captured.out)
    best = tmp_path / "runs" / f"{found['best']:04}"
    assert world.gated == [str(best / "model")]
    assert (found["experiments"], found["promoted"]) == (3, True)
    recipe = read_recipe(Path(found["recipe"]))
    assert recipe.name == f"made-up-{found['best']:04}"
    assert searches.quality(recipe) == pytest.approx(found["value"])
    assert "## The best" in (tmp_path / "lab" / "made-up.md").read_text(encoding="utf-8")
    assert "the gate's own table" in captured.err


def test_the_gates_refusal_is_the_exit_code(
    world: World, call: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--hours", "1") == 0
    ended(monkeypatch)
    world.promotes = False
    assert call("--hours", "1") == 1
    assert call("--hours", "1", "--no-gate") == 0
    assert len(world.gated) == 1
    assert all(len(line) <= 80 for line in capsys.readouterr().out.splitlines() if "/" not in line)


def test_without_a_model_within_the_limits_there_is_no_best(
    world: World, call: Call, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world.cost = (12.0, 20.0)
    assert call("--hours", "1") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "none of 3 experiments is within 10 ms and 25 MB" in said
    assert not (tmp_path / "runs" / "best.toml").exists()
    assert call("--hours", "1", "--max-ms", "13", "--name", "slower") == 0


def test_a_model_on_another_machine_cannot_be_judged_here(
    world: World, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def elsewhere(recipe: Recipe, folder: Path) -> Outcome:
        found = searches.evaluate(recipe, folder)
        (folder / "model").rmdir()
        return found

    world.evaluate = elsewhere
    assert call("--hours", "1") == 0
    ended(monkeypatch)
    with pytest.raises(UnavailableError, match="was trained on"):
        call("--hours", "1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hours", "0"], "--hours is 0"),
        (["--hours", "nan"], "--hours is nan"),
        (["--hours", "1", "--max-ms", "-1"], "--max-ms is -1"),
        (["--hours", "1", "--scale", "1.5"], "--scale 1.5"),
        (["--hours", "1", "--name", "../up"], "--name '../up'"),
        (["--hours", "1", "--llm"], "--llm and --max-usd need each other"),
        (["--hours", "1", "--max-usd", "1"], "--llm and --max-usd need each other"),
        (["--hours", "1", "--llm", "--max-usd", "-1"], "--max-usd is -1"),
        (["--hours", "1", "--study", "x"], "no database's address"),
    ],
)
def test_wrong_options_are_explained(world: World, call: Call, words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        call(*words)


def test_paying_needs_a_key(world: World, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(UnavailableError, match="ANTHROPIC_API_KEY"):
        call("--hours", "1", "--llm", "--max-usd", "1")


def test_what_a_recipe_trains_on_in_the_end_is_held_out_while_it_is_searched(
    world: World, call: Call, tmp_path: Path
) -> None:
    tried: list[Recipe] = []

    def evaluate(recipe: Recipe, folder: Path) -> Outcome:
        tried.append(recipe)
        return searches.evaluate(recipe, folder)

    world.evaluate = evaluate
    base = searches.base()
    refit = base.model_copy(update={"data": base.data.model_copy(update={"refit": True})})
    (tmp_path / "recipe.toml").write_text(as_toml(refit), encoding="utf-8")
    call("--hours", "1")
    assert tried
    assert not any(recipe.data.refit for recipe in tried)


def test_a_search_on_a_share_of_the_rows_is_a_study_of_its_own(
    world: World, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Recipe] = []

    def evaluate(recipe: Recipe, folder: Path) -> Outcome:
        tried.append(recipe)
        return searches.evaluate(recipe, folder)

    world.evaluate = evaluate
    assert call("--hours", "1", "--scale", "0.5") == 0
    whole = searches.base().data.sources
    assert tried[0].data.sources == {name: round(rows / 2) for name, rows in whole.items()}
    assert (tmp_path / "lab" / "made-up-0.5.md").is_file()
    ended(monkeypatch)
    assert call("--hours", "1", "--scale", "0.5") == 0
    assert world.gated == [], "a model of half the rows is not for production"
    assert call("--hours", "1", "--scale", "0.5", "--gate") == 0
    assert len(world.gated) == 1


def test_what_tries_recipes_can_be_sent_to_other_processes() -> None:
    evaluate, mine = command.trying("somewhere")
    assert pickle.loads(pickle.dumps((evaluate, mine))) == (evaluate, mine)  # noqa: S301  our own
