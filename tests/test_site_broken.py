"""What is wrong with one file costs the board that file alone, and is told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from fake_reports import put, source
from page import result, text

from tool_bench import registry, store
from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError
from tool_bench.leaderboard.build import build


def test_a_broken_result_is_left_out_and_named(tmp_path: Path) -> None:
    results = tmp_path / "results"
    store.write(results, *result())
    store.write(results, *result(baseline="hurt"))
    assert build(results, tmp_path / "public")[1] == []
    (results / "hurt" / "Tiny.global.run.gz").unlink()
    for _ in range(2):  # a second build says so again
        page, (problem,) = build(results, tmp_path / "public")
        assert "Tiny.global.run.gz: is not the file its result names" in str(problem)
        assert "hurt" not in page.read_text(encoding="utf-8")


def test_a_broken_reported_file_is_left_out_and_named(tmp_path: Path) -> None:
    store.write(tmp_path / "results", *result())
    put(tmp_path / "results", source(published="soon"), "hurt")
    put(tmp_path / "results", source(), "whole")
    for _ in range(2):  # a second build says so again
        page, (problem,) = build(tmp_path / "results", tmp_path / "public")
        assert "hurt.yaml, published: " in str(problem)
        assert text(page, "reported.html").count("A paper") == 1


def test_a_copied_result_is_named_and_counted_once(tmp_path: Path) -> None:
    results = tmp_path / "results"
    store.write(results, *result())
    shutil.copytree(results / "overlap", results / "overlap.bak")
    page, (problem,) = build(results, tmp_path / "public")
    assert "overlap.bak" in str(problem)
    assert "belongs at" in str(problem)
    assert "1 method on 1 task, 1 result" in text(page)


def test_damaged_data_is_told_and_the_board_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> ToolDataset:
        raise DataError("rows.csv", "2 cells, expected 3", "row 7")

    tasks = {"Tiny": replace(fakes.TASK, build=broken)}
    monkeypatch.setattr(registry, "tasks", lambda: tasks)
    store.write(tmp_path / "results", *result())
    for _ in range(2):
        page, (problem,) = build(tmp_path / "results", tmp_path / "public")
        assert "row 7" in str(problem)
        assert "its data is damaged" in text(page, "tasks/Tiny.html")
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK})
    page, problems = build(tmp_path / "results", tmp_path / "public")
    assert problems == []
    assert "please create an employee now" in text(page, "tasks/Tiny.html")


def test_a_broken_record_of_verdicts_costs_the_verdicts_alone(tmp_path: Path) -> None:
    store.write(tmp_path / "results", *result())
    (tmp_path / "results" / "reproduced.json").write_text('{"cells": 1}')
    page, (problem,) = build(tmp_path / "results", tmp_path / "public")
    assert "reproduced.json" in str(problem)
    assert "overlap" in text(page)
