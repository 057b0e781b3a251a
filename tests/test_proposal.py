from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import searches
from messages_server import MessagesServer, serving
from searches import experiment

from tool_bench.errors import UnavailableError
from tool_bench.llm.budget import new_ledger
from tool_bench.llm.request import MODEL
from tool_bench.training.experiment import Experiment
from tool_bench.training.proposal import prompt, propose
from tool_bench.training.search_space import knobs, recipe_at


def says(service: MessagesServer, answer: object) -> None:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    service.edit = {"content": [{"type": "text", "text": text}]}


def run(folder: Path, count: int, usd: float = 1.0) -> list[Experiment]:
    with new_ledger(usd) as ledger:
        return searches.search(searches.plan(folder), count, propose=partial(propose, ledger))


def test_the_next_experiment_is_the_best_one_with_the_models_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(monkeypatch) as service:
        changes: dict[str, Any] = {"optimiser.scale": 30, "data.sources.one": 0.5}
        says(service, f"Sure: {json.dumps({'why': 'sharper', 'changes': changes})} Good luck!")
        first, second = run(tmp_path, 2)
    wanted = recipe_at({**first.point, **changes}, searches.base(), "made-up-0001")
    assert second.recipe == wanted
    assert (second.notes.proposed_by, second.notes.why) == (MODEL, "sharper")
    notebook = searches.plan(tmp_path).notebook.read_text(encoding="utf-8")
    assert f"Proposed by {MODEL}: “sharper”" in notebook.replace("\\", "")
    assert len(service.answered) == 1


def test_it_is_told_the_experiments_and_the_whole_space() -> None:
    experiments = [experiment(0, 0.5), experiment(1, 0.8), experiment(2, 0.3)]
    top = experiments[1]
    text = prompt(searches.base(), experiments, top)
    assert all(f"- {knob.name}: {knob.described()}" in text for knob in knobs(searches.base()))
    for each in experiments:
        assert each.value is not None
        assert f"| {each.number} | {each.value:.3f}".replace(" 0.", " .") in text
    assert f"Experiment {top.number} is the best" in text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("I would raise the learning rate.", "it holds no JSON object"),
        ("[1, 2", "it holds no JSON object"),
        ({"why": "so"}, "it names no 'changes'"),
        ({"changes": {}}, "it names no 'changes'"),
        ({"changes": ["optimiser.scale"]}, "it names no 'changes'"),
        ({"changes": {"data.held_out": 0.9}}, "there is no knob 'data.held_out'"),
        ({"changes": {"optimiser.scale": 1e9}}, "'optimiser.scale' cannot be 1000000000.0"),
        ({"changes": {"text.style": "full", "base": "x"}}, "there is no knob 'base'"),
        ({"changes": {"optimiser.scale": 60}}, "experiment 0 tried that"),
    ],
)
def test_a_bad_answer_is_not_used(
    monkeypatch: pytest.MonkeyPatch, answer: object, said: str
) -> None:
    with serving(monkeypatch) as service:
        says(service, answer)
        proposal = propose(None, searches.base(), [experiment(0, 0.5)])
    assert not proposal.changes
    assert f"the answer of {MODEL} was not used: {said}" in proposal.note


def test_a_bad_answer_is_noted_and_the_sampler_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(monkeypatch) as service:
        says(service, "I would raise the learning rate.")
        _, second = run(tmp_path, 2)
    assert (second.state, second.notes.proposed_by) == ("done", "")
    assert "was not used" in second.notes.note
    assert "was not used" in searches.plan(tmp_path).notebook.read_text(encoding="utf-8")


def test_without_money_or_key_it_is_asked_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(monkeypatch) as service:
        experiments = run(tmp_path / "poor", 3, usd=0.0)
        assert service.seen == []
    assert ["stopped before passing" in each.notes.note for each in experiments] == [0, 1, 0]
    assert {each.state for each in experiments} == {"done"}
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(UnavailableError, match="API key"):
        propose(None, searches.base(), experiments)


def test_the_same_question_is_paid_once(monkeypatch: pytest.MonkeyPatch) -> None:
    experiments = [experiment(0, 0.5), experiment(1, 0.8)]
    with serving(monkeypatch) as service, new_ledger(1.0) as ledger:
        says(service, {"why": "so", "changes": {"optimiser.scale": 33}})
        once = propose(ledger, searches.base(), experiments)
        assert propose(ledger, searches.base(), experiments) == once
        assert ledger is not None
        assert ledger.total() == pytest.approx(service.billed)
    assert len(service.answered) == 1
