from __future__ import annotations

import json
import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import fakes
import pytest
from beir_files import CORPUS, beir_folder
from toolbench_files import archive_files, as_zip, group

from tool_bench import cli, registry
from tool_bench.data.imported import folder_of, save
from tool_bench.data.load import load
from tool_bench.data.task_file import given
from tool_bench.errors import DataError, ToolBenchError, UnknownNameError, UsageError
from tool_bench.fingerprint import task_hash
from tool_bench.mteb_bridge import metadata_of
from tool_bench.task import Task

MINE = replace(fakes.TASK, name="Mine")


def keep(task: Task = MINE, *, replacing: bool = False) -> set[str]:
    return save([task], registry.declared_tasks(), replacing=replacing)


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(words))
    code = ended.value.code
    assert isinstance(code, int)
    return code


def other() -> Task:
    """Mine with another description of one tool."""
    data = fakes.dataset()
    tools = (replace(data.tools[0], description="something else"), *data.tools[1:])
    return replace(MINE, build=partial(given, replace(data, tools=tools)))


def test_an_imported_task_is_one_of_the_tasks() -> None:
    keep()
    task = registry.tasks()["Mine"]
    assert list(registry.tasks())[-1] == "Mine"
    assert "Mine" not in registry.declared_tasks()
    fields = ("description", "license", "tools", "queries", "providers", "eval_langs", "headline")
    assert [getattr(task, f) for f in fields] == [getattr(MINE, f) for f in fields]
    assert replace(load(task), name="Tiny") == fakes.dataset()
    sent = pickle.loads(pickle.dumps(task))  # noqa: S301  as the harness sends it
    assert load(sent) == load(task)
    assert metadata_of(task).name == "Mine"


def test_its_revision_is_that_of_its_content() -> None:
    keep()
    first = registry.tasks()["Mine"]
    keep(other(), replacing=True)
    second = registry.tasks()["Mine"]
    assert first.data_revision != second.data_revision
    assert task_hash(first) != task_hash(second)
    assert load(second).tools[0].description == "something else"
    with pytest.raises(DataError, match=r"Mine: was imported anew in the meantime"):
        load(first)
    keep(replacing=True)
    assert registry.tasks()["Mine"].data_revision == first.data_revision


def test_another_import_of_the_same_name_needs_a_word() -> None:
    assert keep() == {"Mine"}
    assert keep() == set()
    with pytest.raises(UsageError, match=r"'Mine' with other content was imported before; --repl"):
        keep(other())
    assert load(registry.tasks()["Mine"]).tools[0].description == "create an employee"


def test_several_are_imported_or_none(tmp_path: Path) -> None:
    keep()
    with pytest.raises(UsageError, match="with other content"):
        save([replace(MINE, name="First"), other()], (), replacing=False)
    with pytest.raises(DataError, match=r"rows.csv, row 7"):
        save([replace(MINE, name="First"), fakes.BROKEN], (), replacing=False)
    assert [p.name for p in folder_of("Mine").parent.iterdir()] == ["Mine"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ToolBench", "there is a task 'ToolBench' already; choose another name with --name"),
        ("toolbench", "there is a task 'ToolBench' already"),
        ("mine", "there is a task 'Mine' already"),
        ("a/b", "'a/b' cannot be the name of a task: use up to 64 letters, digits"),
        ("../x", "cannot be the name of a task"),
        (".new-x", "cannot be the name of a task"),
        ("", "cannot be the name of a task"),
    ],
)
def test_a_name_that_cannot_be_had_is_refused(name: str, message: str) -> None:
    keep()
    with pytest.raises(UsageError, match=message):
        keep(replace(MINE, name=name), replacing=True)


def test_a_task_declared_later_does_not_hide_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    keep()
    monkeypatch.setattr(registry, "declared_tasks", lambda: {"MINE": fakes.TASK})
    with pytest.raises(ToolBenchError, match=r"'tool-bench data remove Mine' deletes it"):
        registry.tasks()
    assert call("data", "remove", "Mine") == 0
    assert list(registry.tasks()) == ["MINE"]


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_changed_file_is_refused(file: str) -> None:
    keep()
    path = folder_of("Mine") / file
    path.write_text(path.read_text().replace("1", "2", 1) + "\n")
    with pytest.raises(DataError, match=rf"{file}: is not the file that was imported; .* remove"):
        load(registry.tasks()["Mine"])
    path.unlink()
    with pytest.raises(DataError, match="is not the file that was imported"):
        load(registry.tasks()["Mine"])


def test_an_import_without_its_declaration_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    keep()
    (folder_of("Mine") / "task.json").write_text("{")
    assert call("list") == 0  # the others are there
    err = capsys.readouterr().err
    assert "imported/Mine: this import cannot be read" in err
    assert "'tool-bench data remove Mine' deletes it" in err
    with pytest.raises(DataError, match="this import cannot be read"):
        registry.pick_tasks(["Mine"])
    assert call("data", "remove", "Mine") == 0
    assert call("list") == 0


def test_importing_again_mends_a_damaged_import() -> None:
    keep()
    corpus = folder_of("Mine") / "corpus.jsonl"
    whole = corpus.read_bytes()
    corpus.write_bytes(whole[:-20])
    keep(replacing=True)
    assert corpus.read_bytes() == whole
    load(registry.tasks()["Mine"])


@pytest.mark.parametrize("name", ["ToolBenchG1", "toolbenchg3"])
def test_asking_for_toolbench_says_how_to_import_it(name: str) -> None:
    with pytest.raises(UnknownNameError, match="tool-bench data import toolbench PATH") as error:
        registry.pick_tasks([name])
    assert error.value.exit_code == 2


def test_removing_what_was_not_imported_names_what_was() -> None:
    keep()
    with pytest.raises(SystemExit) as ended:
        cli.main(["data", "remove", "MetaTool"])
    assert ended.value.code == 2
    call("data", "remove", "Mine")
    assert not folder_of("Mine").exists()


def test_toolbench_from_the_archive_to_a_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = as_zip(archive_files(G1=group(), G3=group()), tmp_path / "data.zip")
    assert call("data", "import", "toolbench", str(archive)) == 0
    out = capsys.readouterr().out
    assert "OK ToolBenchG1: 3 tools, 2 queries, imported to" in out
    assert "ToolBenchG1 has 3 tools; upstream's corpus has 10,439" in out
    assert "not in it, so not imported: ToolBenchG2" in out
    assert call("data", "import", "toolbench", str(archive)) == 0
    assert (
        "ToolBenchG3: 3 tools, 2 queries, the same was imported before" in capsys.readouterr().out
    )
    assert call("data", "verify", "ToolBenchG1") == 0
    assert "OK ToolBenchG1: 3 tools, 2 queries" in capsys.readouterr().out
    results = str(tmp_path / "results")
    assert call("run", "-t", "ToolBenchG1", "-b", "bm25", "--results", results) == 0
    capsys.readouterr()
    assert call("results", "-t", "ToolBenchG1", "--results", results, "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["task"], row["baseline"]) == ("ToolBenchG1", "bm25")
    assert call("run", "-t", "ToolBenchG1", "-b", "bm25", "--results", results) == 0
    assert "1 cell: 1 cached" in capsys.readouterr().out
    assert call("site", "build", "--results", results, "--out", str(tmp_path / "site")) == 0
    assert "ToolBenchG1" in (tmp_path / "site" / "index.html").read_text()


def test_a_beir_folder_from_import_to_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = beir_folder(tmp_path / "weather")
    assert call("data", "import", "beir", str(folder), "--name", "Weather") == 0
    out = capsys.readouterr().out
    assert "OK Weather: 3 tools, 2 queries, imported to" in out
    assert "Weather: 1 queries have no relevant tool and were left out." in out
    assert metadata_of(registry.tasks()["Weather"]).license == "not specified"
    assert call("data", "status", "Weather") == 0
    assert "imported on this machine" in capsys.readouterr().out
    assert call("data", "pull", "Weather") == 0
    assert "OK Weather: imported on this machine" in capsys.readouterr().out
    assert call("search", "rain", "-t", "Weather", "-b", "bm25") == 0
    assert "how much rain" in capsys.readouterr().out
    assert call("data", "export", "Weather", "--beir", str(tmp_path / "out")) == 0
    assert "3 tools and 2 queries" in capsys.readouterr().out
    assert call("data", "import", "beir", str(tmp_path / "out"), "--name", "Again") == 0
    assert replace(load(registry.tasks()["Again"]), name="Weather") == load(
        registry.tasks()["Weather"]
    )


def test_a_bad_folder_is_no_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = beir_folder(tmp_path / "bad", [*CORPUS, CORPUS[0]])
    assert call("data", "import", "beir", str(folder)) == 1
    assert "corpus.jsonl, line 4: the id 'rain' occurs twice" in capsys.readouterr().err
    assert "bad" not in registry.tasks()


@pytest.mark.parametrize(
    "command", [("import",), ("import", "beir"), ("import", "toolbench"), ("export",), ("remove",)]
)
def test_help_has_examples(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("data", *command, "--help") == 0
    assert f"tool-bench data {command[0]}" in capsys.readouterr().out
