"""The board for everybody: axe-core's rules on each kind of page, in light and dark."""

from __future__ import annotations

from pathlib import Path

import boards
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

SERIOUS = {"serious", "critical"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", [*boards.KINDS, "explore/Alpha.html#q=Alpha-q17"])
def test_no_serious_finding(browser: Browser, board: Path, kind: str, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.goto(f"{board.parent.as_uri()}/{kind}")
    if kind.startswith("explore"):
        page.wait_for_selector("html[data-ready=yes]", state="attached")
    found = Axe().run(page).response["violations"]
    serious = [
        (rule["id"], node["html"][:200], node["failureSummary"][:200])
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"][:2]
    ]
    context.close()
    assert serious == []


def test_the_keyboard_reaches_everything(browser: Browser, board: Path) -> None:
    page = browser.new_page()
    page.goto(board.as_uri())
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.name || document.activeElement.closest('th')?.dataset.key"
                " || document.activeElement.id || document.activeElement.tagName"
            )
        )
    assert {"theme", "q", "kind", "license", "mean", "p50", "method"} <= reached
    page.close()
