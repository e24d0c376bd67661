"""A story about a family stands on its consent, and falls with it: page, list and feed."""

from __future__ import annotations

import pytest
from django.test import Client
from wagtail.models import Page

from apps.casework import operations as casework
from apps.casework.models import Consent
from apps.core.events import deliver_due
from cms.models import ProjectStory
from tests import world as w

pytestmark = pytest.mark.django_db


def consent(city: w.World, n: int = 1, purpose: str = "story") -> Consent:
    family = w.household(city, n)
    return casework.give_consent(
        actor=city.people["caseworker_shiqiao"], member=family.members.get(), purpose=purpose, given_by="self",
        now=w.NOW,
    )  # fmt: skip


def publish(city: w.World, codes: str, about_family: bool = True) -> ProjectStory:
    story = ProjectStory(
        title="孩子的药", slug=f"s{ProjectStory.objects.count()}", project=city.project, live=False,
        body=[("paragraph", "<p>药费有了着落。</p>")], about_family=about_family, consent_codes=codes,
    )  # fmt: skip
    Page.objects.get(depth=2).add_child(instance=story)
    story.save_revision().publish()
    return ProjectStory.objects.get(pk=story.pk)


def test_without_a_standing_consent_a_familys_story_is_held() -> None:
    city = w.build()
    photo = consent(city, 2, "photo")
    for codes in ("", "no-such-code", photo.code):
        held = publish(city, codes)
        assert not held.live and "故事同意" in held.gate_note
    assert publish(city, "", about_family=False).live
    one = consent(city, 1)
    assert publish(city, one.code).live
    assert not publish(city, f"{one.code}，{photo.code}").live


def test_withdrawing_takes_it_down_everywhere_and_keeps_it_down(client: Client) -> None:
    city = w.build()
    one, two = consent(city, 1), consent(city, 2)
    story, other = publish(city, f"{one.code} {two.code}"), publish(city, two.code)
    for path in ("/projects/dabing/", "/stories/", "/stories/feed.atom"):
        assert "孩子的药" in client.get(path).content.decode()
    casework.withdraw_consent(actor=city.people["caseworker_shiqiao"], consent=one, now=w.NOW)
    while deliver_due(now=w._far()):
        continue
    story.refresh_from_db()
    other.refresh_from_db()
    assert not story.live and other.live
    story.get_latest_revision().publish()
    story.refresh_from_db()
    assert not story.live and "撤回" in story.gate_note
    casework.withdraw_consent(actor=city.people["caseworker_shiqiao"], consent=two, now=w.NOW)
    while deliver_due(now=w._far()):
        continue
    for path in ("/projects/dabing/", "/stories/", "/stories/feed.atom"):
        answer = client.get(path)
        assert answer.status_code == 200 and "孩子的药" not in answer.content.decode()
