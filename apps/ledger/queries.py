"""Reads of the ledger. Figures of a fund or project come from cumulative columns; no page scans lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from django.db import connection
from django.db.models import Sum

from apps.ledger.models import AllocationRule, Line
from apps.ledger.states import AccountRole


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over earmarks of one currency, minor units. `raised` counts what came in, before refunds."""

    raised: int = 0
    income: int = 0
    refunded: int = 0
    disputed: int = 0
    fees: int = 0
    spent: int = 0
    moved_in: int = 0
    moved_out: int = 0
    reserved: int = 0
    available: int = 0

    @property
    def net_raised(self) -> int:
        """Net of refunds and disputes (F5)."""
        return self.raised - self.refunded - self.disputed

    @property
    def unspent(self) -> int:
        return self.available + self.reserved

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


_FIGURES = """
SELECT b.earmark_id, b.raised + coalesce(d.raised, 0), b.income + coalesce(d.income, 0), b.refunded, b.disputed, b.fees,
       b.spent, b.moved_in, b.moved_out, b.reserved, b.available + coalesce(d.raised, 0) + coalesce(d.income, 0)
FROM ledger_earmarkbalance b
LEFT JOIN LATERAL (
  SELECT sum(amount) FILTER (WHERE kind = 'raised') AS raised, sum(amount) FILTER (WHERE kind = 'income') AS income
  FROM ledger_delta WHERE earmark_id = b.earmark_id
) d ON true
WHERE b.earmark_id = ANY(%s)
"""


def figures_by_earmark(earmarks: Iterable[int]) -> dict[int, Figures]:
    """This will give the live figures of each earmark, deltas that wait to be folded included, in one statement."""
    ids = list(earmarks)
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [ids])
        return {row[0]: Figures(*(int(value) for value in row[1:])) for row in cursor.fetchall()}


def figures(earmarks: Iterable[int]) -> Figures:
    """This will give the sum of the figures of earmarks of one currency."""
    total = Figures()
    for part in figures_by_earmark(earmarks).values():
        total = total + part
    return total


@dataclass(frozen=True, slots=True)
class GiftAllocation:
    """What one entry took from a gift's lots (negative: gave back), minor units."""

    entry: int
    earmark: int
    kind: str
    amount: int
    effective_at: dt.datetime


_ALLOCATIONS = """
SELECT a.entry_id, l.earmark_id, a.kind, sum(a.amount), e.effective_at
FROM ledger_lot l JOIN ledger_allocation a ON a.lot_id = l.id JOIN ledger_entry e ON e.id = a.entry_id
WHERE l.origin = %s
GROUP BY a.entry_id, l.earmark_id, a.kind, e.effective_at ORDER BY e.effective_at, a.entry_id
"""


def gift_allocations(origin: int) -> list[GiftAllocation]:
    """This will list what took part in a gift's money (T1): one indexed look-up over its lots, however old
    the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(_ALLOCATIONS, [origin])
        return [GiftAllocation(row[0], row[1], row[2], int(row[3]), row[4]) for row in cursor.fetchall()]


_REFUNDABLE = """
SELECT least(
  (SELECT coalesce(sum(b.remaining - b.held), 0) FROM ledger_lot l JOIN ledger_lotbalance b ON b.lot_id = l.id
   WHERE l.origin = %(origin)s AND l.earmark_id = %(earmark)s)
  + coalesce(sum(d.amount) FILTER (WHERE d.origin = %(origin)s), 0),
  max(e.available) + coalesce(sum(d.amount), 0))
FROM ledger_earmarkbalance e LEFT JOIN ledger_delta d ON d.earmark_id = e.earmark_id
WHERE e.earmark_id = %(earmark)s
"""


def refundable(earmark: int, origin: int) -> int:
    """This will give the most of a gift that could be refunded now: free on its lots and available on its earmark.

    An unfolded gift counts in full; the refund's operation checks again under the lock.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REFUNDABLE, {"earmark": earmark, "origin": origin})
        return int(cursor.fetchone()[0] or 0)


@dataclass(frozen=True, slots=True)
class PeriodSum:
    """A sum of a period by channel or budget line, minor units, positive for what it is called."""

    key: str | int | None
    amount: int


def income_by_channel(
    earmarks: Sequence[int], *, start: dt.datetime, end: dt.datetime, recorded_before: dt.datetime
) -> list[PeriodSum]:
    """This will sum gift income net of refunds by channel, effective in [start, end) and recorded before a
    moment (D3)."""
    rows = _lines(earmarks, start, end, recorded_before).filter(
        account__role__in=[AccountRole.GIFT_INCOME, AccountRole.OTHER_INCOME]
    )
    grouped = rows.values_list("channel__code").annotate(total=Sum("amount")).order_by("channel__code")
    return [PeriodSum(code, -total) for code, total in grouped]


def cost_by_budget_line(
    earmarks: Sequence[int], *, start: dt.datetime, end: dt.datetime, recorded_before: dt.datetime
) -> list[PeriodSum]:
    """This will sum payments by budget line (None: provider fees), net of returned ones, in a period (D3)."""
    roles = [AccountRole.PROGRAMME, AccountRole.MANAGEMENT, AccountRole.FUNDRAISING]
    rows = _lines(earmarks, start, end, recorded_before).filter(account__role__in=roles)
    grouped = rows.values_list("budget_line").annotate(total=Sum("amount")).order_by("budget_line")
    return [PeriodSum(line, total) for line, total in grouped]


def cost_by_role(
    earmarks: Sequence[int], *, start: dt.datetime, end: dt.datetime, recorded_before: dt.datetime
) -> list[PeriodSum]:
    """This will sum costs by the role of their account (programme, management, fundraising), net of returned
    payments, in a period (D3, D7)."""
    roles = [AccountRole.PROGRAMME, AccountRole.MANAGEMENT, AccountRole.FUNDRAISING]
    rows = _lines(earmarks, start, end, recorded_before).filter(account__role__in=roles)
    grouped = rows.values_list("account__role").annotate(total=Sum("amount")).order_by("account__role")
    return [PeriodSum(role, total) for role, total in grouped]


def balance_at(earmarks: Sequence[int], *, moment: dt.datetime, recorded_before: dt.datetime) -> int:
    """This will give what earmarks held from entries effective before a moment and recorded before another (D3)."""
    rows = Line.objects.filter(
        earmark__in=earmarks, entry__effective_at__lt=moment, entry__recorded_at__lt=recorded_before
    )
    return -(rows.aggregate(n=Sum("amount"))["n"] or 0)


def moved_in_period(
    earmarks: Sequence[int], *, start: dt.datetime, end: dt.datetime, recorded_before: dt.datetime
) -> int:
    """This will give transfers in less transfers out of a period."""
    rows = _lines(earmarks, start, end, recorded_before).filter(account__role=AccountRole.NET_ASSETS)
    return -(rows.aggregate(n=Sum("amount"))["n"] or 0)


def _lines(earmarks: Sequence[int], start: dt.datetime, end: dt.datetime, recorded_before: dt.datetime):  # type: ignore[no-untyped-def]
    return Line.objects.filter(
        earmark__in=earmarks, entry__effective_at__gte=start, entry__effective_at__lt=end,
        entry__recorded_at__lt=recorded_before,
    ).order_by()  # fmt: skip


def rule_in_force() -> AllocationRule:
    """This will give the newest version of the published allocation rule (T2)."""
    return AllocationRule.objects.order_by("-version")[0]


def rule_versions() -> list[AllocationRule]:
    """This will list every version of the published allocation rule, newest first (T2)."""
    return list(AllocationRule.objects.order_by("-version"))
