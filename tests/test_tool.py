from __future__ import annotations

import pytest

from tool_bench.tool import STYLES, Parameter, Style, Tool, render

TOOL = Tool(
    id="t",
    name="create_employee",
    description=" Adds a person. ",
    parameters=(Parameter("email", "string", "Work address"), Parameter("start")),
    provider="bamboohr",
    category="HRIS",
    raw="upstream's own words",
)


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("name-description", "create_employee: Adds a person."),
        (
            "full",
            (
                "create_employee: Adds a person.\nProvider: bamboohr\nCategory: HRIS\n"
                "- email (string): Work address\n- start"
            ),
        ),
        ("description", "Adds a person."),
        ("verbatim", "upstream's own words"),
    ],
)
def test_each_style_renders_its_own_text(style: Style, text: str) -> None:
    assert render(TOOL, style) == text


def test_a_tool_without_description_is_its_name() -> None:
    tool = Tool(id="x", name="ping", description="  ")
    assert render(tool, "name-description") == render(tool, "description") == "ping"


def test_verbatim_falls_back_to_full() -> None:
    tool = Tool(id="x", name="ping", provider="ops")
    assert render(tool, "verbatim") == render(tool, "full") == "ping\nProvider: ops"


@pytest.mark.parametrize("style", STYLES)
def test_text_is_cut(style: Style) -> None:
    long = Tool(id="x", name="n", description="d" * 5_000, raw="r" * 5_000)
    assert len(render(long, style)) == 2_000
    assert len(render(long, style, max_characters=7)) == 7


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(
        ValueError, match="expected one of name-description, description, full, verbatim"
    ):
        render(TOOL, "fancy")  # type: ignore[arg-type]
