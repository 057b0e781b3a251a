from __future__ import annotations

from pathlib import Path

import fakes
import pytest

from tool_bench import reference, registry
from tool_bench.data.load import load
from tool_bench.evaluate import evaluate


def test_nothing_is_downloaded_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it was loaded")

    monkeypatch.setattr(reference, "load", refuse)
    assert reference.subject() is None


def test_a_registry_without_it_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK})
    assert reference.subject() is None


def test_data_that_is_broken_is_the_business_of_its_own_cells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = registry.baselines()
    monkeypatch.setattr(registry, "tasks", lambda: {"MetaTool": fakes.BROKEN})
    monkeypatch.setattr(registry, "baselines", lambda: known)
    assert reference.subject() is None


def test_the_reference_compared_with_itself_is_near_one(mirror: Path) -> None:
    task, method = registry.tasks()[reference.TASK], registry.baselines()[reference.BASELINE]
    result, _ = evaluate(task, method, load(task), ["tool_bench"])
    assert result.timing
    found = result.timing.reference
    assert found
    assert (found.task, found.baseline) == ("MetaTool", "bm25s")
    assert found.p50.high
    assert found.p50.low <= found.p50.ms <= found.p50.high
    assert found.ratio.value == pytest.approx(
        result.timing.latency["p50"].ms / found.p50.ms, rel=1e-3
    )
    assert 0.7 < found.ratio.value < 1.4  # they take turns, so other work meets both
