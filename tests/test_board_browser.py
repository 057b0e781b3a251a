"""The board in Chromium, as people use it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import boards
import pytest
from playwright.sync_api import Browser, Page, expect

from tool_bench.leaderboard.serve import server


class Watched:
    """A page that keeps what it complained of and what it asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self.asked.append(request.url))


@pytest.fixture
def watched(browser: Browser, board: Path) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    own = Watched(context.new_page())
    yield own
    context.close()
    assert own.complaints == []
    outside = [url for url in own.asked if not url.startswith(board.parent.as_uri())]
    assert [url for url in outside if not url.startswith("http://127.0.0.1:")] == []


@pytest.fixture
def page(watched: Watched, board: Path) -> Page:
    watched.page.goto(board.as_uri())
    ready(watched.page)
    return watched.page


def ready(page: Page) -> None:
    page.wait_for_selector("html[data-ready=yes]", state="attached")


def loading(page: Page) -> tuple[float, float, float]:
    """First paint in ms, how far anything moved, and when the table could be used, in ms."""
    told = page.evaluate(
        """() => new Promise(resolve => {
            let moved = 0;
            const add = list => list.getEntries().forEach(entry => { moved += entry.value; });
            new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
            const at = name => performance.getEntriesByName(name)[0].startTime;
            setTimeout(() => resolve([at("first-contentful-paint"), moved, at("ready")]), 300);
        })"""
    )
    return told[0], told[1], told[2]


def names(page: Page) -> list[str]:
    return page.locator("#board tbody:not(.divider) tr:visible th a").all_inner_texts()


def figures(page: Page, key: str) -> list[float]:
    """The values of a column in the ranked rows, from top to bottom."""
    shown: list[float] = page.evaluate(
        """key => {
            const table = document.getElementById("board");
            const at = [...table.tHead.rows[0].cells].findIndex(head => head.dataset.key === key);
            return [...table.tBodies[0].rows].map(row => Number(row.cells[at].dataset.sort));
        }""",
        key,
    )
    return shown


def test_a_view_can_be_sorted_linked_to_and_loaded_again(page: Page) -> None:
    head = page.locator("#board th[data-key=parameters]")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("#board th[aria-sort]")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"#.*parameters.ascending"))
    rising = figures(page, "parameters")
    assert rising == sorted(rising)
    head.locator("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(page).to_have_url(re.compile(r"#.*parameters.descending"))
    assert figures(page, "parameters") == rising[::-1]
    page.reload()
    ready(page)
    expect(head).to_have_attribute("aria-sort", "descending")
    page.wait_for_timeout(50)  # the library sorts a moment after the click
    assert figures(page, "parameters") == rising[::-1]
    page.locator("button[type=reset]").click()
    expect(page).to_have_url(re.compile(r"index\.html$"))
    assert figures(page, "mean") == sorted(figures(page, "mean"), reverse=True)


def test_incomplete_rows_stay_below_whatever_is_sorted(page: Page) -> None:
    assert names(page)[-1] == "worst"
    page.locator("#board th[data-key=method] button").click()
    expect(page).to_have_url(re.compile(r"#.*method"))
    assert names(page)[-1] == "worst"
    assert names(page)[:-1] == sorted(names(page)[:-1], key=str.casefold)


def test_filters_narrow_and_are_kept_in_the_address(page: Page) -> None:
    every = names(page)
    page.get_by_label("Search").fill("OO")
    assert names(page) == [name for name in every if "oo" in name]
    expect(page.locator("#filters output")).to_have_text(f"2 of {len(every)} methods")
    page.locator("select[name=kind]").select_option("dense")
    address = page.url
    assert "kind=dense" in address
    kept = names(page)
    page.goto("about:blank")
    page.goto(address)
    ready(page)
    assert names(page) == kept
    assert page.get_by_label("Search").input_value() == "OO"


def test_columns_can_be_chosen(page: Page) -> None:
    p95, p50 = (page.locator(f"#board th[data-key={key}]") for key in ("p95", "p50"))
    expect(p95).to_be_hidden()
    expect(p50).to_be_visible()
    page.locator(".picker summary").click()
    page.locator("input[value=p95]").check()
    page.locator("input[value=p50]").uncheck()
    expect(p95).to_be_visible()
    expect(p50).to_be_hidden()
    page.reload()
    ready(page)
    expect(p95).to_be_visible()
    expect(p50).to_be_hidden()


def test_colours_are_chosen_once(page: Page, board: Path) -> None:
    def paper() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = paper()
    page.locator("#theme").click()
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = paper()
    assert light != dark
    page.goto((board.parent / "methodology.html").as_uri())
    assert paper() == dark
    page.emulate_media(color_scheme="light")
    assert paper() == dark
    page.locator("#theme").click()
    assert paper() == light


@pytest.mark.parametrize("kind", boards.KINDS)
def test_a_phone_scrolls_no_page_sideways(watched: Watched, board: Path, kind: str) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 844})
    watched.page.goto((board.parent / kind).as_uri())
    watched.page.wait_for_load_state("load")
    if kind.startswith("explore"):
        ready(watched.page)
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("kind", boards.KINDS)
def test_hostile_text_runs_nothing_and_is_shown(watched: Watched, board: Path, kind: str) -> None:
    page = watched.page
    page.goto((board.parent / kind).as_uri())
    page.wait_for_load_state("load")
    assert page.evaluate("window.hacked") is None
    links = page.evaluate("[...document.querySelectorAll('a')].map(a => a.protocol)")
    assert set(links) <= {"file:", "https:", "http:"}
    if kind in {"tasks/Alpha.html", "methods/best.html", "changes.html", "reported.html"}:
        assert boards.SCRIPT in page.locator("main").inner_text()


def test_the_policy_stops_what_markup_would_run(browser: Browser, board: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(board.as_uri())
    page.evaluate(
        """() => {
            document.body.insertAdjacentHTML("beforeend", '<img src=x onerror="window.hacked=1">');
            const script = document.createElement("script");
            script.textContent = "window.hacked = 1";
            document.body.append(script);
        }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.hacked") is None
    context.close()


def test_it_works_below_a_path_of_a_server(watched: Watched, board: Path) -> None:
    with server(board.parent.parent, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_address[1]}/board/"
        for kind in ("", "explore/Alpha.html#q=Alpha-q7"):
            watched.page.goto(address + kind)
            ready(watched.page)
        expect(watched.page.locator("#detail .versus ol")).to_have_count(2)
        running.shutdown()
    assert all(url.startswith(address) for url in watched.asked)


def test_without_scripts_every_table_is_there(browser: Browser, board: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(board.as_uri())
    expect(page.locator("#board th[data-key=p95]")).to_be_visible()
    expect(page.locator("#board tbody tr:visible")).to_have_count(len(boards.METHODS) + 1)
    expect(page.locator("figure svg")).to_have_count(2)
    expect(page.locator("#filters")).to_be_hidden()
    page.goto((board.parent / "explore" / "Alpha.html").as_uri())
    expect(page.locator("noscript")).to_be_visible()
    context.close()


def test_print_leaves_the_controls_away(page: Page) -> None:
    page.emulate_media(media="print")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("#board")).to_be_visible()
    expect(page.locator("nav")).to_be_hidden()


def test_reduced_motion_is_honoured(page: Page) -> None:
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page.evaluate(behaviour) == "smooth"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(behaviour) == "auto"


def test_first_paint_is_early_and_nothing_moves(watched: Watched, board: Path) -> None:
    watched.page.goto(board.as_uri())
    ready(watched.page)
    paint, moved, _ = loading(watched.page)
    assert moved == 0
    assert paint < 500
    assert not re.search("undefined|NaN", watched.page.locator("main").inner_text())
