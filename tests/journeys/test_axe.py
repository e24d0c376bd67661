"""The public's and the staff's main pages in every look: nothing serious by axe, nothing wider than the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from apps.donations.models import Gift
from charity_site.demonstration import story
from tests.journeys.conftest import Person
from tests.journeys.test_one_yuan import raising_project, work

LOOKS = [(360, "light", ""), (360, "dark", "large"), (1280, "dark", ""), (1280, "light", "large")]
PUBLIC = ["/", "/projects/", "/funds/", "/statistics/", "/status/", "/accounts/login/", "/en/projects/"]


def look(page: Page, url: str, width: int, scheme: Any, size: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.context.add_cookies([{"name": "size", "value": size or "normal", "url": url}])


def problems(page: Page, width: int) -> list[str]:
    found = [
        f"{item['id']}: {item['nodes'][0]['html'][:160]}"
        for item in Axe().run(page).response["violations"]
        if item["impact"] in ("serious", "critical")
    ]
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [*found, *([f"{wide} px wide"] if wide > width else [])]


def test_main_pages_hold_in_every_look(city: Any, someone: Callable[..., Person]) -> None:
    project = raising_project(city)
    story.give(city, project, 2, [0], lambda: None)
    work()
    gift = Gift.objects.filter(status="received", receipt__isnull=False).first()
    assert gift is not None
    here = f"/projects/{project.slug}/"
    mine = f"/gifts/{gift.token}/"
    visitor, caseworker, cashier = someone(), someone("caseworker1.shiqiao"), someone("cashier1")
    pages = [
        *((visitor, path) for path in [*PUBLIC, here, f"{here}give/", mine, f"{mine}receipt/"]),
        (visitor, f"/funds/{project.fund.slug}/"),
        *((caseworker, f"/workbench/{path}") for path in ("", "disbursements/", "disbursements/new-aid/")),
        (cashier, "/workbench/batches/"),
    ]
    wrong: list[str] = []
    for width, scheme, size in LOOKS:
        for person in (visitor, caseworker, cashier):
            look(person.page, person.url, width, scheme, size)
        for person, path in pages:
            page = person.go(path)
            assert not page.title().startswith(("·", "没有")), path
            wrong += [f"{path} at {width} {scheme} {size}: {each}" for each in problems(page, width)]
    assert not wrong, "\n".join(wrong)
