"""The gate on stories: every way to go live passes it, drafts are free, and the page of facts stands without
a story."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from wagtail.models import Page

from apps.publication.privacy import NotPublishable, find_personal
from cms.models import ProjectStory
from tests import world as w

pytestmark = pytest.mark.django_db
BAD = "请打电话 138-0000-1234 找她"


@pytest.fixture
def city() -> w.World:
    return w.build()


def draft(city: w.World, text: str, title: str = "故事") -> ProjectStory:
    story = ProjectStory(title=title, slug=f"s{ProjectStory.objects.count()}", project=city.project, live=False,
                         body=[("paragraph", f"<p>{text}</p>")])  # fmt: skip
    Page.objects.get(depth=2).add_child(instance=story)
    return story


def test_clean_story_is_shown_and_taken_down(city: w.World, client: Client) -> None:
    story = draft(city, "修好了屋顶。")
    story.save_revision().publish()
    assert "修好了屋顶" in client.get("/projects/dabing/").content.decode()
    ProjectStory.objects.get().unpublish()
    page = client.get("/projects/dabing/").content.decode()
    assert "修好了屋顶" not in page and "FILE-dabing" in page


def test_publishing_personal_details_is_held(city: w.World) -> None:
    story = draft(city, BAD)
    story.save_revision().publish()
    held = ProjectStory.objects.get()
    assert not held.live and "手机号" in held.gate_note


def test_schedule_passes_the_gate_too(city: w.World) -> None:
    good, bad = draft(city, "干净的文字"), draft(city, BAD)
    soon = timezone.now() + dt.timedelta(hours=1)
    for story in (bad, good):
        story.go_live_at = soon
        story.save_revision(approved_go_live_at=timezone.now() - dt.timedelta(minutes=1))
        ProjectStory.objects.filter(pk=story.pk).update(go_live_at=timezone.now() - dt.timedelta(minutes=1))
        revision = story.latest_revision
        revision.content["go_live_at"] = None
        revision.save()
    call_command("publish_scheduled")
    assert ProjectStory.objects.get(pk=good.pk).live, "one held page must not stop the others"
    held = ProjectStory.objects.get(pk=bad.pk)
    assert not held.live and held.gate_note


def test_going_live_by_hand_is_refused(city: w.World) -> None:
    story = draft(city, BAD)
    story.live = True
    with pytest.raises(NotPublishable):
        story.save()


@pytest.mark.parametrize(
    ("text", "kind"),
    [("13800001234", "phone"), ("１３８００００１２３４", "phone"), ("138 0000 1234", "phone"),
     (w.id_number(7), "id_number"), ("4111 1111 1111 1111", "bank_card")],
)  # fmt: skip
def test_patterns(text: str, kind: str) -> None:
    assert {hit.kind for hit in find_personal(f"在{text}，")} >= {kind}


@pytest.mark.parametrize(
    "text", ["2026年11月23日", "¥1,234,567.89", "统一社会信用代码51449900MJK614024W", "12345678901"]
)
def test_ordinary_numbers_pass(text: str) -> None:
    assert not find_personal(text)


def test_case_values_are_found() -> None:
    assert find_personal("住在幸福路３号的一户", ["幸福路3号"])


def test_preview_shows_the_draft_with_the_projects_own_figures(city: w.World) -> None:
    story = draft(city, "还没发表的文字")
    text = story.make_preview_request(preview_mode=story.default_preview_mode).content.decode()
    assert "还没发表的文字" in text and "FILE-dabing" in text
