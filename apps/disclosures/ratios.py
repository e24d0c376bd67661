"""The yearly ratios of charities (D7): computed from the ledger, shown with their formula and the law's limit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from apps.core.clock import civil_day
from apps.core.pages import bump_epoch
from apps.disclosures.models import YearSum
from apps.disclosures.statements import book_of, turnover_by_year
from apps.organizations.models import Organization, RatioLimit
from apps.organizations.queries import limit_among

INCOME = ("gift_income", "gift_in_kind", "other_income")
COSTS = ("programme", "management", "fundraising")
NET = (*INCOME, *COSTS, "net_assets")
YEARS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Ratio:
    """One ratio of a year: `share` in basis points of `base` (fen), the limit, and whether it is kept.

    `kept` is None where the law sets no limit or nothing to measure against exists yet.
    """

    name: str
    amount: int
    base: int
    limit_bp: int
    at_least: bool
    kept: bool | None
    free: bool = False

    @property
    def share_bp(self) -> int | None:
        return self.amount * 10_000 // self.base if self.base > 0 else None


@dataclass(frozen=True, slots=True)
class RatioYear:
    """A calendar year's ratios; `complete` is False for the year that still runs."""

    year: int
    complete: bool
    ratios: list[Ratio]
    limit: RatioLimit | None
    net_assets: int
    as_of: dt.datetime


def ratios_of(organization: Organization) -> list[RatioYear]:
    """This will give an organization's ratios of the last three counted years, newest first; nothing for one that keeps
    no book here. Two statements."""
    found = {row.year: row for row in YearSum.objects.filter(organization=organization)}
    limits = list(RatioLimit.objects.filter(licensed=organization.is_licensed))
    made = []
    for year in sorted(found, reverse=True)[:YEARS_SHOWN]:
        before = _sum_of(found, year - 1)
        limit = limit_among(limits, organization.kind, before.net_assets, dt.date(year, 12, 31))
        row = found[year]
        complete = civil_day(row.as_of).year > year
        made.append(
            RatioYear(year, complete, ratios_from(year, found, limit), limit, before.net_assets, row.as_of)
        )
    return made


def _sum_of(sums: Mapping[int, YearSum], year: int) -> YearSum:
    """A year's sums; a year without a row before the first had nothing."""
    return sums.get(year) or YearSum(
        year=year, income=0, gifts=0, programme=0, management=0, fundraising=0, net_assets=0
    )


@transaction.atomic
def count_years(*, organization: Organization, now: dt.datetime) -> int:
    """This will count an organization's book by calendar years anew, in one statement (the clock's task); returns how
    many years."""
    book = book_of(organization)
    if book is None:
        return 0
    by_year = turnover_by_year(book)
    held, made = 0, 0
    for year in range(min(by_year, default=civil_day(now).year), civil_day(now).year + 1):
        of = by_year.get(year, {})
        held -= sum(of.get(role, 0) for role in NET)
        YearSum.objects.update_or_create(
            organization=organization, year=year,
            defaults={
                "income": -sum(of.get(role, 0) for role in INCOME),
                "gifts": -(of.get("gift_income", 0) + of.get("gift_in_kind", 0)), "net_assets": held, "as_of": now,
                **{role: of.get(role, 0) for role in COSTS},
            },
        )  # fmt: skip
        made += 1
    bump_epoch()
    return made


def ratios_from(year: int, sums: Mapping[int, YearSum], limit: RatioLimit | None) -> list[Ratio]:
    """This will compute a year's ratios against a class's limits.

    Spending counts what reached beneficiaries (programme cost). Its measure is last year's income or, if that is
    kinder, the average of the last three; for charities without a licence last year's net assets. Management is a share
    of the year's spending and free below the law's sum; fundraising one of the three years' average gift income.
    """
    now, before = _sum_of(sums, year), [_sum_of(sums, year - back) for back in (1, 2, 3)]
    average = sum(each.income for each in before) // 3
    gifts = sum(each.gifts for each in before) // 3
    of_income = limit.of_income if limit else True
    base = before[0].income if of_income else before[0].net_assets
    if of_income and 0 < average < base:
        base = average
    at_least = limit.spending_bp if limit else 0
    kept = _at_least(now.programme, base, at_least) if limit and base > 0 else None
    if kept and limit and limit.also_of_income_bp and before[0].income > 0:
        kept = _at_least(now.programme, before[0].income, limit.also_of_income_bp)
    free = bool(limit) and now.management < (limit.management_free_below if limit else 0)
    most = limit.management_bp if limit else 0
    managed = (free or _at_most(now.management, now.spending, most)) if limit and now.spending > 0 else None
    raised = limit.fundraising_bp if limit else 0
    return [
        Ratio("spending", now.programme, base, at_least, True, kept),
        Ratio("management", now.management, now.spending, most, False, managed, free),
        Ratio("fundraising", now.fundraising, gifts, raised, False,
              _at_most(now.fundraising, gifts, raised) if limit and gifts > 0 else None),
    ]  # fmt: skip


def _at_least(amount: int, base: int, share_bp: int) -> bool:
    return amount * 10_000 >= base * share_bp


def _at_most(amount: int, base: int, share_bp: int) -> bool:
    return amount * 10_000 <= base * share_bp
