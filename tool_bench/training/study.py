"""The database that the workers of a search share: an Optuna study.

SQLite is one file on one machine; any other database that SQLAlchemy reaches serves several. Every
worker gives signs of life: an experiment whose worker is silent is marked as failed by the next one
that looks, and put back in the queue.
"""

from __future__ import annotations

import importlib.util
import json
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_bench.errors import ToolBenchError, UnavailableError, UsageError
from tool_bench.training.experiment import Limits, not_warning, read
from tool_bench.training.recipe import Recipe
from tool_bench.training.search_space import knobs, point_of

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
    from sqlalchemy import URL

HEARTBEAT_S = 60
SILENT_BEATS = 3
"""A worker that misses so many heartbeats counts as dead."""
RETRIES = 5
"""Of one experiment whose workers die: it may be what kills them."""
ENOUGH = 10
"""Experiments before which nothing is said of what matters."""
LOCKED_S = 60
"""How long a worker waits for SQLite's file while another writes."""
ATTEMPTS = 20
"""At a database whose tables another worker is creating at the same moment."""

_FIRST_BEAT = """
INSERT INTO trial_heartbeats (trial_id, heartbeat)
SELECT trial_id, CURRENT_TIMESTAMP FROM trials
WHERE state = 'RUNNING' AND trial_id NOT IN (SELECT trial_id FROM trial_heartbeats)"""


def open_study(  # noqa: PLR0913  what a study is, and two settings
    url: str,
    name: str,
    base: Recipe,
    limits: Limits,
    *,
    seed: int | None = None,
    heartbeat_s: int = HEARTBEAT_S,
) -> Study:
    """Open a study, or begin it with ``base`` as its first experiment.

    Args:
        url: of the database, as SQLAlchemy takes it.
        name: of the study.
        base: the recipe that the search goes out from.
        limits: what is feasible.
        seed: of the sampler; None for another one each time, as several workers need it.
        heartbeat_s: seconds between two signs of life; the same for all workers of a study.

    Raises:
        UnavailableError: Optuna or the database's driver is not installed.
        UsageError: the address is none, or the study has searched something else.
        ToolBenchError: the database cannot be opened.
    """
    if importlib.util.find_spec("optuna") is None:
        raise UnavailableError("needs optuna: pip install 'tool-bench[train]'")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # failures are noted in the study
    storage = _storage(url, heartbeat_s)
    _beat_for_the_mute(storage)
    sampler = optuna.samplers.TPESampler(seed=seed)
    about = _about(base, limits)
    try:
        study = optuna.create_study(
            storage=storage, study_name=name, sampler=sampler, direction="maximize"
        )
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(storage=storage, study_name=name, sampler=sampler)
        _check_same(study.user_attrs.get("about", about), about, name)
    study.set_user_attr("about", about)
    if not study.get_trials(deepcopy=False):
        study.enqueue_trial(point_of(base), user_attrs={"proposed_by": "the base"})
    return study


def give_sign_of_life(trial: Trial) -> None:
    """Give the first heartbeat of a trial now.

    Optuna's own comes from a thread, which may be late where the machine or the database is busy:
    who dies before it would never be missed.
    """
    storage: Any = trial.storage  # of a kind that has heartbeats
    storage.record_heartbeat(trial._trial_id)  # noqa: SLF001  heartbeats are by this id alone


def try_again(study: Study, number: int) -> None:
    """Put an experiment back in the queue that ended by no fault of its recipe."""
    trial = study.get_trials(deepcopy=False)[number]
    if trial.state.name == "FAIL":
        _retry()(study, trial)


def importances(study: Study) -> dict[str, float]:
    """Return knob -> its share of what decides the value, by PED-ANOVA; the greatest first.

    Watanabe et al. 2023 (arXiv 2304.10255). Empty before :data:`ENOUGH` experiments, which say
    nothing yet, and where all values are the same.
    """
    values = [each.value for each in read(study) if each.state == "done"]
    if len(values) < ENOUGH or len(set(values)) == 1:
        return {}
    from optuna.importance import get_param_importances

    return get_param_importances(study)


def _storage(url: str, heartbeat_s: int) -> RDBStorage:
    import optuna
    from sqlalchemy import exc, make_url

    try:
        address = make_url(url)
    except exc.ArgumentError:
        example = "sqlite:///study.db"
        raise UsageError(f"--study: '{url}' is no database's address, as {example} is") from None
    shown = address.render_as_string(hide_password=True)
    if address.get_backend_name() == "sqlite" and address.database in {None, "", ":memory:"}:
        raise UsageError(f"--study: {shown} names no file")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _connected(address, heartbeat_s)
        except exc.NoSuchModuleError:
            raise UsageError(f"--study: {shown}: there is no such kind of database") from None
        except ImportError as error:
            raise UnavailableError(f"--study: {shown} needs another package: {error}") from None
        except OSError as error:
            raise ToolBenchError(f"--study: {shown} cannot be opened: {error}") from None
        except (exc.DBAPIError, optuna.exceptions.StorageInternalError) as error:
            problem = error
        if attempt < ATTEMPTS:
            time.sleep(random.uniform(0.05, 0.3))  # noqa: S311  no secret
    cause = getattr(problem, "orig", None) or problem.__cause__ or problem
    raise ToolBenchError(f"--study: {shown} cannot be opened: {cause}")


def _connected(address: URL, heartbeat_s: int) -> RDBStorage:
    from optuna.storages import RDBStorage

    sqlite = address.get_backend_name() == "sqlite"
    if sqlite and address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    with not_warning():
        storage = RDBStorage(
            address.render_as_string(hide_password=False),
            engine_kwargs={"connect_args": {"timeout": LOCKED_S}} if sqlite else None,
            heartbeat_interval=heartbeat_s,
            grace_period=SILENT_BEATS * heartbeat_s,
            heartbeat_stale_trial_callback=_retry(),
        )
    if sqlite:
        _lock_from_begin(storage)
    return storage


def _lock_from_begin(storage: RDBStorage) -> None:
    """Let each transaction lock SQLite's file from its begin, and write to a log first.

    SQLite has no row locks: two workers could take the same experiment, each between the other's
    look and write. The way is that of SQLAlchemy's documentation of its pysqlite dialect. The log
    (https://sqlite.org/wal.html) spares the wait for the disk at each of an experiment's many
    small writes; a machine that loses its power may lose the last of them.
    """
    from sqlalchemy import event

    with storage.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")

    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        connection.execute("PRAGMA synchronous=NORMAL")

    def begun(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(storage.engine, "connect", connected)
    event.listen(storage.engine, "begin", begun)
    storage.engine.dispose()  # of connections from before


def _beat_for_the_mute(storage: RDBStorage) -> None:
    """Give a sign of life for each running experiment that has none, so that it can be missed.

    Optuna misses only who has given one; a worker may die between its begin and its first.
    """
    from sqlalchemy import exc, text

    try:
        with storage.engine.begin() as connection:
            connection.execute(text(_FIRST_BEAT))
    except exc.IntegrityError:
        return  # the worker has given its own meanwhile


def _retry() -> RetryHeartbeatStaleTrialCallback:
    from optuna.storages import RetryHeartbeatStaleTrialCallback

    with not_warning():
        return RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)


def _about(base: Recipe, limits: Limits) -> dict[str, Any]:
    """Return what all experiments of a study share."""
    about = {
        "base": base.model_dump(mode="json", exclude={"name"}),
        "space": [str(knob) for knob in knobs(base)],
        "limits": {"p50_ms": limits.p50_ms, "megabytes": limits.megabytes},
    }
    found: dict[str, Any] = json.loads(json.dumps(about))
    return found


def _check_same(stored: Mapping[str, Any], about: Mapping[str, Any], name: str) -> None:
    other = [part for part in about if stored.get(part) != about[part]]
    if other:
        raise UsageError(
            f"study '{name}' was begun with another {' and '.join(other)}: its experiments cannot "
            "be compared with new ones; give another --name"
        )
