"""Searches without training: a made-up world in which the best recipe is known."""

from __future__ import annotations

import math
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from tool_bench.training.autoresearch import Evaluate, Plan, work
from tool_bench.training.experiment import Experiment, Limits, Notes, Outcome, State, read
from tool_bench.training.recipe import Recipe
from tool_bench.training.search_space import point_of
from tool_bench.training.validation import Scores, mean_hit_at_1

TESTS = Path(__file__).parent


def base(**parts: object) -> Recipe:
    """A recipe of two sources, far from the best one."""
    content = {
        "name": "made-up",
        "data": {"sources": {"one": 1_000, "two": 500}},
        "optimiser": {"learning_rate": 1e-5, "scale": 60},
        **parts,
    }
    return Recipe.model_validate(content)


def scores(one: float, two: float = 0.5, requests: int = 200) -> dict[str, Scores]:
    """Scores of two sources, of which the second has providers."""
    return {
        "one": Scores(requests, 1_000, one, one, None),
        "two": Scores(requests, 1_000, two, two, two),
    }


def experiment(  # noqa: PLR0913  what an experiment is
    number: int,
    one: float,
    two: float = 0.5,
    *,
    state: State = "done",
    against: int | None = None,
    recipe: Recipe | None = None,
    over: tuple[str, ...] = (),
    **notes: Any,
) -> Experiment:
    """One experiment whose two sources scored so, as a study would tell of it."""
    found = scores(one, two)
    done = state == "done"
    return Experiment(
        number=number,
        state=state,
        recipe=recipe or base(),
        point=point_of(recipe or base()),
        value=mean_hit_at_1(found) if done else None,
        outcome=Outcome(found, 5.04, 24.4, 600.0) if done else None,
        over=over,
        notes=replace(Notes(run=f"{number:04}", against=against), **notes),
    )


def quality(recipe: Recipe) -> float:
    """Greatest, .9, at learning rate 1e-4, scale 30, mined negatives and .3 of the way back."""
    how = recipe.optimiser
    value = 0.4 + 0.2 * math.exp(-(math.log(how.learning_rate / 1e-4) ** 2))
    value += 0.15 * math.exp(-(math.log(how.scale / 30) ** 2))
    value += 0.1 * ("mined" in recipe.negatives.kinds and recipe.negatives.count > 0)
    return value + 0.05 * (1 - abs(how.towards_base - 0.3) / 0.6)


def evaluate(recipe: Recipe, folder: Path) -> Outcome:
    """Judge ``recipe`` by :func:`quality`, and say in its folder that this was done."""
    with (folder / "by").open("a", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    (folder / "model").mkdir(exist_ok=True)
    return Outcome(scores(quality(recipe), quality(recipe)), 5.0, 20.0, 1.0)


def slowly(recipe: Recipe, folder: Path) -> Outcome:
    """Take a moment, so that two workers are at it at once."""
    time.sleep(0.15)
    return evaluate(recipe, folder)


def dying(recipe: Recipe, folder: Path) -> Outcome:
    """Take its process along when it tries the base for the first time."""
    if folder.name == "0000" and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), 9)
    time.sleep(0.5)
    return slowly(recipe, folder)


def hanging(_recipe: Recipe, folder: Path) -> Outcome:
    """Say that it began, and never end."""
    (folder / "begun").touch()
    time.sleep(600)
    raise AssertionError


def plan(folder: Path, **changes: Any) -> Plan:
    """A search of the made-up world in ``folder``."""
    facts: dict[str, Any] = {
        "name": "made-up",
        "base": base(),
        "url": f"sqlite:///{folder / 'study.db'}",
        "folder": folder / "runs",
        "lab": folder / "lab",
        "limits": Limits(10, 25),
        **changes,
    }
    return Plan(**facts)


def search(
    searched: Plan, count: int, tried: Evaluate = evaluate, **options: Any
) -> list[Experiment]:
    """Run ``count`` experiments; return all of the study."""
    ended: list[Experiment] = []
    work(
        searched,
        tried,
        until=time.time() + 3_600,
        stop=lambda: len(ended) >= count,
        told=ended.append,
        seed=options.pop("seed", 1),
        **options,
    )
    return read(searched.open())


def fall_silent(folder: Path) -> None:
    """Let all running workers of the study in ``folder`` have been silent for an hour."""
    _change(folder, "UPDATE trial_heartbeats SET heartbeat = datetime('now', '-1 hour')")


def forget_signs_of_life(folder: Path) -> None:
    """Let the workers of the study in ``folder`` never have given one."""
    _change(folder, "DELETE FROM trial_heartbeats")


def _change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "study.db")) as database, database:
        database.execute(statement)


def child(code: str) -> subprocess.Popen[str]:
    """Run ``code`` in another process, which can import this module."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(there: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is there."""
    until = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < until, "nothing came"
        time.sleep(0.02)
