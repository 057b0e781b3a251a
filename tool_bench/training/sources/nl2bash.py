"""NL2Bash: requests for shell one-liners (Lin et al. 2018, arXiv 1802.08979)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from tool_bench.data.lines import decoded
from tool_bench.errors import DataError
from tool_bench.task import Files
from tool_bench.tool import Tool
from tool_bench.training.records import TrainingData, pooled
from tool_bench.training.source import TrainingSource

from .pinned import Upstream
from .tldr import PAGES, pages

_UPSTREAM = Upstream("TellinaTool/nl2bash", "466c5fe873ab08c7cc0112ea1521cc6ad9c20992", "mit")
REQUESTS = _UPSTREAM.file(
    "nl2bash/data/bash/all.nl",
    "1db0c529c350b463919624550b8f5882a97c42ad5051c7d49fbc496bc4e8b770",
    1_032_340,
)
COMMANDS = _UPSTREAM.file(
    "nl2bash/data/bash/all.cm",
    "3a72eaced7fa14a0938354cefc42b2dcafb2d47297102f1279086e18c3abe57e",
    575_091,
)
_COMMAND = re.compile(
    r"(?:^|[|;&]\s*|\$\(\s*|`\s*|-exec )(?:sudo )?"
    r"(?:xargs (?:-\S+ (?:[^a-z\s]\S* )?)*)?([a-z][\w.-]*)"
)
MOST_UTILITIES = 2
"""Of a longer pipeline no utility answers the request by itself."""
_GLUE = {"xargs", "sudo", "do", "done", "then", "fi", "else", "if", "for", "while", "in"}


def build(files: Files) -> TrainingData:
    """Build the utilities that tldr-pages describes, with the requests whose commands use them.

    The corpus itself describes no utility. A request is answered by the one or two described
    utilities of its command; one whose command has none, or more, is left out.
    """
    known = {}
    for tool, _, _ in pages(files[PAGES.path]):
        if tool.name not in known and tool.id.startswith(("common/", "linux/")):
            known[tool.name] = Tool(id=tool.name, name=tool.name, description=tool.description)
    labels: list[tuple[str, str, str]] = []
    for text, command, where in _rows(files[REQUESTS.path], files[COMMANDS.path]):
        names = dict.fromkeys(_COMMAND.findall(command))
        described = [name for name in names if name in known and name not in _GLUE]
        if len(described) <= MOST_UTILITIES:
            labels += [(text, name, where) for name in described]
    used = {name for _, name, _ in labels}
    return TrainingData(
        source=SOURCE.name,
        tools=tuple(tool for name, tool in known.items() if name in used),
        pairs=pooled(labels),
    )


def _rows(requests: Path, commands: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (request, command, place) line by line."""
    with requests.open("rb") as left, commands.open("rb") as right:
        lines = zip_longest(decoded(left, requests), decoded(right, commands))
        for number, (text, command) in enumerate(lines, start=1):
            where = f"line {number}"
            if text is None or command is None:
                problem = f"has another number of lines than {commands.name}"
                raise DataError(requests, problem, where)
            if text.strip():
                yield text.strip(), command.strip(), f"{REQUESTS.path}, {where}"


SOURCE = TrainingSource(
    name="nl2bash",
    description="Requests for shell one-liners, written by people, and the utilities they take.",
    reference="https://arxiv.org/abs/1802.08979",
    license="mit and cc-by-4.0",
    build=build,
    sources=(REQUESTS, COMMANDS, PAGES),
)
