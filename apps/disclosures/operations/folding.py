"""Movements of goods folded into sums by months, so that a draft of a report reads sums and the last hours (D3)."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

from apps.disclosures.figures import database_clock
from apps.disclosures.goods import MONTH, MOVED
from apps.disclosures.models import GoodsFold

LAG = dt.timedelta(hours=6)
"""How old a movement must be: an id may be taken long before its transaction commits, but never for hours."""

FOLD = f"""
WITH fresh AS (
  SELECT w.organization_id, {MONTH} AS month, l.category,
         l.unit_id, m.kind, a.kind AS from_kind, b.kind AS to_kind, sum(m.quantity) AS quantity, sum(m.value) AS value
  {MOVED}
  WHERE m.id > %(after)s AND m.id <= %(upto)s AND m.kind <> 'store'
  GROUP BY 1, 2, 3, 4, 5, 6, 7
)
INSERT INTO disclosures_goodssum (organization_id, month, category, unit, kind, from_kind, to_kind, quantity, value)
SELECT * FROM fresh
ON CONFLICT (organization_id, month, category, unit, kind, from_kind, to_kind) DO UPDATE
SET quantity = disclosures_goodssum.quantity + excluded.quantity, value = disclosures_goodssum.value + excluded.value
"""  # noqa: S608  (constants only)

NEXT = """
SELECT count(*), max(id), max(recorded_at) FROM inventory_movement
WHERE id > %(after)s AND id < coalesce(
  (SELECT min(id) FROM inventory_movement WHERE id > %(after)s AND recorded_at >= %(before)s), 9223372036854775807)
"""


@transaction.atomic
def fold_goods(*, lag: dt.timedelta = LAG) -> int:
    """This will add movements recorded up to `lag` ago to the monthly sums, each once, and return how many (the
    clock's task). Workers wait for each other on the one row."""
    GoodsFold.objects.get_or_create(pk=1)
    mark = GoodsFold.objects.select_for_update().get(pk=1)
    with connection.cursor() as cursor:
        cursor.execute(NEXT, {"after": mark.last, "before": database_clock() - lag})
        count, upto, until = cursor.fetchone()
        if not count:
            return 0
        cursor.execute(FOLD, {"after": mark.last, "upto": upto})
    mark.last, mark.recorded_until = upto, until
    mark.save()
    return int(count)
