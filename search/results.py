"""The rows of a page, read again from the database: what was withdrawn meanwhile is not shown, whatever an
index says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.money import Money
from apps.publication.models.rows import CURRENCIES, OPINIONS, PERIODS, PublicRow, PublicRowText
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


def results(ids: Iterable[int], catalog: Catalog) -> list[Result]:
    """This will read rows in the order of their ids, leaving out those no longer public. One statement."""
    ids = list(ids)
    texts = (
        PublicRowText.objects.filter(row_id__in=ids, row__alive=True)
        .select_related("row")
        .defer("row__units")
    )
    found = {shown.row_id: shown for shown in texts}
    return [_result(found[pk], found[pk].row, catalog) for pk in ids if pk in found]


def _result(shown: PublicRowText, row: PublicRow, catalog: Catalog) -> Result:
    project = catalog.by_code["project"].get(row.project)
    facets = {
        "organization": catalog.by_code["organization"].get(project.organization) if project else None,
        "fund": catalog.by_code["fund"].get(project.fund) if project else None,
        "project": None if project is None or project.key.startswith(NO_PROJECT) else project,
        "category": catalog.by_code["category"].get(row.category),
        "town": catalog.by_code["town"].get(row.town),
        "kind": catalog.by_code["kind"].get(row.kind),
    }
    return Result(
        public_id=shown.public_id,
        batch=shown.batch,
        link=shown.link,
        heading=shown.heading,
        text=shown.text,
        amount=Money(row.amount, CURRENCIES[row.currency]),
        household_times=row.people,
        day=dt.date.fromordinal(row.day),
        month=row.month,
        period=PERIODS[row.period],
        opinion=OPINIONS[row.opinion],
        published_at=shown.published_at,
        facets=facets,
        more=shown.more,
    )
