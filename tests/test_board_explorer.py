"""The query explorer in Chromium, held against the stored runs and scores."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import boards
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tool_bench.leaderboard.scores import Scores, scores_of
from tool_bench.runs import read_run
from tool_bench.store import folder_name

A, B = boards.METHODS[0], boards.METHODS[3]


@pytest.fixture
def page(browser: Browser, board: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((board.parent / "explore" / "Alpha.html").as_uri() + f"#a={A}&b={B}")
    ready(page)
    yield page
    assert complaints == []
    assert page.evaluate("window.hacked") is None
    context.close()


def ready(page: Page) -> None:
    page.wait_for_selector("html[data-ready=yes]", state="attached")


@pytest.fixture
def stored(board: Path) -> Scores:
    folder = board.parent.parent / "results"
    return scores_of(
        [(m, folder / folder_name(m) / "Alpha.global.scores.csv.gz") for m in boards.METHODS]
    )


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"select[name={name}]").select_option(value)
    expect(page).to_have_url(re.compile(f"#.*{name}={value}"))


def test_wins_losses_and_misses_are_those_of_the_scores(page: Page, stored: Scores) -> None:
    a, b = (stored.values[:, boards.METHODS.index(method)] for method in (A, B))
    expected = {
        "a": int((a > b).sum()),
        "b": int((a < b).sum()),
        "tie": int((a == b).sum()),
        "miss": int(((a == 0) & (b == 0)).sum()),
    }
    assert len(set(expected.values())) > 1
    for show, count in expected.items():
        choose(page, "show", show)
        expect(page.locator("#summary")).to_contain_text(f"Shown: {count}.")


def test_the_hardest_come_first_and_pages_turn(page: Page, stored: Scores) -> None:
    means = np.sort(stored.values.mean(axis=1))
    notes = page.locator("#list .note").all_inner_texts()
    told = [float(note.rpartition(" ")[2]) for note in notes]
    assert told == pytest.approx(means[:25].round(3).tolist(), abs=1.1e-3)
    page.get_by_role("button", name="Next page").click()
    expect(page.locator("#pager")).to_contain_text("2 of 5")
    assert "page=2" in page.url
    page.reload()
    ready(page)
    expect(page.locator("#pager")).to_contain_text("2 of 5")


def test_a_query_shows_every_ranking_and_has_a_link(page: Page, board: Path) -> None:
    query = "Alpha-q17"
    page.get_by_role("searchbox").fill("Alpha-q17")
    expect(page.locator("#list li")).to_have_count(1)
    page.locator("#list a").first.click()
    expect(page.locator("#detail h2")).to_have_text("please do 17")
    run = read_run(board.parent.parent / "results" / "best" / "Alpha.global.run.gz")
    listed = page.locator("#detail .versus > div").first.locator("li bdi:not(.provider)")
    assert [x.get_attribute("title") for x in listed.all()] == [tool for tool, _ in run[query]]
    expect(page.locator("#detail tbody tr")).to_have_count(len(boards.METHODS))
    assert {"tool 17"} >= set(page.locator("#detail li.gold bdi:not(.provider)").all_inner_texts())
    address = page.get_by_role("link", name="Link to this query").evaluate("a => a.href")
    page.goto("about:blank")
    page.goto(address)
    ready(page)
    expect(page.locator("#detail h2")).to_have_text("please do 17")


def test_hostile_texts_are_texts(page: Page) -> None:
    for number, start in ((0, boards.SCRIPT), (1, boards.IMAGE), (3, "long long")):
        page.goto(f"{page.url.partition('#')[0]}#q=Alpha-q{number}")
        expect(page.locator("#detail h2")).to_contain_text(start)
    expect(page.locator("#detail h2")).to_contain_text("cut; 100,006 characters")
    page.goto(f"{page.url.partition('#')[0]}#q=Alpha-q2")
    expect(page.locator("#detail h2 bdi")).to_have_text(f"{boards.REVERSED} query")


def test_a_slice_holds_its_own_queries(page: Page) -> None:
    choose(page, "slice", "odd")
    expect(page.locator("#summary")).to_contain_text("Shown: 60.")


def test_a_doubted_label_becomes_a_text(page: Page) -> None:
    page.goto(f"{page.url.partition('#')[0]}#q=Alpha-q17")
    page.get_by_role("button", name="Is this label wrong?").click()
    told = page.locator("#dispute textarea").input_value()
    for part in (
        "Label of Alpha, query Alpha-q17",
        "Text: please do 17",
        "tool 17 (Alpha-t17)",
        "ranks first: ",
    ):
        assert part in told
    page.get_by_role("button", name="Close").last.click()
    expect(page.locator("#dispute")).to_be_hidden()


def test_a_query_that_is_not_there_is_said(page: Page) -> None:
    page.goto(f"{page.url.partition('#')[0]}#q=nothing")
    expect(page.locator("#detail")).to_contain_text("There is no query nothing here")


def test_a_list_loads_no_rankings(browser: Browser, board: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.goto((board.parent / "explore" / "Alpha.html").as_uri())
    ready(page)
    assert not [name for name in asked if name.startswith("rank-")]
    page.locator("#list a").first.click()
    expect(page.locator("#detail .versus")).to_be_visible()
    assert len({name for name in asked if name.startswith("rank-")}) == 1
    context.close()


def test_back_shows_what_the_address_said(page: Page) -> None:
    page.locator("#list a").first.click()
    expect(page.locator("#detail .versus")).to_be_visible()
    choose(page, "show", "a")
    page.go_back()
    expect(page.locator("#detail")).to_contain_text("Choose a query")
    expect(page.locator("select[name=show]")).to_have_value("")
    expect(page.locator("select[name=a]")).to_have_value(A)
    page.go_forward()
    expect(page.locator("#detail .versus")).to_be_visible()
    expect(page.locator("select[name=show]")).to_have_value("a")


def test_a_link_within_the_page_keeps_the_query(page: Page) -> None:
    page.goto(f"{page.url.partition('#')[0]}#q=Alpha-q17")
    expect(page.locator("#detail h2")).to_have_text("please do 17")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"#.*q=Alpha-q17"))
    expect(page.locator("#detail h2")).to_have_text("please do 17")


def test_no_method_is_held_against_itself(page: Page) -> None:
    beaten = page.locator("select[name=table] option").first.get_attribute("data-b")
    page.goto(f"{page.url.partition('#')[0]}#a={beaten}")
    expect(page.locator("select[name=a]")).to_have_value(str(beaten))
    expect(page.locator("select[name=b]")).not_to_have_value(str(beaten))


def test_closing_gives_the_focus_back(page: Page) -> None:
    first = page.locator("#list a").first
    first.click()
    page.locator("#detail").get_by_role("button", name="Close").click()
    expect(page.locator("#detail")).to_contain_text("Choose a query")
    expect(first).to_be_focused()


def test_a_search_is_what_the_counts_are_of(page: Page) -> None:
    page.get_by_role("searchbox").fill("Alpha-q17")
    expect(page.locator("#summary")).to_contain_text("Of 1 query A")
    page.get_by_role("searchbox").fill("nowhere")
    expect(page.locator("#pager")).to_have_text("No query fits.")
