from __future__ import annotations

import re
import time
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from tool_bench.leaderboard.charts import scaling_latency_svg, scaling_svg
from tool_bench.results import (
    DataCard,
    Estimate,
    Hardware,
    Provenance,
    Quantile,
    Timing,
)
from tool_bench.scaling import MEASURES, ScalingPoint, ScalingRecord

SVG = "{http://www.w3.org/2000/svg}"
SIZES = (199, 1_000, 10_000, 39_542)


def point(tools: int, value: float, ms: float, cpu: str) -> ScalingPoint:
    quantile = Quantile(ms=ms, low=ms * 0.9, high=ms * 1.1)
    return ScalingPoint(
        tools=tools,
        sha256="0" * 64,
        measures={m: Estimate(value=value, low=value - 0.05, high=value + 0.05) for m in MEASURES},
        timing=Timing(
            load_s=0,
            index_s=1,
            index_encode_s=None,
            queries_per_s=1,
            latency={"p50": quantile, "p95": quantile, "p99": quantile},
            latency_mean_ms=ms,
            latency_queries=1,
            latency_samples=1,
            encode=None,
            search=None,
            busy_cores=None,
            reference=None,
        ),
        index_bytes=None,
        provenance=Provenance(
            command="",
            date="2026-01-01",
            code_revision=None,
            dirty=None,
            python="",
            platform="",
            packages={},
            hardware=Hardware(cpu=cpu, cores=2, memory_gib=1, accelerator=None),
            threads=None,
            precision=None,
            seeds={},
        ),
    )


def curve(method: str, value: float, *, cpu: str = "abacus") -> ScalingRecord:
    points = (
        point(tools, value - 0.1 * n, 0.2 * value * 4**n, cpu) for n, tools in enumerate(SIZES)
    )
    return ScalingRecord(
        task="MetaTool",
        baseline=method,
        key={},
        data=DataCard(revision="", sha256="", counts={"tools": 199}, headline="all"),
        catalogue={},
        available=SIZES[-1],
        dropped={},
        examples=0,
        bound="",
        points=tuple(points),
    )


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  drawn here


def shown(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("draw", [scaling_svg, scaling_latency_svg])
def test_a_chart_can_stand_in_a_page(draw: Callable[[list[ScalingRecord]], str]) -> None:
    svg = draw([curve("bm25s", 0.5), curve("minilm", 0.7)])
    root = parsed(svg)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "g", "path", "line", "text", "title", "rect"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on")}
    assert not attributes & {"id", "href", "clip-path", f"{SVG}href"}
    assert "url(" not in svg
    assert root.get("role") == "img"
    assert (root.get("aria-label") or "").startswith("MetaTool: ")


def test_what_a_record_says_cannot_break_out() -> None:
    svg = scaling_svg([curve('<script>alert("x")</script>', 0.5)])
    assert "<script" not in svg
    assert '<script>alert("x")</script>' in shown(svg)


def test_text_is_text_in_the_colour_around_it() -> None:
    svg = scaling_svg([curve("bm25s", 0.5), curve("minilm", 0.7)])
    assert {"bm25s", "minilm", "nDCG@10", "199", "1k", "10k", "39.5k"} <= {*shown(svg)}
    texts = parsed(svg).iter(f"{SVG}text")
    assert {text.get("fill") for text in texts} == {"currentColor"}
    assert not re.search(r'(fill|stroke)="(black|white|#000|#fff)', svg)


def test_methods_differ_without_colour() -> None:
    methods = [f"m{n}" for n in range(6)]
    svg = scaling_svg([curve(name, 0.3 + 0.1 * n) for n, name in enumerate(methods)])
    root = parsed(svg)
    lines = [
        element.get("stroke-dasharray")
        for element in root.iter(f"{SVG}path")
        if element.get("aria-roledescription") == "line mark"
    ]
    assert len(lines) == len(set(lines)) == 6
    marks = [
        (element.get("d"), element.get("fill"))
        for element in root.iter(f"{SVG}path")
        if element.get("aria-roledescription") == "point"
    ]
    assert len({shape for shape, _ in marks}) == len({colour for _, colour in marks}) == 6


def test_a_curve_is_drawn_where_its_values_are() -> None:
    svg = scaling_svg([curve("bm25s", 0.5)])
    told = set(re.findall(r"tools in the catalogue: ([\w.]+); nDCG@10: ([\d.]+)", svg))
    assert told == {("199", "0.5"), ("1k", "0.4"), ("10k", "0.3"), ("39.5k", "0.2")}
    line = next(e for e in parsed(svg).iter(f"{SVG}path") if e.get("stroke-dasharray"))
    corners = re.findall(r"([\d.]+),([\d.]+)", line.get("d") or "")
    right, down = ([float(pair[axis]) for pair in corners] for axis in (0, 1))
    steps = [down[n + 1] - down[n] for n in range(3)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.01)
    assert (right[2] - right[1]) / (right[3] - right[1]) == pytest.approx(1 / 1.5971, abs=1e-3)


def test_latency_from_several_machines_is_said() -> None:
    one = scaling_latency_svg([curve("bm25s", 0.5), curve("minilm", 0.7)])
    assert "one query at a time on abacus, 2 cores" in shown(one)
    two = scaling_latency_svg([curve("bm25s", 0.5), curve("minilm", 0.7, cpu="slide rule")])
    assert any("several machines" in text for text in shown(two))


def test_the_order_of_the_curves_changes_nothing_and_drawing_is_quick() -> None:
    records = [curve("bm25s", 0.5), curve("minilm", 0.7)]
    first = scaling_svg(records)
    began = time.process_time()
    assert scaling_svg(records[::-1]) == first
    assert time.process_time() - began < 1


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="no points"):
        scaling_svg([curve("bm25s", 0.5).model_copy(update={"points": ()})])
