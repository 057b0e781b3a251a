"""Two methods on one task, query by query: by how much they differ, where, and beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench import registry, store
from tool_bench.at_hand import at_hand
from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError, UnknownNameError, UsageError
from tool_bench.measures import MEASURES
from tool_bench.per_query import ScoreTable, read_scores
from tool_bench.query_differences import TIE, QueryDifference, differing
from tool_bench.results import Result
from tool_bench.runs import Run, read_run
from tool_bench.significance import difference_variances, more_queries, p_values
from tool_bench.stats import average_intervals, weighted_parts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tool_bench.stats import Part


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """The difference on some of the queries: a slice, or an average of slices."""

    name: str
    queries: int
    clusters: int | None
    """How many clusters the queries are; None where the task's data is not here."""
    a: float
    b: float
    difference: float
    """a - b."""
    low: float | None
    """Lower end of the 95 % interval; None for one cluster, and without the task's data."""
    high: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What ``tool-bench compare`` shows."""

    task: str
    scope: str
    measure: str
    headline: str
    """The slice or average that the means are of."""
    method_a: str
    method_b: str
    queries: int
    clusters: int
    a: float
    """Mean of the first method."""
    b: float
    difference: float
    """a - b."""
    low: float | None
    """Lower end of the 95 % interval of the difference; None where there is one cluster."""
    high: float | None
    p: float
    """Of the paired randomisation test, for this one comparison."""
    wins: int
    """Queries on which the first method scores higher."""
    ties: int
    losses: int
    more_queries: int | None
    """Estimate of how many more would separate the two; None where they score the same, and where
    p is at most 0.05."""
    slices: tuple[SliceDifference, ...]
    differing: tuple[QueryDifference, ...]
    """Where they differ most: the first method's wins and losses in turn."""
    without_data: str | None
    """Why there are no texts, golds and intervals of slices; None where there are."""


def compare(  # noqa: PLR0913  what is compared
    results: Path,
    task: str,
    method_a: str,
    method_b: str,
    *,
    scope: str = "global",
    measure: str = "nDCG@10",
    top: int = 10,
) -> Comparison:
    """Compare two methods' stored results.

    Args:
        results: the results folder.
        task: name of the task.
        method_a: the first method; differences are its score minus the other's.
        method_b: the second.
        scope: the scope.
        measure: one of :data:`tool_bench.measures.MEASURES`.
        top: how many queries to show.

    Raises:
        UsageError: a name is unknown, the methods are one, or no result is stored.
        DataError: a stored file is damaged, or the two were made on different data.
    """
    import numpy as np

    from tool_bench.significance import ALPHA

    if measure not in MEASURES:
        raise UnknownNameError("measure", measure, MEASURES)
    first, second = _stored(results, task, method_a, method_b)
    if scope not in first.scopes:
        raise UnknownNameError(f"scope of {task}", scope, first.scopes)
    (table, run_a), (other, run_b) = (_read(results, r, scope) for r in (first, second))
    if first.data.sha256 != second.data.sha256 or not table.pairs_with(other):
        path = store.result_path(results, task, method_b)
        way_out = f"tool-bench run -t {task} -b {method_a},{method_b} --force"
        raise DataError(path, f"was made on other data than the result of {method_a}: {way_out}")
    pair = np.stack([table.scores[measure], other.scores[measure]], axis=1)
    gap = pair[:, 0] - pair[:, 1]
    mean_a, mean_b = (float(mean) for mean in table.weight @ pair)
    low, high = _interval(weighted_parts(gap[:, None], table.cluster, table.weight))
    p = float(p_values(pair, table.cluster, table.weight)[0, 1])
    variance = float(difference_variances(pair, table.cluster, table.weight)[0, 1])
    data = at_hand(task, first.data.sha256)
    return Comparison(
        task=task,
        scope=scope,
        measure=measure,
        headline=first.data.headline,
        method_a=method_a,
        method_b=method_b,
        queries=len(table.queries),
        clusters=int(table.cluster.max()) + 1,
        a=mean_a,
        b=mean_b,
        difference=mean_a - mean_b,
        low=low,
        high=high,
        p=p,
        wins=int((gap > TIE).sum()),
        ties=int((np.abs(gap) <= TIE).sum()),
        losses=int((gap < -TIE).sum()),
        more_queries=None if p <= ALPHA else more_queries(mean_a - mean_b, variance, len(gap)),
        slices=_stored_slices(first, second, scope, measure)
        if data.dataset is None
        else _slices(data.dataset, table, pair, first.data.headline),
        differing=differing(table.queries, pair, (run_a, run_b), top, data.dataset, scope),
        without_data=data.reason,
    )


def _stored(results: Path, task: str, *methods: str) -> list[Result]:
    """Return the stored result of each method, or say what is wrong with the names."""
    if len(set(methods)) < len(methods):
        raise UsageError(f"'{methods[0]}' is compared with itself; name two methods")
    names = {path.stem for path in results.glob("*/*.json")} | {*registry.tasks()}
    if task not in names:
        raise UnknownNameError("task", task, names)
    folders = {path.parent.name for path in results.glob(f"*/{task}.json")}
    for method in methods:
        if store.folder_name(method) not in folders:
            if method not in registry.baselines():
                raise UnknownNameError("method", method, {*folders, *registry.baselines()})
            raise UsageError(
                f"no result of {method} on {task} in {results}: "
                f"tool-bench run -t {task} -b {method} (results there: "
                f"{', '.join(sorted(folders)) or 'none'})"
            )
    return [store.read_result(store.result_path(results, task, method)) for method in methods]


def _read(results: Path, result: Result, scope: str) -> tuple[ScoreTable, Run]:
    folder = store.result_path(results, result.task, result.baseline).parent
    if scope not in result.scopes:
        raise DataError(folder / f"{result.task}.json", f"has no scope '{scope}'")
    stored = result.scopes[scope]
    return read_scores(folder / stored.per_query.name), read_run(folder / stored.run.name)


def _slices(
    dataset: ToolDataset, table: ScoreTable, pair: NDArray[np.float64], headline: str
) -> tuple[SliceDifference, ...]:
    """Return the difference on every slice and average of slices but the headline."""
    import numpy as np

    rows = {query: row for row, query in enumerate(table.queries)}
    members = {name: np.array([rows[q] for q in ids]) for name, ids in dataset.slices.items()}
    made_of: Mapping[str, Mapping[str, float]] = {
        **{name: {name: 1.0} for name in members},
        **dataset.averages,
    }
    slices = []
    for name, weights in made_of.items():
        if name == headline:
            continue
        parts, means, count = [], np.zeros(2), 0
        for part, weight in weights.items():
            own = members[part]
            _, cluster = np.unique(table.cluster[own], return_inverse=True)
            parts.append((weight, pair[own][:, :1] - pair[own][:, 1:], cluster))
            means += weight * pair[own].mean(axis=0)
            count += int(cluster.max()) + 1
        low, high = _interval(parts)
        slices.append(
            SliceDifference(
                name=name,
                queries=sum(len(members[part]) for part in weights),
                clusters=count,
                a=float(means[0]),
                b=float(means[1]),
                difference=float(means[0] - means[1]),
                low=low,
                high=high,
            )
        )
    return tuple(slices)


def _stored_slices(
    first: Result, second: Result, scope: str, measure: str
) -> tuple[SliceDifference, ...]:
    """Return the differences of the stored means; intervals need the task's data."""
    slices = []
    for name, scores in first.scopes[scope].slices.items():
        if name != first.data.headline:
            a = scores.measures[measure].value
            b = second.scopes[scope].slices[name].measures[measure].value
            slices.append(SliceDifference(name, scores.queries, None, a, b, a - b, None, None))
    return tuple(slices)


def _interval(parts: Sequence[Part]) -> tuple[float | None, float | None]:
    import numpy as np

    ((low, high),) = average_intervals(parts)
    return (None, None) if np.isnan(low) else (float(low), float(high))
