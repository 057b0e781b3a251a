"""Quality against what it takes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from tool_bench.leaderboard.pareto import Point, front, pareto_svg

CHEAP = Point("cheap", "lexical", 0.1, 0.4)
WORSE = Point("worse", "lexical", 0.2, 0.3)
GOOD = Point("good", "dense", 1, 0.6)
AS_GOOD = Point("as good", "dense", 2, 0.6)
BEST = Point('best "<b>"', "hybrid", 10, 0.7)
ALL = [BEST, AS_GOOD, GOOD, WORSE, CHEAP]


def test_the_front_is_what_nothing_beats() -> None:
    assert front(ALL) == (CHEAP, GOOD, BEST)
    assert front([GOOD]) == (GOOD,)
    assert front([]) == ()


def test_equal_points_are_one_of_them() -> None:
    twin = Point("a twin", "dense", 1, 0.6)
    assert front([GOOD, twin]) == (twin,)


def test_the_chart_names_the_front_and_tells_of_every_point() -> None:
    svg = pareto_svg(ALL, "p50, ms", "nDCG", "on a machine")
    root = ET.fromstring(svg)  # noqa: S314  drawn here
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"cheap", "good", 'best "<b>"'} <= texts
    assert not {"worse", "as good"} & texts
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "worse, lexical: 0.300 at 0.2" in titles
    assert len([title for title in titles if title and " at " in title]) == len(ALL)
    assert "style=" not in svg
    assert "<b>" not in svg


@pytest.mark.parametrize("points", [[GOOD], [GOOD, AS_GOOD]])
def test_few_points_are_drawn(points: list[Point]) -> None:
    svg = pareto_svg(points, "x", "y", "z")
    assert len(re.findall('aria-roledescription="point"', svg)) == len(points)
