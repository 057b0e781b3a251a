"""Searches recipes: propose, train, validate, mine, note, again until the deadline.

A recipe is chosen by validation requests alone. No evaluation task is read here: the gate does
that, once, with the best recipe's model.
"""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.errors import ToolBenchError, UnavailableError
from tool_bench.training import notebook
from tool_bench.training.experiment import (
    Experiment,
    Limits,
    Outcome,
    best,
    incomparable,
    note,
    read,
    record,
)
from tool_bench.training.recipe import Recipe
from tool_bench.training.search_space import Parameters, suggest, widest
from tool_bench.training.study import (
    HEARTBEAT_S,
    give_sign_of_life,
    importances,
    open_study,
    try_again,
)
from tool_bench.training.validation import mean_hit_at_1

if TYPE_CHECKING:
    from optuna import Study, Trial

Evaluate = Callable[[Recipe, Path], Outcome]
"""Trains a recipe in a folder, or goes on there, and measures the model. Negatives that were mined
for it lie in the folder's ``mined.json``; without one the base mines."""
Mine = Callable[[Recipe, Path, Path], None]
"""Given a recipe, the folder of a run and a file: writes there what the run's model confuses of the
recipe's rows."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An experiment that somebody else than the sampler wants."""

    changes: Parameters
    """Against the best so far; empty where the sampler shall choose."""
    by: str = ""
    why: str = ""
    note: str = ""
    """Why there are no changes."""


Propose = Callable[[Recipe, Sequence[Experiment]], Proposal]
"""Given the base and all experiments so far."""

FAILURES = 3
"""A worker gives up when so many experiments failed one after the other."""
MINED = "mined.json"


@dataclass(frozen=True)
class Plan:
    """What is searched, and where things are kept."""

    name: str
    """Of the study and of its notebook."""
    base: Recipe
    url: str
    """Of the study's database."""
    folder: Path
    """Holds a folder for each run on this machine, and mined negatives in ``mined``."""
    lab: Path
    """Holds the notebook."""
    limits: Limits = field(default_factory=Limits)
    heartbeat_s: int = HEARTBEAT_S
    """See :func:`~tool_bench.training.study.open_study`."""

    def open(self, seed: int | None = None) -> Study:
        """Open the study; see :func:`~tool_bench.training.study.open_study`."""
        return open_study(
            self.url, self.name, self.base, self.limits, seed=seed, heartbeat_s=self.heartbeat_s
        )

    @property
    def notebook(self) -> Path:
        """The notebook's file."""
        return self.lab / f"{self.name}.md"


def work(  # noqa: PLR0913  what a search is made of
    plan: Plan,
    evaluate: Evaluate,
    *,
    until: float,
    mine: Mine | None = None,
    propose: Propose | None = None,
    stop: Callable[[], bool] = lambda: False,
    told: Callable[[Experiment], None] = lambda _: None,
    seed: int | None = None,
) -> None:
    """Run one experiment after the other, beside other workers of the same study.

    Args:
        plan: what is searched.
        evaluate: tries one recipe.
        until: seconds since the epoch. An experiment is not begun when the slowest so far on this
            machine would not have ended by then.
        mine: called after an experiment that is the best so far; its negatives are those of later
            experiments on this machine.
        propose: asked before each experiment; while it has no answer, the sampler chooses.
        stop: asked before each experiment.
        told: called with each experiment that ended.
        seed: see :func:`~tool_bench.training.study.open_study`.

    Raises:
        UnavailableError: what every recipe needs is not here.
        ToolBenchError: :data:`FAILURES` experiments failed one after the other, or an experiment
            was validated by other requests than those before.
        KeyboardInterrupt: as it came; the running experiment is put back in the queue.
    """
    worker = _Worker(plan, evaluate, mine, propose, seed)
    worker.write_notebook()
    failures = 0
    while not stop() and worker.fits(until):
        experiment = worker.one()
        failures = failures + 1 if experiment.state == "failed" else 0
        told(experiment)
        if failures == FAILURES:
            raise ToolBenchError(
                f"{FAILURES} experiments failed one after the other; the last: "
                f"{experiment.notes.error}"
            )


class _FailedError(Exception):
    """The recipe's own failure: the search goes on."""


class _Worker:
    """One process's part of a search."""

    def __init__(
        self,
        plan: Plan,
        evaluate: Evaluate,
        mine: Mine | None,
        propose: Propose | None,
        seed: int | None,
    ) -> None:
        self._plan = plan
        self._evaluate = evaluate
        self._mine = mine
        self._propose = propose
        self._study = plan.open(seed)
        self._number = -1  # of the newest experiment here
        self._evaluated = False
        """Whether that one was tried; what is left of it is telling the study."""
        self._mining_s = 0.0

    def fits(self, until: float) -> bool:
        """Tell whether one more experiment would end in time, were it as slow as the slowest."""
        here = [
            each.seconds or 0.0
            for each in read(self._study)
            if each.state == "done" and each.notes.host == platform.node()
        ]
        return time.time() + max(here, default=0.0) + self._mining_s <= until

    def one(self) -> Experiment:
        """Run one experiment and note it."""
        self._ask()
        try:
            self._study.optimize(self._objective, n_trials=1, catch=(_FailedError,))
        except (KeyboardInterrupt, UnavailableError):
            try_again(self._study, self._number)
            self.write_notebook()
            raise
        except ValueError:
            if not self._evaluated:
                raise
            # The result is not taken: others held this worker for dead, and try the recipe again.
        experiments = read(self._study)
        ended = experiments[self._number]
        if ended == best(experiments):
            self._mine_with(ended)
        self._tidy(experiments)
        self.write_notebook()
        return ended

    def write_notebook(self) -> None:
        """Write the notebook from the study; again when other workers ended something meanwhile."""
        path = self._plan.notebook
        while True:
            experiments = read(self._study)
            notebook.write(
                path, self._plan.name, self._plan.limits, experiments, importances(self._study)
            )
            if read(self._study) == experiments:
                return

    def _ask(self) -> None:
        """Queue what the proposer wants, unless something is waiting already."""
        experiments = read(self._study)
        top = best(experiments)
        waiting = any(each.state == "waiting" for each in experiments)
        if self._propose is None or top is None or waiting:
            return
        try:
            proposal = self._propose(self._plan.base, experiments)
        except ToolBenchError as error:
            proposal = Proposal({}, note=f"no proposal: {error}")
            if isinstance(error, UnavailableError):  # nor would the next one be answered
                self._propose = None
        point = {**top.point, **proposal.changes} if proposal.changes else {}
        said = {"proposed_by": proposal.by, "why": proposal.why, "note": proposal.note}
        self._study.enqueue_trial(point, {name: text for name, text in said.items() if text})

    def _objective(self, trial: Trial) -> float:
        """Try one recipe; what is noted on the way is what :func:`read` finds."""
        give_sign_of_life(trial)
        self._number, self._evaluated = trial.number, False
        experiments = read(self._study)
        own = experiments[trial.number].notes
        run = own.run or f"{trial.number:04}"
        folder = self._plan.folder / run
        top = best(experiments)
        if not own.run:
            note(trial, run=run, against=None if top is None else top.number)
        if not folder.exists():
            note(trial, mined_by=self._take_mined(folder))
        note(trial, host=platform.node())
        recipe = suggest(trial, self._plan.base, f"{self._plan.name}-{run}")
        trial.set_user_attr("recipe", recipe.model_dump(mode="json"))
        try:
            outcome = self._evaluate(recipe, folder)
        except UnavailableError:
            raise
        except Exception as error:
            note(trial, error=str(error) or type(error).__name__)
            raise _FailedError from error
        self._evaluated = True
        problem = incomparable(outcome, experiments)
        if problem:
            note(trial, error=problem)
            raise ToolBenchError(problem)
        record(trial, outcome, self._plan.limits)
        return mean_hit_at_1(outcome.scores)

    def _take_mined(self, folder: Path) -> str:
        """Put the newest mined negatives into a run's new folder; return the run they are from."""
        folder.mkdir(parents=True)
        mined = sorted((self._plan.folder / "mined").glob("*.json"), key=os.path.getmtime)
        if not mined:
            return ""
        shutil.copyfile(mined[-1], folder / MINED)
        return mined[-1].stem

    def _mine_with(self, experiment: Experiment) -> None:
        """Mine with the best model so far, for the experiments that follow."""
        if self._mine is None or experiment.recipe is None:
            return
        began = time.monotonic()
        run = experiment.notes.run
        made = self._plan.folder / "mined" / f"{run}.json"
        made.parent.mkdir(exist_ok=True)
        part = made.with_suffix(".part")
        widest_ = widest(experiment.recipe, self._plan.base)
        self._mine(widest_, self._plan.folder / run, part)
        os.replace(part, made)
        self._mining_s = max(self._mining_s, time.monotonic() - began)

    def _tidy(self, experiments: Sequence[Experiment]) -> None:
        """Remove the models of this machine's runs that are not the best; logs and curves stay."""
        top = best(experiments)
        for each in experiments:
            if each.state in {"done", "failed"} and each != top and each.notes.run:
                folder = self._plan.folder / each.notes.run
                for name in ("model", "checkpoints"):
                    shutil.rmtree(folder / name, ignore_errors=True)
