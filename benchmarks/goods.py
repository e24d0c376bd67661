"""Goods: the public board and lists at a short and a long history, and how fast movements are posted by 8 clients.

The history is written set-based (two movements a lot, each lot and its sums closed by the same triggers); what is timed
is the page's own work, without its cache, and the operation as storekeepers call it.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

CLIENTS = 8
MOVES = 150
"""Per client."""

PATHS = ("/goods/", "/goods/lots/", "/goods/lots/?category=food&state=in_stock")
_HISTORY = """
WITH made AS (
  INSERT INTO inventory_lot (public_id, number, warehouse_id, category, item, folded, spec, unit_id, quantity, basis,
    basis_source, grade, origin_note, list_row, received_on, recorded_at)
  SELECT substr(md5(n::text), 1, 16), 'B' || n, %(warehouse)s, (ARRAY['food', 'medical', 'daily'])[1 + n %% 3],
    '物资' || n, '物资' || n, '', (ARRAY['箱', '件'])[1 + n %% 2], 10, '', '', '', 'benchmark', '', '2026-01-05', now()
  FROM generate_series(%(first)s::int, %(last)s::int) n RETURNING id, category, unit_id
), total AS (
  INSERT INTO inventory_lottotal (lot_id, received, made, found, in_stock, in_transit, delivered, returned, sold,
    written_off, converted, booked, value, delivered_value)
  SELECT id, 10, 0, 0, 10, 0, 0, 0, 0, 0, 0, 10, 0, 0 FROM made
), stock AS (
  INSERT INTO inventory_stock (lot_id, location_id, quantity)
  SELECT id, l, q FROM made, (VALUES (%(intake)s::bigint, 0), (%(shelf)s::bigint, 10)) AS s(l, q)
), moves AS (
  INSERT INTO inventory_movement (kind, lot_id, source_id, target_id, quantity, value, at, actor_label, reason, carrier,
    driver, signer)
  SELECT k, id, a, b, 10, 0, now(), 'benchmark', '', '', '', '' FROM made, (VALUES
    ('receive', %(donor)s::bigint, %(intake)s::bigint), ('pass', %(intake)s::bigint, %(shelf)s::bigint)) AS m(k, a, b)
)
SELECT category, unit_id, count(*) * 10 FROM made GROUP BY 1, 2
"""


def run(movements: int, settle: Callable[[], Any]) -> dict[str, Any]:
    """This will measure at movements / 100 and at `movements`."""
    from tests.inventory import goods as g

    store = g.build()
    found: dict[str, Any] = {"movements": movements}
    done = 0
    for name, upto in (("short", movements // 100), ("long", movements)):
        done = _fill(store, done, upto // 2)
        settle()
        found[name] = {path: _timed(path) for path in PATHS}
    found["rate"] = _rate(store)
    g.check()
    return found


def _fill(store: Any, done: int, upto: int) -> int:
    from django.db import connection, transaction
    from django.utils import timezone

    from apps.inventory.operations.moving import place_of, roll_up

    places = {kind: place_of(store.warehouse, kind) for kind in ("donor", "intake")}
    # A connection of its own: triggers and foreign keys would go on with the plans they made for empty tables.
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
    while done < upto:
        last = min(done + 500, upto)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_HISTORY, {"warehouse": store.warehouse.pk, "shelf": store.shelf.pk, "first": done + 1,
                                      "last": last, **places})  # fmt: skip
            board = {(c, u): {"received": q, "in_stock": q} for c, u, q in cursor.fetchall()}
            roll_up(board, timezone.now())
        done = last
    connection.close()
    return done


def _timed(path: str) -> float:
    """The median of 15 requests in milliseconds, nothing kept between them."""
    from django.core.cache import cache
    from django.test import Client

    client, taken = Client(), []
    for _ in range(16):
        cache.clear()
        began = time.perf_counter()
        assert client.get(path).status_code == 200
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken[1:])


def _rate(store: Any) -> float:
    """Movements a second by 8 clients, each between the two shelves of lots of its own."""
    from django.db import connections

    from tests.inventory import goods as g

    lots = [g.stored(store, g.draft("被子", "1000", "床")).pk for _ in range(CLIENTS)]
    connections.close_all()
    with multiprocessing.get_context("fork").Pool(CLIENTS) as pool:
        began = time.perf_counter()
        pool.starmap(_client, [(lot, store) for lot in lots])
        return CLIENTS * MOVES / (time.perf_counter() - began)


def _client(lot: int, store: Any) -> None:
    from apps.inventory import operations as ops
    from apps.inventory.models import Lot
    from tests.inventory import goods as g

    found = Lot.objects.select_related("warehouse", "unit").get(pk=lot)
    for n in range(MOVES):
        pair = (store.shelf, store.shelf2) if n % 2 == 0 else (store.shelf2, store.shelf)
        ops.store_goods(
            actor=store.keeper, lot=found, source=pair[0], target=pair[1], quantity=Decimal(1), now=g.NOW
        )


def table(found: dict[str, Any]) -> str:
    """This will write the figures for results.md."""
    rows = [
        f"goods: {found['movements']:,} movements against {found['movements'] // 100:,} (median ms, no cache)"
    ]
    for path, long in found["long"].items():
        short = found["short"][path]
        rows.append(f"  {path:<48} {short:7.1f} -> {long:7.1f}   x{long / short:.2f}")
    rows.append(f"  movements posted by {CLIENTS} clients: {found['rate']:.0f}/s")
    return "\n".join(rows)
