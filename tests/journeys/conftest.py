"""Whole stories in a real browser: the demonstration's people on a city of two towns, everything committed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from charity_site.demonstration import build, facts
from charity_site.demonstration.people import DOMAIN, PASSWORD
from tests.search.conftest import elastic  # noqa: F401  (a fixture of these journeys too)
from tests.tools import chromium

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    # Playwright's loop runs in this thread; the tests' own ORM calls beside it are meant.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            yield started
            started.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def city(committed_db: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Federation, partners, firms, staff with second factors, five micro-funds, two towns."""
    from apps.core import clock, events

    monkeypatch.setattr(facts, "TOWNS", facts.TOWNS[:2])
    # `lay_ground` stops the doorbell of its process; the tests after this one have theirs again.
    monkeypatch.setattr(events, "_doorbell", [])
    return build.lay_ground(seed=7, now=clock.now(), say=lambda words: None)


class Person:
    """Somebody with a browser of their own, signed in where they have an account."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)

    def go(self, path: str) -> Page:
        response = self.page.goto(self.url + path)
        assert response is not None and response.status < 500, (path, response and response.status)
        return self.page

    def text(self) -> str:
        return self.page.inner_text("main")

    def sign_in(self, name: str) -> Person:
        """Password and one-time code, as the sign-in pages ask for them."""
        from apps.accounts.management.commands.demo_code import one_time_code
        from apps.accounts.models import Account

        email = f"{name}@{DOMAIN}"
        page = self.go("/workbench/")
        page.fill("input[name=login]", email)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        account = Account.objects.get(email=email)
        for _try in range(2):
            page.fill("input[name=code]", one_time_code(account) or "")
            with page.expect_navigation():
                page.press("input[name=code]", "Enter")
            if "/workbench/" in page.url:
                return self
            # The code's half minute ended on its way; a person types the next one too.
        raise AssertionError(f"{name} is not let in: {self.text()}")


@pytest.fixture
def someone(browser: Browser, live_site: Any) -> Iterator[Callable[..., Person]]:
    """someone() is a visitor, someone("cashier1") a member of staff."""
    opened: list[BrowserContext] = []
    staff: dict[str, Person] = {}

    def make(name: str = "", width: int = 1280) -> Person:
        if name in staff:
            # A one-time code works once in its half minute: who signed in before goes on in the same browser.
            return staff[name]
        context = browser.new_context(viewport={"width": width, "height": 900}, locale="zh-CN")
        opened.append(context)
        person = Person(context, live_site.url)
        if name:
            staff[name] = person.sign_in(name)
        return person

    yield make
    for context in opened:
        context.close()
