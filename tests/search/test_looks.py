"""The search pages in a real browser: no serious finding of axe, no sideways scrolling, no complaint of the browser,
light, dark and large, from 320 to 1280 px."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from apps.publication.rows import publish_rows
from tests.conftest import LiveSite
from tests.publication.test_rows import NOW, draft
from tests.tools import chromium

ADDRESSES = [
    "/disclosures/?q=危房 AND 瓦片&opinion=qualified",
    "/disclosures/?view=reports",
    "/en/disclosures/?q=nothing&town=shiqiao",
    "/disclosures/?page=2",
    "/disclosures/how/",
    "/disclosures/export/?q=危房",
    "/en/disclosures/saved/?q=瓦片",
    "/data/",
    "/api/v1/docs",
    "/en/no-such-page/",
]
LOOKS = [
    (320, "light", ""),
    (360, "dark", ""),
    (360, "light", "large"),
    (1280, "light", ""),
    (1280, "dark", "large"),
]


@pytest.fixture
def browser() -> Iterator[Browser]:
    path = chromium()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread
    try:
        with sync_playwright() as playwright:
            yield playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def test_pages_hold_in_every_look(live_site: LiveSite, browser: Browser) -> None:
    rows = [
        draft(n, heading=f"石桥镇危房修缮（第{n}期）", public_id=f"b{n}", source=f"b/{n}")
        for n in range(1, 25)
    ]
    publish_rows(rows=[*rows, draft(30, view="report", public_id="b30")], now=NOW)
    axe = Axe()
    for width, scheme, size in LOOKS:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        if size:
            context.add_cookies([{"name": "size", "value": size, "url": live_site.url}])
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message, said=complaints: said.append(message.text))
        for address in ADDRESSES:
            page.goto(live_site.url + address)
            where = f"{address} at {width} {scheme} {size}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, where
            found = axe.run(page).response["violations"]
            serious = [
                f"{item['id']}: {item['nodes'][0]['html']}"
                for item in found
                if item["impact"] in ("serious", "critical")
            ]
            assert not serious, (where, serious)
        assert not [text for text in complaints if "status of 40" not in text], complaints
        context.close()


def test_look_and_language_keep_the_page_without_script(live_site: LiveSite, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(live_site.url + "/disclosures/?sort=date")
    page.get_by_role("link", name="长者版").first.click()
    assert page.url.endswith("/disclosures/?sort=date")
    assert page.locator("html").get_attribute("data-size") == "large"
    page.get_by_role("link", name="深色").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("link", name="English").click()
    assert page.url.endswith("/en/disclosures/?sort=date")
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("searchbox").fill("危房")
    page.get_by_role("searchbox").press("Enter")
    assert "sort=date" in page.url and "q=" in page.url
