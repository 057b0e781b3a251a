"""Two ratios of speed, each measured in one run on one machine.

``bm25``: bm25s against rank-bm25, the 765 requests of ToolBench over every tool of ToolBench's
library that the mirror has (39,343), one request at a time, ranking included; and how much of the
two top tens is the same. ``static``: texts encoded per second by static-minilm and by minilm, over
ToolBench's tools and requests.

    TOOL_BENCH_MIRROR=path/to/mirror python benchmarks/speed.py bm25
    TOOL_BENCH_MIRROR=path/to/mirror python benchmarks/speed.py static

The catalogue is read from ``toolbench-catalogue/*.jsonl.gz`` in the mirror: one API a line, with
``tool_name``, ``api_name`` and ``api_description``.
"""

from __future__ import annotations

import gzip
import importlib
import json
import statistics
import sys
import time
from pathlib import Path

from rich.progress import track

from tool_bench import registry
from tool_bench.data.load import load
from tool_bench.data.paths import mirror
from tool_bench.encoder import Encoder, without_cache
from tool_bench.environment import prepare
from tool_bench.hardware import cores, cpu_model
from tool_bench.query import Query
from tool_bench.retriever import Retriever
from tool_bench.runs import settle
from tool_bench.tool import Tool, render

K = 10
TEXTS = 1_000


def catalogue() -> list[Tool]:
    """Return every tool of the mirror's catalogue, numbered."""
    folder = Path(mirror() or ".") / "toolbench-catalogue"
    files = sorted(folder.glob("*.jsonl.gz"))
    if not files:
        sys.exit(f"no *.jsonl.gz in {folder}: set TOOL_BENCH_MIRROR to a mirror that has it")
    rows = []
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows += [json.loads(line) for line in lines]
    return [
        Tool(
            id=str(number),
            name=f"{row['tool_name']} {row['api_name']}",
            description=row["api_description"],
        )
        for number, row in enumerate(rows)
    ]


def timed(
    retriever: Retriever, queries: list[Query], name: str
) -> tuple[list[float], list[set[str]]]:
    """Return the seconds of each search, and its top ten with ties broken as in any result."""
    seconds, tops = [], []
    for query in track(queries, f"search with {name}"):
        began = time.perf_counter()
        (ranking,) = retriever.search([query], K, [None])
        seconds.append(time.perf_counter() - began)
        ids = {tool_id for tool_id, _ in ranking}
        tops.append(set(dict(settle([query], [ranking], [None], K, ids)[query.id])))
    return seconds, tops


def compare_bm25() -> None:
    """Print the ratio of search times and the overlap of the top tens."""
    tools = catalogue()
    queries = list(load(registry.tasks()["ToolBench"]).queries)
    found = {}
    for name in ("bm25s", "bm25"):
        retriever = registry.baselines()[name].load()
        retriever.index(tools, {})
        retriever.search(queries[:3], K, [None] * 3)  # warm
        found[name] = timed(retriever, queries, name)
    (fast, ours), (slow, theirs) = found["bm25s"], found["bm25"]
    shared = sum(len(a & b) for a, b in zip(ours, theirs, strict=True)) / (K * len(queries))
    print(f"{len(tools):,} tools, {len(queries)} requests, {cpu_model()}, {cores()} cores")
    for name, seconds in (("bm25s", fast), ("bm25", slow)):
        mean, median = statistics.mean(seconds) * 1e3, statistics.median(seconds) * 1e3
        print(f"{name:<6} mean {mean:.2f} ms, median {median:.2f} ms per request")
    print(f"ratio  {sum(slow) / sum(fast):.0f} x; top-{K} overlap {shared:.2%}")


def compare_static() -> None:
    """Print texts per second of both encoders and their ratio."""
    data = load(registry.tasks()["ToolBench"])
    static = importlib.import_module("tool_bench.baselines.static_minilm").load_encoder()
    from tool_bench.sentence import minilm

    encoders: dict[str, Encoder] = {"static-minilm": static, "minilm": minilm()}
    print(f"{cpu_model()}, {cores()} cores")
    for what, texts in (
        ("tools", [render(tool, "name-description") for tool in data.tools[:TEXTS]]),
        ("requests", [query.text for query in data.queries[:TEXTS]]),
    ):
        rates = {}
        for name, encoder in encoders.items():
            with without_cache():
                encoder.encode(texts[:32], "document")  # warm
                began = time.perf_counter()
                encoder.encode(texts, "document")
                rates[name] = len(texts) / (time.perf_counter() - began)
        said = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items())
        print(f"{what}: {said}; ratio {rates['static-minilm'] / rates['minilm']:.0f} x")


if __name__ == "__main__":
    prepare()
    choice = {"bm25": compare_bm25, "static": compare_static}.get(" ".join(sys.argv[1:]))
    if choice is None:
        sys.exit(__doc__)
    choice()
