from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from messages_server import MessagesServer, serving, texts
from test_harness import Recorder
from test_llm_methods import METHODS

from tool_bench import cli, registry, store
from tool_bench.dataset import ToolDataset
from tool_bench.harness import run_cells
from tool_bench.llm.cache import AnswerStore
from tool_bench.llm.client import AT_ONCE, Client
from tool_bench.plan import make_plan


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MessagesServer]:
    with serving(monkeypatch) as service:
        yield service


def test_without_a_key_a_method_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    cells = make_plan([fakes.TASK], registry.pick_baselines(METHODS), tmp_path, paid=True)
    assert {(c.state, c.note) for c in cells} == {
        ("unavailable", "needs an API key in ANTHROPIC_API_KEY")
    }


def test_a_whole_cell(server: MessagesServer, tmp_path: Path) -> None:
    server.delay = 0.05
    (method,) = registry.pick_baselines(["anthropic-tool-use"])
    (outcome,) = run_cells(
        make_plan([fakes.TASK], [method], tmp_path, paid=True), tmp_path, Recorder()
    )
    assert outcome.end == "done", outcome.message + outcome.trace
    result = store.read_result(tmp_path / "anthropic-tool-use" / "Tiny.json")
    assert result.timing
    assert result.cost
    assert result.timing.latency["p50"].ms >= 50  # of the answers, not of the disk
    assert result.timing.latency_samples == 12
    paid = [json.loads(p.read_text()) for p in AnswerStore().folder.rglob("*.json")]
    assert len(paid) == 24  # two scopes
    assert sum(answer["usd"] for answer in paid) == pytest.approx(server.billed)
    assert 0 < result.cost.usd_per_1000 * 12 / 1_000 < server.billed  # that of the global one
    used = result.cost.tokens
    assert used
    assert used.cache_read > used.cache_write > 0 < used.output  # one wrote what eleven read
    assert result.cost.index_usd == 0
    assert result.method.whole_catalogue
    assert result.timing.reference is None
    asked = len(server.seen)
    (again,) = run_cells(
        make_plan([fakes.TASK], [method], tmp_path, force=True, paid=True), tmp_path, Recorder()
    )
    assert again.end == "done"
    assert len(server.seen) == asked
    same = store.read_result(tmp_path / "anthropic-tool-use" / "Tiny.json")
    assert same.timing
    assert same.timing.latency == result.timing.latency
    assert (same.cost, same.scopes) == (result.cost, result.scopes)


def test_a_killed_process_loses_only_what_was_on_its_way(server: MessagesServer) -> None:
    server.delay = 0.05
    words = [f"w{i}" for i in range(60)]
    script = (
        "from tool_bench.llm.client import Client; from tool_bench.llm.request import request; "
        f"Client().answers([request(word, 10) for word in {words!r}])"
    )
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        deadline = time.monotonic() + 60
        while len(server.answered) < 20:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    assert texts(Client(), words, 10) == [f"echo: {word}" for word in words]
    assert 60 <= len(server.answered) <= 60 + 2 * AT_ONCE  # at most one more each as it died


def test_cells_share_the_budget(server: MessagesServer, tmp_path: Path) -> None:
    methods = registry.pick_baselines(["llm-rerank", "anthropic-tool-use"])
    cells = make_plan([fakes.TASK], methods, tmp_path, paid=True)
    limit = 0.06
    outcomes = run_cells(cells, tmp_path, Recorder(), max_usd=limit)
    assert [o.end for o in outcomes] == ["done", "unavailable"]
    assert "stopped before passing 0.06 USD" in outcomes[1].message
    assert 0 < server.billed <= limit


@pytest.mark.parametrize("amount", ["-1", "nan", "inf"])
def test_an_impossible_limit_is_refused(amount: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "--all", "--max-usd", amount])
    assert ended.value.code == 2
    assert "give an amount of 0 or more" in " ".join(capsys.readouterr().err.split())


def dry_run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "-b", ",".join(METHODS), "--dry-run", *words])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_a_dry_run_says_what_it_will_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    words = ["-t", "MockConnectors,MetaTool", "--results", str(tmp_path)]
    out = dry_run(capsys, *words)
    assert max(map(len, out.splitlines())) <= 80
    flat = " ".join(out.split())
    assert "on MockConnectors, MetaTool: needs an API key in ANTHROPIC_API_KEY" in flat
    assert "MetaTool/llm-rerank: not known before 'tool-bench data pull MetaTool'" in flat
    cells = json.loads(dry_run(capsys, *words, "--json"))
    known = {c["baseline"]: c["expected"] for c in cells if c["task"] == "MockConnectors"}
    assert all(e["input_tokens"] > 1e6 and e["output_tokens"] > 1e5 for e in known.values())
    total = sum(e["usd"] for e in known.values())
    assert re_total(out) == pytest.approx(total, abs=0.03)
    assert {c["expected"] for c in cells if c["task"] == "MetaTool"} == {
        "not known before 'tool-bench data pull MetaTool'"
    }


def re_total(out: str) -> float:
    (line,) = [line for line in out.splitlines() if line.strip().startswith("total")]
    return float(line.split()[-1].replace(",", ""))


@pytest.mark.parametrize("name", METHODS)
def test_what_is_expected_counts_the_cache_and_repeats(name: str) -> None:
    expected = registry.baselines()[name].expected
    assert expected
    data = fakes.dataset()
    many = ToolDataset(
        name="Many",
        tools=tuple(replace(t, description="word " * 300, provider=None) for t in data.tools),
        queries=tuple(replace(q, provider=None) for q in data.queries),
        relevance=data.relevance,
    )
    once = replace(many, queries=many.queries[:1], relevance={"q0": many.relevance["q0"]})
    both = tuple(replace(once.queries[0], id=id_) for id_ in ("q0", "r0"))
    repeated = replace(once, queries=both, relevance={q.id: many.relevance["q0"] for q in both})
    assert expected(repeated) == expected(once)
    ratio = expected(many).usd / expected(once).usd
    if name == "anthropic-tool-use":
        assert ratio < 6  # eleven of twelve read what the first one wrote
    else:
        assert ratio == pytest.approx(12, rel=0.1)
