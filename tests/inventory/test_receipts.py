"""A giver who asked for a receipt gets one when the goods have been accepted, for what was fit and has a value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.donations.models import Receipt
from apps.inventory import operations as ops
from apps.inventory.models import Consignment
from tests import world as w
from tests.inventory import goods as g

pytestmark = pytest.mark.django_db
D = Decimal


def test_the_receipt_follows_the_inspection_and_comes_once() -> None:
    store = g.build()
    came = g.receive(
        store, g.draft(fen=12_000), g.draft("旧书", "5", "本", category="education"),
        g.draft("坏灯", "2", "个", fen=900), wants_receipt=True, payer_code=store.city.organization.uscc,
    )  # fmt: skip
    first, second, third = came.lots.order_by("id")
    inspect: dict[str, Any] = {"actor": store.keeper, "shelf": store.shelf, "now": g.NOW}
    ops.inspect_lot(**inspect, lot=first, passed=D(8), failed=D(2), note="受潮")
    ops.inspect_lot(**inspect, lot=second, passed=D(5), failed=D(0))
    w.work()
    assert not Receipt.objects.exists(), "the third lot is still to be inspected"
    ops.inspect_lot(**inspect, lot=third, passed=D(0), failed=D(2), note="不亮")
    w.work()
    receipt = Receipt.objects.get()
    assert (receipt.kind, receipt.payer, receipt.amount) == ("in_kind", "澜江纺织厂", 96_000)
    (line,) = receipt.lines.all()
    assert (line.item, line.unit, line.quantity, line.unit_value) == ("棉被", "床", 8, 12_000)
    assert Consignment.objects.get().receipts == receipt.number
    from apps.inventory.events import GoodsAccepted
    from charity_site.in_kind import issue_receipts_of_goods

    issue_receipts_of_goods(GoodsAccepted(came.pk), now=g.NOW)
    assert Receipt.objects.count() == 1


def test_who_didnt_ask_or_gave_nothing_of_value_gets_none() -> None:
    store = g.build()
    g.stored(store, g.draft(fen=12_000))
    g.stored(store, g.draft("旧书", "5", "本", category="education"), wants_receipt=True)
    w.work()
    assert not Receipt.objects.exists()
