from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import fakes
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from tool_bench import cli, registry, store
from tool_bench.cli import compare as command
from tool_bench.comparison import compare
from tool_bench.errors import DataError, UnknownNameError, UsageError
from tool_bench.per_query import read_scores
from tool_bench.query_differences import differing
from tool_bench.stats import clusters, mean_intervals

METHODS = [fakes.OVERLAP, fakes.CONSTANT, fakes.baseline("unmeasured", fakes.load_overlap)]
TASKS = {"Tiny": fakes.TASK, "Other": fakes.OTHER}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two methods measured on a task of twelve queries."""
    folder = tmp_path_factory.mktemp("compare")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "tasks", lambda: TASKS)
        patch.setattr(registry, "baselines", lambda: {m.name: m for m in METHODS})
        patch.setenv("TOOL_BENCH_CACHE", str(folder / "cache"))
        with pytest.raises(SystemExit) as ended:
            cli.main(
                ["run", "-t", "Tiny", "-b", "overlap,constant", "--results", str(folder / "r")]
            )
        assert ended.value.code == 0
        yield folder / "r"


def show(folder: Path, *words: str) -> str:
    app = typer.Typer()
    app.command()(command.compare)
    found = CliRunner().invoke(
        app, [*words, "--results", str(folder)], env={"COLUMNS": "80"}, catch_exceptions=False
    )
    assert found.exit_code == 0
    return found.stdout


def test_the_difference_is_that_of_the_stored_means(measured: Path) -> None:
    found = compare(measured, "Tiny", "overlap", "constant", scope="scoped")
    stored = {
        name: store.read_result(store.result_path(measured, "Tiny", name)).scopes["scoped"]
        for name in ("overlap", "constant")
    }
    means = [stored[name].slices["all"].measures["nDCG@10"].value for name in stored]
    assert [found.a, found.b] == pytest.approx(means, abs=1e-6)
    assert found.difference == pytest.approx(means[0] - means[1], abs=2e-6)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.difference < found.high
    assert (found.queries, found.clusters) == (12, 12)
    assert found.wins + found.ties + found.losses == 12
    for part in found.slices:
        scores = stored["overlap"].slices[part.name]
        assert part.queries == scores.queries
        assert part.a == pytest.approx(scores.measures["nDCG@10"].value, abs=1e-6)
    assert [part.name for part in found.slices] == ["early", "late"]


def test_the_interval_is_that_of_the_mean_of_the_differences(measured: Path) -> None:
    found = compare(measured, "Tiny", "overlap", "constant", measure="MRR@10")
    rows = [measured / name / "Tiny.global.scores.csv.gz" for name in ("overlap", "constant")]
    a, b = (read_scores(path).scores["MRR@10"] for path in rows)
    relevance = fakes.dataset().relevance
    ((low, high),) = mean_intervals((a - b)[:, None], clusters(list(relevance), relevance))
    assert [found.low, found.high] == pytest.approx([low, high])
    late = found.slices[1]
    ((low, high),) = mean_intervals((a - b)[4:, None], range(8))
    assert late.name == "late"
    assert [late.low, late.high] == pytest.approx([low, high])


def test_swapping_the_methods_turns_everything_round(measured: Path) -> None:
    one = compare(measured, "Tiny", "overlap", "constant")
    other = compare(measured, "Tiny", "constant", "overlap")
    assert other.difference == -one.difference
    assert (other.wins, other.losses) == (one.losses, one.wins)
    assert other.p == one.p


def test_right_tools_and_both_rankings_are_shown_with_the_queries(measured: Path) -> None:
    found = compare(measured, "Tiny", "overlap", "constant", scope="scoped", top=3)
    assert len(found.differing) == 3
    first = found.differing[0]
    assert first.a > first.b
    number = int(first.query.removeprefix("q"))
    tool = fakes.dataset().tools[number]
    assert first.text == f"please {tool.description} now"
    assert first.golds == (tool.name,)
    assert first.ranking_a[0].tool == tool.id
    assert [ranked.gold for ranked in first.ranking_a].count(True) == 1
    assert len(first.ranking_b) == 4  # the provider's tools


def test_wins_and_losses_come_in_turn_largest_first() -> None:
    gaps = np.array([0.1, -0.2, 0.9, 0, -1, 0.5, 0.4])
    scores = np.stack([gaps, np.zeros(7)], axis=1)
    queries = [f"q{i}" for i in range(7)]
    found = differing(queries, scores, ({}, {}), 7, None, "global")
    assert [q.query for q in found] == ["q2", "q4", "q5", "q1", "q6", "q0"]


def test_without_the_data_ids_and_stored_slices_remain(
    measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "tasks", dict)
    found = compare(measured, "Tiny", "overlap", "constant")
    assert found.without_data == "task Tiny is not declared here"
    assert found.differing[0].text is None
    assert found.differing[0].golds is None
    assert found.differing[0].ranking_a[0].name is None
    assert [part.name for part in found.slices] == ["early", "late"]
    assert {part.low for part in found.slices} == {None}
    assert "n/a" in show(measured, "overlap", "constant", "-t", "Tiny")


def test_data_that_changed_since_is_not_mixed_in(
    measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = replace(fakes.TASK, build=fakes.build_other, name="Tiny")
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": changed})
    monkeypatch.setattr(
        "tool_bench.at_hand.dataset_hash", lambda dataset: f"hash of {dataset.name}"
    )
    found = compare(measured, "Tiny", "overlap", "constant")
    assert found.without_data is not None
    assert "has changed since" in found.without_data


def test_a_method_that_is_not_there_is_named_with_the_way_out(measured: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown method 'overlop': did you mean overlap"):
        compare(measured, "Tiny", "overlop", "constant")
    with pytest.raises(UsageError, match=r"no result of unmeasured .*run -t Tiny -b unmeasured"):
        compare(measured, "Tiny", "overlap", "unmeasured")
    with pytest.raises(UsageError, match="compared with itself"):
        compare(measured, "Tiny", "overlap", "overlap")
    with pytest.raises(UnknownNameError, match=r"unknown task 'tyny': did you mean Tiny"):
        compare(measured, "tyny", "overlap", "constant")
    with pytest.raises(UnknownNameError, match=r"unknown scope of Tiny 'scopd': did you mean"):
        compare(measured, "Tiny", "overlap", "constant", scope="scopd")
    with pytest.raises(UnknownNameError, match=r"unknown measure 'ndcg@10': did you mean nDCG@10"):
        compare(measured, "Tiny", "overlap", "constant", measure="ndcg@10")


def test_results_of_different_data_are_not_compared(measured: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    shutil.copytree(measured, folder)
    path = store.result_path(folder, "Tiny", "constant")
    record = json.loads(path.read_text())
    record["data"]["sha256"] = "0" * 64
    path.write_text(json.dumps(record))
    with pytest.raises(
        DataError, match=r"made on other data than the result of overlap: .*--force"
    ):
        compare(folder, "Tiny", "overlap", "constant")


def test_json_is_the_value_that_the_library_returns(measured: Path) -> None:
    printed = show(measured, "overlap", "constant", "-t", "Tiny", "--json", "--top", "2")
    found = compare(measured, "Tiny", "overlap", "constant", top=2)
    assert json.loads(printed) == json.loads(json.dumps(asdict(found)))


def test_the_text_fits_a_terminal_and_says_what_it_found(measured: Path) -> None:
    text = show(measured, "overlap", "constant", "-t", "Tiny", "--scope", "scoped")
    assert max(map(len, text.splitlines())) <= 80
    assert "nDCG@10 over 12 queries (12 sets of right tools)" in text
    assert "overlap is better beyond chance." in text
    assert "* fewer than 50 sets of right tools" in text
    assert "✓ create_employee" in text
    turned = show(measured, "constant", "overlap", "-t", "Tiny", "--scope", "scoped", "--top", "0")
    assert "overlap is better beyond chance." in turned
    assert "Largest" not in turned
