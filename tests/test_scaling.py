from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import fakes
import pytest
from test_harness import Recorder

from tool_bench import nested, registry, scaling, timing
from tool_bench.baseline import Baseline
from tool_bench.cli import scale as command
from tool_bench.data import distractors
from tool_bench.data.fetch import fetch
from tool_bench.data.load import load
from tool_bench.dataset import Examples
from tool_bench.errors import DataError, UnknownNameError, UsageError
from tool_bench.harness import run_cells
from tool_bench.plan import Outcome
from tool_bench.progress import Report
from tool_bench.retriever import Retriever
from tool_bench.task import Files, Task
from tool_bench.tool import Tool

OWN = fakes.dataset().tools
CATALOGUE = (
    Tool(id="employee_create", name="other", provider="elsewhere"),
    *(Tool(id=f"extra_{n}", name=f"extra {n}", description="please now") for n in range(10)),
    Tool(id="x1", name="Delete-Invoice", description="another text", provider="Invoice"),
    Tool(id="x2", name="LIST_ticket", description="List  an ticket", provider="elsewhere"),
    *(Tool(id=f"more_{n}", name=f"more {n}", description="archive it") for n in range(9)),
    Tool(id="unlabelled", name="hire", description="please create an employee now"),
)
AVAILABLE = len(OWN) + 20
SIZES = (1, 15, 20, nested.ALL)


def small_catalogue(files: Files) -> tuple[Tool, ...]:
    return CATALOGUE


def hasten() -> None:
    """Make timing quick and the catalogue small, in this process."""
    distractors.SOURCES = ()
    distractors.read_catalogue = small_catalogue
    timing.PASSES, timing.WARM_UP_SECONDS = 1, 0.0


def quick(  # noqa: PLR0913  a job of the harness
    results: Path,
    asked: Sequence[int],
    task: Task,
    baseline: Baseline,
    forward: Report,
    *,
    force: bool,
) -> str:
    hasten()
    return scaling.measure(results, asked, task, baseline, forward, force=force)


class Counting(fakes.Overlap):
    """Writes down the size of each index, and dies at the one that KILL_AT names."""

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        with Path(os.environ["SIZES_FILE"]).open("a") as file:
            file.write(f"{len(tools)} ")
        if len(tools) == int(os.environ.get("KILL_AT", "0")):
            os.kill(os.getpid(), signal.SIGKILL)
        super().index(tools, examples)


def load_counting() -> Retriever:
    return Counting()


COUNTING = fakes.baseline("counting", load_counting)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The small world, and the file that tells which sizes were indexed."""
    monkeypatch.setattr(distractors, "SOURCES", ())
    monkeypatch.setattr(distractors, "read_catalogue", small_catalogue)
    monkeypatch.setattr(timing, "PASSES", 1)
    monkeypatch.setattr(timing, "WARM_UP_SECONDS", 0.0)
    methods = {m.name: m for m in (COUNTING, fakes.OVERLAP)}
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK})
    monkeypatch.setattr(registry, "baselines", lambda: methods)
    told = tmp_path / "sizes"
    monkeypatch.setenv("SIZES_FILE", str(told))
    return told


def curve(results: Path, sizes: Sequence[int], *, force: bool = False) -> str:
    """Measure what is planned, in this process; return what is said of it."""
    (cell,) = scaling.plan_curves(fakes.TASK, [COUNTING], results, sizes, force=force)
    if cell.state != "to run":
        return cell.state
    return scaling.measure(results, sizes, cell.task, cell.baseline, lambda *_: None, force=force)


def curve_in_a_process(results: Path, sizes: Sequence[int]) -> Outcome:
    cells = scaling.plan_curves(fakes.TASK, [COUNTING], results, sizes, force=False)
    (outcome,) = run_cells(
        cells, results, Recorder(), job=partial(quick, results, sizes, force=False)
    )
    return outcome


def indexed(told: Path) -> list[int]:
    """Return the sizes that were indexed since the last time."""
    sizes = [int(word) for word in told.read_text().split()] if told.exists() else []
    told.unlink(missing_ok=True)
    return sizes


def test_own_tools_are_not_repeated_and_what_is_dropped_is_counted() -> None:
    others = nested.distractors(OWN, CATALOGUE)
    reasons = ("same id", "same endpoint", "same name and description")
    assert {reason: others.dropped[reason] for reason in reasons} == dict.fromkeys(reasons, 1)
    assert [t.id for t in others.tools] == [
        t.id for t in CATALOGUE if t.id not in {"employee_create", "x1", "x2"}
    ]


def test_an_own_tool_that_names_no_provider_is_known_by_its_name() -> None:
    own = [Tool(id="o", name="nearby_superchargers", description="mine")]
    catalogue = [
        Tool(id="a", name="Tesla Nearby Superchargers", description="theirs", provider="Tesla"),
        Tool(id="b", name="Tesla Owners", description="theirs", provider="Tesla"),
    ]
    others = nested.distractors(own, catalogue)
    assert [tool.id for tool in others.tools] == ["b"]
    assert others.dropped["same name, and the own tool has no provider"] == 1
    named = [replace(own[0], provider="Garage")]
    assert len(nested.distractors(named, catalogue).tools) == 2


def test_larger_catalogues_hold_the_smaller_ones() -> None:
    data = fakes.dataset()
    others = nested.distractors(data.tools, CATALOGUE)
    wanted = nested.sizes(len(data.tools), AVAILABLE, SIZES)
    assert wanted == [12, 15, 20, 32]
    before: list[str] = []
    for size in wanted:
        grown = nested.enlarged(data, others, size)
        ids = [tool.id for tool in grown.tools]
        assert len(ids) == len(set(ids)) == size
        assert ids[: len(before)] == before
        assert grown.relevance == data.relevance
        assert grown.scopes == ("global",)
        before = ids


def test_the_real_catalogue_is_whole_fixed_and_free_of_own_tools(mirror: Path) -> None:
    del mirror
    catalogue = distractors.read_catalogue({s.path: fetch(s) for s in distractors.SOURCES})
    assert len(catalogue) == 39_343
    assert [t.id for t in catalogue[:2]] == [
        "Tools/website_image_surveillance/imagesurveillance",
        "Other/hello_world/hello_name",
    ]
    own = load(registry.tasks()["ToolBench"])
    others = nested.distractors(own.tools, catalogue)
    assert sum(others.dropped.values()) + len(others.tools) == len(catalogue)
    endpoints = {distractors.endpoint_of(tool) for tool in own.tools}
    in_catalogue = endpoints & {distractors.endpoint_of(tool) for tool in catalogue}
    assert len(in_catalogue) > 0.99 * len(endpoints)
    assert not endpoints & {distractors.endpoint_of(tool) for tool in others.tools}


def test_a_curve_is_stored_kept_extended_and_forced(small: Path, tmp_path: Path) -> None:
    assert curve(tmp_path, SIZES).startswith("12 to 32 tools, nDCG@10 1.000 to 0.")
    assert indexed(small) == [12, 15, 20, 32]
    path = tmp_path / "scaling" / "counting" / "Tiny.json"
    record = scaling.read_record(path)
    assert (record.available, sum(record.dropped.values())) == (AVAILABLE, 3)
    assert [point.tools for point in record.points] == [12, 15, 20, 32]
    assert all(set(point.measures) == set(scaling.MEASURES) for point in record.points)
    assert all(point.timing.latency["p95"].ms > 0 for point in record.points)
    assert record.points[1].provenance.command.endswith("--sizes 15 --force")
    assert len({point.sha256 for point in record.points}) == 4
    before = path.read_bytes()
    assert curve(tmp_path, SIZES) == "cached"
    assert curve(tmp_path, [20]) == "cached"
    assert path.read_bytes() == before
    assert curve(tmp_path, [25]).startswith("12 to 25 tools")
    assert indexed(small) == [25]
    assert curve(tmp_path, [20], force=True).startswith("12 to 20 tools")
    assert indexed(small) == [12, 20]
    again = scaling.read_record(path)
    assert [point.tools for point in again.points] == [12, 15, 20, 25, 32]
    scores = {point.tools: point.measures for point in record.points}
    assert all(scores[p.tools] == p.measures for p in again.points if p.tools != 25)


def test_a_killed_run_goes_on_with_the_whole_points(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILL_AT", "20")
    killed = curve_in_a_process(tmp_path, SIZES)
    assert killed.end == "failed"
    assert "killed by SIGKILL" in killed.message
    path = scaling.record_path(tmp_path, "Tiny", "counting")
    assert [point.tools for point in scaling.read_record(path).points] == [12, 15]
    assert [p.name for p in path.parent.iterdir()] == ["Tiny.json"]
    monkeypatch.delenv("KILL_AT")
    indexed(small)
    assert curve(tmp_path, SIZES) != "cached"
    assert indexed(small) == [20, 32]


def test_points_of_other_code_or_another_machine_are_measured_again(
    small: Path, tmp_path: Path
) -> None:
    curve(tmp_path, [15])
    changed = replace(COUNTING, settings={"k": 2})
    (cell,) = scaling.plan_curves(fakes.TASK, [changed], tmp_path, [15], force=False)
    assert cell.state == "to run"
    path = scaling.record_path(tmp_path, "Tiny", "counting")
    path.write_text(path.read_text().replace('"cpu": "', '"cpu": "other '))
    indexed(small)
    assert curve(tmp_path, [15]) == "cached"  # whole, and all from one machine
    assert curve(tmp_path, [20]) != "cached"
    assert indexed(small) == [12, 15, 20]
    assert [point.tools for point in scaling.read_record(path).points] == [12, 15, 20]


@pytest.mark.usefixtures("small")
def test_the_command_prints_a_table_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    curve(tmp_path, [15])
    monkeypatch.setattr(scaling, "measure", quick)
    assert command.scale(["overlap,counting"], "Tiny", "15", results=tmp_path) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines() if not line.startswith("Chart")) <= 80
    assert out.index("Tiny/counting") < out.index("Tiny/overlap") < out.index("Chart: file://")
    assert " 15 " in out
    assert (tmp_path / "site" / "scaling-Tiny.svg").read_text().startswith("<svg")
    assert command.scale(show=True, as_json=True, results=tmp_path) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["baseline"] for record in records] == ["counting", "overlap"]
    assert command.scale(["counting"], show=True, results=tmp_path) == 0
    assert "overlap" not in capsys.readouterr().out
    (tmp_path / "scaling" / "overlap" / "Tiny.json").write_text("{}")
    assert command.scale(show=True, results=tmp_path) == 0
    assert "left out" in capsys.readouterr().err


@pytest.mark.usefixtures("small")
def test_what_cannot_be_measured_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = replace(fakes.baseline("paid", fakes.load_overlap), expected=fakes.expect_a_dollar)
    mixed = replace(fakes.baseline("mixed", fakes.load_overlap), parts=("paid",))
    picky = fakes.baseline("picky", fakes.load_overlap)
    picky = replace(picky, needs=replace(picky.needs, providers=True))
    methods = {m.name: m for m in (paid, mixed, picky, fakes.OVERLAP)}
    monkeypatch.setattr(registry, "baselines", lambda: methods)
    plain = replace(fakes.TASK, providers=0)
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": plain})
    for name in ("paid", "mixed"):
        with pytest.raises(UsageError, match=f"'{name}' pays a service"):
            command.scale([name], "Tiny", results=tmp_path)
    with pytest.raises(UnknownNameError, match="did you mean overlap"):
        command.scale(["overlop"], "Tiny", results=tmp_path)
    for sizes in ("many", "-5", "0", ","):
        with pytest.raises(UsageError, match="--sizes"):
            command.scale(["overlap"], "Tiny", sizes, results=tmp_path)
    assert command.scale(["picky"], "Tiny", results=tmp_path) == 0
    assert "needs tools with providers" in capsys.readouterr().out
    with pytest.raises(DataError, match="does not exist"):
        scaling.read_record(tmp_path / "none.json")


def test_without_a_mirror_the_way_out_is_said(tmp_path: Path) -> None:
    cells = scaling.plan_curves(fakes.TASK, [fakes.OVERLAP], tmp_path, [99], force=False)
    job = partial(scaling.measure, tmp_path, [99], force=False)
    (outcome,) = run_cells(cells, tmp_path, Recorder(), job=job)
    assert outcome.end == "unavailable"
    assert "Set TOOL_BENCH_MIRROR" in outcome.message
