from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import fakes
import pytest

from tool_bench import plan, registry
from tool_bench.baseline import Baseline, Needs, Weights
from tool_bench.fingerprint import baseline_hash
from tool_bench.plan import make_plan, stay_offline
from tool_bench.retriever import Spent
from tool_bench.task import Source

WEIGHTS = Weights("owner/model", "0123abcd")


def note(baseline: Baseline, results: Path) -> tuple[str, str]:
    (cell,) = make_plan([fakes.TASK], [baseline], results)
    return cell.state, cell.note


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        (Needs(modules=("no_such_module",), extra="llm"), r"pip install 'tool-bench[llm]'"),
        (Needs(key="NO_SUCH_KEY"), "needs an API key in NO_SUCH_KEY"),
        (Needs(memory_gib=64), "needs 64 GiB of memory; this machine has 8"),
        (Needs(weights=WEIGHTS), "weights of owner/model are not on this machine"),
    ],
)
def test_what_is_lacking_is_said_before_anything_runs(
    needs: Needs, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(plan, "memory_bytes", lambda: 8 * 2**30)
    state, why = note(replace(fakes.OVERLAP, needs=needs), tmp_path)
    assert state == "unavailable"
    assert expected in why


def test_what_is_there_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("A_KEY", "secret")
    monkeypatch.setattr(plan, "memory_bytes", lambda: 0)  # a system that does not tell
    (tmp_path / "hub" / "models--owner--model" / "snapshots" / "0123abcd").mkdir(parents=True)
    needs = Needs(modules=("json",), key="A_KEY", memory_gib=64, weights=WEIGHTS, providers=True)
    assert note(replace(fakes.OVERLAP, needs=needs), tmp_path) == ("to run", "")


def test_a_task_without_providers_is_not_for_every_method(tmp_path: Path) -> None:
    baseline = replace(fakes.OVERLAP, needs=Needs(providers=True))
    (cell,) = make_plan([replace(fakes.TASK, providers=0)], [baseline], tmp_path)
    assert (cell.state, cell.note) == ("unavailable", "needs tools with providers; Tiny names none")


def test_a_method_needs_what_its_parts_need_and_changes_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = replace(fakes.OVERLAP, needs=Needs(key="NO_SUCH_KEY"))
    whole = replace(fakes.CONSTANT, parts=("overlap",))
    known = {"overlap": part, "constant": whole}
    monkeypatch.setattr(registry, "baselines", lambda: known)
    assert note(whole, tmp_path) == ("unavailable", "needs an API key in NO_SUCH_KEY")
    before = baseline_hash(whole)
    known["overlap"] = replace(part, settings={"k1": 2})
    assert baseline_hash(whole) != before


def test_nothing_is_paid_for_unasked(tmp_path: Path) -> None:
    baseline = replace(fakes.OVERLAP, expected=lambda _: Spent(usd=300))
    state, why = note(baseline, tmp_path)
    assert state == "unavailable"
    assert "'run --max-usd' allows it" in why
    (cell,) = make_plan([fakes.TASK], [baseline], tmp_path, paid=True)
    assert cell.state == "to run"


def test_a_declared_models_weights_are_not_fetched_by_its_cell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A download that was broken off leaves a folder, which must not be completed unasked."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    stay_offline(fakes.OVERLAP)
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    stay_offline(replace(fakes.OVERLAP, needs=Needs(weights=WEIGHTS)))
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_a_big_task_is_fetched_only_when_it_is_asked_for(tmp_path: Path) -> None:
    source = Source("rows.parquet", "https://hub.invalid/rows", "0123abcd", "00" * 32, 2, "mit")
    task = replace(fakes.TASK, sources=(source,), on_demand=True)
    (cell,) = make_plan([task], [fakes.OVERLAP], tmp_path)
    assert cell.state == "unavailable"
    assert "only 'run --tasks Tiny' runs it" in cell.note
    (cell,) = make_plan([task], [fakes.OVERLAP], tmp_path, asked=["Tiny"])
    assert cell.state == "to run"
    here = replace(task, sources=())  # also when its data is here: it takes hours
    (cell,) = make_plan([here], [fakes.OVERLAP], tmp_path)
    assert cell.state == "unavailable"


def test_data_that_only_a_mirror_offers_needs_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source("rows.json", None, "0123abcd", "00" * 32, 2, "mit")
    task = replace(fakes.TASK, sources=(source,))
    (cell,) = make_plan([task], [fakes.OVERLAP], tmp_path, asked=["Tiny"])
    assert cell.state == "unavailable"
    assert "set TOOL_BENCH_MIRROR" in cell.note
    monkeypatch.setenv("TOOL_BENCH_MIRROR", str(tmp_path))
    (cell,) = make_plan([task], [fakes.OVERLAP], tmp_path)
    assert "and the one set lacks rows.json" in cell.note
    (tmp_path / "rows.json").write_text("[]")
    (cell,) = make_plan([task], [fakes.OVERLAP], tmp_path)
    assert cell.state == "to run"
