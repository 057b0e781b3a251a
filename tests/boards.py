"""A board with everything on it, and everything in it hostile, for a real browser to open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import fakes
import pytest
import synthetic
from fake_reports import put as put_reported
from fake_reports import source

from tool_bench import registry, releases, store
from tool_bench.dataset import ToolDataset
from tool_bench.leaderboard.build import build

SCRIPT = "<script>window.hacked = 1</script>"
IMAGE = '"><img src=x onerror="window.hacked = 1">'
REVERSED = "\u202egnp.exe\u202e \u200fmarks"
LONG = "long " * 20_000
METHODS = ("best", "good/model", f"fair {IMAGE}"[:40].replace("/", "-"), "poor", "worst")
"""The last lacks a task."""
KINDS = (
    "index.html",
    "tasks/Alpha.html",
    "methods/best.html",
    "explore/Alpha.html",
    "methodology.html",
    "reported.html",
    "changes.html",
    "downloads.html",
    "docs/statistics.html",
)
"""A page of each kind."""


def hostile(data: ToolDataset) -> ToolDataset:
    """Return ``data`` with names and texts that want to be markup, reversed or endless."""
    names = (SCRIPT, IMAGE, REVERSED, LONG, "javascript:window.hacked=1")
    tools = tuple(
        replace(tool, name=names[n], provider=SCRIPT) if n < len(names) else tool
        for n, tool in enumerate(data.tools)
    )
    queries = tuple(
        replace(query, text=f"{names[n]} query", instruction=IMAGE) if n < len(names) else query
        for n, query in enumerate(data.queries)
    )
    return replace(data, tools=tools, queries=queries)


def make(folder: Path) -> Path:
    """Build the board below ``folder`` and return its home page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOL_BENCH_CACHE", str(folder / "cache"))
        data = {
            "Alpha": hostile(synthetic.dataset("Alpha", 120, 60)),
            "Beta": synthetic.dataset("Beta", 40, 40),
        }
        tasks = {
            name: replace(
                synthetic.declared(fakes.TASK, own),
                description=f"A task. {SCRIPT}",
                reference="javascript:window.hacked=1",
                rules=(IMAGE,),
            )
            for name, own in data.items()
        }
        patch.setattr(registry, "tasks", lambda: tasks)
        patch.setattr("tool_bench.at_hand.dataset_hash", synthetic.name_hash)
        results = folder / "results"
        card = {
            "description": f"A method. {SCRIPT} {LONG}",
            "reference": "javascript:window.hacked=1",
            "license": IMAGE,
            "revision": REVERSED,
            "deviations": [SCRIPT],
            "trained_on": [IMAGE],
            "settings": {SCRIPT: IMAGE},
        }
        synthetic.put(results, data["Alpha"], METHODS, 1, **card)
        first, _ = store.read_results(results)
        releases.write(results, releases.freeze(first, "2026-01", f"The first. {SCRIPT}"))
        synthetic.put(results, data["Beta"], METHODS[:-1], 2, **card)
        put_reported(results, source(title=SCRIPT, note=IMAGE))
        page, broken = build(results, folder / "board")
        assert broken == []
    return page
