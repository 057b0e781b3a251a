"""Label audit of MockConnectors: are its golds what another reader would choose?

A sheet shows requests drawn by seed under a code that tells nothing, each with the ten best tools
of three methods in scope global and the tools it was written for, in shuffled order and unmarked.
Somebody who has not seen the labels writes down, code by code, the tool (where the request asks for
two actions, the two tools of one product) that fulfils each request. An answer agrees when it
names nothing but golds and covers every tool that the request was written for.

    python benchmarks/audit_mock_connectors.py sheet --seed 1 --size 200 > sheet.md
    python benchmarks/audit_mock_connectors.py score --seed 1 --size 200 answers.yaml
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from tool_bench import registry
from tool_bench.dataset import ToolDataset
from tool_bench.environment import prepare
from tool_bench.errors import DataError, ToolBenchError
from tool_bench.evaluate import search_scope
from tool_bench.query import Query
from tool_bench.runs import Run

METHODS = ("bm25s", "minilm", "semantic-router")
BEST = 10

Answers = Mapping[str, tuple[str, ...]]
"""Code on the sheet -> the tools a reader named."""


def lot(*parts: str) -> str:
    """Return what requests are drawn and candidates shuffled by: no random number generator."""
    text = "/".join(("tool-bench/MockConnectors/audit", *parts))
    return hashlib.sha256(text.encode()).hexdigest()


def draw(dataset: ToolDataset, seed: str, size: int) -> dict[str, Query]:
    """Return code -> request for the ``size`` requests with the smallest lots.

    The code covers the wording, so that an answer to a request that was changed since is refused.
    """
    drawn = sorted(dataset.queries, key=lambda query: lot(seed, query.id))[:size]
    return {lot(seed, query.id, query.text)[:8]: query for query in drawn}


def sheet(content: Any, dataset: ToolDataset, seed: str, size: int) -> str:
    """Return the audit sheet as Markdown."""
    runs = [_run(name, dataset) for name in METHODS]
    described = {tool.id: " ".join(tool.description.split()) for tool in dataset.tools}
    own = written_for(content)
    parts = []
    for code, query in sorted(draw(dataset, seed, size).items()):
        best = {tool for run in runs for tool, _ in run[query.id][:BEST]} | set(own[query.id])
        shown = sorted(best, key=lambda tool, id_=query.id: lot(id_, tool))  # type: ignore[misc]
        lines = [f"- {tool}: {described[tool]}" for tool in shown]
        parts.append("\n".join([f"## {code}", query.text, "", *lines, ""]))
    return "\n".join(parts)


def _run(name: str, dataset: ToolDataset) -> Run:
    baseline = registry.baselines()[name]
    retriever = baseline.load()
    retriever.index(dataset.tools, dataset.examples if baseline.uses_examples else {})
    return search_scope(retriever, dataset, "global")


def written_for(content: Any) -> dict[str, tuple[str, ...]]:
    """Return request id -> the tools it was written for."""
    return {request.id: request.tools for own in content.requests.values() for request in own}


def agrees(content: Any, answer: Sequence[str], own: Sequence[str], golds: set[str]) -> bool:
    """Tell whether ``answer`` is tools of one product, all golds, that cover each of ``own``."""
    family, owner = content.family_of, content.owner
    if not golds.issuperset(answer) or len({owner[tool] for tool in answer}) != 1:
        return False
    actions = {family.get(tool, tool) for tool in answer}
    return len(answer) == len(own) and all(
        tool in answer or family.get(tool, tool) in actions for tool in own
    )


def read_answers(path: Path, codes: set[str]) -> Answers:
    """Read the YAML file of a reader.

    Raises:
        DataError: it is not YAML of code -> list of tools, or its codes are not ``codes``.
    """
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        answers = TypeAdapter(dict[str, tuple[str, ...]]).validate_python(loaded)
    except (OSError, yaml.YAMLError) as error:
        raise DataError(path, str(error)) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = " > ".join(map(str, first["loc"])) or None
        raise DataError(path, f"{first['msg']}; expected code: [tool]", where) from None
    for code in sorted(set(answers) ^ codes):
        wrong = "has no answer" if code in codes else "is not on the sheet: other wording or seed?"
        raise DataError(path, wrong, f"code '{code}'")
    return answers


def score(content: Any, dataset: ToolDataset, drawn: Mapping[str, Query], given: Answers) -> str:
    """Return one line per disagreement, and the agreement."""
    own = written_for(content)
    wrong = [
        f"{query.id}: answered {', '.join(given[code])}; written for {', '.join(own[query.id])}"
        for code, query in drawn.items()
        if not agrees(content, given[code], own[query.id], set(dataset.relevance[query.id]))
    ]
    agreed = len(drawn) - len(wrong)
    return "\n".join([*wrong, f"{agreed} of {len(drawn)} agree: {agreed / len(drawn):.1%}"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (("sheet", "print an audit sheet"), ("score", "compare with the labels")):
        command = commands.add_parser(name, help=what)
        command.add_argument("--seed", default="1")
        command.add_argument("--size", type=int, default=200)
        if name == "score":
            command.add_argument("answers", type=Path)
    given = parser.parse_args(arguments)
    prepare()
    registry.tasks()
    task = importlib.import_module("tool_bench.tasks.mock_connectors")
    content = importlib.import_module("tool_bench.tasks.mock_connectors.content").read()
    dataset = task.dataset(content)
    try:
        if given.command == "sheet":
            text = sheet(content, dataset, given.seed, given.size)
        else:
            drawn = draw(dataset, given.seed, given.size)
            text = score(content, dataset, drawn, read_answers(given.answers, set(drawn)))
    except ToolBenchError as error:
        sys.exit(f"error: {error}")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
