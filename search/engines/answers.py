"""From counts by code to an answer: the same for every engine, so that only counting differs."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from apps.core.money import Money
from apps.publication.models.rows import CURRENCIES, OPINIONS
from apps.publication.rows import NO_PROJECT
from search.catalog import Catalog, Value
from search.contract import FACETS, FacetCount, MonthSum, SearchAnswer, SearchRequest

COUNTED = ("project", "category", "town", "kind", "opinion", "band")
"""What engines count by code; fund and organization are rolled up from project."""

Group = tuple[int, int, int, int, int]
"""Currency, period, rows, amount, people."""


@dataclass(slots=True)
class Counts:
    """What an engine found: `groups` by k4 (month, period, currency), rows by facet and code (a filtered facet
    without its own filter), and the page's rows by their sort values, the id last, one more than asked."""

    groups: list[tuple[int, int, int, int]] = field(default_factory=list)
    facets: dict[str, Counter[int]] = field(default_factory=dict)
    hits: list[tuple[int, ...]] = field(default_factory=list)


def answer(
    counts: Counts, request: SearchRequest, catalog: Catalog, as_of: dt.datetime, name: str
) -> SearchAnswer:
    """This will put an answer together."""
    months: dict[int, list[Group]] = defaultdict(list)
    for k4, number, amount, people in counts.groups:
        month, period = divmod(k4 >> 6, 4)
        months[month].append((k4 & 63, period, number, amount, people))
    more = len(counts.hits) > request.limit
    hits = counts.hits[: request.limit]
    groups = [group for found in months.values() for group in found]
    return SearchAnswer(
        count=sum(group[2] for group in groups),
        totals=_totals(groups),
        household_times=sum(group[4] for group in groups),
        facets={
            facet: tuple(_facet(facet, counts.facets.get(facet, Counter()), catalog))
            for facet in (*FACETS, "band")
        },
        months=tuple(_month(month, months[month]) for month in sorted(months)),
        ids=tuple(hit[-1] for hit in hits),
        next=hits[-1] if more and hits else None,
        as_of=as_of,
        engine=name,
    )


def rolled_up(facet: str, projects: Mapping[int, int], catalog: Catalog) -> Counter[int]:
    """This will count funds or organizations from counts of projects."""
    owners: Counter[int] = Counter()
    known: Mapping[int, Value] = catalog.by_code["project"]
    for code, number in projects.items():
        owners[int(getattr(known.get(code), facet, 0))] += number
    return owners


def _totals(groups: Iterable[Group]) -> tuple[Money, ...]:
    sums: Counter[int] = Counter()
    for currency, _period, _number, amount, _people in groups:
        sums[currency] += amount
    return tuple(Money(sums[code], CURRENCIES[code]) for code in sorted(sums))


def _month(month: int, groups: list[Group]) -> MonthSum:
    return MonthSum(
        month=month,
        count=sum(group[2] for group in groups),
        totals=_totals(groups),
        household_times=sum(group[4] for group in groups),
        long_periods=sum(group[2] for group in groups if group[1]),
    )


def _facet(facet: str, counted: Counter[int], catalog: Catalog) -> Iterator[FacetCount]:
    """The values of a facet, the most frequent first."""
    found = []
    for code, number in counted.items():
        if facet in ("opinion", "band"):
            found.append(FacetCount(OPINIONS[code] if facet == "opinion" else str(code), "", "", number))
        elif code and code in catalog.by_code[facet]:
            value = catalog.by_code[facet][code]
            if not value.key.startswith(NO_PROJECT):
                found.append(FacetCount(value.key, value.zh, value.en, number))
    yield from sorted(found, key=lambda item: (-item.count, item.key))
