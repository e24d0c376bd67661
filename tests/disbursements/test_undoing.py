"""Taking a payment back: returned by the bank or clawed back, by two people, with the trace right."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from apps.core.errors import DomainError
from apps.core.invariants import ordered
from apps.disbursements import operations
from apps.disbursements.errors import FourEyes
from apps.disbursements.models import Undo
from apps.disbursements.operations.undoing import UndoOpen
from apps.ledger.models import EarmarkBalance, Entry
from apps.tracing.queries import trace_gift
from tests import world as w

pytestmark = pytest.mark.django_db


def check() -> None:
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


def test_one_person_can_not_do_both() -> None:
    city = w.build()
    w.give(city, 100_000)
    item = w.help_family(city, 1, 30_000)
    for kind in ("returned", "clawback"):
        asked = operations.ask_undo(
            actor=city.people["cashier"], disbursement=item, kind=kind, reason="退汇", now=w.NOW
        )
        with pytest.raises(FourEyes):
            operations.agree_undo(actor=city.people["cashier"], undo=asked, effective_at=w.NOW, now=w.NOW)
        with pytest.raises(IntegrityError, match="undo_two_people"), transaction.atomic():
            Undo.objects.filter(pk=asked.pk).update(
                decided_by=asked.asked_by_id, decided_at=w.NOW, agreed=True, entry=1
            )
        with pytest.raises(UndoOpen):
            operations.ask_undo(
                actor=city.people["manager"], disbursement=item, kind=kind, reason="又一次", now=w.NOW
            )
        operations.refuse_undo(actor=city.people["cashier"], undo=asked, now=w.NOW)
    assert Entry.objects.filter(kind="reversal").count() == 0
    with pytest.raises(DomainError):
        operations.ask_undo(
            actor=city.people["caseworker_shiqiao"], disbursement=item, kind="returned", reason="x", now=w.NOW
        )


def test_money_clawed_back_is_its_earmarks_again_and_can_be_spent_on_another_family() -> None:
    city = w.build()
    gift = w.give(city, 100_000)
    item = w.help_family(city, 1, 30_000)
    before = EarmarkBalance.objects.get(earmark=city.earmark)
    committed = city.line.committed
    item = w.undo(city, item, "clawback")
    after = EarmarkBalance.objects.get(earmark=city.earmark)
    assert item.status == "reversed" and item.entry and item.paid_at, "what was paid stays told"
    assert after.available == before.available + 30_000 and after.reserved == before.reserved
    assert after.spent == before.spent - 30_000 and city.line.committed == committed - 30_000
    trace = trace_gift(gift)
    assert trace.used == 0 and trace.unspent + trace.fee == gift.amount
    with pytest.raises(DomainError):
        w.undo(city, item, "returned")
    with pytest.raises(DomainError):
        w.pay_out(city, [item])
    w.help_family(city, 2, after.available)
    check()


def test_returned_twice_and_paid_three_times_closes() -> None:
    city = w.build()
    gift = w.give(city, 100_000)
    item = w.help_family(city, 1, 30_000)
    for _ in range(2):
        w.undo(city, item, "returned")
        w.pay_out(city, [item])
    item.refresh_from_db()
    assert item.status == "paid" and item.attempts == 3
    assert Entry.objects.filter(kind="payment").count() == 3
    assert EarmarkBalance.objects.get(earmark=city.earmark).spent == 30_000
    trace = trace_gift(gift)
    assert trace.fee + trace.used + trace.unspent == gift.amount
    check()
