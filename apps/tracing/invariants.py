"""T2: over all gifts, what was spent equals what the ledger spent; per gift, uses + unspent = amount."""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.core import invariants
from apps.core.invariants import Finding

_GIFTS = """
WITH lots AS (
  SELECT l.origin, sum(b.remaining) AS remaining, sum(coalesce(a.taken, 0)) AS taken
  FROM ledger_lot l JOIN ledger_lotbalance b ON b.lot_id = l.id
  LEFT JOIN (SELECT lot_id, sum(amount) AS taken FROM ledger_allocation WHERE kind <> 'moved' GROUP BY
    1) a ON a.lot_id = l.id
  WHERE l.origin IS NOT NULL GROUP BY 1
), waiting AS (SELECT origin, sum(amount) AS waiting FROM ledger_delta WHERE origin IS NOT NULL GROUP BY 1)
SELECT g.id FROM donations_gift g LEFT JOIN lots ON lots.origin = g.id LEFT JOIN waiting w ON w.origin = g.id
WHERE g.status = 'received'
  AND g.amount <> coalesce(lots.remaining, 0) + coalesce(lots.taken, 0) + coalesce(w.waiting, 0)
LIMIT 20
"""


def gifts_close() -> Finding:
    """This will check that every received gift's uses and unspent rest sum to its amount."""
    with connection.cursor() as cursor:
        cursor.execute(_GIFTS)
        broken = [f"gift {row[0]}" for row in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM donations_gift WHERE status = 'received'")
        return Finding(str(cursor.fetchone()[0]), broken)


def register_all() -> None:
    """This will register the invariants of tracing with core."""
    invariants.register(3, "tracing.gifts", _("每笔捐赠的去处加未使用，等于捐赠金额"), gifts_close)
