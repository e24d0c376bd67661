"""A process dies at each I/O boundary of giving and paying out, as by kill -9; afterwards nothing acknowledged is lost
and nothing stands twice. Each point must really be hit: the process ends with status 137."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
from typing import Any

import pytest
from django.db import connections

from apps.core.invariants import ordered
from apps.core.models import OutboxDelivery
from apps.disbursements.models import Disbursement
from apps.donations.models import Gift, Receipt, Refund
from apps.donations.queries import receipts_of_gift
from apps.ledger.models import Entry, Reservation
from apps.ledger.queries import figures
from apps.payments.models import SandboxRefund, SandboxSession
from apps.payments.operations import poll_payments
from tests import world as w
from tests.faults import crash_script

GIVING = [
    "donations.gift_opened",
    "payments.before_checkout_call",
    "payments.after_checkout_call",
    "payments.event_stored",
    "payments.events_fetched",
    "donations.gifts_marked",
    "donations.gifts_posted",
]
PAYING = [
    "disbursements.reserved",
    "disbursements.batch_released",
    "ledger.payment_written",
    "disbursements.results_recorded",
]


def run(name: str, point: str) -> int | None:
    """This will do a step in a process of its own, forked: nothing but the database outlives it."""
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=_step, args=(name, point))
    process.start()
    process.join(120)
    return process.exitcode


def _step(name: str, point: str) -> None:
    os.environ["CRASH_AT"] = point
    getattr(crash_script, name)()
    connections.close_all()


def settle_everything() -> None:
    """What a restarted worker and beat do: inbox, outbox, and the poller that asks for open payments."""
    w.work()
    poll_payments(now=w.NOW + dt.timedelta(minutes=5))
    OutboxDelivery.objects.filter(done_at=None).update(due_at=w.NOW)
    w.work()


def check() -> None:
    for invariant in ordered():
        found = invariant.check()
        assert not found.broken, (invariant.name, found.broken)


REFUNDING = [
    "donations.refund_held",
    "payments.before_refund_call",
    "payments.after_refund_call",
    "payments.event_stored",
    "payments.events_fetched",
    "donations.refund_posted",
]


@pytest.mark.parametrize("point", REFUNDING)
def test_refunding_survives_a_crash(committed_db: Any, point: str) -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    assert run("give_back", point) == 137
    for _ in range(2):
        assert run("give_back", "") == 0
    settle_everything()
    assert Refund.objects.get().status == "paid"
    assert SandboxRefund.objects.count() == Entry.objects.filter(kind="refund").count() == 1
    assert Reservation.objects.filter(status="open").count() == 0
    assert figures([city.earmark]).refunded == 5_000
    assert [row.amount for row in receipts_of_gift(gift)] == [20_000, -5_000]
    check()


@pytest.mark.parametrize("point", ["payments.event_stored", "payments.events_fetched"])
def test_a_dispute_survives_a_crash(committed_db: Any, point: str) -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    assert run("lose_dispute", point) == 137
    assert run("lose_dispute", "") == 0
    settle_everything()
    assert Entry.objects.filter(kind="dispute").count() == 1
    assert figures([city.earmark]).disputed == 19_880
    assert [row.amount for row in receipts_of_gift(gift)] == [20_000, -20_000]
    check()


@pytest.mark.parametrize("point", GIVING)
def test_giving_survives_a_crash(committed_db: Any, point: str) -> None:
    w.build()
    assert run("give", point) == 137
    assert run("give", "") == 0, "the donor tries again with the same form"
    settle_everything()
    paid = SandboxSession.objects.filter(status="paid").count()
    assert Gift.objects.filter(status="received").count() == paid == 1
    assert Entry.objects.filter(kind="gift").count() == Receipt.objects.count() == 1
    check()


@pytest.mark.parametrize("point", PAYING)
def test_paying_out_survives_a_crash(committed_db: Any, point: str) -> None:
    city = w.build()
    w.give(city, 1_000_000)
    item = w.apply_aid(city, w.household(city, 1), 300_000)
    assert run("pay_out", point) == 137
    for _ in range(2):
        assert run("pay_out", "") == 0
    item = Disbursement.objects.get(pk=item.pk)
    assert item.status == "paid"
    assert Entry.objects.filter(kind="payment").count() == 1
    assert Reservation.objects.filter(status="open").count() == 0
    assert figures([city.earmark]).spent == 300_000
    check()
