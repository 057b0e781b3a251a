from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from page import result, text

from tool_bench import cli, registry, store
from tool_bench.dataset import ToolDataset
from tool_bench.evaluate import evaluate
from tool_bench.leaderboard import printed, view
from tool_bench.leaderboard.build import build
from tool_bench.prices import load_prices
from tool_bench.reproduced import Recorded, RecordedVerdicts
from tool_bench.results import Footprint, Quantile, Ratio, Reference
from tool_bench.scaling import ScalingPoint, ScalingRecord, record_path

TASKS = {"Tiny": fakes.TASK}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "tasks", lambda: TASKS)


def put_two(results: Path) -> None:
    """A method that finds its way, and one that cannot tell tools apart."""
    for baseline in (fakes.OVERLAP, fakes.CONSTANT):
        made = evaluate(fakes.TASK, baseline, fakes.dataset(), ["tool_bench"])
        store.write(results, *made)


def test_rows_carry_tested_ranks(tmp_path: Path) -> None:
    put_two(tmp_path)
    (section,) = view.sections(store.read_results(tmp_path)[0], TASKS, tmp_path)
    ranks = {row.result.baseline: row.standing.rank for row in section.tables[0].rows}
    assert ranks == {"overlap": 1, "constant": 2}
    page, _ = build(tmp_path, tmp_path / "public")
    assert "paired randomisation test of every pair" in text(page, "methodology.html")


def test_equal_methods_share_a_rank(tmp_path: Path) -> None:
    made, files = result()
    store.write(tmp_path, made, files)
    store.write(tmp_path, made.model_copy(update={"baseline": "twin"}), files)
    (section,) = view.sections(store.read_results(tmp_path)[0], TASKS, tmp_path)
    assert [row.standing.rank for row in section.tables[0].rows] == [1, 1]


def test_time_memory_and_size_are_on_the_page(tmp_path: Path) -> None:
    made, files = result()
    assert made.timing
    reference = Reference(
        task="MetaTool",
        baseline="bm25s",
        p50=Quantile(ms=0.1, low=0.09, high=0.11),
        ratio=Ratio(value=7.25, low=7.125, high=7.5),
    )
    changes = {
        "timing": made.timing.model_copy(update={"reference": reference, "busy_cores": 0.375}),
        "footprint": Footprint(peak_memory_mib=4321, index_bytes=311_000, model_bytes=91_600_000),
    }
    store.write(tmp_path, made.model_copy(update=changes), files)
    told = text(build(tmp_path, tmp_path / "public")[0], "tasks/Tiny.html")
    for shown in ("bm25s on MetaTool", "×7.2", "7.1–7.5", "4,321", "311 kB", "91.6 MB", "0.375"):
        assert shown in told, shown


def test_a_methods_page_tells_who_ran_it_again(tmp_path: Path) -> None:
    made, files = result()
    store.write(tmp_path, made, files)
    told = text(build(tmp_path, tmp_path / "public")[0], "methods/overlap.html")
    assert made.provenance.command in told
    assert "Nobody has run it again since." in told
    stored = store.result_path(tmp_path, "Tiny", "overlap")
    verdict = Recorded(
        verdict="OKish",
        reason="nDCG@10 differs by .003",
        date="2026-11-30",
        machine="Abacus, 1 cores",
        code_revision=None,
        dirty=None,
        difference=None,
        tolerance=None,
        result=store.content_hash(stored.read_bytes()),
    )
    kept = RecordedVerdicts(cells={"Tiny/overlap": verdict}).model_dump_json()
    (tmp_path / "reproduced.json").write_text(kept)
    told = text(build(tmp_path, tmp_path / "public")[0], "methods/overlap.html")
    assert "Tiny OKish" in told
    assert "Run again 2026-11-30 on Abacus, 1 cores: nDCG@10 differs by .003." in told


def test_costs_follow_the_prices_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.write(tmp_path, *result())
    stored = store.read_results(tmp_path)[0]
    (section,) = view.sections(stored, TASKS, tmp_path, load_prices(usd_per_hour=3_600))
    (row,) = section.tables[0].rows
    assert row.result.timing
    assert row.cost
    assert row.cost.usd_per_1000 == pytest.approx(row.result.timing.latency_mean_ms, rel=1e-3)
    with pytest.raises(SystemExit) as ended:
        cli.main(["results", "--json", "--usd-per-hour", "3600", "--results", str(tmp_path)])
    assert ended.value.code == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["cost"]["usd_per_1000"] == row.cost.usd_per_1000


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), (123, "120"), (4_972, "5,000"), (123_807, "120,000")]
)
def test_estimates_claim_two_digits(value: int, text: str) -> None:
    assert printed.roughly(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "n/a"), (0, "0 B"), (999, "999 B"), (1_000, "1 kB"), (91_636_000, "91.6 MB")],
)
def test_sizes_have_three_digits(value: int | None, text: str) -> None:
    assert printed.size(value) == text


def test_tokens_are_those_of_the_first_ten_tools(tmp_path: Path) -> None:
    store.write(tmp_path, *result())
    (section,) = view.sections(store.read_results(tmp_path)[0], TASKS, tmp_path)
    row = section.tables[0].rows[0]
    assert row.tokens == row.result.scopes["global"].context.top["10"]
    assert row.tokens < row.result.scopes["global"].context.candidates


def test_a_headline_that_is_an_average_is_what_is_shown(tmp_path: Path) -> None:
    plain = fakes.dataset()
    data: ToolDataset = replace(plain, averages={"both": {"early": 0.5, "late": 0.5}})
    task = replace(fakes.TASK, headline="both")
    store.write(tmp_path, *evaluate(task, fakes.OVERLAP, data, ["tool_bench"]))
    (section,) = view.sections(store.read_results(tmp_path)[0], {"Tiny": task}, tmp_path)
    (row,) = section.tables[0].rows
    slices = row.result.scopes["global"].slices
    assert row.scores["nDCG@10"].value == slices["both"].measures["nDCG@10"].value
    assert section.tables[0].slices
    assert set(section.tables[0].slices.names) == {"all", "early", "late"}
    told = text(build(tmp_path, tmp_path / "public")[0], "tasks/Tiny.html")
    assert "Scores are the both; the mean over all queries is among the slices" in told


def test_curves_stand_in_their_task(tmp_path: Path) -> None:
    made, files = result()
    store.write(tmp_path, made, files)
    assert made.timing
    score = made.scopes["global"].slices["all"].measures["nDCG@10"]
    points = tuple(
        ScalingPoint(
            tools=tools,
            sha256="0" * 64,
            measures=dict.fromkeys(("nDCG@10", "Hit@1", "Hit@10"), score),
            timing=made.timing,
            index_bytes=None,
            provenance=made.provenance,
        )
        for tools in (12, 1_000)
    )
    record = ScalingRecord(
        task="Tiny",
        baseline="<script>alert(1)</script>",
        key={},
        data=made.data,
        catalogue={},
        available=1_000,
        dropped={},
        examples=0,
        bound="A lower bound.",
        points=points,
    )
    path = record_path(tmp_path, "Tiny", record.baseline)
    store.write_atomically({path: record.model_dump_json().encode()})
    page, broken = build(tmp_path, tmp_path / "public")
    assert broken == []
    own = page.parent / "tasks" / "Tiny.html"
    assert "<script>" not in own.read_text(encoding="utf-8")
    assert own.read_text(encoding="utf-8").count("<svg") == 2
    assert "A lower bound." in text(page, "tasks/Tiny.html")
    assert "1,000" in text(page, "tasks/Tiny.html")
    path.write_text("{}")
    _, (problem,) = build(tmp_path, tmp_path / "public")
    assert path.name in str(problem)


def test_the_terminal_shows_whole_names_in_80_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    store.write(tmp_path, *result(baseline="semantic-router-library"))
    with pytest.raises(SystemExit):
        cli.main(["results", "--results", str(tmp_path)])
    out = capsys.readouterr().out
    column = "".join(line[:23].split(" ")[0] for line in out.splitlines())
    assert "semantic-router-library" in column  # whole, on two lines where figures are long
    assert max(map(len, out.splitlines())) <= 80
