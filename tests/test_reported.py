from __future__ import annotations

import json
from pathlib import Path

import fakes
import pytest
import yaml
from fake_reports import HOSTILE, put, source

from tool_bench import cli, registry, store
from tool_bench.evaluate import evaluate
from tool_bench.reported import ReportedSource, of_tasks, read_reported

RESULTS = store.default_folder()


def figures(name: str, table: int) -> dict[str, tuple[str | None, ...]]:
    record = yaml.safe_load((RESULTS / "reported" / f"{name}.yaml").read_text(encoding="utf-8"))
    rows = ReportedSource.model_validate(record).tables[table].rows
    return {row.method: row.values for row in rows}


def test_every_committed_file_is_whole() -> None:
    whole, broken = read_reported(RESULTS)
    assert broken == []
    assert len(whole) == len(list((RESULTS / "reported").iterdir())) == 10
    for table in (table for told in whole for table in told.tables):
        assert table.our_task is None or table.our_task in registry.tasks()
        assert len({row.method for row in table.rows}) == len(table.rows)
        assert table.comparable.startswith(("Not comparable: ", "Near"))


@pytest.mark.parametrize(
    ("name", "table", "method", "values"),
    [
        ("stackone-blog", 0, "v2 (fine-tuned)", ("92.8", "100", "0.957")),
        ("stackone-blog", 1, "Semantic Router", ("35.4",)),
        ("stackone-blog", 2, "Anthropic tool use", ("44.0", "69.3", "0.517")),
        ("stackone-blog", 3, "GritLM-7B", ("0.411",)),
        ("stackone-blog", 4, "v1 (synonym enrichment)", ("~0.26",)),
        ("stackone-blog", 5, "BM25", ("23.1", "52.3", "0.385")),
        ("stackone-blog", 6, "Ada-002", (None, None, "0.387")),
        ("stackone-talk", 0, "Toolshed RAG", ("57.4", "79.5", "0.704", "53.6")),
        ("stackone-talk", 1, "Fine-Tuned bge", ("90.0", "98.8", "0.943", "10.9")),
        ("stackone-changelog", 0, "Anthropic native tool use", (None, "44")),
        ("stackone-product", 0, "third series", ("76.1", "36.4", "33.1")),
        ("stackone-author", 0, "GritLM-7B", ("39.2",)),
        ("stackone-sdk", 0, "Semantic Search", ("76.6", "0.634", "279.6")),
        ("toolret", 0, "NV-Embed-v1", ("33.83", "42.71")),
        ("re-invoke", 0, "Re-Invoke", ("0.6110", "0.5379", "0.5955", "0.7821", "0.7231")),
        ("anthropic", 0, "Claude Opus 4.5", ("79.5", "88.1")),
    ],
)
def test_figures_are_those_of_the_source(
    name: str, table: int, method: str, values: tuple[str | None, ...]
) -> None:
    assert figures(name, table)[method] == values


def test_the_means_of_toolllm_are_those_of_its_three_parts() -> None:
    for values in figures("toolllm", 0).values():
        numbers = [float(value or "nan") for value in values]
        for depth in (0, 1):
            mean = sum(numbers[depth:6:2]) / 3
            assert numbers[6 + depth] == pytest.approx(mean, abs=0.051)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (source(url="javascript:alert(1)"), "paper.yaml, url: String should match"),
        (source(published="May 2026"), "paper.yaml, published: String should match"),
        (source(tables=[]), "paper.yaml, tables: Tuple should have at least 1 item"),
        (source(checked="measured"), "paper.yaml, tables.0.checked: Input should be 'read'"),
        (source(more={"rank": 1}), "paper.yaml, tables.0.rank: Extra inputs are not permitted"),
        (
            source(rows=[{"method": "m", "values": ["9.1.2", "1"]}]),
            "paper.yaml, tables.0.rows.0.values.0: String should match",
        ),
        (
            source(rows=[{"method": "m", "values": [41.7, "1"]}]),
            "paper.yaml, tables.0.rows.0.values.0: Input should be a valid string",
        ),
        (
            source(rows=[{"method": "m", "values": ["1"]}]),
            "paper.yaml, tables.0: Value error, row 'm' has 1 values, expected 2",
        ),
        (source(checked="second-hand"), "'via' belongs to second-hand figures"),
        (source(more={"via": "a friend"}), "'via' belongs to second-hand figures"),
        ([], "paper.yaml, file: Input should be a valid dictionary"),
    ],
)
def test_a_broken_file_is_left_out_and_its_field_is_named(
    tmp_path: Path, record: object, message: str
) -> None:
    put(tmp_path, record)
    put(tmp_path, source(), "whole")
    whole, (problem,) = read_reported(tmp_path)
    assert [s.title for s in whole] == ["A paper"]
    assert message in str(problem)


@pytest.mark.parametrize(
    ("content", "message"), [(b"title: 'x", "line 1"), (b"title: \xff", "invalid start byte")]
)
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    put(tmp_path, source()).write_bytes(content)
    _, (problem,) = read_reported(tmp_path)
    assert "paper.yaml: " in str(problem)
    assert message in str(problem)


def test_there_may_be_none(tmp_path: Path) -> None:
    assert read_reported(tmp_path) == ([], [])


def test_only_the_tables_of_the_tasks_asked_for_are_kept(tmp_path: Path) -> None:
    put(tmp_path, source())
    put(tmp_path, source(our_task=None), "other")
    whole, _ = read_reported(tmp_path)
    assert len(whole) == 2
    assert [t.our_task for s in of_tasks(whole, {"Tiny"}) for t in s.tables] == ["Tiny"]
    assert of_tasks(whole, {"MetaTool"}) == []


def test_they_are_no_results(tmp_path: Path) -> None:
    made, files = evaluate(fakes.TASK, fakes.OVERLAP, fakes.dataset(), ["tool_bench"])
    store.write(tmp_path, made, files)
    put(tmp_path, source())
    assert store.read_results(tmp_path) == ([made], [])


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(words))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_command_prints_them_with_their_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "tasks", lambda: {"Tiny": fakes.TASK, "Other": fakes.OTHER})
    words = ("results", "--reported", "--results", str(tmp_path))
    assert call(*words) == 0
    assert "no reported figures" in capsys.readouterr().out
    put(tmp_path, source(title=HOSTILE))
    assert call(*words) == 0
    out = capsys.readouterr().out
    assert HOSTILE in out
    assert "Somebody, published 2026-05\nhttps://example.org/paper\n" in out
    assert "Tiny, global, 12 tools, 1,200 queries. reported, read in the source" in out
    assert out.index("worse") < out.index("better")
    assert "Not comparable: it is made up.\nA typo." in out
    assert call(*words, "--tasks", "Other") == 0
    assert "no reported figures" in capsys.readouterr().out
    assert call(*words, "--json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["tables"][0]["rows"][0] == {"method": "worse", "values": ["41.70", None]}
    put(tmp_path, [], "hurt")
    assert call(*words) == 1
    assert "hurt.yaml, file: " in " ".join(capsys.readouterr().err.split())


def test_every_committed_table_fits_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert call("results", "--reported") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("https://")) <= 80
    assert not any("…" in line for line in lines)
