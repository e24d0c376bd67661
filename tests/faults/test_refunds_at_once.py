"""More is never given back than was given, at any layer, however many ask at once; without a lock these turn red."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from apps.core.actors import PUBLIC
from apps.core.errors import DomainError
from apps.core.invariants import ordered
from apps.core.money import Money
from apps.donations import operations as donations
from apps.donations.models import Receipt, Refund
from apps.ledger.models import LotBalance, Reservation
from apps.ledger.operations import folding, hold_refund, settle_refund
from apps.ledger.queries import figures
from apps.payments.models import Payment, PaymentRefund, SandboxRefund
from apps.payments.operations import open_refund, send_refunds
from apps.payments.provider import RefundRefused, RefundRequest
from apps.payments.registry import provider
from tests import world as w
from tests.faults.test_concurrency import in_threads

THREADS = 32
LEFT = 19_880
"""What is left of a gift of 200 yuan after its fee."""


def check() -> None:
    for invariant in ordered():
        found = invariant.check()
        assert not found.broken, (invariant.name, found.broken)


def count(results: list[Any]) -> tuple[int, list[Any]]:
    """How many went through, and what went wrong that is no refusal."""
    wrong = [each for each in results if isinstance(each, Exception) and not isinstance(each, DomainError)]
    return sum(each is True for each in results), wrong


def test_thirty_two_ask_for_one_gift(committed_db: Any) -> None:
    city = w.build()
    gift = w.give(city, 20_000)

    def ask(i: int) -> bool:
        donations.ask_refund(actor=PUBLIC, gift=gift, money=Money(10_000 + i), reason="", now=w.NOW)
        return True

    assert count(in_threads(THREADS, ask)) == (1, [])
    assert Refund.objects.count() == 1


def test_thirty_two_approve_one_refund(committed_db: Any) -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    asked = w.ask_back(city, gift, 15_000)

    def approve(i: int) -> bool:
        donations.approve_refund(
            actor=city.people["manager" if i % 2 else "manager2"], refund=asked, now=w.NOW
        )
        return True

    assert count(in_threads(THREADS, approve)) == (1, [])
    assert Reservation.objects.get().amount == 15_000 and PaymentRefund.objects.count() == 1
    in_threads(8, lambda _: send_refunds(now=w.NOW))
    assert SandboxRefund.objects.count() == 1, "one key is one refund, whoever sends it"
    w.act(gift, "refund_succeed", copies=5)
    in_threads(8, lambda _: w.work())
    w.work()
    assert figures([city.earmark]).refunded == 15_000
    assert sorted(Receipt.objects.values_list("amount", flat=True)) == [-15_000, 20_000]
    check()


def hold(city: w.World, origin: int) -> tuple[int, list[Any]]:
    """The ledger alone: each thread holds a tenth of what is left and lets it go out."""

    def one(i: int) -> bool:
        hold_refund(earmark=city.earmark, origin=origin, amount=LEFT // 10, purpose=f"r:{i}", now=w.NOW)
        settle_refund(
            actor=w.SETUP, purpose=f"r:{i}", key=f"r:{i}", now=w.NOW, effective_at=w.NOW, channel="card"
        )
        return True

    return count(in_threads(THREADS, one))


def test_the_ledger_holds_ten_tenths_and_no_more(committed_db: Any) -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    assert hold(city, gift.pk) == (10, [])
    assert LotBalance.objects.get().remaining == 0 == figures([city.earmark]).available
    check()


def test_over_refunds_show_when_the_ledgers_lock_is_removed(
    committed_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    monkeypatch.setattr(folding, "_LOCK", folding._LOCK.replace(" FOR UPDATE", ""))
    done, wrong = hold(city, gift.pk)
    assert done != 10 or wrong, "without the lock the database has to refuse what the code let through"


def intents(city: w.World, payment: Payment) -> tuple[int, list[Any]]:
    """Payments alone: each thread wants a tenth of the payment back."""

    def one(i: int) -> bool:
        open_refund(
            actor=city.people["manager"], payment=payment, purpose=f"x:{i}", money=Money(2_000), now=w.NOW
        )
        return True

    return count(in_threads(THREADS, one))


def test_payments_open_ten_tenths_and_no_more(committed_db: Any) -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    assert gift.payment is not None
    assert intents(city, gift.payment) == (10, [])
    assert sum(PaymentRefund.objects.values_list("amount", flat=True)) == 20_000


def test_over_refunds_show_when_the_payments_lock_is_removed(
    committed_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the row's lock the code lets too many through; the trigger, which locks for itself, refuses them."""
    from django.db.models import QuerySet

    city = w.build()
    gift = w.give(city, 20_000)
    assert gift.payment is not None
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, *_, **__: self)
    done, wrong = intents(city, gift.payment)
    monkeypatch.undo()
    assert wrong, "the code alone lets more than ten tenths through"
    assert all("pass its amount" in str(each) for each in wrong)
    assert done == 10 and sum(PaymentRefund.objects.values_list("amount", flat=True)) == 20_000


def test_the_test_cashier_gives_back_no_more_than_it_took(committed_db: Any) -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    session = w.session_of(gift)

    def one(i: int) -> bool:
        provider("sandbox").send_refund(
            RefundRequest(reference=f"{i}", key=f"k{i}", session_ref=session.ref, charge_ref=f"ch_{session.ref}",
                          payment_reference=session.reference, amount=2_000, whole=20_000, currency="CNY",
                          opened_at=w.NOW)
        )  # fmt: skip
        return True

    results = in_threads(THREADS, one)
    assert count(results) == (10, []) and {type(each) for each in results if each is not True} == {
        RefundRefused
    }


def test_spending_and_refunding_race_for_the_same_money(committed_db: Any) -> None:
    """16 refunds of one gift's parts against 16 payments of the earmark: never below zero, sums close."""
    from apps.ledger.operations import reserve

    city = w.build()
    gift = w.give(city, 20_000)

    def one(i: int) -> bool:
        if i % 2:
            reserve(earmark=city.earmark, amount=1_988, purpose=f"d:{i}", now=w.NOW)
        else:
            hold_refund(earmark=city.earmark, origin=gift.pk, amount=1_988, purpose=f"r:{i}", now=w.NOW)
        return True

    assert count(in_threads(THREADS, one)) == (10, [])
    assert figures([city.earmark]).available == 0


def test_bank_refund_is_paid_once(committed_db: Any) -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    late = w.NOW + dt.timedelta(days=200)
    asked = w.ask_back(
        city, gift, 5_000, now=late, bank=donations.BankDetails("户主", "演示银行", "6222000011112222")
    )
    donations.approve_refund(actor=city.people["manager"], refund=asked, now=late)

    def pay(i: int) -> bool:
        donations.pay_bank_refund(actor=city.people["cashier" if i % 2 else "cashier2"], refund=asked,
                                  reference=f"B{i}", paid_at=late, now=late)  # fmt: skip
        return True

    assert count(in_threads(THREADS, pay)) == (1, [])
    assert figures([city.earmark]).refunded == 5_000
    check()
