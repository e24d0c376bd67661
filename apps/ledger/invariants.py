"""Invariants 1-3 of quality.md, recomputed from the append-only tables."""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.core import invariants
from apps.core.invariants import Finding, first_column

_UNBALANCED = """
SELECT e.id FROM ledger_entry e LEFT JOIN ledger_line l ON l.entry_id = e.id
GROUP BY e.id HAVING count(l.id) <> e.line_count OR coalesce(sum(l.amount), 0) <> 0 OR e.line_count < 2 LIMIT 20
"""

_BALANCES = """
WITH lines AS (SELECT earmark_id, -sum(amount) AS held FROM ledger_line WHERE earmark_id IS NOT NULL GROUP BY 1),
     waiting AS (SELECT earmark_id, sum(amount) AS waiting FROM ledger_delta GROUP BY 1),
     credits AS (
       SELECT earmark_id, coalesce(sum(amount) FILTER (WHERE kind = 'raised'), 0) AS raised FROM (
         SELECT l.earmark_id, l.amount, CASE e.kind WHEN 'gift' THEN 'raised' ELSE e.kind END AS kind
         FROM ledger_lot l JOIN ledger_entry e ON e.id = l.entry_id) x GROUP BY 1),
     reserved AS (SELECT earmark_id, sum(amount) AS reserved FROM ledger_reservation WHERE status = 'open' GROUP BY 1)
SELECT b.earmark_id FROM ledger_earmarkbalance b
LEFT JOIN lines USING (earmark_id) LEFT JOIN waiting USING (earmark_id) LEFT JOIN credits USING (earmark_id)
LEFT JOIN reserved USING (earmark_id)
WHERE b.available + b.reserved + coalesce(waiting.waiting, 0) <> coalesce(lines.held, 0)
   OR b.reserved <> coalesce(reserved.reserved, 0) OR b.raised <> coalesce(credits.raised, 0)
   OR b.available < 0 OR b.reserved < 0
LIMIT 20
"""

_ALLOCATIONS = """
WITH sums AS (
  SELECT l.earmark_id, coalesce(sum(a.amount) FILTER (WHERE a.kind = 'spent'), 0) AS spent,
         coalesce(sum(a.amount) FILTER (WHERE a.kind = 'fee'), 0) AS fees,
         coalesce(sum(a.amount) FILTER (WHERE a.kind = 'refund'), 0) AS refunded,
         coalesce(sum(a.amount) FILTER (WHERE a.kind = 'dispute'), 0) AS disputed,
         coalesce(sum(a.amount) FILTER (WHERE a.kind = 'moved'), 0) AS moved
  FROM ledger_allocation a JOIN ledger_lot l ON l.id = a.lot_id GROUP BY 1)
SELECT b.earmark_id FROM ledger_earmarkbalance b LEFT JOIN sums s USING (earmark_id)
WHERE (b.spent, b.fees, b.refunded, b.disputed, b.moved_out) IS DISTINCT FROM
      (coalesce(s.spent, 0), coalesce(s.fees, 0), coalesce(s.refunded, 0), coalesce(s.disputed, 0),
        coalesce(s.moved, 0))
LIMIT 20
"""

_LOTS = """
SELECT l.id FROM ledger_lot l JOIN ledger_lotbalance b ON b.lot_id = l.id
LEFT JOIN (SELECT lot_id, sum(amount) AS taken FROM ledger_allocation GROUP BY 1) a ON a.lot_id = l.id
WHERE l.amount <> b.remaining + coalesce(a.taken, 0) OR b.held < 0 OR b.held > b.remaining LIMIT 20
"""


def _one(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


def entries_sum_to_zero() -> Finding:
    """This will check invariant 1: every entry's lines sum to 0 and match their count; overall sum 0."""
    broken = [f"entry {i}" for i in first_column(_UNBALANCED)]
    overall = _one("SELECT coalesce(sum(amount), 0) FROM ledger_line")
    if overall:
        broken.append(f"overall sum {overall}")
    return Finding(str(_one("SELECT count(*) FROM ledger_entry")), broken)


def balances_recompute() -> Finding:
    """This will check invariant 2: balance + unfolded deltas = balance recomputed from lines, reservations and lots."""
    broken = [f"earmark {i}" for i in first_column(_BALANCES)]
    return Finding(str(_one("SELECT count(*) FROM ledger_earmarkbalance")), broken)


def allocations_equal_spending() -> Finding:
    """This will check invariant 3: allocations = spent, refunded, fees, moved; no lot over-allocated."""
    broken = [f"earmark {i}" for i in first_column(_ALLOCATIONS)] + [f"lot {i}" for i in first_column(_LOTS)]
    return Finding(str(_one("SELECT count(*) FROM ledger_allocation")), broken)


def register_all() -> None:
    """This will register the ledger's invariants with core."""
    invariants.register(1, "ledger.entries", _("每笔分录借贷相等，总和为零"), entries_sum_to_zero)
    invariants.register(2, "ledger.balances", _("每笔资金的余额都能从分录重新算出"), balances_recompute)
    invariants.register(
        3, "ledger.allocations", _("分摊之和等于支出，没有一笔捐赠被用超"), allocations_equal_spending
    )
