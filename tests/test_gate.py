"""The gate's rules, and how often it errs on simulated models whose truth is known."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from tool_bench import registry
from tool_bench.cli import gate as command
from tool_bench.errors import UsageError
from tool_bench.significance import ALPHA
from tool_bench.training import promotion
from tool_bench.training.gate import MARGIN, Paired, Row, Verdict, decide
from tool_bench.training.production import Model
from tool_bench.training.promotion import Decision

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "gate_check.py"


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gate_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gate_check"] = module
    spec.loader.exec_module(module)
    return module


def paired(gaps: NDArray[np.float64] | list[float], task: str = "a") -> Paired:
    """A test whose queries are clusters of their own, with these differences."""
    gap = np.asarray(gaps, dtype=float)
    n = len(gap)
    return Paired(task, "global", 0.5 + gap, np.full(n, 0.5), np.arange(n), np.full(n, 1 / n))


RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 0.1, 300)
NOISE -= NOISE.mean()
"""Differences of two models of the same mean: its standard error is about .006."""


def test_the_same_model_is_refused_as_not_better() -> None:
    verdict = decide([paired(np.zeros(100)), paired(np.zeros(100), "b")])
    assert (verdict.passed, verdict.rule) == (False, "not better")
    assert verdict.why == "not significantly better on any of the 2 tests"
    assert {row.finding for row in verdict.rows} == {"not worse"}
    assert {row.p for row in verdict.rows} == {1.0}


def test_better_on_one_and_no_worse_elsewhere_is_promoted() -> None:
    verdict = decide([paired(NOISE + 0.05), paired(NOISE, "b")])
    assert (verdict.passed, verdict.rule) == (True, "better")
    assert [row.finding for row in verdict.rows] == ["better", "not worse"]
    assert verdict.why == "significantly better on a (global), and not worse on any of the 2 tests"


def test_better_on_one_and_worse_on_another_is_refused() -> None:
    verdict = decide([paired(NOISE + 0.3), paired(NOISE - 0.015, "b"), paired(NOISE, "c")])
    assert (verdict.passed, verdict.rule) == (False, "worse")
    assert verdict.why == "significantly worse on b (global)"
    low = verdict.rows[1].low
    assert low is not None
    assert low < -MARGIN < verdict.rows[1].difference  # harm is harm, however small


def test_harm_inside_the_margin_is_harm_where_it_is_proven() -> None:
    verdict = decide([paired(NOISE + 0.3), paired(NOISE / 100 - 0.005, "b")])
    assert verdict.rows[1].low is not None
    assert verdict.rows[1].low > -MARGIN
    assert verdict.rule == "worse"


def test_what_may_be_worse_by_more_than_the_margin_is_refused() -> None:
    tests = [paired(NOISE + 0.3), paired(4 * NOISE, "b")]
    verdict = decide(tests)
    assert (verdict.passed, verdict.rule) == (False, "may be worse")
    assert verdict.why == "not shown to lose less than 0.02 on b (global)"
    assert decide(tests, margin=0.1).passed


def test_the_weights_of_the_headline_decide() -> None:
    """A mean of group means: the small group counts as much as the large one."""
    gaps = np.concatenate([NOISE + 0.05, NOISE[:30] - NOISE[:30].mean() - 0.2])
    weight = np.concatenate([np.full(300, 0.5 / 300), np.full(30, 0.5 / 30)])
    alike = paired(gaps)
    headline = replace(alike, weight=weight)
    assert decide([alike]).rule == "better"
    assert decide([headline]).rule == "worse"
    assert decide([headline]).rows[0].difference == pytest.approx(-0.075)


def test_one_cluster_proves_nothing() -> None:
    alone = paired(NOISE + 0.3)
    alone = Paired(
        "a", "global", alone.candidate, alone.production, 0 * alone.cluster, alone.weight
    )
    (row,) = decide([alone]).rows
    assert (row.low, row.high, row.finding) == (None, None, "may be worse")


def test_better_is_corrected_for_the_number_of_tests_and_worse_is_not() -> None:
    some = NOISE + 2.3 * NOISE.std() / np.sqrt(len(NOISE))
    assert 0.01 < wilcoxon(some).pvalue < ALPHA
    assert decide([paired(some)]).rule == "better"
    several = [paired(some), *(paired(NOISE, name) for name in "bcde")]
    verdict = decide(several)
    assert verdict.rule == "not better"
    assert verdict.rows[0].p <= ALPHA < verdict.rows[0].p_holm
    turned = [paired(-some), *(paired(NOISE, name) for name in "bcde")]
    assert decide(turned).rule == "worse"


def test_a_gate_without_tests_promotes_nothing() -> None:
    with pytest.raises(UsageError, match="no test"):
        decide([])


def test_simulated_gains_are_as_large_as_they_say(check: ModuleType) -> None:
    test = check.simulate(np.random.default_rng(0), 0.05, "a", clusters=20_000)
    assert np.mean(test.candidate - test.production) == pytest.approx(0.05, abs=0.003)


def test_equal_models_are_promoted_in_under_5_of_100_gates(check: ModuleType) -> None:
    """Without a margin, which refuses most of them for another reason; p alone would not do."""
    verdicts = check.verdicts([0.0] * 5, 200, clusters=50, margin=1)
    promoted = sum(verdict.passed for verdict in verdicts) / 200
    lucky = sum(any(r.difference > 0 and r.p <= ALPHA for r in v.rows) for v in verdicts) / 200
    assert 0 < promoted < 0.05
    assert lucky > 0.08


def test_a_model_that_loses_the_margin_somewhere_is_promoted_in_under_5_of_100_gates(
    check: ModuleType,
) -> None:
    """However much it gains elsewhere; that nothing worse is proven would not do."""
    verdicts = check.verdicts([0.1, -MARGIN], 150, clusters=150)
    promoted = sum(verdict.passed for verdict in verdicts) / 150
    unproven = sum(verdict.rows[1].finding != "worse" for verdict in verdicts) / 150
    assert promoted < 0.05
    assert unproven > 0.4


def test_a_clearly_better_model_is_promoted(check: ModuleType) -> None:
    verdicts = check.verdicts([0.06] * 3, 30, clusters=200)
    assert all(verdict.passed for verdict in verdicts)


def test_a_model_that_is_clearly_worse_somewhere_never_is(check: ModuleType) -> None:
    verdicts = check.verdicts([0.1, 0.1, -0.06], 30, clusters=200)
    assert {verdict.rule for verdict in verdicts} <= {"worse", "may be worse"}


def test_the_gates_own_tests_are_there() -> None:
    assert promotion.gate_tests(promotion.TASKS, promotion.SCOPES) == [
        ("MockConnectors", "global"),
        ("MockConnectors", "scoped"),
        ("MetaTool", "global"),
        ("ToolBench", "global"),
        ("ToolRet4", "global"),
    ]
    assert promotion.FIRST in registry.baselines()


def test_the_text_fits_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the gate's own tests, few clusters and the longest words."""
    monkeypatch.setenv("COLUMNS", "80")
    tests = promotion.gate_tests(promotion.TASKS, promotion.SCOPES)
    row = Row("", "", 12, 12, 1.0, 0.5, -0.1, -0.2, 0.1, 0.5, 0.0001, "may be worse")
    rows = tuple(replace(row, task=task, scope=scope) for task, scope in tests)
    where = ", ".join(f"{task} ({scope})" for task, scope in tests)
    model = Model(name="local/model-01234567", folder="runs/v2/model", identity="0" * 64)
    verdict = Verdict(
        passed=False,
        rule="may be worse",
        why=f"not shown to lose less than 0.02 on {where}",
        margin=0.02,
        rows=rows,
    )
    decision = Decision(model, model, verdict, binding=True, promoted=False)
    command._print(decision, Path("production.json"))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    found = [line.split()[:2] for line in lines if line.rstrip().endswith(" may be worse")]
    assert found == [[*test] for test in tests]
    assert "MockConnectors scoped .500 1.000 -.100 -.200 to +.100* .5 may be worse" in [
        " ".join(line.split()) for line in lines
    ]
