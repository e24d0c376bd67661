"""The stories as a list and as a feed: what is taken down is gone from both with the same commit."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.core.pages import cached_page
from cms.models import Story
from cms.stories import live_stories


@cached_page()
@require_safe
def stories(request: HttpRequest) -> HttpResponse:
    """This will list the newest 50 stories, each on its project's or micro-fund's page."""
    return render(request, "cms/stories.html", {"stories": live_stories(get_language() or "zh-hans")})


class StoryFeed(Feed):  # type: ignore[type-arg]
    """The same list for readers of feeds (Atom)."""

    feed_type = Atom1Feed

    def title(self) -> str:
        return _("故事")

    def link(self) -> str:
        return str(settings.SITE_URL) + "/stories/"

    def items(self) -> list[Story]:
        return list(live_stories(get_language() or "zh-hans"))

    def item_title(self, item: Story) -> str:
        return str(item.title)

    def item_description(self, item: Story) -> str:
        return item.public_text()[:300]

    def item_link(self, item: Story) -> str:
        return str(settings.SITE_URL) + item.home()

    def item_updateddate(self, item: Story) -> dt.datetime | None:
        return item.last_published_at  # type: ignore[no-any-return]

    def item_guid(self, item: Story) -> str:
        return f"{item.home()}#{item.pk}"
