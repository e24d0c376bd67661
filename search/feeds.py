"""Atom feeds of what was published last (S6): any question is a feed, read with the search's own parameters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db import connection
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import strip_tags
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.money import Money
from apps.core.pages import local_path
from search.catalog import catalog
from search.contract import SearchRequest
from search.engines.statement import TABLE, Statement
from search.results import Result, results

ENTRIES = 50


def newest(request: SearchRequest) -> list[Result]:
    """This will give the matches that were published last, whatever the sort."""
    where, values = Statement(request, request.tree(), catalog()).where()
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH m AS MATERIALIZED (SELECT id FROM {TABLE} WHERE {where})"  # noqa: S608
            " SELECT m.id FROM m JOIN publication_publicrowtext t ON t.row_id = m.id"
            " ORDER BY t.published_at DESC, m.id DESC LIMIT %s",
            [*values, ENTRIES],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    return results(ids, catalog())


def atom(shown: Sequence[Result], *, title: str, here: str, page: str, now: dt.datetime) -> str:
    """This will write a feed. Its date is that of the newest entry, so that nothing changes when nothing changed."""
    site = settings.SITE_URL
    feed = Atom1Feed(
        title=title, link=site + page, feed_url=site + here, feed_guid=site + here, language=get_language() or "",
        description=_("已审计、已公布的善款使用记录"),
    )  # fmt: skip
    for result in shown:
        organization = result.facets["organization"]
        feed.add_item(
            title=f"{result.heading} {_sum(result.amount)}",
            link=site + local_path(result.link),
            description=strip_tags(result.text),
            unique_id=f"{site}{result.link}#{result.public_id}",
            updateddate=result.published_at,
            pubdate=result.published_at,
            author_name=organization.label() if organization else None,
        )
    return str(feed.writeString("utf-8"))


def _sum(amount: Money) -> str:
    return f"{amount.currency} {amount.major:,}"
