"""Invariant 5 of quality.md: every lot closes (I2), the board says what the lots say, the ledger holds their value."""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.core import invariants
from apps.core.invariants import Finding, first_column
from apps.inventory.states import BUCKET, COMING, STANDING

_COLUMNS = (*COMING, *STANDING)


def _sum(column: str) -> str:
    kinds = ", ".join(f"'{place}'" for place, name in BUCKET.items() if name == column)
    return f"coalesce({'-' if column in COMING else ''}sum(q) FILTER (WHERE kind IN ({kinds})), 0)"


_LOTS = f"""
WITH sides AS (
  SELECT m.lot_id, l.kind, m.quantity AS q FROM inventory_movement m JOIN inventory_location l ON l.id = m.target_id
  UNION ALL
  SELECT m.lot_id, l.kind, -m.quantity FROM inventory_movement m JOIN inventory_location l ON l.id = m.source_id
), sums AS (SELECT lot_id, {", ".join(f"{_sum(name)} AS {name}" for name in _COLUMNS)} FROM sides GROUP BY lot_id),
added AS (
  SELECT lot_id, location_id, sum(q) AS q FROM (
    SELECT lot_id, target_id AS location_id, quantity AS q FROM inventory_movement
    UNION ALL SELECT lot_id, source_id, -quantity FROM inventory_movement
  ) m GROUP BY 1, 2
), unlike AS (
  SELECT DISTINCT lot_id FROM added FULL JOIN inventory_moved kept USING (lot_id, location_id)
  WHERE added.q IS DISTINCT FROM kept.quantity
), stock AS (
  SELECT s.lot_id, sum(quantity) FILTER (WHERE l.kind IN ('intake', 'shelf', 'quarantine')) AS in_stock,
         min(quantity) AS least
  FROM inventory_stock s JOIN inventory_location l ON l.id = s.location_id GROUP BY 1)
SELECT o.number FROM inventory_lot o LEFT JOIN inventory_lottotal t ON t.lot_id = o.id
LEFT JOIN sums s ON s.lot_id = o.id LEFT JOIN stock k ON k.lot_id = o.id
WHERE ({", ".join(f"t.{name}" for name in _COLUMNS)}) IS DISTINCT FROM ({", ".join(f"s.{name}" for name in _COLUMNS)})
   OR {" + ".join(f"t.{name}" for name in COMING)} <> {" + ".join(f"t.{name}" for name in STANDING)}
   OR coalesce(k.in_stock, 0) <> t.in_stock OR k.least < 0 OR o.id IN (SELECT lot_id FROM unlike)
ORDER BY o.id LIMIT 20
"""  # noqa: S608

_BOARD = f"""
WITH sums AS (
  SELECT o.category, o.unit_id, {", ".join(f"sum(t.{name}) AS {name}" for name in _COLUMNS)}, sum(t.value) AS value,
         sum(t.delivered_value) AS delivered_value
  FROM inventory_lottotal t JOIN inventory_lot o ON o.id = t.lot_id GROUP BY 1, 2)
SELECT coalesce(b.category, s.category) || ' ' || coalesce(b.unit_id, s.unit_id)
FROM inventory_boardrow b FULL JOIN sums s ON s.category = b.category AND s.unit_id = b.unit_id
WHERE ({", ".join(f"b.{name}" for name in (*_COLUMNS, "value", "delivered_value"))})
      IS DISTINCT FROM ({", ".join(f"s.{name}" for name in (*_COLUMNS, "value", "delivered_value"))})
LIMIT 20
"""  # noqa: S608

_LEDGER = """
WITH goods AS (
  SELECT w.organization_id AS owner, sum(t.value) AS value FROM inventory_lottotal t
  JOIN inventory_lot o ON o.id = t.lot_id JOIN inventory_warehouse w ON w.id = o.warehouse_id GROUP BY 1
), booked AS (
  SELECT e.owner, -sum(l.amount) AS value FROM ledger_line l JOIN ledger_earmark e ON e.id = l.earmark_id
  WHERE e.kind = 'goods' GROUP BY 1)
SELECT 'organization ' || coalesce(g.owner, b.owner) || ': ' || coalesce(b.value, 0) - coalesce(g.value, 0)
FROM goods g FULL JOIN booked b ON b.owner = g.owner WHERE coalesce(g.value, 0) <> coalesce(b.value, 0)
UNION ALL
SELECT 'account ' || x.held - x.goods FROM (
  SELECT (SELECT coalesce(sum(l.amount), 0) FROM ledger_line l JOIN ledger_account a ON a.id = l.account_id
          WHERE a.role = 'inventory') AS held, (SELECT coalesce(sum(value), 0) FROM inventory_lottotal) AS goods) x
WHERE x.held <> x.goods
LIMIT 20
"""


def _one(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return str(cursor.fetchone()[0])


def lots_close() -> Finding:
    """This will check I2: for every lot, what came in is where it all is, recomputed from its movements."""
    return Finding(_one("SELECT count(*) FROM inventory_lot"), first_column(_LOTS))


def board_agrees() -> Finding:
    """This will check that the public board's rows are the sums of their lots."""
    return Finding(_one("SELECT count(*) FROM inventory_boardrow"), first_column(_BOARD))


def ledger_agrees() -> Finding:
    """This will check that the ledger's goods are worth what the lots are, per organization and in all (fen)."""
    return Finding(_one("SELECT coalesce(sum(value), 0) FROM inventory_lottotal"), first_column(_LEDGER))


def register_all() -> None:
    """This will register the invariants of goods with core."""
    invariants.register(5, "inventory.lots", _("每一批物资都闭合：收到的等于各处之和"), lots_close)
    invariants.register(5, "inventory.board", _("物资公示的合计等于各批之和"), board_agrees)
    invariants.register(5, "inventory.ledger", _("物资的账面价值等于各批之和"), ledger_agrees)
