"""The rows of a page, read again from the database: what was withdrawn meanwhile is not shown, whatever an
index says."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.core.money import Money
from apps.publication.models.rows import CURRENCIES, OPINIONS, PERIODS
from apps.publication.rows import NO_PROJECT
from search.catalog import Catalog, Value


@dataclass(frozen=True, slots=True)
class Result:
    """One public row as it is shown. Facets that a row doesn't have are None."""

    public_id: str
    batch: str
    link: str
    heading: str
    text: str
    amount: Money
    household_times: int
    day: dt.date
    month: int
    period: str
    opinion: str
    published_at: dt.datetime
    facets: Mapping[str, Value | None]
    more: Mapping[str, Any]


READ = (
    "SELECT t.row_id, t.public_id, t.batch, t.link, t.heading, t.text, t.published_at, t.more, x.amount, x.currency,"
    " x.people, x.day, x.month, x.period, x.opinion, x.project, x.category, x.town, x.kind"
    " FROM publication_publicrowtext t JOIN publication_publicrow x ON x.id = t.row_id"
    " WHERE t.row_id = ANY(%s) AND x.alive"
)
"""Written out: to put it together by the ORM took longer than to run it, on every page of every search."""


def results(ids: Iterable[int], catalog: Catalog) -> list[Result]:
    """This will read rows in the order of their ids, leaving out those no longer public. One statement."""
    ids = list(ids)
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(READ, [ids])
        found = {row[0]: row for row in cursor.fetchall()}
    return [_result(found[pk], catalog) for pk in ids if pk in found]


def _result(row: tuple[Any, ...], catalog: Catalog) -> Result:
    (_pk, public_id, batch, link, heading, text, published_at, more, amount, currency, people, day, month, period,
     opinion, project_code, category, town, kind) = row  # fmt: skip
    values = catalog.by_code
    project = values["project"].get(project_code)
    facets = {
        "organization": values["organization"].get(project.organization) if project else None,
        "fund": values["fund"].get(project.fund) if project else None,
        "project": None if project is None or project.key.startswith(NO_PROJECT) else project,
        "category": values["category"].get(category),
        "town": values["town"].get(town),
        "kind": values["kind"].get(kind),
    }
    return Result(
        public_id=public_id,
        batch=batch,
        link=link,
        heading=heading,
        text=text,
        amount=Money(amount, CURRENCIES[currency]),
        household_times=people,
        day=dt.date.fromordinal(day),
        month=month,
        period=PERIODS[period],
        opinion=OPINIONS[opinion],
        published_at=published_at,
        facets=facets,
        more=json.loads(more) if isinstance(more, str) else more,
    )
