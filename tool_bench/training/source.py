"""A source of training data: pinned files, and how they become pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tool_bench.data.fetch import Progress, fetch
from tool_bench.task import Files, Source
from tool_bench.training.records import TrainingData


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """One frozen declaration; declaring it reads no file and imports nothing heavy."""

    name: str
    description: str
    reference: str
    license: str
    build: Callable[[Files], TrainingData]
    """Makes the data from the verified files of ``sources``."""
    sources: tuple[Source, ...] = ()
    task: str | None = None
    """The task whose own training split this is: its tools may be trained on, its queries never."""


def load(source: TrainingSource, progress: Progress = lambda _: None) -> TrainingData:
    """Fetch what ``source`` needs and build its checked data.

    Raises:
        UnavailableError: a file cannot be had here.
        DataError: a file or row is not what it must be.
    """
    files = {file.path: fetch(file, progress) for file in source.sources}
    return source.build(files)
