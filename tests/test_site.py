from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from fake_reports import HOSTILE, put, source
from page import check, result

from tool_bench import registry, store
from tool_bench.leaderboard import printed, view
from tool_bench.leaderboard.build import STAMP, build
from tool_bench.results import Hardware


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK, "Other": fakes.OTHER})
    store.write(tmp_path / "results", *result())
    built, broken = build(tmp_path / "results", tmp_path / "public")
    assert broken == []
    return built


def test_the_page_stands_alone_and_shows_every_column(page: Path) -> None:
    checker = check(page)
    assert checker.sources == []
    assert "@import" not in page.read_text(encoding="utf-8")
    assert "url(" not in page.read_text(encoding="utf-8")
    for word in (*view.COLUMNS, "p50 latency", "USD per 1,000 queries", "Parameters", "Evidence"):
        assert word in checker.text
    for word in ("overlap", "global", "scoped", "measured", "early", "late", "12 tools"):
        assert word in checker.text
    assert "No results yet: python -m tool_bench run --tasks Other" in checker.text


def test_an_unchanged_page_is_left_alone(page: Path, tmp_path: Path) -> None:
    before = page.stat().st_mtime_ns
    build(tmp_path / "results", tmp_path / "public")
    assert page.stat().st_mtime_ns == before
    store.write(tmp_path / "results", *result(baseline="second"))
    build(tmp_path / "results", tmp_path / "public")
    assert "second" in page.read_text(encoding="utf-8")


def test_markup_in_names_is_text(tmp_path: Path) -> None:
    store.write(tmp_path / "results", *result(baseline="<script>alert(1)</script>"))
    page, _ = build(tmp_path / "results", tmp_path / "public")
    assert "<script>" not in page.read_text(encoding="utf-8")
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
        ["overlap"],
        ["overlap"],
        ["late"],
        ["late"],
    ]
    assert len({table.anchor for table in section.tables}) == 4


def test_reported_figures_stand_apart_in_their_order(page: Path, tmp_path: Path) -> None:
    assert "Reported by others" not in check(page).text
    put(tmp_path / "results", source())
    assert build(tmp_path / "results", tmp_path / "public") == (page, [])
    checker = check(page)
    rest = re.sub(r"\s+", " ", checker.text.removeprefix(checker.measured))
    apart, _, _ = rest.partition("How to read this")
    for told in ("A paper", "Somebody", "published 2026-05", "worse", "41.70", "Not comparable"):
        assert told in apart
        assert told not in checker.measured
    assert "Tiny, global, 12 tools, 1,200 queries" in apart
    assert apart.index("worse") < apart.index("better")
    assert "https://example.org/paper" in checker.links
    assert "overlap" in checker.measured
    assert "overlap" not in apart


def test_markup_in_reported_figures_is_text(page: Path, tmp_path: Path) -> None:
    hurt = source(title=HOSTILE, by=HOSTILE, task=HOSTILE, note=HOSTILE, setting=HOSTILE)
    hurt["tables"][0].update(measures=[HOSTILE, "MRR"], comparable=HOSTILE)
    hurt["url"] = 'https://example.org/"><script>'
    put(tmp_path / "results", hurt)
    assert build(tmp_path / "results", tmp_path / "public") == (page, [])
    assert "<script>" not in page.read_text(encoding="utf-8")
    assert check(page).text.count(HOSTILE) >= 5


def test_a_broken_reported_file_is_left_out_and_named(page: Path, tmp_path: Path) -> None:
    put(tmp_path / "results", source(published="soon"), "hurt")
    put(tmp_path / "results", source(), "whole")
    for _ in range(2):  # a second build says so again
        _, (problem,) = build(tmp_path / "results", tmp_path / "public")
        assert "hurt.yaml, published: " in str(problem)
        assert check(page).text.count("A paper") == 1


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
    assert check(page).text.count("n/a") >= 4  # latency and cost in two scopes


def test_a_paid_service_has_latency_and_no_throughput(tmp_path: Path) -> None:
    made, files = result(baseline="paid")
    assert made.timing is not None
    timing = made.timing.model_copy(update={"queries_per_s": None})
    store.write(tmp_path / "results", made.model_copy(update={"timing": timing}), files)
    page, broken = build(tmp_path / "results", tmp_path / "public")
    assert broken == []
    assert printed.milliseconds(timing.latency["p50"].ms) in check(page).text


def test_a_broken_result_is_left_out_and_named(tmp_path: Path) -> None:
    results = tmp_path / "results"
    store.write(results, *result())
    store.write(results, *result(baseline="hurt"))
    assert build(results, tmp_path / "public")[1] == []
    (results / "hurt" / "Tiny.global.run.gz").unlink()
    for _ in range(2):  # a second build says so again
        page, (problem,) = build(results, tmp_path / "public")
        assert "Tiny.global.run.gz: is not the file its result names" in str(problem)
        assert "hurt" not in page.read_text(encoding="utf-8")


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


def test_the_committed_results_make_a_page(tmp_path: Path) -> None:
    page, broken = build(store.default_folder(), tmp_path / "public")
    assert broken == []
    text = re.sub(r"\s+", " ", check(page).text)
    for name in [*registry.declared_tasks(), *registry.baselines()]:
        assert name in text
