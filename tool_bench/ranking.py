"""Ranks that say what is proven: how many methods are better beyond chance.

The rank of a method is 1 + the number of methods that are significantly better, by the paired
randomisation test on every pair of a table with Holm's correction over all pairs
(docs/decisions/0012-ranks-over-all-pairs.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tool_bench.data.paths import cache_folder
from tool_bench.errors import DataError, ToolBenchError
from tool_bench.fingerprint import code_only

if TYPE_CHECKING:
    from tool_bench.per_query import ScoreTable

RANKED_BY = "nDCG@10"
_DIGITS = 9  # means that differ by less are equal


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a method stands in its table."""

    rank: int
    """1 + the number of methods that are significantly better; several can share one."""
    p: float | None
    """That it is as good as the table's best, corrected for all pairs; None for the best."""
    rival: str | None
    """The best method above it that it cannot be told apart from; None where there is none."""
    more_queries: int | None
    """Estimate of how many more queries would separate it from its rival; None without a rival
    and where the two score the same."""


def rank_table(rows: Sequence[tuple[str, Path, str]]) -> dict[str, Standing]:
    """Return the standing of every method of one table; they are remembered in the user's cache.

    Args:
        rows: for each method its name, its per-query file and that file's sha256, in any order.

    Raises:
        DataError: a file cannot be read, or scores other queries than the first.
    """
    rows = sorted(rows)
    place = cache_folder() / "statistics" / f"{_key(rows)}.json"
    remembered = _recall(place)
    if remembered is not None:
        return remembered
    from tool_bench.per_query import read_scores

    tables = {name: read_scores(path) for name, path, _ in rows}
    paths = {name: path for name, path, _ in rows}
    first = rows[0][0]
    for name, table in tables.items():
        if not tables[first].pairs_with(table):
            raise DataError(paths[name], f"scores other queries than {paths[first]}")
    standings = rank(tables)
    _remember(place, standings)
    return standings


def rank(tables: Mapping[str, ScoreTable]) -> dict[str, Standing]:
    """Return the standing of each method, best mean first, equal means by name.

    Args:
        tables: method -> its scores; all score the same queries.
    """
    import numpy as np

    from tool_bench.significance import ALPHA, DRAWS, difference_variances, holm, more_queries
    from tool_bench.significance import p_values as test_pairs

    names = sorted(tables)
    shared = tables[names[0]]
    scores = np.stack([tables[name].scores[RANKED_BY] for name in names], axis=1)
    means = (shared.weight @ scores).round(_DIGITS)
    order = np.argsort(-means, kind="stable")
    names = [names[i] for i in order]
    scores, means = scores[:, order], means[order]

    pairs = np.triu_indices(len(names), 1)
    draws = max(DRAWS, int(2 * len(pairs[0]) / ALPHA))
    p = np.ones((len(names), len(names)))
    p[pairs] = holm(test_pairs(scores, shared.cluster, shared.weight, draws=draws)[pairs])
    better = (p <= ALPHA) & (means[:, None] > means)
    level = ALPHA / max(1, len(pairs[0]) - int(better.sum()))
    variances = difference_variances(scores, shared.cluster, shared.weight)

    standings = {}
    for row, name in enumerate(names):
        rival = next((i for i in range(row) if not better[i, row]), None)
        standings[name] = Standing(
            rank=1 + int(better[:, row].sum()),
            p=float(p[0, row]) if row else None,
            rival=None if rival is None else names[rival],
            more_queries=None
            if rival is None
            else more_queries(
                float(means[rival] - means[row]),
                float(variances[rival, row]),
                len(shared.queries),
                level,
            ),
        )
    return standings


def _key(rows: Sequence[tuple[str, Path, str]]) -> str:
    content = [_code(), [(name, sha256) for name, _, sha256 in rows]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _code() -> list[str]:
    """Return the code that makes a standing: one that was remembered from other code is dropped."""
    folder = Path(__file__).resolve().parent
    modules = ("ranking", "significance", "per_query", "stats")
    return [code_only((folder / f"{name}.py").read_text(encoding="utf-8")) for name in modules]


def _recall(place: Path) -> dict[str, Standing] | None:
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
        return {name: Standing(**fields) for name, fields in record.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _remember(place: Path, standings: Mapping[str, Standing]) -> None:
    from contextlib import suppress

    from tool_bench.store import write_atomically

    text = json.dumps({name: asdict(standing) for name, standing in standings.items()})
    with suppress(ToolBenchError):  # the next run computes it again
        write_atomically({place: text.encode("utf-8")})
