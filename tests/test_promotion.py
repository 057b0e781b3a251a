"""``tool-bench gate`` from a candidate to production, on tasks of twelve queries."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
import typer
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import BoW

from tool_bench import registry, store
from tool_bench.cli import gate as command
from tool_bench.errors import (
    DataError,
    ToolBenchError,
    UnavailableError,
    UnknownNameError,
    UsageError,
)
from tool_bench.per_query import read_scores
from tool_bench.plan import Cell, Outcome
from tool_bench.training import production, promotion
from tool_bench.training.gate import Paired, Verdict, decide

TASKS = {"Tiny": fakes.TASK, "Other": fakes.OTHER, "Broken": fakes.BROKEN}
METHODS = [
    fakes.baseline("minilm", fakes.load_constant),
    fakes.baseline("good", fakes.load_overlap),
    fakes.baseline("as-good", fakes.load_overlap),
    fakes.baseline("bad", fakes.load_constant),
    fakes.baseline("unavailable", fakes.load_unavailable),
]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where cells are kept that were measured once."""
    return tmp_path_factory.mktemp("measured")


@pytest.fixture
def folder(tmp_path: Path, measured: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the results and the pointer; small tasks and methods alone are declared."""
    monkeypatch.setattr(registry, "tasks", lambda: TASKS)
    monkeypatch.setattr(registry, "baselines", lambda: {m.name: m for m in METHODS})
    monkeypatch.setenv("COLUMNS", "80")
    shutil.copytree(measured, tmp_path / "results")
    return tmp_path


@pytest.fixture
def gate(folder: Path, measured: Path) -> Gate:
    return Gate(folder, measured)


class Gate:
    """Calls the command, and returns its exit code."""

    def __init__(self, folder: Path, measured: Path) -> None:
        self.results, self.pointer, self._measured = (
            folder / "results",
            folder / "production.json",
            measured,
        )

    def __call__(self, *words: str) -> int:
        app = typer.Typer()
        app.command()(command.gate)
        options = ["--results", str(self.results), "--pointer", str(self.pointer)]
        code = app([*words, *options], standalone_mode=False)
        shutil.copytree(self.results, self._measured, dirs_exist_ok=True)
        return int(code)

    @property
    def current(self) -> str | None:
        found = production.read(self.pointer).current
        return None if found is None else found.name


def test_the_first_model_has_to_beat_the_untrained_one(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate("good", "-t", "Tiny") == 0
    assert gate.current == "good"
    text = capsys.readouterr().out
    assert "good (new) against minilm (old), nDCG@10" in text
    for scope in ("global", "scoped"):
        (row,) = (line for line in text.splitlines() if line.startswith(f"Tiny {scope}"))
        assert row.split()[3] == "1.000"
        assert row.rstrip().endswith("better")
    assert "Passed: significantly better on Tiny (global), Tiny (scoped), and not" in text
    (change,) = production.read(gate.pointer).history
    assert change.against == "minilm"
    assert change.verdict is not None
    for row_, name in zip(change.verdict.rows, ("global", "scoped"), strict=True):
        scores = [
            read_scores(gate.results / method / f"Tiny.{name}.scores.csv.gz").scores["nDCG@10"]
            for method in ("good", "minilm")
        ]
        assert row_.difference == pytest.approx(scores[0].mean() - scores[1].mean())


def test_what_is_no_better_is_refused_with_the_table(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    gate("good", "-t", "Tiny")
    capsys.readouterr()
    assert gate("as-good", "-t", "Tiny") == 1
    out = capsys.readouterr().out
    assert "Refused: not significantly better on any of the 2 tests." in out
    assert "Tiny scoped" in out
    assert gate("bad", "-t", "Tiny", "--scope", "scoped", "--json") == 1
    record = json.loads(capsys.readouterr().out)
    assert (record["promoted"], record["verdict"]["rule"]) == (False, "worse")
    assert [row["scope"] for row in record["verdict"]["rows"]] == ["scoped"]
    assert gate.current == "good"


def test_a_dry_run_and_another_opponent_promote_nothing(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate("good", "-t", "Tiny", "--dry-run") == 0
    assert "Production stays as it is (--dry-run)." in capsys.readouterr().out
    assert gate("good", "-t", "Tiny", "--against", "bad") == 0
    assert "bad is not what it has to be compared with" in " ".join(capsys.readouterr().out.split())
    assert gate.current is None
    assert gate("good", "-t", "Tiny", "--against", "minilm") == 0
    assert gate.current == "good"


@pytest.fixture
def as_good(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that would run get the rankings of 'good'."""
    gate("good", "-t", "Tiny", "--dry-run")

    def copy(cells: Sequence[Cell], results: Path, **_: object) -> list[Outcome]:
        for cell in cells:
            if cell.state == "to run":
                to = results / store.folder_name(cell.baseline.name)
                shutil.copytree(results / "good", to)
        return [Outcome(cell, "done") for cell in cells]

    monkeypatch.setattr("tool_bench.cli.live.run_watched", copy)


@pytest.mark.usefixtures("as_good")
def test_a_folder_is_a_model_and_counts_only_while_it_is_the_same(
    gate: Gate, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = folder / "runs" / "mine"
    model.mkdir(parents=True)
    (model / "modules.json").write_text("[]")
    assert gate(str(model), "-t", "Tiny") == 0
    current = production.read(gate.pointer).current
    assert current is not None
    assert current.folder == "runs/mine"
    assert gate.current == f"local/mine-{current.identity[:8]}"
    with pytest.raises(UsageError, match="is the very model"):
        gate(str(model), "-t", "Tiny")
    (model / "README.md").write_text("changed")
    with pytest.raises(DataError, match=r"changed since it was measured; .*--rollback"):
        gate("good", "-t", "Tiny")
    assert gate("--rollback") == 0
    capsys.readouterr()
    assert gate("--history") == 0
    out = capsys.readouterr().out
    assert "promote local/mine-" in out
    assert "rollback none" in out
    assert f"Production: none ({gate.pointer})" in out


@pytest.mark.slow
def test_a_trained_folder_is_measured_and_promoted(gate: Gate, folder: Path) -> None:
    words = [*fakes.VERBS, *fakes.NOUNS]
    model = folder / "bag-of-words"
    SentenceTransformer(modules=[BoW(words)], device="cpu").save(str(model))
    assert gate(str(model), "-t", "Tiny") == 0
    assert gate("as-good", "-t", "Tiny") == 1  # against the folder, which is production now
    change = production.read(gate.pointer).history[-1]
    assert change.verdict is not None
    assert [row.candidate for row in change.verdict.rows] == pytest.approx([1, 1])


def test_production_that_changed_while_the_gate_ran_is_kept(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(tests: Sequence[Paired]) -> Verdict:
        verdict = decide(tests)
        faster = production.identify("as-good", None, gate.pointer)
        seen = production.read(gate.pointer)
        production.promote(gate.pointer, faster, seen, "minilm", verdict)
        return verdict

    monkeypatch.setattr(promotion, "decide", overtaken)
    with pytest.raises(ToolBenchError, match=r"it is 'as-good' now. Run the gate again"):
        gate("good", "-t", "Tiny")
    assert gate.current == "as-good"


def test_without_every_cell_there_is_no_verdict(gate: Gate) -> None:
    with pytest.raises(UnavailableError, match=r"lacks cells. Tiny/unavailable: needs a unicorn"):
        gate("unavailable", "-t", "Tiny")
    with pytest.raises(ToolBenchError, match=r"Broken/good: rows.csv, row 7"):
        gate("good", "-t", "Tiny,Broken")
    assert gate.current is None


def test_results_of_other_data_are_not_compared(gate: Gate) -> None:
    gate("good", "-t", "Tiny", "--dry-run")
    path = store.result_path(gate.results, "Tiny", "minilm")
    record = json.loads(path.read_text())
    record["data"]["sha256"] = "0" * 64
    path.write_text(json.dumps(record))
    with pytest.raises(DataError, match="was made on other data than the result of good"):
        gate("good", "-t", "Tiny")


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (
            ["gud", "-t", "Tiny"],
            UnknownNameError,
            "unknown folder or baseline 'gud': did you mean good",
        ),
        (
            ["good", "-t", "Tiny", "--against", "mini"],
            UnknownNameError,
            "'mini': did you mean minilm",
        ),
        (["good", "-t", "Tine"], UnknownNameError, "unknown task 'Tine'"),
        (["good", "-t", "Tiny", "--scope", "local"], UnknownNameError, "unknown scope 'local'"),
        (["good", "-t", "Flat", "--scope", "scoped"], UsageError, "none of Flat has a scope"),
        (["good", "-t", ","], UsageError, "--tasks is empty"),
        (["minilm", "-t", "Tiny"], UsageError, "is the very model"),
        ([], UsageError, "give one of CANDIDATE, --history and --rollback"),
        (["good", "--history"], UsageError, "give one of"),
        (["--rollback", "--dry-run"], UsageError, "belong to a CANDIDATE"),
        (["--rollback"], UsageError, "nothing is in production"),
    ],
)
def test_what_cannot_be_right_is_said_before_anything_runs(
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    error: type[Exception],
    said: str,
) -> None:
    flat = replace(fakes.TASK, name="Flat", eval_langs={"global": ("eng-Latn",)})
    monkeypatch.setattr(registry, "tasks", lambda: {**TASKS, "Flat": flat})
    monkeypatch.setattr(
        "tool_bench.cli.live.run_watched", lambda *_, **__: pytest.fail("something ran")
    )
    with pytest.raises(error, match=said):
        gate(*words)


def test_a_folder_without_a_model_is_refused(gate: Gate, folder: Path) -> None:
    with pytest.raises(UsageError, match="holds no model"):
        gate(str(folder), "-t", "Tiny")
