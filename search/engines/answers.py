"""From counts by code to an answer: the same for every engine, so that only counting differs."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from apps.core.money import Money
from apps.publication.models.rows import CURRENCIES, OPINIONS
from search.catalog import Catalog
from search.contract import FACETS, FacetCount, MonthSum, SearchAnswer, SearchRequest

COUNTED = ("project", "category", "town", "kind", "opinion", "band")
"""What engines count by code; fund and organization are rolled up from project."""


@dataclass(slots=True)
class _Sums:
    count: int = 0
    people: int = 0
    long: int = 0
    amounts: dict[int, int] = field(default_factory=dict)

    def add(self, currency: int, number: int, amount: int, people: int, *, long: bool) -> None:
        self.count += number
        self.people += people
        self.long += number if long else 0
        self.amounts[currency] = self.amounts.get(currency, 0) + amount

    def totals(self) -> tuple[Money, ...]:
        return tuple(Money(self.amounts[code], CURRENCIES[code]) for code in sorted(self.amounts))


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
    months: dict[int, _Sums] = {}
    whole = _Sums()
    for k4, number, amount, people in counts.groups:
        month, period = divmod(k4 >> 6, 4)
        if month not in months:
            months[month] = _Sums()
        for sums in (months[month], whole):
            sums.add(k4 & 63, number, amount, people, long=period > 0)
    more = len(counts.hits) > request.limit
    hits = counts.hits[: request.limit]
    return SearchAnswer(
        count=whole.count,
        totals=whole.totals(),
        household_times=whole.people,
        facets={
            facet: tuple(_facet(facet, counts.facets.get(facet, Counter()), catalog))
            for facet in (*FACETS, "band")
        },
        months=tuple(
            MonthSum(month, sums.count, sums.totals(), sums.people, sums.long)
            for month, sums in sorted(months.items())
        ),
        ids=tuple(hit[-1] for hit in hits),
        next=hits[-1] if more and hits else None,
        as_of=as_of,
        engine=name,
    )


def rolled_up(facet: str, projects: Mapping[int, int], catalog: Catalog) -> Counter[int]:
    """This will count funds or organizations from counts of projects."""
    owners: Counter[int] = Counter()
    known = catalog.owners[facet]
    for code, number in projects.items():
        owners[known.get(code, 0)] += number
    return owners


def _facet(facet: str, counted: Mapping[int, int], catalog: Catalog) -> list[FacetCount]:
    """The values of a facet, the most frequent first."""
    if facet in ("opinion", "band"):
        found = [
            FacetCount(OPINIONS[code] if facet == "opinion" else str(code), "", "", number)
            for code, number in counted.items()
        ]
    else:
        known = catalog.counted[facet]
        found = [FacetCount(*known[code], number) for code, number in counted.items() if code in known]
    found.sort(key=itemgetter(0))
    found.sort(key=itemgetter(3), reverse=True)  # stable: of equal ones the first key stays first
    return found
