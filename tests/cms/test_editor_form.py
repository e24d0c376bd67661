"""The editor's add form: a refusal loses nothing, and a page that was saved meanwhile is no error of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from wagtail.models import Page
from wagtail.test.utils.form_data import nested_form_data, rich_text, streamfield

from apps.accounts.operations.granting import open_tools
from cms.models import GatedForm, ProjectStory
from tests import world as w
from tests.accounts.signing import account_for, with_session

pytestmark = pytest.mark.django_db
BAD = "请打电话 138-0000-1234 找她"


@pytest.fixture
def editor() -> Client:
    account = account_for(None, "editor@example.org", ("editor", "city", 0))
    open_tools(account.person_id or 0)
    return with_session(account, second=True)


def typed(city: w.World, text: str, slug: str) -> dict[str, Any]:
    return {
        **nested_form_data(
            {"title": "屋顶修好了", "slug": slug, "project": city.project.pk,
             "body": streamfield([("paragraph", rich_text(f"<p>{text}</p>"))])}
        ),
        "consent_codes": "", "seo_title": "", "search_description": "", "action-publish": "action-publish",
    }  # fmt: skip


def add_path() -> str:
    return f"/cms/pages/add/cms/projectstory/{Page.objects.get(depth=2).pk}/"


def test_a_second_publish_after_a_refusal_keeps_what_was_typed(editor: Client) -> None:
    city = w.build()
    refused = editor.post(add_path(), typed(city, BAD, "roof"))
    said = refused.content.decode()
    assert refused.status_code == 200 and "手机号" in said and "138-0000-1234" in said
    Page.objects.get(depth=2).add_child(
        instance=ProjectStory(title="又一个", slug="roof", project=city.project, live=False)
    )
    again = editor.post(add_path(), typed(city, "roof done", "roof"))
    assert again.status_code == 200 and "roof done" in again.content.decode()
    assert editor.post(add_path(), typed(city, "好了", "roof-2")).status_code == 302
    assert ProjectStory.objects.live().get().slug == "roof-2"


def test_an_address_taken_between_the_check_and_the_writing_is_an_error_beside_it(
    editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second click, or the browser that saves by itself."""
    city = w.build()
    check = GatedForm._post_clean

    def raced(self: GatedForm) -> None:
        check(self)
        Page.objects.get(depth=2).add_child(
            instance=ProjectStory(title="抢先", slug="raced", project=city.project, live=False)
        )

    monkeypatch.setattr(GatedForm, "_post_clean", raced)
    last = editor.post(add_path(), typed(city, "roof done", "raced"))
    said = last.content.decode()
    assert last.status_code == 200 and "roof done" in said and "raced" in said
    assert ProjectStory.objects.get().title == "抢先"
