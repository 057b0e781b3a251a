"""Runs cells, each in a process of its own, and keeps going when one breaks.

A process per cell means that a crash, a memory kill or a library's global state stays with the
cell it belongs to, and that nothing warmed by one method speeds up the next. The process stores
its result itself (whole or not at all), so a run that is killed loses only the cell it was in.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from tool_bench import store
from tool_bench.baseline import Baseline
from tool_bench.environment import prepare
from tool_bench.errors import ToolBenchError, UnavailableError
from tool_bench.llm.budget import Ledger, limited_by, new_ledger
from tool_bench.plan import Cell, Outcome, stay_offline
from tool_bench.progress import Report
from tool_bench.task import Task

Job = Callable[[Task, Baseline, Report], str]
"""A cell's work, done in its process: stores what it makes and returns a line about it."""


class Watcher(Protocol):
    """Is told what happens, as it happens."""

    def fetching(self, task: Task, total: int) -> None:
        """``total`` bytes of a task's files are about to be fetched."""

    def fetched(self, size: int) -> None:
        """``size`` more bytes arrived."""

    def started(self, cell: Cell) -> None:
        """A cell's process starts."""

    def phase(self, phase: str, done: int, total: int) -> None:
        """The running cell finished ``done`` of ``total`` steps of ``phase``."""

    def finished(self, outcome: Outcome) -> None:
        """A cell ended."""


def run_cells(
    cells: Iterable[Cell],
    results: Path,
    watcher: Watcher,
    max_usd: float | None = None,
    job: Job | None = None,
) -> list[Outcome]:
    """Run every cell that is to run; return how each ended, in the order given.

    Args:
        cells: from :func:`tool_bench.plan.make_plan`.
        results: the results folder.
        watcher: is told what happens.
        max_usd: the most that all cells together may pay to services; None sets no limit. A cell
            that would pass it is unavailable, and what it paid for stays in the cache.
        job: what is done for each cell: by default it is evaluated into ``results``. A function
            of a module, or a partial of one, because it is sent to another process.

    Raises:
        ToolBenchError: ``results`` cannot be written; nothing was run.
    """
    cells = list(cells)
    if any(cell.state == "to run" for cell in cells):
        store.check_writable(results)
        store.sweep(results)
    job = job or partial(_evaluate, results, max_usd)
    outcomes = []
    fetches: dict[str, Outcome | None] = {}
    with new_ledger(max_usd) as ledger:
        for cell in cells:
            outcome = _run_cell(cell, job, watcher, fetches, ledger)
            watcher.finished(outcome)
            outcomes.append(outcome)
    return outcomes


def _run_cell(
    cell: Cell,
    job: Job,
    watcher: Watcher,
    fetches: dict[str, Outcome | None],
    ledger: Ledger | None,
) -> Outcome:
    if cell.state == "cached":
        return Outcome(cell, "cached")
    if cell.state == "unavailable":
        return Outcome(cell, "unavailable", cell.note)
    if cell.task.name not in fetches:
        fetches[cell.task.name] = _fetch(cell, watcher)
    broken = fetches[cell.task.name]
    if broken is not None:
        return Outcome(cell, broken.end, broken.message)
    watcher.started(cell)
    began = time.perf_counter()
    outcome = _in_process(cell, job, watcher, ledger)
    return Outcome(cell, outcome.end, outcome.message, time.perf_counter() - began, outcome.trace)


def _fetch(cell: Cell, watcher: Watcher) -> Outcome | None:
    """Fetch the files of the cell's task; return why that cannot be done, None when it is."""
    from tool_bench.data.fetch import fetch_all, missing_bytes
    from tool_bench.data.paths import cache_folder

    size = missing_bytes([cell.task])
    if not size:
        return None  # the cell's process verifies them
    watcher.fetching(cell.task, size)
    try:
        fetch_all(cell.task, watcher.fetched)
    except UnavailableError as error:
        return Outcome(cell, "unavailable", str(error))
    except ToolBenchError as error:
        return Outcome(cell, "failed", str(error))
    except OSError as error:
        problem = f"cannot store data in {cache_folder()}: {error.strerror or error}"
        return Outcome(cell, "failed", problem)
    return None


def _in_process(cell: Cell, job: Job, watcher: Watcher, ledger: Ledger | None) -> Outcome:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="tool-bench-") as folder:
        log = Path(folder) / "output"
        process = context.Process(
            target=_work,
            args=(sender, cell.task, cell.baseline, job, str(log), ledger),
            name=cell.name,
            daemon=True,
        )
        try:
            process.start()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            way_out = "'load' and 'expected' must be functions of a module"
            return Outcome(cell, "failed", f"cannot be sent to its process: {error}; {way_out}")
        sender.close()
        try:
            outcome = _listen(cell, receiver, watcher)
        except BaseException:
            process.kill()
            raise
        finally:
            process.join()
            receiver.close()
        return outcome or Outcome(cell, "failed", _death(process.exitcode or 0, log))


def _listen(cell: Cell, receiver: Connection, watcher: Watcher) -> Outcome | None:
    """Follow the process until it says how it ended; None when it dies without a word."""
    while True:
        try:
            message = receiver.recv()
        except (EOFError, OSError):
            return None
        if message[0] == "phase":
            watcher.phase(*message[1:])
        else:
            end, text, trace = message
            return Outcome(cell, end, text, trace=trace)


def _death(exit_code: int, log: Path) -> str:
    if exit_code < 0:
        name = signal.Signals(-exit_code).name
        cause = "; the system may be out of memory" if name == "SIGKILL" else ""
        problem = f"its process was killed by {name}{cause}"
    else:
        problem = f"its process ended with exit code {exit_code} and no result"
    with suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if lines:
            problem += f"; last output: {lines[-1][:200]}"
    return problem


def _work(  # noqa: PLR0913, PLR0917  everything a process is given
    sender: Connection,
    task: Task,
    baseline: Baseline,
    job: Job,
    log: str,
    ledger: Ledger | None,
) -> None:
    """Run one cell; the target of its process."""
    _follow_parent(Path(log).parent)
    _keep_quiet(log)
    prepare()
    stay_offline(baseline)

    def forward(phase: str, done: int, total: int) -> None:
        sender.send(("phase", phase, done, total))

    message: tuple[Any, ...]
    try:
        with limited_by(ledger):
            message = ("done", job(task, baseline, forward), "")
    except UnavailableError as error:
        message = ("unavailable", str(error), "")
    except ToolBenchError as error:
        message = ("failed", str(error), traceback.format_exc())
    except Exception as error:  # noqa: BLE001  one cell's failure must not end the run
        message = ("failed", f"{type(error).__name__}: {error}", traceback.format_exc())
    sender.send(message)
    sender.close()


def _evaluate(
    results: Path, max_usd: float | None, task: Task, baseline: Baseline, forward: Report
) -> str:
    from tool_bench.data.load import load
    from tool_bench.evaluate import evaluate
    from tool_bench.progress import reporting_to

    with reporting_to(forward):
        forward("load data", 0, 1)
        command = _command(task, baseline, max_usd)
        result, files = evaluate(task, baseline, load(task), command)
        store.write(results, result, files)
    scores = result.scopes["global"].slices[result.data.headline].measures
    return ", ".join(f"{m} {scores[m].value:.3f}" for m in ("Hit@1", "nDCG@10"))


def _command(task: Task, baseline: Baseline, max_usd: float | None) -> Sequence[str]:
    choice = baseline.arguments or ("--baselines", baseline.name)
    paid = [] if baseline.expected is None or max_usd is None else ["--max-usd", f"{max_usd:g}"]
    return ["tool_bench", "run", "--tasks", task.name, *choice, *paid, "--force"]


def _follow_parent(folder: Path) -> None:
    """End this process when the one that started it is gone, also after ``kill -9``.

    ``folder`` is that one's, to be removed with it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _keep_quiet(log: str) -> None:
    """Send what libraries print to a file, away from the live display."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
