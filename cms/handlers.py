"""What the CMS does when a family takes its word back."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction

from apps.casework.events import ConsentWithdrawn
from apps.casework.models import Purpose
from apps.core.pages import bump_epoch
from cms.models import FundStory, ProjectStory, Story

log = structlog.get_logger(__name__)


def take_down_stories(event: ConsentWithdrawn, *, now: dt.datetime) -> None:
    """This will unpublish every story that stands on a withdrawn consent, in every language, and its schedules; the
    page of facts stays without it. Safe to repeat. A consent that published nothing changes nothing."""
    if event.purpose not in (Purpose.STORY, Purpose.PHOTO):
        return
    kinds: tuple[type[Story], ...] = (ProjectStory, FundStory)
    with transaction.atomic():
        for kind in kinds:
            for story in kind.objects.filter(consent_codes__contains=event.code).order_by("pk"):
                if event.code not in story.codes():
                    continue
                story.revisions.update(approved_go_live_at=None)
                if story.live:
                    story.unpublish()
                    log.info("cms.story_taken_down", page=story.pk)
    bump_epoch()
