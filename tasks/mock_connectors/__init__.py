"""mock-connectors: 998 tools of 70 SaaS products, 1,843 requests, written for this benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_bench.dataset import ToolDataset
from tool_bench.query import Query
from tool_bench.task import Files, Task
from tool_bench.tool import Parameter, Tool

if TYPE_CHECKING:
    from .content import Content

NAMING = {"explicit": "product named", "implied": "product implied", "none": "no product"}
"""``names_product`` of a request -> the slice it is reported in."""


def build(files: Files) -> ToolDataset:  # noqa: ARG001  everything ships with the package
    """Build MockConnectors from the package's own YAML files."""
    from .content import read

    return dataset(read())


def dataset(content: Content) -> ToolDataset:
    """Turn the files' records into a dataset.

    A request that neither names nor implies its product is answered by every tool of the families
    of its tools; any other by its own tools alone.
    """
    family_of = content.family_of
    queries: list[Query] = []
    relevance: dict[str, dict[str, int]] = {}
    groups: dict[str, list[str]] = {name: [] for name in NAMING.values()}
    unseen: list[str] = []
    tested: list[str] = []
    for connector, requests in content.requests.items():
        for request in requests:
            queries.append(
                Query(id=request.id, text=request.text, provider=connector, kind=request.kind)
            )
            golds: list[str] = []
            for tool in request.tools:
                family = family_of.get(tool) if request.names_product == "none" else None
                golds += [tool] if family is None else content.families[family].tools
            relevance[request.id] = dict.fromkeys(golds, 1)
            groups[NAMING[request.names_product]].append(request.id)
            split = content.splits.get(connector)
            if split != "train":
                unseen.append(request.id)
            if split == "test":
                tested.append(request.id)
    groups |= {"unseen connectors": unseen, "test connectors": tested}
    return ToolDataset(
        name="MockConnectors",
        tools=_tools(content),
        queries=tuple(queries),
        relevance=relevance,
        examples=content.examples,
        groups={name: tuple(ids) for name, ids in groups.items() if ids},
        splits=content.splits,
        families={name: tuple(family.tools) for name, family in content.families.items()},
    )


def _tools(content: Content) -> tuple[Tool, ...]:
    return tuple(
        Tool(
            id=tool.name,
            name=tool.name,
            description=tool.description,
            parameters=tuple(
                Parameter(name=p.name, type=p.type, description=p.description, required=p.required)
                for p in tool.parameters
            ),
            provider=connector,
            category=product.category,
        )
        for connector, product in content.connectors.items()
        for tool in product.tools
    )


def defects() -> Sequence[str]:
    """Return what the files lack of the standard they were written to, one sentence each."""
    from .checks import defects_of
    from .content import read

    return defects_of(read())


TASKS = (
    Task(
        name="MockConnectors",
        description=(
            "998 tools of 70 well-known SaaS products, where many products share an action and "
            "one product has many near-actions; 1,843 requests as people phrase them. Synthetic: "
            "tools, requests and examples were written by language models and checked."
        ),
        reference="https://www.stackone.com/blog/autoresearch-charged-action-search",
        dataset={"path": "tool-bench/mock-connectors", "revision": "1.0.0"},
        date=("2026-11-01", "2026-11-30"),
        domains=("Web", "Constructed", "Written"),
        license="apache-2.0",
        annotations_creators="LM-generated and reviewed",
        sample_creation="LM-generated and verified",
        bibtex_citation="@misc{toolbench2026mockconnectors, title={mock-connectors}, year={2026}}",
        build=build,
        defects=defects,
        sources=(),
        tools=998,
        queries=1_843,
        providers=70,
        eval_langs={"global": ("eng-Latn",), "scoped": ("eng-Latn",)},
        rules=(
            (
                "The products are real; their tools, descriptions and the requests are not theirs "
                "but were written for this benchmark, which is no copy of the private set that "
                "the referenced post reports on."
            ),
            (
                "Where a request neither names nor implies its product, every tool that does the "
                "same in another product counts as relevant in scope global."
            ),
            (
                "'Unseen connectors' are the validation and test splits: one product of each "
                "category, whose usage examples no model may be trained on."
            ),
        ),
    ),
)
