"""Finding the story of a project or fund: a live page in the visitor's language, if an editor published one."""

from __future__ import annotations

from apps.funds.models import MicroFund, Project
from cms.models import FundStory, ProjectStory, ShopPage


def live_project_story(project: Project, language: str) -> ProjectStory | None:
    """This will find the live story page of a project in a language; None leaves the legal facts standing alone."""
    rows = ProjectStory.objects.live().filter(project=project, locale__language_code=language)
    story: ProjectStory | None = rows.order_by("-first_published_at").first()
    return story


def live_fund_story(fund: MicroFund, language: str) -> FundStory | None:
    """This will find the live story page of a micro-fund in a language."""
    rows = FundStory.objects.live().filter(fund=fund, locale__language_code=language)
    story: FundStory | None = rows.order_by("-first_published_at").first()
    return story


def live_stories(language: str, limit: int = 50) -> list[ProjectStory | FundStory]:
    """This will list the live stories of a language, newest first."""
    found: list[ProjectStory | FundStory] = []
    for kind, owner in ((ProjectStory, "project"), (FundStory, "fund")):
        rows = kind.objects.live().filter(locale__language_code=language).select_related(owner)
        found += rows.order_by("-first_published_at", "-pk")[:limit]
    return sorted(found, key=lambda story: story.first_published_at, reverse=True)[:limit]


def live_shop_page(language: str) -> ShopPage | None:
    """This will find the live words above the wish shop in a language."""
    rows = ShopPage.objects.live().filter(locale__language_code=language)
    page: ShopPage | None = rows.order_by("-first_published_at").first()
    return page
