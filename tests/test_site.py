from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from fake_reports import HOSTILE, put, source
from page import check, check_board, result, text

from tool_bench import registry, store
from tool_bench.leaderboard import printed, view
from tool_bench.leaderboard.build import build
from tool_bench.leaderboard.output import STAMP
from tool_bench.results import Hardware


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK, "Other": fakes.OTHER})
    store.write(tmp_path / "results", *result())
    built, broken = build(tmp_path / "results", tmp_path / "public")
    assert broken == []
    return built


def test_every_page_stands_alone_and_every_link_leads_somewhere(page: Path) -> None:
    pages = check_board(page)
    assert {"index.html", "tasks/Tiny.html", "methods/overlap.html", "explore/Tiny.html"} <= set(
        pages
    )
    assert {"docs/statistics.html", "docs/decisions/0001-clusters-by-gold-set.html"} <= set(pages)
    for name, checker in pages.items():
        assert not [s for s in checker.sources if not s.startswith(("assets/", "../"))], name
    for asset in (page.parent / "assets").glob("*.[cj]s*"):
        assert "://" not in re.sub(r"/\*.*?\*/|//[^\n]*", "", asset.read_text("utf-8")), asset


def test_a_task_page_shows_every_column(page: Path) -> None:
    shown = text(page, "tasks/Tiny.html")
    for word in (*view.COLUMNS, "p50", "USD per 1,000", "Parameters", "Evidence"):
        assert word in shown
    for word in ("overlap", "global", "scoped", "measured", "early", "late", "12 tools"):
        assert word in shown
    assert "No results yet: python -m tool_bench run --tasks Other" in text(
        page, "tasks/Other.html"
    )


def test_an_unchanged_page_is_left_alone(page: Path, tmp_path: Path) -> None:
    before = page.stat().st_mtime_ns
    build(tmp_path / "results", tmp_path / "public")
    assert page.stat().st_mtime_ns == before
    store.write(tmp_path / "results", *result(baseline="second"))
    build(tmp_path / "results", tmp_path / "public")
    assert "second" in text(page)


def test_what_is_no_longer_written_goes_and_nothing_else(page: Path, tmp_path: Path) -> None:
    store.write(tmp_path / "results", *result(baseline="second"))
    build(tmp_path / "results", tmp_path / "public")
    own = page.parent / "methods" / "mine.txt"
    own.write_text("kept")
    assert (page.parent / "methods" / "second.html").is_file()
    for path in (tmp_path / "results" / "second").iterdir():
        path.unlink()
    build(tmp_path / "results", tmp_path / "public")
    assert not (page.parent / "methods" / "second.html").exists()
    assert not (page.parent / "runs" / "second").exists()
    assert own.read_text() == "kept"


def test_a_build_that_was_killed_is_done_again(page: Path, tmp_path: Path) -> None:
    (page.parent / STAMP).unlink()
    page.write_text("half")
    build(tmp_path / "results", tmp_path / "public")
    assert "overlap" in text(page)


def test_markup_in_names_is_text(tmp_path: Path) -> None:
    store.write(tmp_path / "results", *result(baseline="<script>alert(1)</script>"))
    page, _ = build(tmp_path / "results", tmp_path / "public")
    check_board(page)
    assert "<script>alert" not in page.read_text(encoding="utf-8")
    assert "<script>alert(1)</script>" in check(page).text


def test_results_of_different_data_share_no_table(tmp_path: Path) -> None:
    first, files = result()
    other = replace(fakes.TASK, version=2)
    second, _ = result(other)
    changed = second.model_copy(
        update={"baseline": "late", "data": second.data.model_copy(update={"sha256": "f" * 64})}
    )
    for some in (first, changed):
        store.write(tmp_path, some, files)
    (section,) = view.sections([first, changed], {"Tiny": other}, tmp_path)
    assert [[row.result.baseline for row in table.rows] for table in section.tables] == [
        ["late"],  # of the data that is declared
        ["late"],
        ["overlap"],
        ["overlap"],
    ]
    assert len({table.anchor for table in section.tables}) == 4


def test_reported_figures_stand_apart_in_their_order(page: Path, tmp_path: Path) -> None:
    assert "Reported by others" not in text(page)
    put(tmp_path / "results", source())
    assert build(tmp_path / "results", tmp_path / "public") == (page, [])
    apart = text(page, "reported.html")
    for told in ("A paper", "Somebody", "published 2026-05", "worse", "41.70", "Not comparable"):
        assert told in apart
    for told in ("worse", "41.70"):
        assert told not in text(page)
        assert told not in text(page, "tasks/Tiny.html")
    assert "Tiny, global, 12 tools, 1,200 queries" in apart
    assert apart.index("worse") < apart.index("better")
    assert "https://example.org/paper" in check(page.parent / "reported.html").links
    assert "overlap" not in apart
    assert "Reported by others" in text(page)


def test_markup_in_reported_figures_is_text(page: Path, tmp_path: Path) -> None:
    hurt = source(title=HOSTILE, by=HOSTILE, task=HOSTILE, note=HOSTILE, setting=HOSTILE)
    hurt["tables"][0].update(measures=[HOSTILE, "MRR"], comparable=HOSTILE)
    hurt["url"] = 'https://example.org/"><script>'
    put(tmp_path / "results", hurt)
    assert build(tmp_path / "results", tmp_path / "public") == (page, [])
    there = page.parent / "reported.html"
    assert "<script>" not in there.read_text(encoding="utf-8")
    assert check(there).text.count(HOSTILE) >= 5


def test_any_changed_input_builds_the_page_again(page: Path, tmp_path: Path) -> None:
    stamps = [(page.parent / STAMP).read_text()]
    results = tmp_path / "results"
    put(results, source())
    assert build(results, page.parent) == (page, [])
    stamps.append((page.parent / STAMP).read_text())
    for path in sorted(results.glob("*/*")):
        if path.suffix == ".gz":
            os.utime(path, ns=(1, 1))  # its content is not read: another time is enough
        else:
            path.write_bytes(path.read_bytes() + b"\n")
        assert build(results, page.parent) == (page, [])
        stamps.append((page.parent / STAMP).read_text())
    assert len(set(stamps)) == len(stamps) == 8  # JSON, four run and score files, YAML


def test_an_unchanged_page_reads_no_run_file_and_no_yaml(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "results", source())
    build(tmp_path / "results", tmp_path / "public")
    read = Path.read_bytes

    def spied(path: Path) -> bytes:
        assert path.suffix != ".gz"
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", spied)
    monkeypatch.setattr("tool_bench.reported.read_reported", None)
    assert build(tmp_path / "results", tmp_path / "public") == (page, [])


def test_what_is_not_known_is_na(tmp_path: Path) -> None:
    store.write(tmp_path / "results", *result(baseline="told", timing=None, cost=None))
    page, _ = build(tmp_path / "results", tmp_path / "public")
    own = page.parent / "tasks" / "Tiny.html"
    assert check(own).text.count("n/a") >= 4  # latency and cost in two scopes


def test_a_paid_service_has_latency_and_no_throughput(tmp_path: Path) -> None:
    made, files = result(baseline="paid")
    assert made.timing is not None
    timing = made.timing.model_copy(update={"queries_per_s": None})
    store.write(tmp_path / "results", made.model_copy(update={"timing": timing}), files)
    page, broken = build(tmp_path / "results", tmp_path / "public")
    assert broken == []
    assert printed.milliseconds(timing.latency["p50"].ms) in check(page).text


def test_the_newest_data_is_what_the_home_page_shows(tmp_path: Path) -> None:
    first, files = result()
    old = first.model_copy(
        update={
            "baseline": "a-first-by-name",
            "data": first.data.model_copy(update={"sha256": "f" * 64, "revision": "old+1"}),
        }
    )
    for some in (first, old):
        store.write(tmp_path, some, files)
    (section,) = view.sections([old, first], {"Tiny": fakes.TASK}, tmp_path)
    newest = view.newest_tables([section])["Tiny"]
    assert [row.result.baseline for row in newest.rows] == ["overlap"]
    titles = [table.title for table in section.tables]
    assert len(set(titles)) == len(titles) == 4
    assert "old+1" in titles[-1]


def test_latencies_of_different_machines_are_marked(tmp_path: Path) -> None:
    first, files = result()
    hardware = Hardware(cpu="Abacus", cores=1, memory_gib=1, accelerator=None)
    moved = first.model_copy(
        update={
            "baseline": "moved",
            "provenance": first.provenance.model_copy(update={"hardware": hardware}),
        }
    )
    for some in (first, moved):
        store.write(tmp_path, some, files)
    (section,) = view.sections([first, moved], {"Tiny": fakes.TASK}, tmp_path)
    table = section.tables[0]
    assert {row.machine for row in table.rows} == {"a", "b"}
    assert "Abacus, 1 core, 1 GiB" in {text for _, text in table.machines}
    (alone,) = view.sections([first], {"Tiny": fakes.TASK}, tmp_path)
    assert {row.machine for row in alone.tables[0].rows} == {""}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.855e-6, "0.0000019"),
        (2.4e-4, "0.00024"),
        (0.052, "0.052"),
        (1.0, "1.0"),
        (12.34, "12"),
        (99.9, "100"),
        (1234.5, "1200"),
    ],
)
def test_dollars(value: float, text: str) -> None:
    assert printed.dollars(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0769, "0.077"),
        (0.35, "0.35"),
        (3.04, "3"),
        (9.97, "10"),
        (11.4, "11"),
        (99.7, "100"),
        (2500, "2500"),
    ],
)
def test_milliseconds(value: float, text: str) -> None:
    assert printed.milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"),
        (0, "0"),
        (950, "950"),
        (22_713_216, "22.7 M"),
        (999_700_000, "1 B"),
        (7_000_000_000, "7 B"),
    ],
)
def test_parameters(value: int | None, text: str) -> None:
    assert printed.parameters(value) == text


def test_shares() -> None:
    assert [printed.share(v) for v in (0, 0.5465, 1)] == [".000", ".546", "1.000"]


def test_the_committed_results_make_a_board(tmp_path: Path) -> None:
    page, broken = build(store.default_folder(), tmp_path / "public")
    assert broken == []
    pages = check_board(page)
    for name in [*registry.declared_tasks(), *registry.baselines()]:
        assert name in pages["index.html"].text
    assert page.stat().st_size < 300_000
