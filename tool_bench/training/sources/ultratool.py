"""UltraTool's requests for two to five tools, as GNN4TaskPlan has them (arXiv 2405.19119)."""

from __future__ import annotations

from tool_bench.data.lines import json_rows
from tool_bench.data.read import need, read_json
from tool_bench.errors import DataError
from tool_bench.task import Files
from tool_bench.tool import Tool
from tool_bench.training.records import TrainingData, pooled
from tool_bench.training.source import TrainingSource

from .pinned import Upstream

_UPSTREAM = Upstream("WxxShirley/GNN4TaskPlan", "f1486690f4fa00030bc7035f0dcc41904889aa2c", "mit")
REQUESTS = _UPSTREAM.file(
    "gnn4taskplan-ultratool/data/ultratool/data.json",
    "d29a3628ca3cda63a1d4e9de6e5bca7eab7e5bf50cdd6616bb849790e2a51f91",
    2_803_212,
)
TOOLS = _UPSTREAM.file(
    "gnn4taskplan-ultratool/data/ultratool/tool_desc.json",
    "3f077aff3bea1ff0b210c34aca046f2884e63bdc6d6d29a7a493378612541a38",
    59_049,
)


def build(files: Files) -> TrainingData:
    """Build its 260 tools and every request, which all tools of its plan answer."""
    path = files[TOOLS.path]
    tools = []
    for number, row in enumerate(need(read_json(path), "nodes", list, path, "the file")):
        where = f"node {number}"
        name = need(row, "id", str, path, where)
        domains = need(row, "domain", list, path, where)
        if not all(isinstance(domain, str) for domain in domains):
            raise DataError(path, "field 'domain' must hold texts", where)
        tools.append(
            Tool(
                id=name,
                name=name,
                description=need(row, "desc", str, path, where),
                category=", ".join(domains) or None,
            )
        )
    path = files[REQUESTS.path]
    labels: list[tuple[str, str, str]] = []
    for where, row in json_rows(path):
        text = need(row, "user_request", str, path, where).strip()
        for step in need(row, "task_nodes", list, path, where):
            id_ = need(step, "task", str, path, where)
            labels.append((text, id_, f"{REQUESTS.path}, {where}"))
    return TrainingData(
        source=SOURCE.name,
        tools=tuple(tools),
        pairs=pooled(labels),
    )


SOURCE = TrainingSource(
    name="ultratool",
    description="Requests that take two to five of 260 tools of daily life and work.",
    reference="https://arxiv.org/abs/2401.17167",
    license="mit",
    build=build,
    sources=(REQUESTS, TOOLS),
)
