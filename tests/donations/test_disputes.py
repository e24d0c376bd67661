"""Disputes: on unspent money, on spent money, won, lost, won in part; the reserve fed by two people."""

from __future__ import annotations

import itertools

import pytest

from apps.core.actors import PUBLIC
from apps.core.errors import DomainError, PermissionRefused
from apps.core.invariants import ordered
from apps.core.models import OutboxDelivery
from apps.core.money import Money
from apps.donations import operations as donations
from apps.donations.models import Gift, ReserveFeed
from apps.donations.queries import (
    disputes_shown,
    receipts_of_gift,
    receivable_of_federation,
    reserve_earmarks,
)
from apps.ledger.models import Book, Entry
from apps.ledger.operations import Credit, post_credit
from apps.ledger.queries import figures
from apps.payments.models import PaymentDispute
from tests import world as w

pytestmark = pytest.mark.django_db


def check() -> None:
    for invariant in ordered():
        found = invariant.check()
        assert not found.broken, (invariant.name, found.broken)


def receipts(gift: Gift) -> list[int]:
    return list(receipts_of_gift(gift).values_list("amount", flat=True))


def feed(city: w.World, fen: int) -> ReserveFeed:
    own, _kept = reserve_earmarks()
    post_credit(
        actor=w.SETUP,
        credit=Credit("own", own, 1_000_000, w.NOW, kind="income", income="other_income", into="bank"),
    )
    asked = donations.ask_reserve_feed(
        actor=city.people["cashier"], money=Money(fen), reason="年度预留", now=w.NOW
    )
    return donations.approve_reserve_feed(actor=city.people["manager"], feed=asked, now=w.NOW)


def test_dispute_on_unspent_money_then_lost() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    w.act(gift, "dispute_open", copies=3)
    w.work()
    sums = figures([city.earmark])
    assert (sums.disputed, sums.available, sums.net_raised) == (19_880, 0, 120)
    assert receipts(gift) == [20_000], "nothing is decided yet"
    w.act(gift, "dispute_lose", copies=2)
    w.work()
    assert receipts(gift) == [20_000, -20_000]
    assert PaymentDispute.objects.get().status == "lost"
    assert Entry.objects.filter(kind="dispute").count() == 1
    check()


def test_dispute_on_spent_money_falls_on_the_reserve_then_on_the_federation() -> None:
    city = w.build()
    feed(city, 5_000)
    _own, kept = reserve_earmarks()
    gift = w.give(city, 20_000)
    w.help_family(city, 1, 12_000)
    w.act(gift, "dispute_open")
    w.work()
    [shown] = disputes_shown(list(PaymentDispute.objects.all()))
    # 7,880 are left of the gift; the dispute's own fee of 1,500 falls on operations.
    assert (shown.own, shown.reserve, shown.receivable) == (7_880, 5_000, 7_120)
    assert figures([city.earmark]).available == 0 == figures([kept]).available
    assert receivable_of_federation() == 7_120
    check()
    w.act(gift, "dispute_win")
    w.work()
    [shown] = disputes_shown(list(PaymentDispute.objects.all()))
    assert (shown.own, shown.reserve, shown.receivable) == (0, 0, 0)
    assert figures([kept]).available == 5_000 and receivable_of_federation() == 0
    assert figures([city.earmark]).net_raised == 20_000
    assert receipts(gift) == [20_000]
    check()


def test_dispute_won_in_part_and_of_a_part() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    w.act(gift, "dispute_open", amount=8_000)
    w.work()
    assert figures([city.earmark]).disputed == 8_000
    w.act(gift, "dispute_partly")
    w.work()
    assert figures([city.earmark]).disputed == 4_000
    assert Entry.objects.filter(kind="reversal").count() == 2, "the dispute's and its fee's"
    check()


def test_inquiry_moves_nothing() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    w.act(gift, "dispute_inquire")
    w.work()
    assert (
        PaymentDispute.objects.get().status == "inquiry" and Entry.objects.filter(kind="dispute").count() == 0
    )
    w.act(gift, "dispute_open")
    w.work()
    assert PaymentDispute.objects.get().status == "open" and Entry.objects.filter(kind="dispute").count() == 1
    check()


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_facts_are_posted_in_any_order(order: tuple[int, ...]) -> None:
    """Settled, fee, withdrawn, its fee, given back: each handler first posts what must stand before."""
    city = w.build()
    gift = w.open_gift(city, 20_000)
    w.pay(gift)
    w.act(gift, "dispute_open")
    w.act(gift, "dispute_win")
    from apps.core.events import deliver_due
    from apps.payments.operations import process_inbox

    process_inbox(now=w._far())
    ids = list(
        OutboxDelivery.objects.filter(event__name__in=["payments.fact_recorded", "payments.money_returned"])
        .order_by("id")
        .values_list("id", flat=True)
    )
    for place in order:
        deliver_due(now=w._far(), only=[each for i, each in enumerate(ids) if i % 5 == place])
    w.work()
    assert not OutboxDelivery.objects.filter(done_at=None).exists()
    assert figures([city.earmark]).net_raised == 20_000 and figures([city.earmark]).fees == 120
    assert Gift.objects.get().status == "received"
    check()


def test_reserve_takes_two_people_and_own_money_only() -> None:
    city = w.build()
    with pytest.raises(PermissionRefused):
        donations.ask_reserve_feed(actor=city.people["manager"], money=Money(1), reason="x", now=w.NOW)
    with pytest.raises(PermissionRefused):
        donations.ask_reserve_feed(actor=PUBLIC, money=Money(1), reason="x", now=w.NOW)
    asked = donations.ask_reserve_feed(
        actor=city.people["cashier"], money=Money(500), reason="预留", now=w.NOW
    )
    w.give(city, 20_000)
    with pytest.raises(DomainError) as caught:
        donations.approve_reserve_feed(actor=city.people["manager"], feed=asked, now=w.NOW)
    assert caught.value.code == "not_enough_money", "a project's money never feeds the reserve"
    both = w.person("both", *(("manager", "organization", city.organization.pk), ("cashier", "organization",
                                                                                  city.organization.pk)))  # fmt: skip
    again = donations.ask_reserve_feed(actor=both, money=Money(500), reason="预留", now=w.NOW)
    with pytest.raises(PermissionRefused):
        donations.approve_reserve_feed(actor=both, feed=again, now=w.NOW)
    done = feed(city, 700)
    with pytest.raises(DomainError) as caught:
        donations.approve_reserve_feed(actor=city.people["manager2"], feed=done, now=w.NOW)
    assert caught.value.code == "reserve_feed_done"
    own, kept = reserve_earmarks()
    assert (figures([own]).available, figures([kept]).available) == (999_300, 700)
    assert Book.objects.count() == 1
    check()
