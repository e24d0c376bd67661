"""Reconciliation proves itself: matches copy what they match, and closed days follow from each other and the ledger."""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.core import invariants
from apps.core.invariants import Finding

_MATCHES = """
SELECT 'match ' || m.id FROM payments_match m JOIN ledger_line l ON l.id = m.line_id
JOIN ledger_account a ON a.id = l.account_id
LEFT JOIN payments_bankline k ON k.id = m.bank_line_id LEFT JOIN payments_balanceline b ON b.id = m.balance_line_id
WHERE m.ours <> l.amount OR m.theirs <> coalesce(k.amount, b.amount)
   OR a.role <> CASE WHEN m.bank_line_id IS NULL THEN 'clearing' ELSE 'bank' END
UNION ALL
SELECT 'payout ' || p.ref FROM payments_payout p
LEFT JOIN ledger_entry e ON e.idempotency_key = 'payout:' || p.provider || ':' || p.ref
WHERE p.status = 'paid' AND e.id IS NULL
LIMIT 20
"""

# The newest close of each book, summed up anew from the first entry; and carried on to this moment, against the
# ledger's own live columns.
_DAYS = """
WITH newest AS (
  SELECT DISTINCT ON (book_id) * FROM payments_dayclose ORDER BY book_id, day DESC
), sums AS (
  SELECT c.id AS close_id, m.* FROM newest c
  CROSS JOIN LATERAL payments_movements(c.book_id, '-infinity', '-infinity', c.cut, c.counted_until) m
), since AS (
  SELECT c.id AS close_id, m.* FROM newest c
  CROSS JOIN LATERAL payments_movements(c.book_id, c.cut, c.counted_until, 'infinity', 'infinity') m
), waiting AS (
  SELECT earmark_id, sum(amount) FILTER (WHERE kind = 'raised') AS raised, sum(amount) AS held
  FROM ledger_delta GROUP BY earmark_id
)
SELECT 'day ' || c.day || ' earmark ' || f.earmark_id
FROM newest c JOIN payments_dayfigure f ON f.close_id = c.id
LEFT JOIN sums s ON s.close_id = c.id AND s.earmark_id = f.earmark_id
LEFT JOIN since n ON n.close_id = c.id AND n.earmark_id = f.earmark_id
LEFT JOIN ledger_earmarkbalance b ON b.earmark_id = f.earmark_id
LEFT JOIN waiting w ON w.earmark_id = f.earmark_id
WHERE (f.raised, f.income, f.refunded, f.disputed, f.fees, f.spent, f.moved_in, f.moved_out, f.held, f.gifts)
  IS DISTINCT FROM (coalesce(s.raised, 0), coalesce(s.income, 0), coalesce(s.refunded, 0), coalesce(s.disputed, 0),
    coalesce(s.fees, 0), coalesce(s.spent, 0), coalesce(s.moved_in, 0), coalesce(s.moved_out, 0), coalesce(s.held, 0),
    coalesce(s.gifts, 0))
  OR f.raised + coalesce(n.raised, 0) <> coalesce(b.raised, 0) + coalesce(w.raised, 0)
  OR f.spent + coalesce(n.spent, 0) <> coalesce(b.spent, 0)
  OR f.fees + coalesce(n.fees, 0) <> coalesce(b.fees, 0)
  OR f.refunded + coalesce(n.refunded, 0) <> coalesce(b.refunded, 0)
  OR f.held + coalesce(n.held, 0) <> coalesce(b.available, 0) + coalesce(b.reserved, 0) + coalesce(w.held, 0)
LIMIT 20
"""

_CHAIN = """
SELECT 'day ' || c.day FROM payments_dayclose c LEFT JOIN payments_dayclose p ON p.id = c.previous_id
WHERE c.previous_id IS NOT NULL AND (p.day + 1 <> c.day OR p.book_id <> c.book_id OR p.counted_until > c.counted_until)
LIMIT 20
"""


def _found(*statements: str) -> list[str]:
    rows: list[str] = []
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)
            rows += [row[0] for row in cursor.fetchall()]
    return rows


def _count(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        return str(cursor.fetchone()[0])


def matches_are_true() -> Finding:
    """This will check that every match copies its two lines, and that every payout that arrived is in the ledger."""
    return Finding(_count("payments_match"), _found(_MATCHES))


def days_follow() -> Finding:
    """This will check that closed days follow from each other, from the ledger's first entry, and into its present."""
    return Finding(_count("payments_dayclose"), _found(_CHAIN, _DAYS))


def register_all() -> None:
    """This will register the invariants of payments with core."""
    invariants.register(
        4, "payments.matches", _("对账的每一对都与两边原样相同，每笔结算都入了账"), matches_are_true
    )
    invariants.register(2, "payments.days", _("每天的结账都能从前一天和分录重新算出"), days_follow)
