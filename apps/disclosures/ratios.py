"""The yearly ratios of charities (D7): computed from the ledger, shown with their formula and the law's limit."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from apps.core.clock import civil_day, start_of_day
from apps.disclosures.figures import database_clock
from apps.disclosures.statements import LONG_AGO, Turnover, book_of, turnover
from apps.organizations.models import Organization, RatioLimit
from apps.organizations.queries import ratio_limit

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


@dataclass(frozen=True, slots=True)
class YearSums:
    """A year's sums in fen: income, costs by role, gift income, and net assets at its end."""

    income: int = 0
    gifts: int = 0
    programme: int = 0
    management: int = 0
    fundraising: int = 0
    net_assets: int = 0

    @property
    def spending(self) -> int:
        return self.programme + self.management + self.fundraising


def ratios_of(organization: Organization, now: dt.datetime) -> list[RatioYear]:
    """This will compute an organization's ratios of this and the two years before, newest first; nothing for one that
    keeps no book here. One statement a year."""
    book = book_of(organization)
    if book is None:
        return []
    this, cutoff = civil_day(now).year, database_clock()
    first = this - YEARS_SHOWN - 2
    sums: dict[int, YearSums] = defaultdict(YearSums)
    held = _net(turnover(book, start=LONG_AGO, end=_jan(first), cutoff=cutoff))
    sums[first - 1] = YearSums(net_assets=held)
    for year in range(first, this + 1):
        rows = turnover(book, start=_jan(year), end=_jan(year + 1), cutoff=cutoff)
        held += _net(rows)
        sums[year] = _sums(rows, held)
    made = []
    for year in range(this, this - YEARS_SHOWN, -1):
        if sums[year] == YearSums(net_assets=sums[year].net_assets) and not sums[year - 1].income:
            continue
        limit = ratio_limit(
            kind=organization.kind, licensed=organization.is_licensed, net_assets=sums[year - 1].net_assets,
            day=dt.date(year, 12, 31),
        )  # fmt: skip
        ratios = ratios_from(year, sums, limit)
        made.append(RatioYear(year, year < this, ratios, limit, sums[year - 1].net_assets))
    return made


def ratios_from(year: int, sums: dict[int, YearSums], limit: RatioLimit | None) -> list[Ratio]:
    """This will compute a year's ratios against a class's limits.

    Spending counts what reached beneficiaries (programme cost). Its measure is last year's income or, if that is
    kinder, the average of the last three; for charities without a licence last year's net assets. Management is a share
    of the year's spending and free below the law's sum; fundraising one of the three years' average gift income.
    """
    now, before = sums[year], [sums[year - back] for back in (1, 2, 3)]
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


def _sums(rows: list[Turnover], held: int) -> YearSums:
    of: dict[str, int] = defaultdict(int)
    for row in rows:
        of[row.role] += row.amount
    return YearSums(
        income=-sum(of[role] for role in INCOME), gifts=-(of["gift_income"] + of["gift_in_kind"]),
        programme=of["programme"], management=of["management"], fundraising=of["fundraising"], net_assets=held,
    )  # fmt: skip


def _net(rows: list[Turnover]) -> int:
    return -sum(row.amount for row in rows if row.role in NET)


def _jan(year: int) -> dt.datetime:
    return start_of_day(dt.date(year, 1, 1))
