"""The task record: what is evaluated, where its files come from, how they become a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError

Files = Mapping[str, Path]
"""A source's path -> the verified local file."""

GLOBAL_ENGLISH: Mapping[str, tuple[str, ...]] = {"global": ("eng-Latn",)}


@dataclass(frozen=True, slots=True)
class Source:
    """One upstream file, pinned."""

    path: str
    """Where it lies in a mirror and in the cache, relative; unique in the project."""
    url: str | None
    """None for a file that only a mirror offers."""
    revision: str
    """Upstream's commit."""
    sha256: str
    size: int
    """Bytes."""
    license: str


@dataclass(frozen=True)
class Task:
    """One evaluation. The fields of MTEB's ``TaskMetadata`` keep MTEB's names and meaning.

    Declaring a task reads no file and imports nothing heavy; :func:`load` builds its data.
    """

    name: str
    description: str
    reference: str
    dataset: Mapping[str, str]
    """``path`` and ``revision`` of the upstream data."""
    date: tuple[str, str]
    domains: tuple[str, ...]
    license: str
    annotations_creators: str
    sample_creation: str
    bibtex_citation: str
    build: Callable[[Files], ToolDataset]
    """Makes the dataset from the verified files of ``sources``."""
    sources: tuple[Source, ...]
    """Empty for data that ships with the package."""
    tools: int
    """Size of the catalogue; the built dataset must have exactly as many."""
    queries: int
    """Number of evaluation queries; the built dataset must have exactly as many."""
    providers: int = 0
    """Number of connectors, servers or apps that its tools name; 0 where they name none."""
    eval_langs: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: GLOBAL_ENGLISH)
    """Subset -> languages. Subsets are scopes (``global``, ``scoped``) or slices of the queries."""
    type: str = "Retrieval"
    category: str = "t2t"
    eval_splits: tuple[str, ...] = ("test",)
    main_score: str = "ndcg_at_10"
    rules: tuple[str, ...] = ()
    """How this task treats what upstream leaves open, one sentence each, for its page."""
    defects: Callable[[], Sequence[str]] | None = None
    """Checks of data that this project writes, run by ``data verify``: one sentence a defect."""
    on_demand: bool = False
    """Too big to be fetched and run unless it is asked for by name."""
    headline: str = "all"
    """The slice or average that methods are ranked by."""
    skewed: bool = False
    """Few tools hold many of the golds: the mean over tools is shown beside that over queries."""
    version: int = 1
    """Raised when the built data changes though the upstream files did not."""

    @property
    def data_revision(self) -> str:
        """Identifies the evaluated data: upstream revision and our version of its reading."""
        return f"{self.dataset['revision'][:12]}+{self.version}"


def check(task: Task, dataset: ToolDataset) -> None:
    """Compare ``dataset`` with what ``task`` declares.

    Raises:
        DataError: the number of tools, queries or providers differs, or a declared subset or the
            headline is not there.
    """
    for what, declared, found in (
        ("tools", task.tools, len(dataset.tools)),
        ("queries", task.queries, len(dataset.queries)),
        ("providers", task.providers, len(dataset.tools_of_provider)),
    ):
        if declared != found:
            raise DataError(task.name, f"built {found} {what}, expected {declared}")
    known = {*dataset.scopes, *dataset.slices}
    if task.headline not in {*dataset.slices, *dataset.averages}:
        raise DataError(task.name, f"headline '{task.headline}' is not in the built data")
    for subset in task.eval_langs:
        if subset not in known:
            raise DataError(task.name, f"declared subset '{subset}' is not in the built data")
