"""A process dies at each boundary of each step of moving goods, as by kill -9: afterwards every lot closes, and what is
done again stands once."""

from __future__ import annotations

import multiprocessing
from typing import Any

from django.db import connections

from apps.inventory.models import LotTotal, Movement, Removal
from apps.ledger.models import Entry
from tests.inventory import crashing
from tests.inventory import goods as g

MOVED, POSTED, WRITTEN = "inventory.stock_moved", "inventory.goods_posted", "inventory.movements_written"
CRASHES = [
    *(("inspect", point) for point in (MOVED, POSTED, WRITTEN)),
    *(("send", point) for point in (MOVED, WRITTEN)),
    *(("hand", point) for point in (MOVED, POSTED, WRITTEN)),
    *(("transfer", point) for point in (MOVED, WRITTEN)),
    *(("receive", point) for point in (MOVED, WRITTEN)),
    *(("lose", point) for point in (MOVED, POSTED, WRITTEN)),
    *(("sell", point) for point in (MOVED, POSTED, WRITTEN, "inventory.before_proceeds")),
]
"""What is on a road or a shelf of ours stands in the ledger alike: sending and receiving post nothing."""


def run(step: str = "", point: str = "") -> int | None:
    """This will go on in a process of its own and give how it ended."""
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=crashing.go, args=(step, point))
    process.start()
    process.join(60)
    return process.exitcode


def test_goods_survive_a_crash_at_every_boundary(committed_db: Any) -> None:
    store = g.build()
    g.second(store)
    g.receive(store, g.draft(fen=1_001))
    for step, point in CRASHES:
        assert run(step, point) == 137, (step, point)
        g.check()
    for _ in range(2):
        assert run() == 0
    total = LotTotal.objects.get()
    assert (total.in_stock, total.in_transit, total.value) == (3, 0, 2_002)
    assert (total.delivered, total.sold, total.written_off) == (4, 2, 1)
    assert Movement.objects.count() == 9 and Removal.objects.count() == 2
    assert Entry.objects.filter(kind="goods").count() == 4
    assert Entry.objects.filter(kind="income", idempotency_key__startswith="goods:sale").count() == 1
    g.check()
