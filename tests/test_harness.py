from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import fakes
import pytest

from tool_bench import store
from tool_bench.baseline import Baseline
from tool_bench.errors import ToolBenchError
from tool_bench.harness import run_cells
from tool_bench.plan import Cell, Outcome, make_plan
from tool_bench.task import Source, Task

TESTS = Path(__file__).resolve().parent


class Recorder:
    def __init__(self) -> None:
        self.phases: list[str] = []
        self.outcomes: list[Outcome] = []

    def fetching(self, task: Task, total: int) -> None: ...
    def fetched(self, size: int) -> None: ...
    def started(self, cell: Cell) -> None: ...

    def phase(self, phase: str, done: int, total: int) -> None:
        self.phases.append(phase)

    def finished(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


def run(
    results: Path, tasks: list[Task], baselines: list[Baseline], *, force: bool = False
) -> list[Outcome]:
    return run_cells(make_plan(tasks, baselines, results, force=force), results, Recorder())


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_cell_ends_in_a_whole_result(tmp_path: Path) -> None:
    recorder = Recorder()
    (outcome,) = run_cells(make_plan([fakes.TASK], [fakes.OVERLAP], tmp_path), tmp_path, recorder)
    assert (outcome.end, outcome.message) == ("done", "Hit@1 1.000, nDCG@10 1.000")
    assert recorder.phases[0] == "load data"
    assert {"load method", "index", "search global", "search scoped", "score"} <= {*recorder.phases}
    result = store.read_result(tmp_path / "overlap" / "Tiny.json")
    assert set(result.scopes) == {"global", "scoped"}
    assert set(result.scopes["global"].slices) == {"all", "early", "late"}
    assert result.evidence == "measured"
    assert result.timing
    assert result.cost
    assert result.timing.latency["p50"].ms <= result.timing.latency["p95"].ms
    assert result.timing.latency_queries == 12
    assert result.timing.reference is None  # its data is not here
    assert result.footprint
    assert result.footprint.model_bytes == 0
    assert result.cost.usd_per_1000 > 0
    assert result.provenance.command.startswith("python -m tool_bench run --tasks Tiny")
    assert result.provenance.hardware.cores >= 1
    text = gzip.decompress((tmp_path / "overlap" / "Tiny.global.scores.csv.gz").read_bytes())
    per_query = list(csv.DictReader(io.StringIO(text.decode())))
    assert {row["query"]: row["Hit@1"] for row in per_query} == {f"q{i}": "1" for i in range(12)}


def test_a_forced_run_changes_no_ranking_and_an_unforced_one_no_file(tmp_path: Path) -> None:
    run(tmp_path, [fakes.TASK], [fakes.OVERLAP])
    before = snapshot(tmp_path)
    (outcome,) = run(tmp_path, [fakes.TASK], [fakes.OVERLAP])
    assert outcome.end == "cached"
    assert snapshot(tmp_path) == before
    run(tmp_path, [fakes.TASK], [fakes.OVERLAP], force=True)
    after = snapshot(tmp_path)
    assert {n: d for n, d in after.items() if n.endswith(".gz")} == {
        n: d for n, d in before.items() if n.endswith(".gz")
    }


def test_one_broken_cell_does_not_stop_the_others(tmp_path: Path) -> None:
    methods = [
        fakes.baseline("raises", fakes.load_raises, start=1),
        fakes.baseline("killed", fakes.load_killed, start=2),
        fakes.baseline("unavailable", fakes.load_unavailable, start=3),
        fakes.baseline("overlap", fakes.load_overlap, start=4),
    ]
    outcomes = run(tmp_path, [fakes.TASK], methods)
    assert [o.end for o in outcomes] == ["failed", "failed", "unavailable", "done"]
    assert outcomes[0].message == "ZeroDivisionError: no luck"
    assert "load_raises" in outcomes[0].trace
    assert "killed by SIGKILL" in outcomes[1].message
    assert "out of memory" in outcomes[1].message
    assert outcomes[1].message.endswith("last output: last words")
    assert outcomes[2].message == "needs a unicorn: pip install unicorn"
    assert {p.name for p in tmp_path.iterdir()} == {"overlap"}


def test_broken_data_fails_with_its_row(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, [fakes.BROKEN], [fakes.OVERLAP])
    assert outcome.end == "failed"
    assert outcome.message == "rows.csv, row 7: 2 cells, expected 3"


def test_data_that_cannot_be_had_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source("x/gone", "http://127.0.0.1:9/gone", "r", "0" * 64, 1, "mit")
    task = replace(fakes.TASK, sources=(source,))
    outcomes = run(tmp_path, [task], [fakes.OVERLAP, fakes.CONSTANT])
    assert [o.end for o in outcomes] == ["unavailable", "unavailable"]
    assert "http://127.0.0.1:9/gone: cannot be reached" in outcomes[0].message
    (tmp_path / "mirror" / "x").mkdir(parents=True)
    (tmp_path / "mirror" / "x" / "gone").write_bytes(b"?")
    monkeypatch.setenv("TOOL_BENCH_MIRROR", str(tmp_path / "mirror"))
    (outcome,) = run(tmp_path, [task], [fakes.OVERLAP])
    assert outcome.end == "failed"
    assert "sha256 differs" in outcome.message


def test_examples_go_only_to_methods_that_declare_them(tmp_path: Path) -> None:
    with_examples = fakes.baseline("with", fakes.load_overlap, uses_examples=True)
    run(tmp_path, [fakes.TASK], [with_examples, fakes.OVERLAP])
    given = {p.parent.name: store.read_result(p).method.examples for p in tmp_path.glob("*/*.json")}
    assert given == {"with": 12, "overlap": 0}


def test_cheap_cells_come_first_and_measured_time_replaces_the_guess(tmp_path: Path) -> None:
    dear = fakes.baseline("dear", fakes.load_overlap, start=1_000)
    cells = make_plan([fakes.TASK, fakes.OTHER], [dear, fakes.OVERLAP], tmp_path)
    assert [c.baseline.name for c in cells] == ["overlap", "overlap", "dear", "dear"]
    run(tmp_path, [fakes.TASK], [dear])
    (cell,) = make_plan([fakes.TASK], [dear], tmp_path, force=True)
    assert cell.seconds < 10


def test_what_changed_is_said(tmp_path: Path) -> None:
    run(tmp_path, [fakes.TASK], [fakes.OVERLAP])
    changed = replace(fakes.OVERLAP, settings={"k1": 2})
    (cell,) = make_plan([fakes.TASK], [changed], tmp_path)
    assert (cell.state, cell.note) == ("to run", "changed: baseline")
    (cell,) = make_plan([replace(fakes.TASK, version=2)], [fakes.OVERLAP], tmp_path)
    assert (cell.state, cell.note) == ("to run", "changed: task")


@pytest.mark.parametrize("victim", ["Tiny.json", "Tiny.global.run.gz", "Tiny.scoped.scores.csv.gz"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_half_written_result_is_never_read(tmp_path: Path, victim: str, damage: str) -> None:
    run(tmp_path, [fakes.TASK], [fakes.OVERLAP])
    path = tmp_path / "overlap" / victim
    data = path.read_bytes()
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.unlink()
    (cell,) = make_plan([fakes.TASK], [fakes.OVERLAP], tmp_path)
    assert cell.state == "to run"
    (outcome,) = run(tmp_path, [fakes.TASK], [fakes.OVERLAP])
    assert outcome.end == "done"
    if victim.endswith(".gz"):
        assert path.read_bytes() == data


def test_an_unwritable_folder_is_said_before_anything_runs(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(ToolBenchError, match=r"cannot write .*Not a directory"):
        run(blocker / "results", [fakes.TASK], [fakes.OVERLAP])


def test_a_full_disk_leaves_earlier_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {tmp_path / name: b"old" for name in ("a.gz", "b.gz", "c.json")}
    store.write_atomically(old)
    calls = []

    def full_at_the_second(_: int) -> None:
        calls.append(_)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_at_the_second)
    with pytest.raises(ToolBenchError, match=r"b\.gz: No space left on device\. What was there"):
        store.write_atomically(dict.fromkeys(old, b"new"))
    assert snapshot(tmp_path) == {"a.gz": b"old", "b.gz": b"old", "c.json": b"old"}


def test_only_our_own_abandoned_files_are_swept(tmp_path: Path) -> None:
    (tmp_path / "method").mkdir()
    names = (".env", ".gitignore", ".tool-bench-tmp-old", ".tool-bench-tmp-new")
    for name in names:
        (tmp_path / "method" / name).write_text("x")
        if "new" not in name:
            os.utime(tmp_path / "method" / name, (0, 0))
    store.sweep(tmp_path)
    assert sorted(p.name for p in (tmp_path / "method").iterdir()) == [
        ".env",
        ".gitignore",
        ".tool-bench-tmp-new",
    ]


def test_a_method_that_cannot_be_sent_fails_alone(tmp_path: Path) -> None:
    unsendable = fakes.baseline("lambda", lambda: fakes.Overlap(), start=0)  # noqa: PLW0108
    outcomes = run(tmp_path, [fakes.TASK], [unsendable, fakes.OVERLAP])
    assert [o.end for o in outcomes] == ["failed", "done"]
    assert "'load' and 'expected' must be functions of a module" in outcomes[0].message


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ``kill -9`` the finished cell is kept, the orphan dies, nothing is half-written."""
    results, began = tmp_path / "results", tmp_path / "began"
    monkeypatch.setenv("SLOW_FILE", str(began))
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(TESTS)!r})
        import fakes
        from test_harness import run
        if __name__ == "__main__":
            slow = fakes.baseline("slow", fakes.load_slow, start=100)
            run(Path({str(results)!r}), [fakes.TASK], [fakes.OVERLAP, slow])
        """)
    )
    process = subprocess.Popen([sys.executable, str(script)])
    try:
        deadline = time.monotonic() + 60
        while not (began.exists() and began.read_text()):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    orphan = int(began.read_text())
    while Path(f"/proc/{orphan}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    before = snapshot(results)
    assert {p.split("/")[0] for p in before} == {"overlap"}
    quick = fakes.baseline("slow", fakes.load_overlap, start=100)
    outcomes = run(results, [fakes.TASK], [fakes.OVERLAP, quick])
    assert [o.end for o in outcomes] == ["cached", "done"]
    assert {n: d for n, d in snapshot(results).items() if n in before} == before


def test_results_of_another_schema_are_refused_by_field(tmp_path: Path) -> None:
    run(tmp_path, [fakes.TASK], [fakes.OVERLAP])
    path = tmp_path / "overlap" / "Tiny.json"
    record = json.loads(path.read_text())
    record["schema_version"] = 99
    path.write_text(json.dumps(record))
    with pytest.raises(ToolBenchError, match=r"Tiny.json, schema_version: Input should be 2"):
        store.read_result(path)
