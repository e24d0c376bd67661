"""Reads of reconciliation: differences, accounts, closed days, and what closing the next day would write."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from apps.core.clock import civil_day, start_of_day
from apps.ledger.models import Book
from apps.ledger.states import FEDERATION_BOOK, EarmarkKind
from apps.payments.models import BankAccount, DayClose, DayFigure, Difference
from apps.payments.states import DifferenceKind, Side

ONE_DAY = dt.timedelta(days=1)


def book() -> Book | None:
    """This will give the book that all gifts enter, None before it is opened."""
    return Book.objects.filter(code=FEDERATION_BOOK).first()


def differences(
    of: Book, *, side: str = "", kind: str = "", words: str = "", explained: bool = False
) -> QuerySet[Difference]:
    """This will list differences, oldest day first: those that wait for a reason, or those that have one."""
    rows = Difference.objects.filter(book=of, explained=explained)
    if side in Side.values:
        rows = rows.filter(side=side)
    if kind in DifferenceKind.values:
        rows = rows.filter(kind=kind)
    if words:
        rows = rows.filter(
            Q(bank_line__note__icontains=words) | Q(bank_line__name__icontains=words)
            | Q(bank_line__reference__icontains=words) | Q(balance_line__ref__icontains=words)
            | Q(line__entry__idempotency_key__icontains=words)
        )  # fmt: skip
    return rows.select_related("bank_line__account", "balance_line", "line__entry").order_by("day", "key")


@dataclass(frozen=True, slots=True)
class DifferenceCount:
    """How many differences of a kind wait for a reason, for the supervisor's board."""

    side: str
    kind: str
    count: int
    oldest: dt.date


def unexplained_counts() -> list[DifferenceCount]:
    """This will count the differences without a reason by side and kind, over all books (O1)."""
    rows = Difference.objects.filter(explained=False).values_list("side", "kind")
    return [
        DifferenceCount(*row)
        for row in rows.annotate(n=Count("key"), oldest=Min("day")).order_by("side", "kind")
    ]


def accounts(of: Book) -> QuerySet[BankAccount]:
    """This will list a book's bank accounts with the last day of their statements."""
    return (
        BankAccount.objects.filter(book=of)
        .annotate(last_day=Max("bankstatement__last_day"))
        .order_by("bank", "id")
    )


def last_close(of: Book) -> DayClose | None:
    """This will give the newest closed day of a book."""
    return DayClose.objects.filter(book=of).order_by("-day").first()


def next_day(of: Book, now: dt.datetime) -> dt.date | None:
    """This will give the day to close next, None while it isn't over: the day after the last, or yesterday at first."""
    last = last_close(of)
    yesterday = civil_day(now) - ONE_DAY
    day = last.day + ONE_DAY if last else yesterday
    return day if day <= yesterday else None


@dataclass(frozen=True, slots=True)
class KindFigures:
    """Sums over the earmarks of a kind and currency, minor units: cumulative, and `held` of it that is there."""

    kind: str
    currency: str
    raised: int
    refunded: int
    spent: int
    fees: int
    moved: int
    held: int
    reserved: int
    gifts: int

    @property
    def label(self) -> str:
        """This will name the kind and currency for people."""
        return f"{EarmarkKind(self.kind).label} {self.currency}"


def closed_figures(close: DayClose) -> list[KindFigures]:
    """This will give a closed day's figures by kind of earmark."""
    rows = (
        DayFigure.objects.filter(close=close)
        .values_list("earmark__kind", "earmark__currency")
        .order_by("earmark__kind")
    )
    sums = rows.annotate(
        raised=Sum("raised"), refunded=Sum("refunded"), spent=Sum("spent"), fees=Sum("fees"), moved=Sum("moved_in"),
        held=Sum("held"), reserved=Sum("reserved"), gifts=Sum("gifts"),
    )  # fmt: skip
    return [KindFigures(*row) for row in sums]


_COMING = """
SELECT k.kind, k.currency,
  coalesce(sum(p.raised), 0) + coalesce(sum(m.raised), 0),
  coalesce(sum(p.refunded), 0) + coalesce(sum(m.refunded), 0),
  coalesce(sum(p.spent), 0) + coalesce(sum(m.spent), 0),
  coalesce(sum(p.fees), 0) + coalesce(sum(m.fees), 0),
  coalesce(sum(p.moved_in), 0) + coalesce(sum(m.moved_in), 0),
  coalesce(sum(p.held), 0) + coalesce(sum(m.held), 0),
  0,
  coalesce(sum(p.gifts), 0) + coalesce(sum(m.gifts), 0)
FROM ledger_earmark k
LEFT JOIN payments_dayfigure p ON p.close_id = %(previous)s AND p.earmark_id = k.id
LEFT JOIN payments_movements(%(book)s, coalesce(%(cut0)s, '-infinity'::timestamptz),
  coalesce(%(at0)s, '-infinity'::timestamptz), %(cut)s, clock_timestamp()) m ON m.earmark_id = k.id
WHERE k.book_id = %(book)s GROUP BY k.kind, k.currency ORDER BY k.kind, k.currency
"""


def coming_figures(of: Book, day: dt.date) -> list[KindFigures]:
    """This will give what closing a day now would write, by kind of earmark: the second look before the button."""
    last = last_close(of)
    with connection.cursor() as cursor:
        cursor.execute(
            _COMING,
            {"book": of.pk, "previous": last.pk if last else None, "cut0": last.cut if last else None,
             "at0": last.counted_until if last else None, "cut": start_of_day(day + ONE_DAY)},
        )  # fmt: skip
        return [KindFigures(row[0], row[1], *(int(value) for value in row[2:])) for row in cursor.fetchall()]
