"""One experiment of a search: a recipe, and what came of it. An Optuna trial in plain terms."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tool_bench.training.recipe import Recipe
from tool_bench.training.search_space import Parameters
from tool_bench.training.validation import Scores

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

State = Literal["done", "failed", "interrupted", "running", "waiting"]

P50, SIZE = "p50_ms", "megabytes"
"""The constraints' names in the study."""


@dataclass(frozen=True)
class Limits:
    """What a model must not be over to be of use."""

    p50_ms: float = 10.0
    """Median latency of one query, as the model is served."""
    megabytes: float = 25.0
    """Of what is served, in millions of bytes."""


@dataclass(frozen=True)
class Outcome:
    """What a recipe gave."""

    scores: Mapping[str, Scores]
    """Source -> validation scores."""
    p50_ms: float
    """Median latency of one query."""
    megabytes: float
    """Size of what is served, in millions of bytes."""
    seconds: float
    """That preparing, training and measuring took."""


@dataclass(frozen=True)
class Notes:
    """What a worker noted of an experiment."""

    run: str = ""
    """Name of its folder; one that is tried again keeps it."""
    host: str = ""
    """The machine that its folder is on."""
    against: int | None = None
    """The best experiment when it was begun."""
    mined_by: str = ""
    """Run whose model mined its negatives; empty where the base did."""
    proposed_by: str = ""
    """Who chose it, where it was not the sampler."""
    why: str = ""
    """What the proposer said."""
    note: str = ""
    """Anything else that happened on the way to it."""
    error: str = ""
    """Why it failed."""


@dataclass(frozen=True)
class Experiment:
    """One trial of a study."""

    number: int
    state: State
    """``interrupted``: its worker died or was stopped; the recipe is not to blame."""
    recipe: Recipe | None = None
    """None until its worker has chosen one."""
    point: Parameters = field(default_factory=dict)
    """Where it lies in the search space."""
    value: float | None = None
    """Mean Hit@1 over validation sources; None unless done."""
    outcome: Outcome | None = None
    """None unless done."""
    over: tuple[str, ...] = ()
    """Names of the limits that it is over."""
    seconds: float | None = None
    """From its begin to its end; None unless done."""
    retried_as: int | None = None
    """The experiment that tries it again."""
    notes: Notes = Notes()

    @property
    def feasible(self) -> bool:
        """Whether it is done and over no limit."""
        return self.state == "done" and not self.over


def best(experiments: Sequence[Experiment]) -> Experiment | None:
    """Return the feasible experiment of highest value, the earliest of equals; None without any."""
    return min(filter(lambda each: each.feasible, experiments), key=_rank, default=None)


def ranked(experiments: Sequence[Experiment]) -> list[Experiment]:
    """Return the feasible experiments, the best first."""
    return sorted((each for each in experiments if each.feasible), key=_rank)


def _rank(experiment: Experiment) -> tuple[float, int]:
    return -(experiment.value or 0.0), experiment.number


def incomparable(outcome: Outcome, experiments: Sequence[Experiment]) -> str:
    """Say why ``outcome`` cannot be compared with earlier ones; nothing where it can."""
    asked = {name: (each.requests, each.tools) for name, each in outcome.scores.items()}
    if not asked:
        return "there are no validation requests: is the recipe's held_out 0?"
    for each in experiments:
        if each.outcome is not None:
            before = {name: (s.requests, s.tools) for name, s in each.outcome.scores.items()}
            if asked != before:
                return (
                    f"validated by other requests or tools than experiment {each.number} "
                    f"(numbers of both: {asked} and {before}): "
                    "they cannot be compared. Has the data changed? Give another --name"
                )
    return ""


def record(trial: Trial, outcome: Outcome, limits: Limits) -> None:
    """Store what a recipe gave; by how much it is over a limit is the trial's constraint."""
    trial.set_user_attr("outcome", dataclasses.asdict(outcome))
    trial.set_constraint(P50, outcome.p50_ms - limits.p50_ms)
    trial.set_constraint(SIZE, outcome.megabytes - limits.megabytes)


def note(trial: Trial, **notes: Any) -> None:
    """Store some of a trial's :class:`Notes`."""
    for name, value in notes.items():
        trial.set_user_attr(name, value)


def read(study: Study) -> list[Experiment]:
    """Return all experiments of a study, by number."""
    from optuna.storages import RetryHeartbeatStaleTrialCallback as Retry

    trials = study.get_trials(deepcopy=False)
    with not_warning():
        later = {n: trial.number for trial in trials for n in Retry.retry_history(trial)[-1:]}
    return [_experiment(trial, later.get(trial.number)) for trial in trials]


@contextmanager
def not_warning() -> Iterator[None]:
    """Be silent about Optuna's experimental parts, of which heartbeats are one since 2021."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


def _experiment(trial: FrozenTrial, retried_as: int | None) -> Experiment:
    stored = trial.user_attrs
    states: dict[str, State] = {
        "COMPLETE": "done",
        "RUNNING": "running",
        "WAITING": "waiting",
        "FAIL": "failed" if "error" in stored else "interrupted",
    }
    state = states[trial.state.name]
    done = state == "done"
    names = {each.name for each in dataclasses.fields(Notes)}
    return Experiment(
        number=trial.number,
        state=state,
        recipe=Recipe.model_validate(stored["recipe"]) if "recipe" in stored else None,
        point=trial.params,
        value=trial.value if done else None,
        outcome=_outcome(stored["outcome"]) if done else None,
        over=tuple(name for name, by in trial.constraints.items() if by > 0),
        seconds=trial.duration.total_seconds() if done and trial.duration else None,
        retried_as=retried_as,
        notes=Notes(**{name: stored[name] for name in names & stored.keys()}),
    )


def _outcome(stored: Mapping[str, Any]) -> Outcome:
    scores = {name: Scores(**each) for name, each in stored["scores"].items()}
    return Outcome(**{**stored, "scores": scores})
