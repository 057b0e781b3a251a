from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tool_bench import per_query, store
from tool_bench.data.paths import cache_folder
from tool_bench.errors import DataError
from tool_bench.measures import MEASURES
from tool_bench.ranking import rank_table

Row = tuple[str, Path, str]


def write(
    folder: Path,
    methods: Mapping[str, Sequence[float]],
    cluster: Sequence[int] | None = None,
) -> list[Row]:
    """Store one per-query file for each method; every measure has the same scores."""
    rows = []
    for name, scores in methods.items():
        ids = [f"q,{i}" for i in range(len(scores))]
        data = store.per_query_csv(
            {measure: dict(zip(ids, scores, strict=True)) for measure in MEASURES},
            range(len(ids)) if cluster is None else cluster,
            dict.fromkeys(ids, 1 / len(ids)),
        )
        path = folder / f"{name}.scores.csv.gz"
        path.write_bytes(data)
        rows.append((name, path, hashlib.sha256(data).hexdigest()))
    return rows


def ladder(queries: int = 200) -> dict[str, list[float]]:
    """One method far ahead, two that differ by chance, one far behind."""
    rng = np.random.default_rng(1)
    level = {"best": 0.9, "middle": 0.5, "middling": 0.5, "worst": 0.1}
    return {n: (rng.random(queries) < share).astype(float).tolist() for n, share in level.items()}


def test_a_rank_counts_the_methods_that_are_better_beyond_chance(tmp_path: Path) -> None:
    standings = rank_table(write(tmp_path, ladder()))
    assert next(iter(standings)) == "best"
    assert {name: s.rank for name, s in standings.items()} == {
        "best": 1,
        "middle": 2,
        "middling": 2,
        "worst": 4,
    }
    first, second, third, last = standings.values()
    assert (first.p, first.rival, first.more_queries) == (None, None, None)
    assert second.p is not None
    assert second.p < 0.001
    assert second.rival is None
    assert third.rival == list(standings)[1]
    assert third.more_queries is not None
    assert third.more_queries > 200
    assert last.rival is None


def test_equal_methods_share_everything_and_no_number_of_queries_separates_them(
    tmp_path: Path,
) -> None:
    scores = ladder()["middle"]
    standings = rank_table(write(tmp_path, {"b": scores, "a": scores}))
    assert list(standings) == ["a", "b"]
    assert standings["b"].rank == 1
    assert standings["b"].p == 1
    assert standings["b"].rival == "a"
    assert standings["b"].more_queries is None


def test_a_single_method_ranks_first(tmp_path: Path) -> None:
    (standing,) = rank_table(write(tmp_path, {"only": [0.0, 1.0]})).values()
    assert standing.rank == 1


def test_the_order_of_the_rows_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = write(tmp_path, ladder())
    expected = rank_table(rows)
    for number, shuffled in enumerate(itertools.permutations(rows)):
        monkeypatch.setenv("TOOL_BENCH_CACHE", str(tmp_path / str(number)))
        found = rank_table(shuffled)
        assert found == expected
        assert list(found) == list(expected)


def test_correcting_takes_more_evidence_the_more_methods_there_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    near = {"a": rng.random(200) * 0.3 + 0.4, "b": rng.random(200) * 0.3 + 0.42}
    two = rank_table(write(tmp_path, {n: s.tolist() for n, s in near.items()}))
    others = {f"z{i}": rng.random(200) * 0.3 for i in range(10)}
    many = rank_table(write(tmp_path, {n: s.tolist() for n, s in (near | others).items()}))
    assert two["a"].p is not None
    assert many["a"].p is not None
    assert two["a"].p < many["a"].p


def test_what_was_computed_is_read_back_and_only_for_the_same_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = write(tmp_path, ladder())
    expected = rank_table(rows)
    reads: list[Path] = []

    def read(path: Path) -> per_query.ScoreTable:
        reads.append(path)
        return original(path)

    original = per_query.read_scores
    monkeypatch.setattr(per_query, "read_scores", read)
    began = time.perf_counter()
    for _ in range(10):
        assert rank_table(rows) == expected
    assert time.perf_counter() - began < 0.5
    assert reads == []

    changed = write(tmp_path, {**ladder(), "middle": [1.0] * 200})
    assert rank_table(changed)["middle"].rank == 1
    assert len(reads) == 4

    for kept in (cache_folder() / "statistics").iterdir():
        kept.write_text("{")
    assert rank_table(changed)["middle"].rank == 1
    assert len(reads) == 8


def test_files_that_score_other_queries_are_refused(tmp_path: Path) -> None:
    rows = write(tmp_path, {"a": [0.0, 1.0, 1.0]}) + write(tmp_path, {"b": [0.0, 1.0]})
    with pytest.raises(DataError, match=r"b\.scores\.csv\.gz: scores other queries than .*a\."):
        rank_table(rows)


@pytest.mark.slow
def test_ten_tables_of_21_methods_take_less_than_20_s(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    tables = []
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        shared = rng.random(2_000)
        methods = {
            f"m{i}": np.clip(shared + rng.normal(0.01 * i, 0.3, 2_000), 0, 1).tolist()
            for i in range(21)
        }
        tables.append(write(folder, methods, [*range(1_500), *range(500)]))
    for limit in (20, 0.5):
        began = time.perf_counter()
        for rows in tables:
            rank_table(rows)
        assert time.perf_counter() - began < limit
