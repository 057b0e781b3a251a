"""Products written for training: what a file becomes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_bench.errors import DataError
from tool_bench.training.sources.products import products

KILN = """
category: pottery
tools:
  - name: kiln_fire
    description: Heats a kiln along a curve.
    requests: [bake these mugs, both]
  - name: kiln_cool
    description: Opens the vents.
    requests: [it is too hot in there, both]
"""


def written(folder: Path, content: str) -> Path:
    (folder / "kiln.yaml").write_text(content)
    (folder / "notes.txt").write_text("no product")
    return folder


def test_a_file_is_a_provider_with_tools_and_requests(tmp_path: Path) -> None:
    data = products(written(tmp_path, KILN))
    assert [(t.id, t.provider, t.category) for t in data.tools] == [
        ("kiln_fire", "kiln", "pottery"),
        ("kiln_cool", "kiln", "pottery"),
    ]
    assert data.by_id["kiln_fire"].description == "Heats a kiln along a curve."
    assert {pair.query: pair.tools for pair in data.pairs} == {
        "bake these mugs": ("kiln_fire",),
        "both": ("kiln_fire", "kiln_cool"),
        "it is too hot in there": ("kiln_cool",),
    }
    assert data.pairs[0].where == "kiln.yaml, tool 'kiln_fire'"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("category: pottery", "", "the product: field 'category' must be a text"),
        ("tools:", "tool:", "field 'tools' must be a list of objects"),
        ("[bake these mugs, both]", "bake", "tool 0: field 'requests' must be a list of texts"),
        ("[it is too hot in there, both]", "[1]", "tool 1: field 'requests' must be a list"),
        ("name: kiln_fire", "name: ''", "tool 0: field 'name' must be a text"),
        ("description: Opens the vents.", "x: y", "tool 1: field 'description' must be a text"),
        (KILN, "- a list", "expected an object, found list"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in KILN
    with pytest.raises(DataError, match=r"kiln\.yaml") as error:
        products(written(tmp_path, KILN.replace(old, new)))
    assert message in str(error.value)
