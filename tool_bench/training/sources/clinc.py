"""CLINC150: requests to an assistant and their intents (Larson et al. 2019, arXiv 1909.02027)."""

from __future__ import annotations

from tool_bench.data.read import need, read_json
from tool_bench.errors import DataError
from tool_bench.task import Files
from tool_bench.tool import Tool
from tool_bench.training.records import TrainingData, pooled
from tool_bench.training.source import TrainingSource

from .pinned import Upstream

_UPSTREAM = Upstream("clinc/oos-eval", "828f8093932c8fe6ca7936c3d2e52903b1c523de", "cc-by-3.0")
QUERIES = _UPSTREAM.file(
    "clinc-oos/data/data_full.json",
    "36923c3705a59e08fe9c3883d8bc2dd966ef93e22cb78ac41171782a698d56e0",
    2_495_390,
)
DOMAINS = _UPSTREAM.file(
    "clinc-oos/data/domains.json",
    "b947b579d3b8e74b06f93b01083d8efaff2888b43a3e362533bd88a6e1211b3a",
    3_818,
)
_PARTS = ("train", "val", "test")
"""All three: the corpus is evaluated nowhere here. The queries without an intent teach nothing."""


def build(files: Files) -> TrainingData:
    """Build one tool an intent, named as the intent is and without a description."""
    path = files[DOMAINS.path]
    domains = read_json(path)
    if not isinstance(domains, dict):
        raise DataError(path, f"expected an object, found {type(domains).__name__}")
    tools = []
    for domain in domains:
        category = domain.replace("_", " ")
        intents = need(domains, domain, list, path, f"domain '{domain}'")
        if not all(isinstance(intent, str) for intent in intents):
            raise DataError(path, "expected a list of intents", f"domain '{domain}'")
        tools += [Tool(id=intent, name=intent, category=category) for intent in intents]
    path = files[QUERIES.path]
    rows = read_json(path)
    labels: list[tuple[str, str, str]] = []
    for part in _PARTS:
        for number, row in enumerate(need(rows, part, list, path, "the file")):
            where = f"{part} row {number}"
            match row:
                case [str(text), str(intent)]:
                    labels.append((text, intent, f"{QUERIES.path}, {where}"))
                case _:
                    raise DataError(path, "expected [query, intent]", where)
    return TrainingData(
        source=SOURCE.name,
        tools=tuple(tools),
        pairs=pooled(labels),
    )


SOURCE = TrainingSource(
    name="clinc",
    description="Requests to an assistant, written by people, for 150 intents in ten domains.",
    reference="https://arxiv.org/abs/1909.02027",
    license="cc-by-3.0",
    build=build,
    sources=(QUERIES, DOMAINS),
)
