"""Results of methods that do not exist, as many as a test wants, quickly."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from page import result

from tool_bench import store
from tool_bench.dataset import ToolDataset
from tool_bench.measures import MEASURES
from tool_bench.query import Query
from tool_bench.results import Estimate, Result, ScopeScores, SliceScores, StoredFile
from tool_bench.runs import DEPTH
from tool_bench.task import GLOBAL_ENGLISH, Task
from tool_bench.tool import Tool

KINDS = ("lexical", "dense", "hybrid")


def dataset(name: str, queries: int, tools: int) -> ToolDataset:
    """Queries with one right tool each; tools are of providers of ten."""
    made = tuple(
        Tool(id=f"{name}-t{n}", name=f"tool {n}", description=f"does {n}", provider=f"p{n // 10}")
        for n in range(tools)
    )
    return ToolDataset(
        name=name,
        tools=made,
        queries=tuple(
            Query(id=f"{name}-q{n}", text=f"please do {n}", kind="odd" if n % 2 else "even")
            for n in range(queries)
        ),
        relevance={f"{name}-q{n}": {f"{name}-t{n % tools}": 1} for n in range(queries)},
    )


def put(
    results: Path, data: ToolDataset, methods: Sequence[str], seed: int = 0, **card: object
) -> None:
    """Store a result of each method, the first of them the best; ``card`` is what all declare."""
    template, _ = result()
    template = template.model_copy(update={"method": template.method.model_copy(update=card)})
    rng = np.random.default_rng(seed)
    queries = [query.id for query in data.queries]
    gold = [next(iter(data.relevance[query])) for query in queries]
    numbers = {tool: number for number, tool in enumerate(gold)}
    cluster = [numbers[tool] for tool in gold]
    names = [tool.id for tool in data.tools]
    hard = rng.random(len(queries))
    for place, method in enumerate(methods):
        skill = 0.85 - 0.5 * place / len(methods)
        chance = np.clip(skill + 0.6 * (0.5 - hard), 0.02, 0.98)
        found = rng.random(len(queries)) < chance
        rank = np.where(found, rng.geometric(0.6, len(queries)) - 1, DEPTH)
        store.write(
            results, *_stored(template, data, method, (queries, gold, cluster, rank, names))
        )


def _stored(
    template: Result,
    data: ToolDataset,
    method: str,
    drawn: tuple[list[str], list[str], list[int], np.ndarray, list[str]],
) -> tuple[Result, dict[str, bytes]]:
    queries, gold, cluster, rank, names = drawn
    run, scores = io.StringIO(), io.StringIO()
    scores.write(",".join(["query", "cluster", "weight", *MEASURES]) + "\n")
    weight = 1 / len(queries)
    values = np.array([_values(place) for place in range(DEPTH + 1)])
    texts = [",".join(f"{value:.6g}" for value in row) for row in values]
    for row, query in enumerate(queries):
        place = min(int(rank[row]), DEPTH)
        ranked = [names[(row * 7 + step) % len(names)] for step in range(DEPTH + 1)]
        ranked = [tool for tool in ranked if tool != gold[row]][:DEPTH]
        if place < DEPTH:
            ranked = [*ranked[:place], gold[row], *ranked[place:]][:DEPTH]
        run.write(
            "".join(
                f"{query} Q0 {tool} {at} {1 - at / 20:.5g} m\n" for at, tool in enumerate(ranked, 1)
            )
        )
        scores.write(f"{query},{cluster[row]},{weight:.12g},{texts[place]}\n")
    files = {
        f"{data.name}.global.run.gz": gzip.compress(run.getvalue().encode(), 1, mtime=0),
        f"{data.name}.global.scores.csv.gz": gzip.compress(scores.getvalue().encode(), 1, mtime=0),
    }
    means = values[np.minimum(rank, DEPTH)].mean(axis=0)
    estimates = {
        measure: Estimate(
            value=float(mean), low=float(mean) * 0.98, high=min(1.0, float(mean) * 1.02)
        )
        for measure, mean in zip(MEASURES, means, strict=True)
    }
    run_name, score_name = files
    plain = template.scopes["global"]
    scope = ScopeScores(
        run=StoredFile(name=run_name, sha256=store.content_hash(files[run_name])),
        per_query=StoredFile(name=score_name, sha256=store.content_hash(files[score_name])),
        slices={
            name: SliceScores(
                queries=len(members),
                clusters=len(set(gold)),
                measures=estimates,
                macro=estimates,
            )
            for name, members in data.slices.items()
        },
        short=0,
        context=plain.context,
    )
    made = template.model_copy(
        update={
            "task": data.name,
            "baseline": method,
            "method": template.method.model_copy(
                update={"kind": KINDS[len(method) % len(KINDS)], "parameters": 10 ** len(method)}
            ),
            "data": template.data.model_copy(
                update={"sha256": name_hash(data), "counts": data.counts}
            ),
            "scopes": {"global": scope},
        }
    )
    return made, files


def _values(place: int) -> list[float]:
    """Return every measure of a query whose one right tool is at ``place``, from 0."""
    hits = [float(place < k) for k in (1, 3, 5, 10)]
    reciprocal = 1 / (place + 1) if place < DEPTH else 0.0
    gain = float(1 / np.log2(place + 2)) if place < DEPTH else 0.0
    return [*hits, reciprocal, gain if place < 5 else 0.0, gain, hits[3], hits[3]]


def name_hash(data: ToolDataset) -> str:
    """Stand for the hash of a dataset, which takes a while for a big one."""
    return store.content_hash(data.name.encode())


def declared(template: Task, data: ToolDataset) -> Task:
    """Return a task that builds ``data``."""
    return replace(
        template,
        name=data.name,
        dataset={"path": f"example/{data.name}", "revision": "0123456789abcdef"},
        build=lambda _: data,
        eval_langs=GLOBAL_ENGLISH,
        tools=len(data.tools),
        queries=len(data.queries),
        providers=len(data.tools_of_provider),
    )
