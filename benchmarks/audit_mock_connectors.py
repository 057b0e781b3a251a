"""Label audit of MockConnectors: are its golds what another reader would choose?

A sheet shows requests drawn by seed under a code that tells nothing, each with the ten best tools
of three methods in scope global and its own gold tools, in shuffled order and unmarked. Somebody
who has not seen the labels writes down, code by code, the tool (the two or three tools of one
product, where the request asks for as many actions) that fulfils each request.
The answer agrees when it names nothing but golds and covers every tool the request was written for.

    python benchmarks/audit_mock_connectors.py sheet --seed 1 --size 200 > sheet.md
    python benchmarks/audit_mock_connectors.py score --seed 1 answers.yaml
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import sys
from pathlib import Path
from typing import Any

import yaml

from tool_bench import registry
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset
from tool_bench.environment import prepare
from tool_bench.evaluate import search_scope
from tool_bench.runs import Run

METHODS = ("bm25s", "minilm", "semantic-router")
BEST = 10


def lot(seed: str, value: str) -> str:
    """Return what ``value`` is drawn and shuffled by; depends on no random number generator."""
    return hashlib.sha256(f"tool-bench/MockConnectors/audit/{seed}:{value}".encode()).hexdigest()


def code(seed: str, id_: str) -> str:
    """Return what a request is called on the sheet."""
    return lot(seed, id_)[:8]


def draw(dataset: ToolDataset, seed: str, size: int) -> list[str]:
    """Return the ids of the ``size`` requests with the smallest lots."""
    return sorted((q.id for q in dataset.queries), key=lambda id_: lot(seed, id_))[:size]


def candidates(runs: list[Run], own: set[str], id_: str) -> list[str]:
    """Return the tools a reader may choose from: the runs' best and ``own``, shuffled."""
    best = {tool for run in runs for tool, _ in run[id_][:BEST]}
    return sorted(best | own, key=lambda tool: lot(id_, tool))


def sheet(seed: str, size: int) -> str:
    """Return the audit sheet as Markdown."""
    dataset = load(registry.tasks()["MockConnectors"])
    runs = []
    for name in METHODS:
        baseline = registry.baselines()[name]
        retriever = baseline.load()
        retriever.index(dataset.tools, dataset.examples if baseline.uses_examples else {})
        runs.append(search_scope(retriever, dataset, "global"))
    text = {query.id: query.text for query in dataset.queries}
    described = {tool.id: tool.description for tool in dataset.tools}
    written_for = _written_for()
    parts = []
    for id_ in draw(dataset, seed, size):
        shown = candidates(runs, set(written_for[id_]), id_)
        lines = [f"- {tool}: {' '.join(described[tool].split())}" for tool in shown]
        parts.append("\n".join([f"## {code(seed, id_)}", text[id_], "", *lines, ""]))
    return "\n".join(parts)


def agrees(answer: set[str], own: tuple[str, ...], golds: set[str], family: dict[str, str]) -> bool:
    """Tell whether ``answer`` holds golds alone and covers each tool of ``own``."""
    if not answer <= golds or len(answer) != len(own):
        return False
    kinds = {family.get(tool, tool) for tool in answer}
    return all(tool in answer or family.get(tool, tool) in kinds for tool in own)


def score(seed: str, path: Path) -> str:
    """Return the agreement of the answers in a YAML file of code -> list of tools."""
    dataset = load(registry.tasks()["MockConnectors"])
    coded = {code(seed, query.id): query.id for query in dataset.queries}
    given_answers: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    answers = {coded[str(key)]: tools for key, tools in given_answers.items()}
    own, family = _written_for(), _content().family_of
    wrong = [
        f"{id_}: answered {', '.join(given)}; written for {', '.join(own[id_])}"
        for id_, given in answers.items()
        if not agrees(set(given), own[id_], set(dataset.relevance[id_]), family)
    ]
    share = 1 - len(wrong) / len(answers)
    return "\n".join([*wrong, f"{len(answers) - len(wrong)} of {len(answers)} agree: {share:.1%}"])


def _content() -> Any:
    registry.tasks()
    return importlib.import_module("tool_bench.tasks.mock_connectors.content").read()


def _written_for() -> dict[str, tuple[str, ...]]:
    return {r.id: r.tools for own in _content().requests.values() for r in own}


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("sheet", help="print an audit sheet")
    one.add_argument("--size", type=int, default=200)
    two = commands.add_parser("score", help="compare answers with the labels")
    two.add_argument("answers", type=Path)
    for command in (one, two):
        command.add_argument("--seed", default="1")
    given = parser.parse_args()
    prepare()
    text = (
        sheet(given.seed, given.size)
        if given.command == "sheet"
        else score(given.seed, given.answers)
    )
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
