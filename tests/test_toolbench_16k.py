from __future__ import annotations

import gzip
import hashlib
import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from tool_bench import registry
from tool_bench.data import distractors, stabletoolbench
from tool_bench.data.load import load
from tool_bench.dataset import ToolDataset
from tool_bench.errors import DataError, UnavailableError

registry.declared_tasks()
TASK = registry.declared_tasks()["ToolBench16k"]
BUILD = importlib.import_module("tool_bench.tasks.toolbench.catalogue").build


def row(category: str, tool: str, name: str) -> dict[str, Any]:
    """Return an API as the catalogue's files have it."""
    return {
        "id": f"{category}/{tool}/{name}".lower().replace(" ", "_"),
        "category": category,
        "tool_name": tool,
        "api_name": name,
        "api_description": f"{name} of {tool}",
        "required_parameters": [{"name": "city"}],
        "optional_parameters": [{"name": "n", "type": None, "description": "how many"}],
    }


def catalogue(tmp_path: Path, *rows: dict[str, Any]) -> dict[str, Path]:
    files = {}
    for source, own in ((distractors.OFFICIAL, rows), (distractors.OTHERS, rows[:1])):
        path = files[source.path] = tmp_path / Path(source.path).name
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(r)}\n" for r in own)
    return files


def requests(tmp_path: Path, golds: list[list[str]]) -> dict[str, Path]:
    """Return six groups of one request each."""
    files = {}
    offered = [
        {**row("Any", *names), "category_name": "Any", "template_response": {}} for names in golds
    ]
    for number, group in enumerate(stabletoolbench.GROUPS):
        path = files[stabletoolbench.path_of(group)] = tmp_path / f"{group}.json"
        request = {
            "query_id": number,
            "query": f"rain {number}?",
            "api_list": offered,
            "relevant APIs": golds,
        }
        path.write_text(json.dumps([request]), encoding="utf-8")
    return files


def test_every_copy_of_a_gold_is_a_gold(tmp_path: Path) -> None:
    files = catalogue(
        tmp_path,
        row("Weather", "Sky Data", "Get Rain"),
        row("Other", "sky_data", "get_rain"),
        row("Other", "Sky Data", "Get Sun"),
    )
    data = BUILD({**files, **requests(tmp_path, [["Sky Data", "Get Rain"]])})
    assert [tool.id for tool in data.tools] == [
        "weather/sky_data/get_rain",
        "other/sky_data/get_rain",
        "other/sky_data/get_sun",
    ]
    both = {"weather/sky_data/get_rain": 1, "other/sky_data/get_rain": 1}
    assert data.relevance == {str(n): both for n in range(6)}
    assert data.queries[0].kind == "G1_category"


def test_a_gold_that_is_not_in_the_catalogue_is_named(tmp_path: Path) -> None:
    files = catalogue(tmp_path, row("Weather", "Sky", "Get Rain"))
    with pytest.raises(DataError, match=r"no row is the gold \['Sky', 'Get Fog'\] of query '0'"):
        BUILD({**files, **requests(tmp_path, [["Sky", "Get Fog"]])})


def test_an_api_of_the_catalogue_becomes_a_tool(tmp_path: Path) -> None:
    files = catalogue(tmp_path, row("Weather", "Sky", "Get Rain"))
    (tool,) = distractors.read_apis(files[distractors.OFFICIAL.path])
    assert (tool.name, tool.provider, tool.category) == ("Sky Get Rain", "Sky", "Weather")
    assert [(p.name, p.type, p.required) for p in tool.parameters] == [
        ("city", "", True),
        ("n", "", False),
    ]
    assert tool.raw == (
        'Weather, Sky, Get Rain, Get Rain of Sky, required_params: [{"name": "city"}], '
        'optional_params: [{"name": "n", "type": null, "description": "how many"}], '
        "return_schema: {}"
    )


def test_an_id_in_both_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the id 'weather/sky/get_rain' occurs twice"):
        distractors.read_catalogue(catalogue(tmp_path, row("Weather", "Sky", "Get Rain")))


def test_a_broken_catalogue_is_named(tmp_path: Path) -> None:
    path = tmp_path / "apis.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": "x"')[:-4])
    with pytest.raises(DataError, match=r"apis.jsonl.gz: cannot be read"):
        distractors.read_apis(path)


def test_without_a_mirror_the_data_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="TOOL_BENCH_MIRROR"):
        load(TASK)


@pytest.mark.parametrize("task", ["ToolBench16k"])
def test_toolbench_16k_is_what_it_says(dataset: ToolDataset) -> None:
    asked = load(registry.declared_tasks()["ToolBench"])
    assert dataset.queries == asked.queries
    assert dataset.slices == asked.slices
    assert (len(dataset.tools), dataset.counts["queries"]) == (16_427, 765)
    by_id = {tool.id: tool for tool in dataset.tools}
    copies: dict[str, set[str]] = {}
    for tool in dataset.tools:
        copies.setdefault(distractors.endpoint_of(tool), set()).add(tool.id)
    assert len(dataset.tools) - len(copies) == 79
    originals = {tool.id: distractors.endpoint_of(tool) for tool in asked.tools}
    more = 0
    for query in asked.queries:
        expected = {originals[gold] for gold in asked.relevance[query.id]}
        golds = set(dataset.relevance[query.id])
        assert {distractors.endpoint_of(by_id[gold]) for gold in golds} == expected
        assert golds == set().union(*(copies[endpoint] for endpoint in expected))
        more += len(golds) > len(expected)
    assert more == 12


def test_the_whole_catalogue_has_one_fixed_order(mirror: Path) -> None:
    files = {source.path: mirror / source.path for source in distractors.SOURCES}
    tools = distractors.read_catalogue(files)
    assert len(tools) == len({tool.id for tool in tools}) == 39_343
    keys = [hashlib.sha256(tool.id.encode()).hexdigest() for tool in tools]
    assert keys == sorted(keys)
    official = {tool.id for tool in distractors.read_apis(files[distractors.OFFICIAL.path])}
    assert sum(tool.id in official for tool in tools[:10_000]) == pytest.approx(4_175, abs=200)
