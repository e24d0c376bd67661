"""A family takes its word back: the story is gone from the page, the list and the feed, in the browser, at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from apps.casework.models import Consent
from tests.journeys.conftest import Person
from tests.journeys.test_duplicate import register
from tests.journeys.test_one_yuan import raising_project, work


def tell(editor: Person, project: int, title: str, code: str, answer: str) -> None:
    from wagtail.models import Page

    page = editor.go(f"/cms/pages/add/cms/projectstory/{Page.objects.get(depth=2).pk}/")
    page.select_option("select[name=project]", str(project))
    page.check("input[name=about_family]")
    page.fill("input[name=consent_codes]", code)
    page.fill("input[name=title], textarea[name=title]", title)
    page.press("input[name=title], textarea[name=title]", "Tab")
    expect(page.locator("input[name=slug]")).not_to_have_value("")
    page.click("footer button[data-w-dropdown-target=toggle]")
    page.click("button[name='action-publish']")
    page.wait_for_selector(f"text={answer}")


def test_consent_withdrawn_and_the_story_gone(city: Any, someone: Callable[..., Person]) -> None:
    project = raising_project(city)
    town = city.towns[0].code
    caseworker = someone(f"caseworker1.{town}", width=360)
    number = register(caseworker, town, "覃小满")
    page = caseworker.go(f"/workbench/households/{number}/add/consent/")
    page.select_option("select[name=member]", index=1)
    page.select_option("select[name=purpose]", "story")
    page.select_option("select[name=given_by]", "self")
    page.click("main form button.primary")
    page.wait_for_selector("text=同意已登记")
    code = Consent.objects.get(purpose="story").code
    assert code in caseworker.text()

    editor = someone("editor")
    tell(editor, project.pk, "一户的故事", "", "没有有效的故事同意")
    tell(editor, project.pk, "孩子的药有了着落", code, "已创建并发布")

    places = (f"/projects/{project.slug}/", "/stories/", "/stories/feed.atom")
    visitor = someone(width=360)
    for path in places:
        visitor.go(path)
        assert "孩子的药有了着落" in visitor.page.content(), path

    page = caseworker.go(f"/workbench/households/{number}/")
    page.click(f"button[value='withdraw:{code}']")
    page.wait_for_selector("text=同意已撤回")
    work()
    for path in places:
        visitor.go(path)
        assert "孩子的药有了着落" not in visitor.page.content(), path
