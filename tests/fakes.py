"""Small tasks and methods for tests, importable by the processes that the harness starts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tool_bench import registry
from tool_bench.baseline import Baseline, Speed
from tool_bench.dataset import Examples, ToolDataset
from tool_bench.errors import DataError, UnavailableError
from tool_bench.query import Query
from tool_bench.retriever import Candidates, Catalogue, Ranking, Retriever, Spent
from tool_bench.task import Files, Task
from tool_bench.tool import Tool

VERBS = ("create", "delete", "list", "archive")
NOUNS = ("employee", "invoice", "ticket")


def dataset(name: str = "Tiny") -> ToolDataset:
    """Twelve tools of three providers, one query each; the query's provider is its noun."""
    tools = tuple(
        Tool(
            id=f"{noun}_{verb}",
            name=f"{verb}_{noun}",
            description=f"{verb} an {noun}",
            provider=noun,
        )
        for noun in NOUNS
        for verb in VERBS
    )
    queries = tuple(
        Query(
            id=f"q{i}",
            text=f"please {tool.description} now",
            provider=tool.provider,
            kind="early" if i < 4 else "late",
        )
        for i, tool in enumerate(tools)
    )
    return ToolDataset(
        name=name,
        tools=tools,
        queries=queries,
        relevance={q.id: {t.id: 1} for q, t in zip(queries, tools, strict=True)},
        examples={t.id: (f"i want to {t.description}",) for t in tools},
    )


def build(_: Files) -> ToolDataset:
    return dataset()


def build_other(_: Files) -> ToolDataset:
    return dataset("Other")


def build_broken(_: Files) -> ToolDataset:
    raise DataError("rows.csv", "2 cells, expected 3", "row 7")


TASK = Task(
    name="Tiny",
    description="Twelve tools.",
    reference="https://example.org/tiny",
    dataset={"path": "example/tiny", "revision": "0123456789abcdef"},
    date=("2026-01-01", "2026-01-01"),
    domains=("Web",),
    license="mit",
    annotations_creators="derived",
    sample_creation="created",
    bibtex_citation="",
    build=build,
    sources=(),
    tools=12,
    queries=12,
    providers=3,
    eval_langs=dict.fromkeys(("global", "scoped", "early", "late"), ("eng-Latn",)),
)
OTHER = replace(TASK, name="Other", build=build_other)
BROKEN = replace(TASK, name="Broken", build=build_broken)


class Overlap:
    """Scores a tool by the number of words it shares with the query."""

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        self.examples = examples
        self.catalogue = Catalogue(tools)

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        import numpy as np

        rankings = []
        for query, candidates in zip(queries, scopes, strict=True):
            asked = set(query.text.split())
            scores = [len(asked & set(t.description.split())) for t in self.catalogue.tools]
            rankings.append(self.catalogue.top(np.array(scores, dtype=float), k, candidates))
        return rankings


class Constant(Overlap):
    """Cannot tell tools apart, and returns them in catalogue order."""

    def index(self, tools: Sequence[Tool], examples: Examples) -> None:
        self.tools = tools

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        return [tuple((t.id, 1.0) for t in self.tools if c is None or t.id in c) for c in scopes]


class Killed(Overlap):
    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        print("last words", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        return []


class Slow(Overlap):
    """Takes long, and says when it has begun by making the file named in SLOW_FILE."""

    def search(
        self, queries: Sequence[Query], k: int, scopes: Sequence[Candidates]
    ) -> list[Ranking]:
        Path(os.environ["SLOW_FILE"]).write_text(str(os.getpid()))
        time.sleep(60)
        return []


def load_overlap() -> Retriever:
    return Overlap()


def load_from(_: int) -> Retriever:
    return Overlap()


def load_constant() -> Retriever:
    return Constant()


def load_killed() -> Retriever:
    return Killed()


def load_slow() -> Retriever:
    return Slow()


def load_raises() -> Retriever:
    raise ZeroDivisionError("no luck")


def load_unavailable() -> Retriever:
    raise UnavailableError("needs a unicorn: pip install unicorn")


def expect_a_dollar(_: ToolDataset) -> Spent:
    return Spent(usd=1)


def baseline(
    name: str, load: Callable[[], Retriever], *, start: float = 1, uses_examples: bool = False
) -> Baseline:
    return Baseline(
        name=name,
        kind="lexical",
        description="A fake.",
        reference="https://example.org",
        license="mit",
        load=load,
        parameters=0,
        uses_examples=uses_examples,
        speed=Speed(start=start),
    )


def runs_anywhere(method: Baseline) -> bool:
    """Tell whether ``method`` needs neither a key nor weights that the install does not bring."""
    parts = registry.pick_baselines(method.parts)
    return not (method.needs.key or method.needs.weights) and all(map(runs_anywhere, parts))


OVERLAP = baseline("overlap", load_overlap)
CONSTANT = baseline("constant", load_constant)
