"""A board far larger than today's: how long it takes to build, and to open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from test_board_browser import loading, ready

SCRIPT = Path(__file__).with_name("big_board.py")


@pytest.mark.slow
def test_a_big_board_is_built_and_opened_in_time(tmp_path: Path, browser: Browser) -> None:
    def run(*arguments: str) -> list[float]:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        )
        return [float(figure) for figure in done.stdout.split()]

    results, board = tmp_path / "results", tmp_path / "board"
    run("make", str(results))
    seconds, memory = run("build", str(results), str(board))
    print(f"built in {seconds} s with {memory} MiB")
    assert seconds < 60
    assert memory < 1_000
    again, _ = run("build", str(results), str(board))
    print(f"unchanged in {again} s")
    assert again < 2
    home = board / "index.html"
    assert home.stat().st_size < 300_000
    page = browser.new_page()
    page.add_init_script("addEventListener('sort-end', () => performance.mark('sorted'))")
    page.goto(f"{home.as_uri()}#sort=parameters.ascending")
    ready(page)
    paint, moved, usable = loading(page)
    done = page.evaluate("performance.getEntriesByName('sorted')[0].startTime")
    print(f"painted at {paint} ms, usable at {usable} ms, sorted at {done} ms, moved {moved}")
    assert (paint < 500, moved, usable < 1_000, done < 1_000) == (True, 0, True, True)
    page.close()
