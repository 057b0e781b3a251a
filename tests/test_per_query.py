from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from tool_bench import store
from tool_bench.errors import DataError
from tool_bench.measures import MEASURES
from tool_bench.per_query import read_scores

HEADER = ",".join(["query", "cluster", "weight", *MEASURES])
ROW = "q1,0,1" + ",0.5" * len(MEASURES)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv.gz"
    scores = {m: {"a": 0.25, 'b,"': n / 10} for n, m in enumerate(MEASURES)}
    path.write_bytes(store.per_query_csv(scores, [7, 3], {"a": 2 / 3, 'b,"': 1 / 3}))
    table = read_scores(path)
    assert table.queries == ("a", 'b,"')
    assert table.cluster.tolist() == [1, 0]
    assert table.weight == pytest.approx(np.array([2 / 3, 1 / 3]), abs=1e-6)
    assert table.weight.sum() == pytest.approx(1, abs=1e-15)
    assert [table.scores[m].tolist() for m in MEASURES] == [
        [0.25, n / 10] for n in range(len(MEASURES))
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("query," + ",".join(MEASURES), "header: it was written before scores had clusters"),
        (HEADER.replace(",nDCG@10", ""), r"header: lacks column 'nDCG@10'"),
        ("", "header: lacks column 'query'"),
        (HEADER, "the weights add up to 0, expected 1"),
        (f"{HEADER}\n{ROW}\n{ROW}", "the weights add up to 2, expected 1"),
        (f"{HEADER}\nq1,0.5", "line 2: 2 cells, expected 12"),
        (f"{HEADER}\n{ROW.replace('0.5', 'half', 1)}", "line 2: is no row of scores: q1,0,1,half"),
        (f"{HEADER}\n{ROW.replace('0.5', 'nan', 1)}", "line 2: a value is out of range"),
        (f"{HEADER}\n{ROW.replace('0.5', '1.5', 1)}", "line 2: a value is out of range"),
        (f"{HEADER}\n{ROW.replace('0.5', '-0.5', 1)}", "line 2: a value is out of range"),
        (f"{HEADER}\n{ROW.replace('q1,0,', 'q1,0.5,')}", "line 2: a value is out of range"),
    ],
)
def test_a_bad_file_is_named_with_its_row(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "bad.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(DataError, match=f"bad.csv.gz(, |: ){problem}"):
        read_scores(path)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv.gz"
    with pytest.raises(DataError, match="does not exist"):
        read_scores(path)
    path.write_bytes(b"query,cluster")
    with pytest.raises(DataError, match="cannot be read"):
        read_scores(path)
