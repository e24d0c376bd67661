"""A process dies at each boundary of moving goods, as by kill -9: afterwards every lot closes, and the work that is
done again stands once."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.db import connections

from apps.inventory.models import LotTotal, Movement
from apps.ledger.models import Entry
from tests.inventory import goods as g

POINTS = [
    "inventory.stock_moved",
    "inventory.goods_posted",
    "inventory.movements_written",
    "inventory.before_proceeds",
]
SCRIPT = "import django; django.setup()\nfrom tests.inventory import crashing\ncrashing.go()\n"


def run(environment: dict[str, str], point: str) -> int:
    connections.close_all()
    return subprocess.run(
        [sys.executable, "-c", SCRIPT], env={**environment, "CRASH_AT": point}, check=False, timeout=120,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ).returncode  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_goods_survive_a_crash(committed_db: Any, site_environment: dict[str, str], point: str) -> None:
    store = g.build()
    g.second(store)
    g.receive(store, g.draft(fen=1_001))
    assert run(site_environment, point) == 137
    g.check()
    for _ in range(2):
        assert run(site_environment, "") == 0
    total = LotTotal.objects.get()
    assert (total.in_stock, total.delivered, total.sold, total.value) == (2, 4, 2, 2_002)
    assert Movement.objects.count() == 9 and Entry.objects.filter(kind="goods").count() == 4
    assert Entry.objects.filter(kind="income", idempotency_key__startswith="goods:sale").count() == 1
    g.check()
