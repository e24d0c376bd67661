"""A journalist finds one use of money in three different ways, on both engines, by keyboard alone; takes the matches
away and sums them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Page

from apps.core.money import Money
from apps.publication.drafts import Facet
from apps.publication.rows import publish_rows
from search.elastic import indices
from search.exports.jobs import work_export
from search.models import ExportJob
from tests.journeys.conftest import Person
from tests.publication.test_rows import NOW, draft


def publish() -> None:
    rows = [
        draft(
            n,
            heading=f"石桥镇危房修缮（第{n}期）",
            public_id=f"s{n}",
            amount=Money(n * 10_000),
            day=dt.date(2026, 1, n),
        )
        for n in range(1, 25)
    ]
    rows.append(
        draft(25, heading="横溪镇助学金", text="资助大学新生十二人", public_id="wanted", amount=Money(9_600_000),
              town=Facet("hengxi", "横溪镇"), category=Facet("education", "教育"), household_times=12,
              project=Facet("xue", "横溪镇助学"), fund=Facet("xuef", "助学微基金"))
    )  # fmt: skip
    publish_rows(rows=rows, now=NOW)


def tab_to(page: Page, selector: str, most: int = 120) -> None:
    """Presses Tab until an element has the focus: nobody needs a mouse to get there, and the focus is seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement && document.activeElement.matches(s)", selector):
            outline = page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement);"
                " return [s.outlineStyle, s.boxShadow, s.borderColor].join() }"
            )
            assert outline != "none,none,rgb(0, 0, 0)"
            return
    raise AssertionError(f"{selector} can't be reached by keyboard")


def found(page: Page) -> str:
    return page.inner_text("section.results")


@pytest.mark.parametrize("engine", ["postgres", "elasticsearch"])
def test_three_searches_by_keyboard(
    someone: Callable[..., Person], live_site: Any, elastic: str, settings: Any, engine: str
) -> None:
    publish()
    indices.rebuild(now=NOW)
    settings.SEARCH_ENGINE = engine
    cache.clear()
    page = someone().go("/disclosures/")
    # By words.
    tab_to(page, "#q")
    page.keyboard.type("助学金 大学新生")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=**")
    assert (
        "1条记录" in found(page) and "横溪镇助学金" in found(page) and "¥96,000.00" in page.inner_text("main")
    )
    # By a facet and a sort.
    page.goto(live_site.url + "/disclosures/")
    if page.locator("details.facets > summary").is_visible():  # a narrow window
        tab_to(page, "details.facets > summary")
        page.keyboard.press("Enter")
    tab_to(page, "details.facets a[href*='town=hengxi']")
    page.keyboard.press("Enter")
    page.wait_for_url("**town=hengxi**")
    assert "1条记录" in found(page) and "横溪镇助学金" in found(page)
    # By an amount range, with a word left out.
    page.goto(live_site.url + "/disclosures/")
    tab_to(page, "#q")
    page.keyboard.type("-危房")
    tab_to(page, "form details.more > summary")
    page.keyboard.press("Enter")
    tab_to(page, "#amin")
    page.keyboard.type("90000")
    page.keyboard.press("Enter")
    page.wait_for_url("**amount_min=90000**")
    assert "1条记录" in found(page) and "横溪镇助学金" in found(page)
    assert "不含" in page.inner_text("main"), "the query is said back"


def test_matches_are_taken_away_and_summed(someone: Callable[..., Person], live_site: Any) -> None:
    publish()
    page = someone().go("/disclosures/?q=危房")
    page.click("text=导出全部")
    with page.expect_download() as taken:
        page.click("section a:has-text('CSV')")
    rows = list(csv.DictReader(io.StringIO(taken.value.path().read_text(encoding="utf-8-sig"), newline="")))
    assert len(rows) == 24 and sum(float(row["金额"]) for row in rows) == sum(n * 100 for n in range(1, 25))
    page.check("input[value=json]")
    page.click("text=开始生成")
    page.wait_for_url("**/disclosures/exports/**")
    job = ExportJob.objects.get()
    while work_export(pk=job.pk, now=NOW):
        pass
    page.reload()
    assert "可以下载" in page.inner_text("main")
    href = page.get_attribute("main a:has-text('下载JSON')", "href")
    with urllib.request.urlopen(f"{live_site.url}{href}") as answer:
        assert answer.headers["Content-Type"].startswith("application/json") and b"manifest" in answer.read()
