from __future__ import annotations

import signal
import time
from pathlib import Path

import optuna
import pytest
import searches

from tool_bench.errors import UnavailableError
from tool_bench.training import notebook
from tool_bench.training.autoresearch import Evaluate, work
from tool_bench.training.experiment import Outcome, read
from tool_bench.training.recipe import Recipe
from tool_bench.training.study import importances
from tool_bench.training.workers import ending_on_interrupt, run_workers


@pytest.mark.parametrize("mute", [False, True], ids=["silent", "mute"])
def test_a_killed_worker_is_missed_and_its_experiment_goes_on_in_its_folder(
    tmp_path: Path, *, mute: bool
) -> None:
    code = (
        "import searches, pathlib; "
        f"searches.search(searches.plan(pathlib.Path({str(tmp_path)!r})), 1, searches.hanging)"
    )
    plan = searches.plan(tmp_path)
    with searches.child(code) as victim:
        searches.wait_for((tmp_path / "runs" / "0000" / "begun").exists)
        victim.kill()
    if mute:  # it was killed before its first sign of life
        searches.forget_signs_of_life(tmp_path)
    living = searches.search(plan, 1)
    assert [each.state for each in living] == ["running", "done"], "its heart may still beat"
    searches.fall_silent(tmp_path)
    dead, _, again = searches.search(plan, 1)
    assert (dead.state, dead.retried_as, again.state) == ("interrupted", 2, "done")
    assert again.recipe == dead.recipe == searches.base(name="made-up-0000")
    assert again.notes.run == dead.notes.run == "0000"
    assert "Tried again as experiment 2" in plan.notebook.read_text(encoding="utf-8")


def test_two_workers_share_a_new_file(tmp_path: Path) -> None:
    code = f"""
import os, pathlib, time, searches
from tool_bench.training.autoresearch import work
from tool_bench.training.experiment import read
folder = pathlib.Path({str(tmp_path)!r})
plan = searches.plan(folder)
import optuna, sqlalchemy.orm, optuna.storages
(folder / f"ready-{{os.getpid()}}").touch()
searches.wait_for((folder / "go").exists)
work(plan, searches.slowly, until=time.time() + 60, stop=lambda: len(read(plan.open())) > 7)
"""
    with searches.child(code) as one, searches.child(code) as other:
        searches.wait_for(lambda: len(list(tmp_path.glob("ready-*"))) == 2)
        (tmp_path / "go").touch()
        said = [process.communicate(timeout=60)[1] for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), said
    plan = searches.plan(tmp_path)
    experiments = read(plan.open())
    assert {each.state for each in experiments} == {"done"}
    tried = [(tmp_path / "runs" / each.notes.run / "by").read_text() for each in experiments]
    assert {len(by.split()) for by in tried} == {1}, "an experiment was run twice"
    assert set("".join(tried).split()) == {str(one.pid), str(other.pid)}
    points = [str(sorted(each.point.items())) for each in experiments]
    assert len(set(points)) == len(points), "the workers drew the same"
    assert plan.notebook.read_text(encoding="utf-8") == notebook.render(
        plan.name, plan.limits, experiments, importances(plan.open())
    )


@pytest.mark.slow
def test_workers_replace_one_that_is_killed(tmp_path: Path) -> None:
    plan = searches.plan(tmp_path, heartbeat_s=1)
    with ending_on_interrupt(lambda: None) as asked:

        def look() -> None:
            done = [each for each in read(study) if each.state == "done"]
            if any(each.notes.run == "0000" for each in done):
                asked.set()

        study = plan.open()
        problems = run_workers(
            plan,
            searches.dying,
            workers=2,
            until=time.time() + 60,
            asked=asked,
            looked=look,
        )
    assert len(problems) == 1
    assert "killed by signal 9" in problems[0]
    first, *rest = read(study)
    assert first.state == "interrupted"
    assert {each.state for each in rest} == {"done"}
    assert first.retried_as in {each.number for each in rest}


@pytest.mark.parametrize("ends_by", [KeyboardInterrupt, UnavailableError])
def test_an_experiment_that_was_stopped_is_tried_again(
    tmp_path: Path, ends_by: type[BaseException]
) -> None:
    def stop(recipe: Recipe, folder: Path) -> Outcome:
        raise ends_by("now")

    plan = searches.plan(tmp_path)
    with pytest.raises(ends_by):
        searches.search(plan, 1, stop)
    stopped, again = searches.search(plan, 1)
    assert (stopped.state, stopped.retried_as, again.state) == ("interrupted", 1, "done")
    assert again.notes.run == "0000"


def test_a_worker_that_others_took_for_dead_goes_on(tmp_path: Path) -> None:
    plan = searches.plan(tmp_path)

    def sleeps(recipe: Recipe, folder: Path) -> Outcome:
        if not (folder / "by").exists():
            searches.evaluate(recipe, folder)
            searches.fall_silent(tmp_path)
            other = plan.open()
            with pytest.warns(optuna.exceptions.ExperimentalWarning):
                optuna.storages.fail_stale_trials(other)
        return searches.evaluate(recipe, folder)

    taken_for_dead, again = searches.search(plan, 2, sleeps)
    assert (taken_for_dead.state, again.state) == ("interrupted", "done")


def test_ctrl_c_ends_after_the_experiment_and_twice_at_once(tmp_path: Path) -> None:
    plan, said = searches.plan(tmp_path), []
    before = signal.getsignal(signal.SIGINT)

    def interrupted(times: int) -> Evaluate:
        def evaluate(recipe: Recipe, folder: Path) -> Outcome:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
            return searches.evaluate(recipe, folder)

        return evaluate

    def run(times: int) -> None:
        with ending_on_interrupt(lambda: said.append("ending")) as asked:
            work(plan, interrupted(times), until=time.time() + 60, stop=asked.is_set)

    run(1)
    assert [each.state for each in read(plan.open())] == ["done"]
    with pytest.raises(KeyboardInterrupt):
        run(2)
    assert [each.state for each in read(plan.open())] == ["done", "interrupted", "waiting"]
    assert said == ["ending", "ending"]
    assert signal.getsignal(signal.SIGINT) is before
