from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
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
    ["rescore"],
    ["data", "status"],
    ["data", "pull"],
    ["data", "verify"],
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
        (["run", "--all", "--revision", "abc"], "--revision belongs to --model"),
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


def test_the_readme_names_every_command_task_and_method() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert " ".join(command) in readme
    for name in [*registry.tasks(), *registry.baselines()]:
        assert name in readme


LIGHT = """
import sys
from tool_bench.cli import main
try:
    main({words!r})
except SystemExit as ended:
    assert ended.code == 0, ended.code
heavy = {{"torch", "mteb", "numpy", "sentence_transformers", "datasets", "ir_measures"}}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
"""


def seconds_of(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True, cwd=ROOT)
    return time.perf_counter() - began


@pytest.mark.parametrize("words", [["list"], ["run", "--all"]], ids=" ".join)
def test_light_commands_are_light(words: list[str], tmp_path: Path) -> None:
    """They load neither torch nor mteb, and take under a tenth of importing mteb."""
    if words[0] == "run":
        shutil.copytree(ROOT / "results", tmp_path / "results")
        words = [*words, "--results", str(tmp_path / "results")]
        seconds_of("-m", "tool_bench", *words)  # builds the page
    done = subprocess.run(
        [sys.executable, "-c", LIGHT.format(words=words)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "to run" not in done.stdout
    ours, mtebs = [], []
    for _ in range(4):  # in turn, so that a busy moment meets both
        mtebs.append(seconds_of("-c", "import mteb"))
        ours += [seconds_of("-m", "tool_bench", *words) for _ in range(3)]
    assert min(ours) < min(mtebs) / 10


def test_a_closed_pipe_is_no_error() -> None:
    listing = subprocess.Popen(
        [sys.executable, "-m", "tool_bench", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert listing.stdout
    assert listing.stderr
    listing.stdout.close()
    assert "Traceback" not in listing.stderr.read()
    listing.stderr.close()
    listing.wait()


def test_an_interrupted_run_says_that_it_goes_on(tmp_path: Path) -> None:
    began = tmp_path / "began"
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(ROOT / 'tests')!r})\n"
        "import fakes\n"
        "from tool_bench import cli, registry\n"
        "registry.tasks = lambda: {'Tiny': fakes.TASK}\n"
        "registry.baselines = lambda: {'slow': fakes.baseline('slow', fakes.load_slow)}\n"
        "if __name__ == '__main__':\n"
        f"    cli.main(['run', '--all', '--results', {str(tmp_path / 'r')!r}])\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SLOW_FILE": str(began)},
    )
    deadline = time.monotonic() + 60
    while not began.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; finished cells are kept" in err
    assert "Traceback" not in err
