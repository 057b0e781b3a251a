from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
import searches

from tool_bench.errors import ToolBenchError, UnavailableError, UsageError
from tool_bench.training import notebook
from tool_bench.training.autoresearch import Evaluate, Proposal, work
from tool_bench.training.experiment import Experiment, Limits, Outcome, best, read
from tool_bench.training.recipe import Recipe
from tool_bench.training.search_space import point_of, recipe_at, suggest
from tool_bench.training.study import importances


def test_the_search_finds_better_recipes_than_chance(tmp_path: Path) -> None:
    base, count = searches.base(), 30

    def found_with(sampler: optuna.samplers.BaseSampler) -> float:
        study = optuna.create_study(sampler=sampler, direction="maximize")
        study.enqueue_trial(point_of(base))
        study.optimize(lambda trial: searches.quality(suggest(trial, base, "x")), n_trials=count)
        return study.best_value

    own = [found_with(searches.plan(tmp_path).open(seed).sampler) for seed in range(4)]
    chance = [found_with(optuna.samplers.RandomSampler(seed=seed)) for seed in range(12)]
    assert sum(own) / len(own) > sum(chance) / len(chance) + 0.01
    experiments = searches.search(searches.plan(tmp_path / "whole"), 8, seed=1)
    top = best(experiments)
    assert top is not None
    assert top.value == max(each.value or 0.0 for each in experiments)
    assert top.recipe is not None
    assert searches.quality(top.recipe) == pytest.approx(top.value)
    assert top.value > searches.quality(base)


def test_the_base_comes_first_and_the_notebook_last(tmp_path: Path) -> None:
    plan = searches.plan(tmp_path)
    experiments = searches.search(plan, 3)
    first = experiments[0]
    assert first.recipe is not None
    assert first.recipe == searches.base(name="made-up-0000")
    assert [each.notes.run for each in experiments] == ["0000", "0001", "0002"]
    assert plan.notebook.read_text(encoding="utf-8") == notebook.render(
        plan.name, plan.limits, experiments, importances(plan.open())
    )


def test_what_is_over_a_limit_is_never_the_best(tmp_path: Path) -> None:
    def slow_when_good(recipe: Recipe, folder: Path) -> Outcome:
        good = folder.name != "0000"
        return Outcome(searches.scores(0.9 if good else 0.1), 11.0 if good else 9.0, 20.0, 1.0)

    experiments = searches.search(searches.plan(tmp_path), 3, slow_when_good)
    assert [each.over for each in experiments] == [(), ("p50_ms",), ("p50_ms",)]
    assert best(experiments) == experiments[0]
    larger = searches.plan(tmp_path / "small", limits=Limits(100, 19))
    assert best(searches.search(larger, 2, slow_when_good)) is None


def test_an_experiment_is_not_begun_when_it_cannot_end_in_time(tmp_path: Path) -> None:
    def takes_half_a_second(recipe: Recipe, folder: Path) -> Outcome:
        time.sleep(0.5)
        return searches.evaluate(recipe, folder)

    plan = searches.plan(tmp_path)
    plan.open()
    for already in (0, 1):
        work(plan, takes_half_a_second, until=time.time() + 0.45 + 0.45 * (1 - already))
        assert [each.state for each in read(plan.open())] == ["done"]


def test_failures_are_noted_and_three_in_a_row_end_the_search(tmp_path: Path) -> None:
    def fails_on(runs: Sequence[str]) -> Evaluate:
        def evaluate(recipe: Recipe, folder: Path) -> Outcome:
            if folder.name in runs:
                raise ValueError(f"no row in {folder.name}")
            return searches.evaluate(recipe, folder)

        return evaluate

    once = searches.search(searches.plan(tmp_path / "a"), 4, fails_on(["0001", "0002"]))
    assert [each.state for each in once] == ["done", "failed", "failed", "done"]
    assert once[2].notes.error == "no row in 0002"
    thrice = fails_on(["0000", "0001", "0002"])
    with pytest.raises(ToolBenchError, match="the last: no row in 0002"):
        searches.search(searches.plan(tmp_path / "b"), 9, thrice)


def test_each_best_model_mines_for_those_after_it(tmp_path: Path) -> None:
    values = {"0000": 0.5, "0001": 0.4, "0002": 0.7, "0003": 0.6}
    plan, mined_for = searches.plan(tmp_path), {}

    def evaluate(recipe: Recipe, folder: Path) -> Outcome:
        searches.evaluate(recipe, folder)
        mined = folder / "mined.json"
        mined_for[folder.name] = mined.read_text() if mined.exists() else ""
        return Outcome(searches.scores(values[folder.name]), 5, 20, 1)

    def mine(recipe: Recipe, folder: Path, file: Path) -> None:
        assert (folder / "model").is_dir()
        assert recipe.data.sources == {"one": 2_000, "two": 1_000}
        assert recipe.negatives.kinds == ("mined",)
        file.write_text(f"by {folder.name}")

    experiments = searches.search(plan, 4, evaluate, mine=mine)
    expected = {"0000": "", "0001": "by 0000", "0002": "by 0000", "0003": "by 0002"}
    assert mined_for == expected
    assert [each.notes.mined_by for each in experiments] == ["", "0000", "0000", "0002"]
    left = [path.parent.name for path in sorted(plan.folder.glob("*/model"))]
    assert left == ["0002"], "only the best model is kept"
    assert [path.name for path in sorted((plan.folder / "mined").iterdir())] == [
        "0000.json",
        "0002.json",
    ]


def test_a_study_is_not_continued_with_anything_else(tmp_path: Path) -> None:
    plan = searches.plan(tmp_path)
    searches.search(plan, 1)
    searches.search(replace(plan, base=searches.base(name="renamed")), 1)
    for other, what in (
        ({"base": searches.base(seed=2)}, "another base"),
        ({"limits": Limits(9, 25)}, "another limits"),
    ):
        with pytest.raises(UsageError, match=f"{what}.*--name"):
            searches.search(replace(plan, **other), 1)


def test_other_validation_requests_end_the_search(tmp_path: Path) -> None:
    plan = searches.plan(tmp_path)
    searches.search(plan, 1)

    def fewer(recipe: Recipe, folder: Path) -> Outcome:
        return Outcome(searches.scores(0.9, requests=199), 5, 20, 1)

    with pytest.raises(ToolBenchError, match="cannot be compared"):
        searches.search(plan, 1, fewer)
    with pytest.raises(ToolBenchError, match="no validation requests"):
        searches.search(plan, 1, lambda recipe, folder: Outcome({}, 5, 20, 1))
    assert best(read(plan.open())) == read(plan.open())[0]


def test_proposals_come_before_the_sampler_and_silence_after_trouble(tmp_path: Path) -> None:
    asked: list[int] = []

    def propose(base: Recipe, experiments: Sequence[Experiment]) -> Proposal:
        asked.append(len(experiments))
        if len(asked) == 1:
            return Proposal({"optimiser.scale": 30.0}, by="somebody", why="it helps")
        if len(asked) == 2:
            return Proposal({}, note="it said nothing of use")
        raise UnavailableError("no money is left")

    first, second, third, fourth, fifth = searches.search(
        searches.plan(tmp_path), 5, propose=propose
    )
    assert asked == [1, 2, 3], "not before there is something to go on from, nor after the end"
    assert second.recipe == recipe_at(
        {**first.point, "optimiser.scale": 30.0}, searches.base(), "made-up-0001"
    )
    assert (second.notes.proposed_by, second.notes.why) == ("somebody", "it helps")
    assert third.notes.note == "it said nothing of use"
    assert fourth.notes.note == "no proposal: no money is left"
    assert {each.state for each in (first, second, third, fourth, fifth)} == {"done"}


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("not an address", UsageError, "no database's address"),
        ("sqlite://", UsageError, "names no file"),
        ("nosuch://host/name", UsageError, "no such kind of database"),
        ("oracle://me:secret@host/name", UnavailableError, "needs another package"),
        ("sqlite:////dev/null/study.db", ToolBenchError, "/dev/null/study.db cannot be opened"),
    ],
)
def test_a_wrong_address_is_explained_without_its_password(
    tmp_path: Path, url: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as raised:
        searches.plan(tmp_path, url=url).open()
    assert "secret" not in str(raised.value)


def test_a_damaged_file_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "study.db").write_bytes(random.Random(1).randbytes(4_096))  # noqa: S311
    monkeypatch.setattr("tool_bench.training.study.ATTEMPTS", 1)
    with pytest.raises(ToolBenchError, match="cannot be opened: file is not a database"):
        searches.plan(tmp_path).open()


def test_no_evaluation_data_is_read(tmp_path: Path) -> None:
    code = f"""
import pathlib, sys, searches
import numpy as np
from tool_bench.training import attempt, snapshot
from tool_bench.training.validation import validate
import training_data

def prepare(recipe, base, mine):
    return snapshot.save(training_data.built(recipe), {str(tmp_path / "snapshots")!r})

def train(recipe, address, folder):
    (folder / "model").mkdir(parents=True)
    _, files = snapshot.read(address)
    return validate(encode, files["tools.jsonl"], files["validation.jsonl"])

def mine(recipe, folder, file):
    file.write_text("{{}}")

def encode(texts, role):
    return np.random.default_rng(0).standard_normal((len(texts), 8))

tried = attempt.Attempt(prepare, train, lambda model, requests: (5.0, 20.0))
plan = searches.plan(pathlib.Path({str(tmp_path)!r}), base=training_data.recipe())
found = searches.search(plan, 3, tried, mine=mine)
assert [each.state for each in found] == ["done"] * 3, found
doors = ("tool_bench.data.load", "tool_bench.harness", "tool_bench.evaluate", "tool_bench.tasks.")
print([name for name in sys.modules if name.startswith(doors)])
"""
    with searches.child(code) as process:
        out, errors = process.communicate(timeout=120)
    assert out == "[]\n", errors
