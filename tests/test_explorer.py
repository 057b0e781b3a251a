"""The explorer's pieces say what the runs and scores say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic

from tool_bench.errors import DataError
from tool_bench.leaderboard import explorer
from tool_bench.leaderboard.packed import DIGITS, packed
from tool_bench.leaderboard.rankings import read_rankings
from tool_bench.leaderboard.scores import scores_of
from tool_bench.runs import gzip_fixed, read_run

METHODS = ("one", "two", "three")


def unpacked(text: str, width: int) -> list[int]:
    digits = [DIGITS.index(digit) for digit in text]
    return [
        sum(d * 64 ** (width - 1 - at) for at, d in enumerate(digits[start : start + width]))
        for start in range(0, len(digits), width)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    synthetic.put(tmp_path, synthetic.dataset("Data", 120, 50), METHODS)
    return tmp_path


def pieces(folder: Path, *, with_data: bool = True) -> dict[str, Any]:
    data = synthetic.dataset("Data", 120, 50)
    scores = scores_of([(m, folder / m / "Data.global.scores.csv.gz") for m in METHODS])
    runs = read_rankings([folder / m / "Data.global.run.gz" for m in METHODS], scores.queries)
    table = explorer.explored(
        scores, runs, {m: m for m in METHODS}, data if with_data else None, "global"
    )
    found = {}
    for name, content in explorer.files(table):
        assert content.startswith(f'toolBench.put("{name.removesuffix(".js")}",')
        found[name] = json.loads(content[content.index(",") + 1 : content.rindex(")")])
    return found


def test_rankings_golds_and_names_are_those_of_run_and_data(folder: Path) -> None:
    found = pieces(folder)
    data = synthetic.dataset("Data", 120, 50)
    names = {tool.id: tool for tool in data.tools}
    ids = found["index.js"]["ids"]
    assert ids == [query.id for query in data.queries]
    for place, method in enumerate(METHODS):
        run = read_run(folder / method / "Data.global.run.gz")
        for row, query in enumerate(ids):
            piece = found[f"rank-{row // explorer.RANKS}.js"]
            own = unpacked(piece["ranked"][row % explorer.RANKS], 3)[place * 10 : place * 10 + 10]
            ranked = [piece["tools"][at - 1] for at in own if at]
            assert [tool[0] for tool in ranked] == [tool for tool, _ in run[query]]
            for tool_id, name, provider in ranked:
                assert (name, provider) == (names[tool_id].name, names[tool_id].provider)
            golds = [piece["tools"][at][0] for at in piece["gold"][row % explorer.RANKS]]
            assert golds == list(data.relevance[query])


def test_scores_means_and_slices_are_those_of_the_files(folder: Path) -> None:
    found = pieces(folder)
    scores = scores_of([(m, folder / m / "Data.global.scores.csv.gz") for m in METHODS])
    for place in range(len(METHODS)):
        told = np.array(unpacked(found[f"score-{place}.js"], 3)) / explorer.TOP
        assert told == pytest.approx(scores.values[:, place], abs=1 / explorer.TOP)
    index = found["index.js"]
    mean = np.array(unpacked(index["mean"], 3)) / explorer.TOP
    assert mean == pytest.approx(scores.values.mean(axis=1), abs=1 / explorer.TOP)
    slices = dict(index["slices"])
    bits = "".join(f"{digit:06b}" for digit in unpacked(slices["odd"], 1))
    assert bits[:120] == "01" * 60
    assert found["text-0.js"]["queries"][7] == ["please do 7", ""]


def test_without_data_ids_stand_for_texts(folder: Path) -> None:
    found = pieces(folder, with_data=False)
    assert found["index.js"]["texts"] == 0
    assert not [name for name in found if name.startswith("text")]
    assert found["rank-0.js"]["gold"][0] == []
    assert all(len(tool) == 1 for tool in found["rank-0.js"]["tools"])


def test_a_short_ranking_ends_and_an_empty_run_is_none(tmp_path: Path) -> None:
    short, empty = tmp_path / "short.run.gz", tmp_path / "empty.run.gz"
    short.write_bytes(gzip_fixed("q2 Q0 b 1 0.5 m\nq2 Q0 a 2 0.4 m\nother Q0 a 1 0.4 m\n"))
    empty.write_bytes(gzip_fixed(""))
    found = read_rankings([short, empty], ["q1", "q2"])
    assert found.ranked.shape == (2, 2, 10)
    names = [found.tools[at] for at in found.ranked[1, 0] if at >= 0]
    assert names == ["b", "a"]
    assert (found.ranked[0] == -1).all()
    assert (found.ranked[:, 1] == -1).all()


def test_a_file_that_is_no_run_is_named(tmp_path: Path) -> None:
    path = tmp_path / "hurt.run.gz"
    for content in (gzip_fixed("q1 Q0 b one 0.5 m\n"), gzip_fixed("q1\n"), b"no gzip"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"hurt\.run\.gz"):
            read_rankings([path], ["q1"])


@pytest.mark.parametrize(("width", "highest"), [(1, 63), (2, 4095), (3, 262143)])
def test_packing_keeps_numbers(width: int, highest: int) -> None:
    numbers = [0, 1, highest // 2, highest]
    assert unpacked(packed(numbers, width), width) == numbers
