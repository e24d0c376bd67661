"""The rules of goods that triggers hold, as PL/pgSQL."""

from __future__ import annotations

from apps.inventory.states import BUCKET, COMING, SOURCES, STANDING, WAYS

_SOURCES = ", ".join(f"'{each.value}'" for each in SOURCES)
_WAYS = ", ".join(
    f"('{kind}', '{source}', '{target}')"
    for kind, (sources, targets) in WAYS.items()
    for source in sources
    for target in targets
)
_COLUMNS = (*COMING, *STANDING)


def _sum(column: str) -> str:
    kinds = ", ".join(f"'{place.value}'" for place, name in BUCKET.items() if name == column)
    sign = "-" if column in COMING else ""
    return f"coalesce({sign}sum(q) FILTER (WHERE kind IN ({kinds})), 0)"


CLOSES = f"""
IF EXISTS (
  SELECT 1 FROM (
    SELECT location_id, quantity AS q FROM inventory_moved WHERE lot_id = NEW.lot_id
  ) moved
  FULL JOIN (SELECT location_id, quantity FROM inventory_stock WHERE lot_id = NEW.lot_id) kept USING (location_id)
  JOIN inventory_location l ON l.id = location_id
  WHERE CASE WHEN l.kind IN ({_SOURCES}) THEN kept.quantity IS NOT NULL
        ELSE coalesce(moved.q, 0) <> coalesce(kept.quantity, 0) END
) OR NOT EXISTS (
  SELECT 1 FROM inventory_lottotal t, (
    SELECT {", ".join(f"{_sum(name)} AS {name}" for name in _COLUMNS)} FROM (
      SELECT l.kind, m.quantity AS q FROM inventory_moved m JOIN inventory_location l ON l.id = m.location_id
      WHERE m.lot_id = NEW.lot_id
    ) sides
  ) s
  WHERE t.lot_id = NEW.lot_id
    AND ({", ".join(f"t.{name}" for name in _COLUMNS)}) = ({", ".join(f"s.{name}" for name in _COLUMNS)})
) THEN
  RAISE EXCEPTION 'lot % does not close', NEW.lot_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'lot_closes';
END IF;
RETURN NULL;
"""  # noqa: S608  (put together from the constants of states)
"""I2 at every commit: stock and sums are exactly what the movements add up to (`inventory_moved`), at the same cost
however many a lot has. That `inventory_moved` itself is their sum is proven daily (invariants)."""

ADDS_UP = """
INSERT INTO inventory_moved (lot_id, location_id, quantity)
VALUES (NEW.lot_id, NEW.source_id, -NEW.quantity), (NEW.lot_id, NEW.target_id, NEW.quantity)
ON CONFLICT (lot_id, location_id) DO UPDATE SET quantity = inventory_moved.quantity + EXCLUDED.quantity;
RETURN NULL;
"""
"""What a movement adds to the sums it is checked against; nothing else may write them."""

FITS = f"""
SELECT l.kind, l.warehouse_id INTO source FROM inventory_location l WHERE l.id = NEW.source_id;
SELECT l.kind, l.warehouse_id INTO target FROM inventory_location l WHERE l.id = NEW.target_id;
SELECT u.places, t.expires_on, t.warehouse_id INTO lot
  FROM inventory_lot t JOIN inventory_unit u ON u.code = t.unit_id WHERE t.id = NEW.lot_id;
IF (NEW.kind::text, source.kind::text, target.kind::text) NOT IN (VALUES {_WAYS})
   OR (source.warehouse_id <> target.warehouse_id) <> (NEW.kind = 'arrive')
   OR (NEW.kind IN ('receive', 'convert_in') AND source.warehouse_id <> lot.warehouse_id)
   OR ((source.warehouse_id <> lot.warehouse_id OR target.warehouse_id <> lot.warehouse_id)
       AND (SELECT count(DISTINCT organization_id) FROM inventory_warehouse
            WHERE id IN (source.warehouse_id, target.warehouse_id, lot.warehouse_id)) > 1) THEN
  RAISE EXCEPTION 'a movement % does not go from % to %', NEW.kind, source.kind, target.kind
    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_fits';
END IF;
IF round(NEW.quantity, lot.places) <> NEW.quantity THEN
  RAISE EXCEPTION 'the unit of lot % has no such fraction', NEW.lot_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_fraction_fits';
END IF;
IF NEW.kind IN ('arrive', 'deliver') AND NOT EXISTS (
  SELECT 1 FROM inventory_dispatchline n JOIN inventory_dispatch d ON d.id = n.dispatch_id
  WHERE n.id = NEW.dispatch_line_id AND n.lot_id = NEW.lot_id AND d.warehouse_id = source.warehouse_id
    AND CASE NEW.kind WHEN 'arrive' THEN d.to_warehouse_id = target.warehouse_id
        ELSE d.to_warehouse_id IS NULL END) THEN
  RAISE EXCEPTION 'a movement % is not what dispatch line % is for', NEW.kind, NEW.dispatch_line_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_fits_dispatch';
END IF;
IF NEW.kind = 'arrive' AND (NEW.actor_person IS NULL OR EXISTS (
  SELECT 1 FROM inventory_movement m
  WHERE m.dispatch_line_id = NEW.dispatch_line_id AND m.kind = 'send' AND m.actor_person = NEW.actor_person)) THEN
  RAISE EXCEPTION 'who sent line % does not sign for it', NEW.dispatch_line_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'arrival_other_person';
END IF;
IF NEW.kind = 'send' AND lot.expires_on < (NEW.at AT TIME ZONE 'Asia/Shanghai')::date THEN
  RAISE EXCEPTION 'lot % has expired', NEW.lot_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'expired_never_sent';
END IF;
RETURN NEW;
"""  # noqa: S608

FROZEN = """
IF (OLD.number, OLD.public_id, OLD.warehouse_id, OLD.consignment_id, OLD.made_by_id, OLD.category, OLD.item, OLD.spec,
    OLD.unit_id, OLD.quantity, OLD.per_unit, OLD.inner_unit_id, OLD.expires_on, OLD.received_on, OLD.list_row)
   IS DISTINCT FROM
   (NEW.number, NEW.public_id, NEW.warehouse_id, NEW.consignment_id, NEW.made_by_id, NEW.category, NEW.item, NEW.spec,
    NEW.unit_id, NEW.quantity, NEW.per_unit, NEW.inner_unit_id, NEW.expires_on, NEW.received_on, NEW.list_row)
   OR OLD.unit_value IS NOT NULL AND (OLD.unit_value, OLD.basis, OLD.basis_source)
      IS DISTINCT FROM (NEW.unit_value, NEW.basis, NEW.basis_source) THEN
  RAISE EXCEPTION 'the facts of lot % are frozen', OLD.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'lot_facts_frozen';
END IF;
RETURN NEW;
"""
