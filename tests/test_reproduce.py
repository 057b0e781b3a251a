from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fakes
import numpy as np
import pytest
from test_harness import Recorder

from tool_bench import harness, hub, registry, reproduced, store
from tool_bench.baseline import Baseline
from tool_bench.cli.reproduce import reproduce as command
from tool_bench.data.paths import own_cache
from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError, UnknownNameError, UsageError
from tool_bench.harness import run_cells
from tool_bench.plan import Cell, Outcome, make_plan
from tool_bench.reproduce import Reproduction, judge, method_of, pick, tolerance
from tool_bench.results import Estimate, Result, TokenUse
from tool_bench.task import Files, Task
from tool_bench.vectors import VectorStore


def build_with_another_word(_: Files) -> ToolDataset:
    data = fakes.dataset()
    return replace(data, queries=tuple(replace(q, text=f"{q.text}!") for q in data.queries))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with one real cell."""
    results = tmp_path_factory.mktemp("made")
    run_cells(make_plan([fakes.TASK], [fakes.OVERLAP], results), results, Recorder())
    return results


@pytest.fixture
def stored(made: Path) -> Result:
    return store.read_result(made / "overlap" / "Tiny.json")


@pytest.fixture
def results(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    folder = tmp_path / "results"
    for path in made.glob("*/*"):
        target = folder / path.relative_to(made)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return folder


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Callable[[Task, Baseline], None]:
    """Let the registry hold one task and one method."""

    def put(task: Task, baseline: Baseline) -> None:
        monkeypatch.setattr(registry, "tasks", lambda: {task.name: task})
        monkeypatch.setattr(registry, "baselines", lambda: {baseline.name: baseline})

    put(fakes.TASK, fakes.OVERLAP)
    return put


def moved(result: Result, by: float, scope: str, slice_: str, measure: str = "nDCG@10") -> Result:
    """Return ``result`` with one mean moved."""
    scores = result.scopes[scope]
    old = scores.slices[slice_].measures[measure]
    new = Estimate(value=old.value + by, low=old.low, high=old.high)
    measures = {**scores.slices[slice_].measures, measure: new}
    changed = scores.slices[slice_].model_copy(update={"measures": measures})
    slices = {**scores.slices, slice_: changed}
    scopes = {**result.scopes, scope: scores.model_copy(update={"slices": slices})}
    return result.model_copy(update={"scopes": scopes})


@pytest.mark.usefixtures("declare")
def test_an_untouched_cell_is_ok_and_stays_as_it_is(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    before = {p: p.read_bytes() for p in results.rglob("*") if p.is_file()}
    assert command(["Tiny/overlap"], results=results) == 0
    out = capsys.readouterr().out
    assert "1 cell: 1 OK." in out
    assert "1.000000 1.000000 0.000000" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
    assert {p: p.read_bytes() for p in results.rglob("*") if p.is_file()} == before


def test_another_ranking_fails_and_json_says_where(
    results: Path, declare: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    declare(fakes.TASK, fakes.baseline("overlap", fakes.load_constant))
    assert command([], everything=True, as_json=True, record=True, results=results) == 1
    out, err = capsys.readouterr()
    (record,) = json.loads(out)
    assert err == ""
    assert record["verdict"] == "FAIL"
    assert record["stored"]["Hit@1"] == 1 > record["now"]["Hit@1"]
    assert record["worst"]["differs"] > record["worst"]["tolerance"]
    assert "the method's code or settings changed" in record["changed"]
    kept = reproduced.current_verdicts(results)["Tiny/overlap"]
    assert (kept.verdict, kept.difference) == ("FAIL", record["worst"]["differs"])
    assert store.read_results(results)[1] == []  # the file of verdicts is no result


def test_changed_data_fails_with_its_reason(
    results: Path, declare: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    declare(replace(fakes.TASK, build=build_with_another_word), fakes.OVERLAP)
    assert command(["Tiny/overlap"], results=results) == 1
    assert "FAIL Tiny/overlap: other data: sha256" in capsys.readouterr().out


def test_what_cannot_run_fails_and_what_lacks_something_does_not(
    results: Path, declare: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    declare(fakes.TASK, fakes.baseline("overlap", fakes.load_unavailable))
    assert command(["Tiny/overlap"], record=True, results=results) == 0
    assert "unavailable Tiny/overlap: needs a unicorn" in capsys.readouterr().out
    assert reproduced.read_verdicts(results).cells == {}
    declare(fakes.TASK, fakes.baseline("overlap", fakes.load_raises))
    assert command(["Tiny/overlap"], record=True, results=results) == 1
    assert "FAIL Tiny/overlap: ZeroDivisionError: no luck" in capsys.readouterr().out
    assert reproduced.read_verdicts(results).cells["Tiny/overlap"].verdict == "FAIL"


def test_verdicts_by_how_far_off(stored: Result) -> None:
    many = stored
    for scope in stored.scopes:
        slices = {
            name: scores.model_copy(update={"queries": 2_000})
            for name, scores in stored.scopes[scope].slices.items()
        }
        held = many.scopes[scope].model_copy(update={"slices": slices})
        many = many.model_copy(update={"scopes": {**many.scopes, scope: held}})

    def verdict(new: Result) -> str:
        return judge(many, new, 1 / 2_000).verdict

    assert verdict(many) == "OK"
    assert verdict(moved(many, -4e-7, "global", "all")) == "OK"
    assert verdict(moved(many, -0.0009, "scoped", "all", "MRR@10")) == "OKish"
    assert verdict(moved(many, -0.0011, "scoped", "all", "MRR@10")) == "FAIL"
    assert verdict(moved(many, -0.2, "global", "late")) == "OKish"  # no headline
    off = moved(many, -0.002, "global", "all")
    assert judge(many, off, 0.0025).verdict == "OKish"  # one query that weighs so much
    assert judge(many, moved(many, -0.2, "global", "late"), 0).reason.endswith("of slices differ")
    assert judge(many, moved(many, -0.5, "global", "all"), 0).reason.startswith("global nDCG@10")
    fewer = many.model_copy(update={"scopes": {"global": many.scopes["global"]}})
    assert "other scopes" in judge(many, fewer, 0).reason


def test_tolerances(stored: Result) -> None:
    assert tolerance(stored, "global", "Hit@1", 1 / 12) == 1 / 12  # one query of twelve
    assert tolerance(stored, "global", "Hit@1", 1 / 5_000) == 0.001
    assert stored.cost is not None
    use = TokenUse(fresh=1, cache_write=0, cache_read=0, output=1)
    cost = stored.cost.model_copy(update={"tokens": use})
    wide = moved(stored, 0, "global", "all")
    scores = wide.scopes["global"].slices["all"].measures
    scores["nDCG@10"] = Estimate(value=0.5, low=0.3, high=0.7)
    assert tolerance(wide, "global", "nDCG@10", 1 / 12) == 1 / 12
    paid = wide.model_copy(update={"cost": cost})
    assert tolerance(paid, "global", "nDCG@10", 1 / 12) == pytest.approx(0.2)


def test_what_changed_since_is_named(stored: Result) -> None:
    then = stored.provenance
    packages = {**then.packages, "numpy": "0.1", "gone": "1"}
    hardware = then.hardware.model_copy(update={"cpu": "abacus"})
    update = {"packages": packages, "code_revision": "f" * 40, "dirty": False, "hardware": hardware}
    old = stored.model_copy(update={"provenance": then.model_copy(update=update)})
    found = judge(old, stored, 1 / 12)
    assert found.verdict == "OK"
    assert found.elsewhere
    assert f"numpy 0.1 -> {then.packages['numpy']}" in found.changed
    assert "gone 1 -> none" in found.changed
    assert any(text.startswith("code ffffffff -> ") for text in found.changed)


@pytest.mark.usefixtures("declare")
def test_names_that_are_not_there(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="'Tiny' names no cell: give TASK/BASELINE"):
        pick(results, ["Tiny"])
    with pytest.raises(UnknownNameError, match="did you mean Tiny/overlap"):
        pick(results, ["Tiny/overlop"])
    with pytest.raises(UsageError, match="give cells as TASK/BASELINE, or --all"):
        command([], results=results)
    monkeypatch.setattr(
        registry, "baselines", lambda: {"new": fakes.baseline("new", fakes.load_overlap)}
    )
    with pytest.raises(
        UsageError, match=r"no result of Tiny/new in .*: tool-bench run --tasks Tiny"
    ):
        pick(results, ["Tiny/new"])
    (results / "overlap" / "Tiny.json").write_text("{}")
    with pytest.raises(DataError, match=r"Tiny\.json, .*run the cell again"):
        pick(results, ["Tiny/overlap"])


def test_the_model_of_the_stored_command_is_taken(
    stored: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None]] = []

    def model_baseline(name: str, revision: str | None = None) -> Baseline:
        asked.append((name, revision))
        return fakes.baseline(name, fakes.load_overlap)

    monkeypatch.setattr(hub, "model_baseline", model_baseline)
    line = "python -m tool_bench run --tasks Tiny --model own/er --revision abc --force"
    provenance = stored.provenance.model_copy(update={"command": line})
    result = stored.model_copy(update={"baseline": "own/er", "provenance": provenance})
    assert method_of(result).name == "own/er"
    assert asked == [("own/er", "abc")]
    with pytest.raises(Exception, match="is another one now: own/er"):
        method_of(result.model_copy(update={"baseline": "local/model-0123"}))


def test_a_hub_name_is_split_at_the_first_slash(results: Path, stored: Result) -> None:
    hub_result = stored.model_copy(update={"baseline": "own/er"})
    files = {
        f.name: (results / "overlap" / f.name).read_bytes()
        for s in stored.scopes.values()
        for f in (s.run, s.per_query)
    }
    store.write(results, hub_result, files)
    (found,), _ = pick(results, ["Tiny/own/er"])
    assert found.baseline == "own/er"


def test_nothing_computed_before_is_read(tmp_path: Path) -> None:
    cache = Path(os.environ["TOOL_BENCH_CACHE"])
    (cache / "data").mkdir(parents=True)
    (cache / "data" / "file").write_text("x")
    VectorStore("e").put(["text"], np.ones((1, 2), dtype=np.float32), 1.0)
    assert VectorStore("e").get(["text"])
    with own_cache() as fresh:
        own = Path(os.environ["TOOL_BENCH_CACHE"])
        assert VectorStore("e").get(["text"]) == {}
        assert (own / "data" / "file").read_text() == "x"
        assert not fresh.exists()
    assert os.environ["TOOL_BENCH_CACHE"] == str(cache)
    assert not own.exists()
    assert (cache / "data" / "file").is_file()


@pytest.mark.usefixtures("declare")
def test_an_interrupt_keeps_the_verdicts_there_are(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(
        cells: list[Cell], folder: Path, watcher: harness.Watcher, max_usd: float | None
    ) -> list[Outcome]:
        watcher.finished(Outcome(cells[0], "failed", "broke"))
        raise KeyboardInterrupt

    monkeypatch.setattr(harness, "run_cells", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command(["Tiny/overlap"], record=True, results=results)
    assert "FAIL Tiny/overlap: broke" in capsys.readouterr().out
    assert reproduced.current_verdicts(results)["Tiny/overlap"].reason == "broke"
    assert "tool-bench-" not in os.environ["TOOL_BENCH_CACHE"]


def test_a_verdict_goes_with_the_result_it_is_of(results: Path, stored: Result) -> None:
    reproduced.record(results, Reproduction(stored, "OK", new=stored))
    assert set(reproduced.current_verdicts(results)) == {"Tiny/overlap"}
    path = results / "overlap" / "Tiny.json"
    path.write_text(path.read_text() + " ")
    assert reproduced.current_verdicts(results) == {}
    assert set(reproduced.read_verdicts(results).cells) == {"Tiny/overlap"}
    (results / reproduced.FILE).write_text('{"schema_version": 9, "cells": {}}')
    with pytest.raises(DataError, match=r"reproduced\.json, schema_version"):
        reproduced.read_verdicts(results)
