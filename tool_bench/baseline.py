"""The baseline record: what a method is, what it needs, and how to load it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tool_bench.dataset import ToolDataset
from tool_bench.retriever import Retriever, Spent
from tool_bench.tool import Style

_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")

Kind = Literal["lexical", "dense", "hybrid", "rerank", "llm"]


@dataclass(frozen=True, slots=True)
class Weights:
    """A model on the Hugging Face hub."""

    name: str
    """``owner/model``."""
    revision: str
    """Commit."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a method needs beyond the core install."""

    modules: tuple[str, ...] = ()
    """Importable modules; a missing one makes the method unavailable."""
    extra: str | None = None
    """The extra that installs them; None where the core install does."""
    key: str | None = None
    """Environment variable that must hold an API key."""
    weights: Weights | None = None
    """Weights that must lie in the hub's local cache: a run never downloads gigabytes unasked."""
    memory_gib: float = 0
    """Main memory that loading and running it takes."""
    providers: bool = False
    """Whether the tools must name their provider."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Rough seconds on two cores, for time estimates and for running cheap cells first."""

    start: float = 0.5
    per_tool: float = 1e-4
    per_query: float = 1e-3


@dataclass(frozen=True, slots=True)
class Baseline:
    """One method. Declaring it imports nothing heavy; ``load`` does."""

    name: str
    kind: Kind
    description: str
    reference: str
    """Paper or code that defines the method."""
    license: str
    load: Callable[[], Retriever]
    """Make the retriever; raises UnavailableError where this machine lacks something."""
    parameters: int | None = None
    """Trained parameters; 0 for a method without any, None where unknown."""
    revision: str | None = None
    """Commit or version of the weights or library the method stands on."""
    style: Style | None = None
    """How tools become text; None where the method makes its own text of them, or none."""
    precision: str | None = None
    """Of the arithmetic with the weights; None where there are none or it is not known."""
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    """Where this differs from the published method."""
    uses_examples: bool = False
    """Reads the task's usage examples at index time."""
    needs: Needs = field(default_factory=Needs)
    trained_on: tuple[str, ...] = ()
    """Tasks or sources whose data trained the weights, as far as it is known."""
    seen: Callable[[], frozenset[str]] | None = None
    """Hashes of the tools that its training saw; None for a method that was not trained here."""
    speed: Speed = field(default_factory=Speed)
    arguments: tuple[str, ...] = ()
    """How the command line chooses it; by default ``--baselines`` and its name."""
    parts: tuple[str, ...] = ()
    """Other baselines it is made of: it needs what they need, and changes when they change."""
    may_rank_fewer: bool = False
    """Whether a ranking may hold fewer than ``k`` tools although there are more candidates."""
    whole_catalogue: bool = False
    """Puts all candidates into a model's context, not the tools that it ranks best."""
    expected: Callable[[ToolDataset], Spent] | None = None
    """What a whole run on this data will take of a paid service, if nothing is cached."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):  # it becomes a folder and the tag of run files
            raise ValueError(f"baseline name {self.name!r}: letters, digits and . _ - / only")
