"""What the public may know of money: the ledger's figures with aid in the steps of its releases only (C4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from django.db import connection
from django.db.models import Sum

from apps.publication.models import AidItem, ExpenseUse, Release, Residual


@dataclass(frozen=True, slots=True)
class PublicMoney:
    """Public figures over earmarks of one currency, minor units; they close:
    raised + income + moved_in - moved_out - refunded - disputed = fees + aid + expenses + unspent."""

    raised: int
    income: int
    refunded: int
    disputed: int
    moved_in: int
    moved_out: int
    fees: int
    aid: int
    expenses: int
    unspent: int
    households: int

    @property
    def net_raised(self) -> int:
        return self.raised - self.refunded - self.disputed

    @property
    def total_in(self) -> int:
        """All that fees, uses and the unspent rest add up to."""
        return self.net_raised + self.income + self.moved_in - self.moved_out

    @property
    def spent(self) -> int:
        return self.aid + self.expenses

    @property
    def spent_and_fees(self) -> int:
        return self.spent + self.fees


_PUBLIC = """
SELECT b.earmark_id, b.raised + coalesce(d.raised, 0), b.income + coalesce(d.income, 0), b.refunded, b.disputed,
       b.moved_in, b.moved_out, b.fees, coalesce(p.aid, 0), coalesce(p.expenses, 0),
       b.available + b.reserved + coalesce(d.raised, 0) + coalesce(d.income, 0) + b.spent
         - coalesce(p.aid, 0) - coalesce(p.expenses, 0),
       coalesce(p.households, 0)
FROM ledger_earmarkbalance b
LEFT JOIN publication_publicspending p ON p.earmark = b.earmark_id
LEFT JOIN LATERAL (
  SELECT sum(amount) FILTER (WHERE kind = 'raised') AS raised, sum(amount) FILTER (WHERE kind = 'income') AS income
  FROM ledger_delta WHERE earmark_id = b.earmark_id
) d ON true
WHERE b.earmark_id = ANY(%s)
"""


def public_money_by_earmark(earmarks: Iterable[int]) -> dict[int, PublicMoney]:
    """This will give the public figures of each earmark in one statement; `unspent` includes aid under way."""
    ids = list(earmarks)
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_PUBLIC, [ids])
        return {row[0]: PublicMoney(*(int(value) for value in row[1:])) for row in cursor.fetchall()}


def public_money(earmarks: Iterable[int]) -> PublicMoney:
    """This will give the public figures of earmarks of one currency together, in one statement."""
    return total_money(public_money_by_earmark(earmarks).values())


def total_money(parts: Iterable[PublicMoney]) -> PublicMoney:
    """This will add public figures of one currency."""
    sums = [0] * len(fields(PublicMoney))
    for part in parts:
        for n, field in enumerate(fields(PublicMoney)):
            sums[n] += getattr(part, field.name)
    return PublicMoney(*sums)


def latest_uses(earmarks: Sequence[int], limit: int = 10) -> tuple[list[Release], list[ExpenseUse]]:
    """This will list the newest releases and expenses of earmarks."""
    return (
        list(Release.objects.filter(earmark__in=earmarks).order_by("-released_at", "-id")[:limit]),
        list(ExpenseUse.objects.filter(earmark__in=earmarks).order_by("-paid_on", "-id")[:limit]),
    )


def public_of_entries(entries: Iterable[int]) -> dict[int, Release | Residual | ExpenseUse]:
    """This will give, for ledger entries, the record by which each became public; others are missing. Two
    statements."""
    ids = list(entries)
    found: dict[int, Release | Residual | ExpenseUse] = {}
    told = AidItem.objects.filter(entry__in=ids).exclude(release=None, residual=None)
    for item in told.select_related("release", "residual"):
        record = item.release or item.residual
        assert record is not None
        found[item.entry] = record
    return found | {use.entry: use for use in ExpenseUse.objects.filter(entry__in=ids)}


def residuals_of(earmarks: Iterable[int]) -> list[Residual]:
    """This will list what remained of completed projects' aid, one total each (C4)."""
    return list(Residual.objects.filter(earmark__in=list(earmarks)).order_by("id"))


def aid_waiting(earmarks: Iterable[int]) -> int:
    """This will give the aid that is paid and not yet shown, minor units; for the auditor's version only (D3)."""
    rows = AidItem.objects.filter(earmark__in=list(earmarks), release=None, residual=None, dropped=False)
    return int(rows.aggregate(n=Sum("amount"))["n"] or 0)


def expenses_by_budget_line(earmarks: Iterable[int]) -> dict[int, int]:
    """This will give {budget line: publicly spent} of expenses. Aid has no budget line in public: a release may hold
    payments of several lines, and its split would say more than C4 allows."""
    rows = (
        ExpenseUse.objects.filter(earmark__in=list(earmarks))
        .values_list("budget_line")
        .annotate(n=Sum("amount"))
    )
    return {line: int(total) for line, total in rows.order_by()}
