"""The program as a process: what it loads, how fast it starts, how it ends when it is stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

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
    """Return how long a command took; what it compiles is kept, as it is for any user."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True, cwd=ROOT, env=env)
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
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # none in background jobs
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
    assert "interrupted; what was finished is kept" in err
    assert "Traceback" not in err
