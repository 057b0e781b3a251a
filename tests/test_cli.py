from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import fakes
import pytest

from tool_bench import cli, registry
from tool_bench.baseline import Baseline
from tool_bench.task import Task

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = [
    ["run"],
    ["list"],
    ["results"],
    ["search"],
    ["compare"],
    ["reproduce"],
    ["rescore"],
    ["scale"],
    ["train"],
    ["mine"],
    ["ablate"],
    ["autoresearch"],
    ["gate"],
    ["export"],
    ["sign", "keygen"],
    ["sign", "request"],
    ["sign", "check"],
    ["sign", "run"],
    ["data", "status"],
    ["data", "pull"],
    ["data", "verify"],
    ["data", "import", "beir"],
    ["data", "import", "toolbench"],
    ["data", "export"],
    ["data", "remove"],
    ["site", "build"],
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of two small tasks and three methods, one of them broken."""
    tasks: dict[str, Task] = {"Tiny": fakes.TASK, "Other": fakes.OTHER}
    methods: list[Baseline] = [
        fakes.OVERLAP,
        fakes.CONSTANT,
        fakes.baseline("unavailable", fakes.load_unavailable),
    ]
    monkeypatch.setattr(registry, "tasks", lambda: tasks)
    monkeypatch.setattr(registry, "baselines", lambda: {m.name: m for m in methods})


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(words))
    code = ended.value.code
    assert isinstance(code, int)
    return code


@pytest.mark.usefixtures("small")
def test_run_all_ends_with_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "results"
    assert call("run", "--all", "--results", str(folder)) == 0
    out, err = capsys.readouterr()
    page = folder / "site" / "index.html"
    assert f"6 cells: 4 run, 2 unavailable.\nLeaderboard: {page.as_uri()}" in out
    assert err.count("needs a unicorn") == 1  # two cells share the reason
    assert "Tiny/overlap" in err
    assert page.is_file()
    assert call("run", "--all", "--results", str(folder)) == 0
    assert "6 cells: 4 cached, 2 unavailable." in capsys.readouterr().out


@pytest.mark.usefixtures("small")
def test_json_is_all_that_json_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "-t", "Tiny", "-b", "overlap,unavailable", "--json", "--results", str(tmp_path)]
    assert call(*words) == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    cells = {cell["baseline"]: cell for cell in record["cells"]}
    assert cells["overlap"]["state"] == "done"
    assert cells["overlap"]["scores"]["scoped"]["Hit@1"] == 1
    assert cells["unavailable"]["reason"] == "needs a unicorn: pip install unicorn"
    assert err == ""


@pytest.mark.usefixtures("small")
def test_dry_run_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "--all", "--dry-run", "--results", str(tmp_path)) == 0
    assert "6 to run, about" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    call("run", "-t", "Tiny", "-b", "overlap", "--results", str(tmp_path))
    capsys.readouterr()
    assert call("run", "--all", "--dry-run", "--json", "--results", str(tmp_path)) == 0
    states = [cell["state"] for cell in json.loads(capsys.readouterr().out)]
    assert sorted(states) == ["cached"] + ["to run"] * 5


@pytest.mark.usefixtures("small")
def test_a_failed_cell_makes_exit_code_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {"raises": fakes.baseline("raises", fakes.load_raises), "overlap": fakes.OVERLAP}
    monkeypatch.setattr(registry, "baselines", lambda: broken)
    assert call("run", "-t", "Tiny", "--results", str(tmp_path)) == 1
    out, err = capsys.readouterr()
    assert "2 cells: 1 run, 1 failed." in out
    assert "ZeroDivisionError: no luck" in err
    assert "Traceback" not in out + err
    assert call("--debug", "run", "-t", "Tiny", "--results", str(tmp_path)) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--tasks", "MetaTol"], "did you mean MetaTool"),
        (["run", "--all", "--baselines", "bm26"], "did you mean bm25"),
        (["run"], "nothing chosen"),
        (["run", "--all", "--revision", "abc"], "--revision belongs to one --model; 0 were given"),
        (["run", "-m", "a/b", "-m", "c/d", "--revision", "abc"], "2 were given"),
        (["run", "-m", str(ROOT), "--revision", "abc"], "is a local folder"),
        (["run", "--model", "nonsense"], "neither a local folder nor a hub name"),
        (["rnu"], "No such command"),
        (["run", "--al"], "No such option"),
        (["search", "  "], "the request is empty"),
        (["search", "x", "-k", "0"], "greater than or equal to 1"),
        (["run", "--tasks", ""], "--tasks is empty"),
        (["rescore", "--check", "--results", "/nowhere"], "no results in /nowhere"),
        (["search", "x", "-t", "Nope"], "unknown task 'Nope'"),
        (["results", "-t", "Nope"], "unknown task 'Nope'"),
        (["data", "verify", "Nope"], "unknown task 'Nope'"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_two(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*words) == 2
    out, err = capsys.readouterr()
    assert err.startswith("error: ")
    assert message in " ".join(err.split())
    assert "Traceback" not in out + err


@pytest.mark.usefixtures("small")
def test_an_unwritable_results_folder_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    assert call("run", "--all", "--results", str(blocker / "x")) == 1
    err = " ".join(capsys.readouterr().err.split())
    assert err.startswith("error: cannot write")
    assert "What was there before is untouched" in err


@pytest.mark.usefixtures("small")
def test_a_broken_result_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "overlap").mkdir()
    (tmp_path / "overlap" / "Tiny.json").write_text("{}")
    assert call("results", "--results", str(tmp_path)) == 1
    err = " ".join(capsys.readouterr().err.split())
    assert "Tiny.json" in err
    assert "delete it and run the cell again" in err
    assert call("run", "-t", "Tiny", "-b", "overlap", "--results", str(tmp_path)) == 0
    assert call("results", "--results", str(tmp_path)) == 0


@pytest.mark.usefixtures("small")
def test_a_bug_is_one_line_unless_debug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise KeyError("oops")

    monkeypatch.setattr(registry, "tasks", broken)
    assert call("list") == 1
    assert capsys.readouterr().err == "error: KeyError: 'oops' (a bug; --debug shows where)\n"
    with pytest.raises(KeyError, match="oops"):
        cli.main(["list", "--debug"])


@pytest.mark.usefixtures("small")
def test_rescore_checks_and_mends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("run", "-t", "Tiny", "-b", "overlap", "--results", str(tmp_path))
    capsys.readouterr()
    assert call("rescore", "--check", "--results", str(tmp_path)) == 0
    assert capsys.readouterr().out == "equal Tiny/overlap\n1 equal\n"
    path = tmp_path / "overlap" / "Tiny.json"
    good = path.read_text()
    record = json.loads(good)
    record["scopes"]["global"]["slices"]["all"]["measures"]["Hit@1"]["value"] = 0.5
    path.write_text(json.dumps(record))
    assert call("rescore", "--check", "--results", str(tmp_path)) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "different Tiny/overlap: global all Hit@1 value: 0.5 -> 1.0" in out
    assert call("rescore", "--results", str(tmp_path)) == 0
    assert path.read_text() == good


@pytest.mark.usefixtures("small")
def test_rescore_refuses_a_run_that_is_not_the_results_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("run", "-t", "Tiny", "-b", "overlap,constant", "--results", str(tmp_path))
    name = "Tiny.global.run.gz"
    shutil.copy(tmp_path / "constant" / name, tmp_path / "overlap" / name)
    capsys.readouterr()
    assert call("rescore", "--check", "--results", str(tmp_path)) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "Tiny.global.run.gz: is not the file its result names" in out
    assert "equal Tiny/constant" in out  # the others are still checked
    assert "1 broken, 1 equal" in out


@pytest.mark.usefixtures("small")
def test_results_and_list_and_search_print_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("results", "--results", str(tmp_path)) == 0
    assert "tool-bench run --all" in capsys.readouterr().out
    call("run", "-t", "Tiny", "--results", str(tmp_path))
    capsys.readouterr()
    assert call("results", "--results", str(tmp_path)) == 0
    out = capsys.readouterr().out
    assert "Tiny, global: 12 queries, 12 tools" in out
    assert "Tiny, scoped" in out
    assert "1.000" in out
    assert call("results", "--json", "--results", str(tmp_path)) == 0
    assert {r["baseline"] for r in json.loads(capsys.readouterr().out)} == {"overlap", "constant"}
    assert call("search", "delete an invoice", "-t", "Tiny", "-b", "overlap", "-k", "2") == 0
    first, second = capsys.readouterr().out.splitlines()[1:]
    assert "invoice_delete" in first
    assert "delete an invoice" in first
    assert second.startswith(" 2")
    assert call("search", "list tickets", "-t", "Tiny", "-b", "overlap", "-k", "1", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["rank"] == 1
    assert call("list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [task["name"] for task in listed["tasks"]] == ["Tiny", "Other"]


@pytest.mark.usefixtures("mirror")
def test_data_is_pulled_verified_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("data", "pull", "MetaToolMulti") == 0
    assert "OK MetaToolMulti" in capsys.readouterr().out
    assert call("data", "status", "MetaToolMulti") == 0
    assert capsys.readouterr().out.count("cached") == 2
    assert call("data", "verify", "MetaToolMulti") == 0
    assert "199 tools, 497 queries" in " ".join(capsys.readouterr().out.split())


def test_data_that_ships_is_said_to_ship(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("status", "pull"):
        assert call("data", command, "MockConnectors") == 0
        assert "ships with the package" in capsys.readouterr().out


def test_data_without_network_or_mirror_says_how(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = registry.tasks()["MetaToolMulti"]
    dead = replace(
        task, sources=tuple(replace(s, url="http://127.0.0.1:9/x") for s in task.sources)
    )
    monkeypatch.setattr(registry, "tasks", lambda: {"MetaToolMulti": dead})
    assert call("data", "pull") == 1
    assert "set TOOL_BENCH_MIRROR" in " ".join(capsys.readouterr().out.split())
    assert call("data", "verify") == 0
    assert "n/a MetaToolMulti: data unavailable" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_examples(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*command, "--help") == 0
    out = capsys.readouterr().out
    assert "Examples" in out
    assert f"tool-bench {' '.join(command)}" in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_the_readme_names_every_command_and_task() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert " ".join(command) in readme
    for name in registry.declared_tasks():
        assert name in readme
