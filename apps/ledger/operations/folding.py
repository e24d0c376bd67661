"""Lock, then fold: the first two statements of everything that takes money out of an earmark."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

_LOCK = (
    "SELECT earmark_id FROM ledger_earmarkbalance WHERE earmark_id = ANY(%s) ORDER BY earmark_id FOR UPDATE"
)

_FOLD = """
WITH gone AS (
  DELETE FROM ledger_delta WHERE earmark_id = ANY(%s) RETURNING line_id, earmark_id, kind, amount, settled_at, origin
), numbered AS (
  SELECT g.*, b.next_seq - 1 + row_number() OVER (PARTITION BY g.earmark_id ORDER BY g.settled_at, g.line_id) AS seq
  FROM gone g JOIN ledger_earmarkbalance b ON b.earmark_id = g.earmark_id
), lots AS (
  INSERT INTO ledger_lot (earmark_id, seq, origin, entry_id, amount, settled_at)
  SELECT n.earmark_id, n.seq, n.origin, l.entry_id, n.amount, n.settled_at
  FROM numbered n JOIN ledger_line l ON l.id = n.line_id
  RETURNING id, earmark_id, seq, amount
), balances AS (
  INSERT INTO ledger_lotbalance (lot_id, earmark_id, seq, remaining, held)
  SELECT id, earmark_id, seq, amount, 0 FROM lots
)
UPDATE ledger_earmarkbalance b
SET available = b.available + s.total, raised = b.raised + s.raised, income = b.income + s.income,
    next_seq = b.next_seq + s.n
FROM (SELECT earmark_id, count(*) AS n, sum(amount) AS total,
             coalesce(sum(amount) FILTER (WHERE kind = 'raised'), 0) AS raised,
             coalesce(sum(amount) FILTER (WHERE kind = 'income'), 0) AS income
      FROM gone GROUP BY earmark_id) s
WHERE b.earmark_id = s.earmark_id
"""


def lock_earmarks(earmarks: Iterable[int]) -> list[int]:
    """This will lock the balances of earmarks in id order, then fold their deltas into numbered lots.

    Two statements on purpose: the second sees what was committed while the first waited. Only folded lots may be spent.
    """
    ids = sorted(set(earmarks))
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [ids])
        found = [row[0] for row in cursor.fetchall()]
        cursor.execute(_FOLD, [ids])
    return found


def fold_quiet_earmarks(*, limit: int = 200) -> int:
    """This will fold earmarks that have deltas waiting (the sweeper's task), one transaction each; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT earmark_id FROM ledger_delta LIMIT %s", [limit])
        waiting = [row[0] for row in cursor.fetchall()]
    for earmark in waiting:
        with transaction.atomic():
            lock_earmarks([earmark])
    return len(waiting)
