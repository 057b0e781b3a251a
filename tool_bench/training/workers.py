"""Several workers of one search on this machine, and how Ctrl-C ends a search."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Any

from tool_bench.errors import ToolBenchError
from tool_bench.hardware import cores
from tool_bench.training.autoresearch import Evaluate, Mine, Plan, Propose, work

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue
    from multiprocessing.synchronize import Event

LOOK_S = 1.0
"""How often is looked after the workers."""
TERMINATE_S = 30.0
"""A worker that was told to end at once has so long to put its experiment back in the queue."""
_THREADS = "OMP_NUM_THREADS"


@contextmanager
def ending_on_interrupt(told: Callable[[], None]) -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C sets; the second one, or a SIGTERM, ends the block.

    Args:
        told: called on the first, to say what it does.

    Raises:
        KeyboardInterrupt: on the second.
    """
    asked = threading.Event()

    def interrupted(_number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        told()

    before = signal.signal(signal.SIGINT, interrupted)
    before_term = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, before_term)


def run_workers(  # noqa: PLR0913  what a search is made of
    plan: Plan,
    evaluate: Evaluate,
    *,
    workers: int,
    until: float,
    asked: threading.Event,
    mine: Mine | None = None,
    propose: Propose | None = None,
    looked: Callable[[], None] = lambda: None,
) -> list[str]:
    """Run so many workers, each a process with its share of the cores, until all have ended.

    Args:
        plan: what is searched.
        evaluate: as for :func:`~tool_bench.training.autoresearch.work`; sent to the processes, as
            are ``mine`` and ``propose``.
        workers: how many.
        until: as for ``work``.
        asked: when set, no worker begins another experiment.
        mine: as for ``work``.
        propose: as for ``work``; the first worker alone asks it.
        looked: called every :data:`LOOK_S` seconds.

    Returns:
        Why workers ended early, one text each.
    """
    context = multiprocessing.get_context("spawn")
    stop, problems = context.Event(), context.SimpleQueue()
    with _share_of_cores(workers):
        processes = [
            context.Process(
                target=_worker,
                args=(plan, evaluate, until, mine, None if number else propose, stop, problems),
                name=f"worker {number + 1}",
            )
            for number in range(workers)
        ]
        for process in processes:
            process.start()
    found = []
    try:
        while running := [process.sentinel for process in processes if process.is_alive()]:
            wait(running, LOOK_S)
            if asked.is_set():
                stop.set()
            looked()
            while not problems.empty():
                found.append(problems.get())
    except BaseException:
        _end(processes)
        raise
    while not problems.empty():
        found.append(problems.get())
    killed = [each for each in processes if each.exitcode and each.exitcode < 0]
    return found + [f"{each.name} was killed by signal {-(each.exitcode or 0)}" for each in killed]


def _worker(  # noqa: PLR0913, PLR0917  as for run_workers
    plan: Plan,
    evaluate: Evaluate,
    until: float,
    mine: Mine | None,
    propose: Propose | None,
    stop: Event,
    problems: SimpleQueue[str],
) -> None:
    """Work in this process: the first process alone hears Ctrl-C, and tells the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parent = multiprocessing.parent_process()

    def ended() -> bool:
        return stop.is_set() or (parent is not None and not parent.is_alive())

    try:
        work(plan, evaluate, until=until, mine=mine, propose=propose, stop=ended)
    except KeyboardInterrupt:
        return
    except Exception as error:  # noqa: BLE001  told by the first process
        said = str(error) if isinstance(error, ToolBenchError) else repr(error)
        problems.put(f"{multiprocessing.current_process().name}: {said}")


def _end(processes: Sequence[SpawnProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(TERMINATE_S)
        if process.is_alive():
            process.kill()


@contextmanager
def _share_of_cores(workers: int) -> Iterator[None]:
    """Let processes that are started inside the block compute on their share of the cores."""
    before: Any = os.environ.get(_THREADS)
    os.environ[_THREADS] = before or str(max(1, cores() // workers))
    try:
        yield
    finally:
        if before is None:
            del os.environ[_THREADS]
