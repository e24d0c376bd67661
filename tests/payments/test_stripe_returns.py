"""Refunds and disputes of the card provider: every event, in any order, made here or in its dashboard; clocks that are
off; servers others wrote as far as each goes."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import time
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from apps.core.invariants import ordered
from apps.donations.models import Gift, Receipt, Refund
from apps.ledger.models import Entry
from apps.ledger.queries import figures
from apps.payments.models import ClockAlarm, Payment, PaymentDispute, PaymentRefund, ProviderEvent
from apps.payments.operations import (
    poll_disputes,
    poll_events,
    poll_payments,
    process_inbox,
    send_refunds,
)
from tests import world as w
from tests.payments import fake_stripe
from tests.payments.test_stripe import arrive, fake, mock_server, open_gift, session

__all__ = ["fake", "mock_server"]

Fake = fake_stripe.FakeStripe
NOW = dt.datetime.now(dt.UTC)
KINDS = {
    "payment": ["checkout.session.completed", "checkout.session.async_payment_succeeded",
                "checkout.session.async_payment_failed", "checkout.session.expired", "charge.succeeded",
                "charge.updated"],
    "refund": ["charge.refunded", "charge.refund.updated", "refund.created", "refund.updated", "refund.failed"],
    "dispute": ["charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
                "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"],
    "payout": ["payout.reconciliation_completed", "payout.paid"],
    "subscription": ["invoice.paid", "invoice.payment_failed", "customer.subscription.updated"],
    "": ["customer.created", "product.updated"],
}  # fmt: skip


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def check() -> None:
    for invariant in ordered():
        found = invariant.check()
        assert not found.broken, (invariant.name, found.broken)


def paid(city: w.World, fake: Fake) -> Gift:
    gift = open_gift(city)
    fake.complete(session(gift))
    arrive(fake.event("checkout.session.completed", session(gift)))
    w.work(now())
    gift.refresh_from_db()
    return gift


def asked(city: w.World, gift: Gift, fen: int) -> Refund:
    found = w.ask_back(city, gift, fen, now=now())
    w.donations.approve_refund(actor=city.people["manager"], refund=found, now=now())
    return found


@pytest.mark.django_db
@pytest.mark.parametrize(("subject", "kind"), [(s, k) for s, kinds in KINDS.items() for k in kinds])
def test_every_event_goes_its_way(fake: Fake, subject: str, kind: str) -> None:
    city = w.build()
    gift = open_gift(city)
    fake.complete(session(gift))
    fake.dispute(session(gift), 100)
    arrive(fake.event(kind, "dp_1" if subject == "dispute" else session(gift)))
    row = ProviderEvent.objects.get()
    assert row.subject == subject
    routed = subject in ("payment", "refund", "dispute", "subscription")
    assert (row.processed_at is None) is routed
    assert row.outcome == ("" if routed else "stored" if subject else "ignored")
    w.work(now())
    assert not ProviderEvent.objects.filter(processed_at=None).exists()
    check()


def story(fake: Fake, gift: Gift) -> list[tuple[dict[str, str], bytes]]:
    """A payment, a refund of ours, a partial dispute that is won: everything the provider says of it."""
    ref = session(gift)
    fake.refunds["re_1"]["status"] = "succeeded"
    fake.dispute(ref, 2_000)
    fake.reinstate("dp_1")
    kinds = [("checkout.session.completed", ref), ("charge.updated", ref), ("charge.refunded", ref),
             ("refund.created", "re_1"), ("refund.updated", "re_1"), ("charge.dispute.created", "dp_1"),
             ("charge.dispute.funds_withdrawn", "dp_1"), ("charge.dispute.funds_reinstated", "dp_1"),
             ("charge.dispute.closed", "dp_1")]  # fmt: skip
    return [fake.event(kind, which) for kind, which in kinds]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(12))
def test_any_order_any_number_of_times(fake: Fake, seed: int) -> None:
    city = w.build()
    gift = paid(city, fake)
    asked(city, gift, 5_000)
    send_refunds(now=now())
    events = story(fake, gift)
    rng = random.Random(seed)
    told = [each for each in events for _ in range(rng.randint(1, 4))]
    rng.shuffle(told)
    for n, each in enumerate(told):
        arrive(each)
        if rng.random() < 0.3 or n == 0:
            w.work(now())
    w.work(now())
    sums = figures([city.earmark])
    assert (sums.raised, sums.refunded, sums.disputed, sums.fees) == (20_000, 5_000, 0, 440)
    assert Refund.objects.get().status == "paid" and PaymentDispute.objects.get().status == "won"
    assert sorted(Receipt.objects.values_list("amount", flat=True)) == [-5_000, 20_000]
    assert not ProviderEvent.objects.filter(processed_at=None).exists()
    check()


@pytest.mark.django_db
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_returns_heard_of_before_the_payment(fake: Fake, order: tuple[int, ...]) -> None:
    """A dashboard refund and a dispute arrive before anybody said that the payment was made."""
    city = w.build()
    gift = open_gift(city)
    ref = session(gift)
    fake.complete(ref)
    fake.refund({"payment_intent": f"pi_{ref}", "amount": "3000"}, "")
    fake.refunds["re_1"]["status"] = "succeeded"
    fake.dispute(ref, 4_000)
    events = [fake.event("checkout.session.completed", ref), fake.event("refund.updated", "re_1"),
              fake.event("charge.dispute.created", "dp_1")]  # fmt: skip
    for place in order:
        arrive(events[place])
        w.work(now())
    sums = figures([city.earmark])
    assert (sums.raised, sums.refunded, sums.disputed) == (20_000, 3_000, 4_000)
    found = Refund.objects.get()
    assert (found.source, found.status) == ("provider", "paid")
    check()


@pytest.mark.django_db
def test_lost_answer_makes_one_refund(fake: Fake) -> None:
    city = w.build()
    gift = paid(city, fake)
    asked(city, gift, 5_000)
    fake.lose_answer = True
    for minutes in (0, 3, 10):
        send_refunds(now=now() + dt.timedelta(minutes=minutes))
    assert len(fake.refunds) == 1
    fake.refunds["re_1"]["status"] = "succeeded"
    for minutes in (60, 120):
        send_refunds(now=now() + dt.timedelta(minutes=minutes))
    w.work(now())
    assert Refund.objects.get().status == "paid"
    check()


@pytest.mark.django_db
def test_key_forgotten_after_a_day_is_looked_up(fake: Fake) -> None:
    city = w.build()
    gift = paid(city, fake)
    asked(city, gift, 5_000)
    fake.lose_answer = True
    send_refunds(now=now())
    fake.keys.clear()
    send_refunds(now=now() + dt.timedelta(days=2))
    assert len(fake.refunds) == 1 and PaymentRefund.objects.get().ref == "re_1"


@pytest.mark.django_db
def test_refused_and_failed_by_the_provider(fake: Fake) -> None:
    city = w.build()
    gift = paid(city, fake)
    fake.refund({"payment_intent": f"pi_{session(gift)}", "amount": "18000"}, "")
    asked(city, gift, 5_000)
    send_refunds(now=now())
    w.work(now())
    refused = Refund.objects.get(source="donor")
    assert (refused.status, refused.answer) == ("failed", "refused")
    assert figures([city.earmark]).reserved == 0
    fake.refunds["re_1"].update(status="failed", failure_reason="expired_or_canceled_card")
    arrive(fake.event("refund.failed", "re_1"))
    w.work(now())
    assert Entry.objects.filter(kind="refund").count() == 0
    check()


@pytest.mark.django_db
def test_outage_loses_no_refund(fake: Fake) -> None:
    city = w.build()
    gift = paid(city, fake)
    asked(city, gift, 5_000)
    fake.down = True
    send_refunds(now=now())
    assert PaymentRefund.objects.get().status == "created" and not fake.refunds
    fake.down = False
    send_refunds(now=now() + dt.timedelta(minutes=3))
    assert PaymentRefund.objects.get().status == "sent" and len(fake.refunds) == 1


@pytest.mark.django_db
def test_answers_that_are_not_ours_change_nothing(fake: Fake) -> None:
    city = w.build()
    gift = paid(city, fake)
    asked(city, gift, 5_000)
    send_refunds(now=now())
    for field, wrong in (("amount", 4_999), ("currency", "usd")):
        right = fake.refunds["re_1"][field]
        fake.refunds["re_1"].update({field: wrong, "status": "succeeded"})
        arrive(fake.event("refund.updated", "re_1"))
        w.work(now())
        assert Refund.objects.get().status == "approved", field
        fake.refunds["re_1"][field] = right
    fake.dispute(session(gift), 20_001)
    arrive(fake.event("charge.dispute.created", "dp_1"))
    fake.dispute(session(gift), 1_000)["livemode"] = True
    arrive(fake.event("charge.dispute.created", "dp_2"))
    arrive(fake.event("refund.updated", "re_1", account="acct_other"))
    w.work(now())
    assert PaymentDispute.objects.count() == 0
    assert ProviderEvent.objects.filter(outcome="ignored").count() == 1, "another account's event"
    assert Refund.objects.get().status == "approved"
    check()


@pytest.mark.django_db
def test_open_disputes_are_asked_after(fake: Fake) -> None:
    city = w.build()
    gift = paid(city, fake)
    fake.dispute(session(gift), 3_000)
    arrive(fake.event("charge.dispute.created", "dp_1"))
    w.work(now())
    fake.disputes["dp_1"]["status"] = "lost"
    poll_disputes(now=now() + dt.timedelta(hours=1))
    assert PaymentDispute.objects.get().status == "open", "not yet"
    poll_disputes(now=now() + dt.timedelta(hours=7))
    w.work(now())
    assert PaymentDispute.objects.get().status == "lost"
    assert sorted(Receipt.objects.values_list("amount", flat=True)) == [-3_000, 20_000]
    check()


@pytest.mark.django_db
def test_ten_minutes_of_skew_rejects_and_alarms_and_loses_nothing(fake: Fake) -> None:
    """Our clock runs ten minutes fast: every event is refused and a person is told; once it is right, the provider's
    own list brings what was refused."""
    city = w.build()
    gifts = [open_gift(city) for _ in range(3)]
    for gift in gifts:
        fake.complete(session(gift))
    client = Client()
    with time_machine.travel(now() + dt.timedelta(minutes=10), tick=True):
        real = time.time() - 600
        for gift in gifts:
            headers, body = fake.event("checkout.session.completed", session(gift), at=real)
            answer = client.post(
                "/payments/stripe/webhook/", body, content_type="application/json",
                headers={"Stripe-Signature": headers["Stripe-Signature"]},
            )  # fmt: skip
            assert answer.status_code == 400 and answer.content == b"stale_event"
        assert ProviderEvent.objects.count() == 0
        alarm = ClockAlarm.objects.get()
        assert (alarm.provider, alarm.rejected) == ("stripe", 3) and -610 < alarm.skew < -590
        assert "时钟" in client.get(reverse("status")).content.decode()
    assert poll_events(now=now()) == 3
    w.work(now())
    assert Gift.objects.filter(status="received").count() == 3 == Receipt.objects.count()
    with time_machine.travel(now() + dt.timedelta(days=2), tick=True):
        assert "支付通知的时间" not in client.get(reverse("status")).content.decode(), (
            "an alarm ends by itself"
        )
    check()


@pytest.mark.django_db
def test_two_minutes_of_skew_are_taken_and_alarmed(fake: Fake) -> None:
    city = w.build()
    gift = open_gift(city)
    fake.complete(session(gift))
    arrive(fake.event("checkout.session.completed", session(gift), at=time.time() + 120))
    assert ProviderEvent.objects.count() == 1 and 110 < ClockAlarm.objects.get().skew < 130
    arrive(fake.event("charge.updated", session(gift), at=time.time() - 30))
    assert ClockAlarm.objects.get().skew > 110, "half a minute is no alarm"


@pytest.mark.django_db
def test_payments_of_a_removed_provider_expire(fake: Fake, settings: Any) -> None:
    city = w.build()
    gift, slow = open_gift(city), open_gift(city, "wechat_pay")
    fake.complete(session(slow), paid=False)
    arrive(fake.event("checkout.session.completed", session(slow)))
    w.work(now())
    settings.PAYMENT_PROVIDERS = ["sandbox"]
    poll_payments(now=now() + dt.timedelta(minutes=10))
    assert set(Payment.objects.values_list("status", flat=True)) == {"open", "pending"}
    poll_payments(now=now() + dt.timedelta(minutes=40))
    w.work(now())
    gift.refresh_from_db()
    assert gift.status == "expired", "the target is free again"
    assert Payment.objects.get(pk=slow.payment_id).status == "pending", "money on its way is given a week"
    poll_payments(now=now() + dt.timedelta(days=8))
    assert Payment.objects.get(pk=slow.payment_id).status == "expired"
    settings.PAYMENT_PROVIDERS = ["stripe"]
    fake.complete(session(gift))
    arrive(fake.event("checkout.session.completed", session(gift)))
    w.work(now())
    gift.refresh_from_db()
    assert (gift.status, gift.late) == ("received", "expired"), (
        "and money that comes all the same is not lost"
    )


@pytest.mark.django_db
def test_unreadable_refund_holds_up_no_other(fake: Fake) -> None:
    city = w.build()
    bad, good = paid(city, fake), paid(city, fake)
    for gift in (bad, good):
        asked(city, gift, 5_000)
        send_refunds(now=now())
    fake.refunds["re_1"]["amount"] = None
    fake.refunds["re_2"]["status"] = "succeeded"
    for ref in ("re_1", "re_2"):
        arrive(fake.event("refund.updated", ref))
    send_refunds(now=now() + dt.timedelta(minutes=5))
    process_inbox(now=now() + dt.timedelta(seconds=1))
    w.work(now() - dt.timedelta(minutes=1))
    assert sorted(Refund.objects.values_list("status", flat=True)) == ["approved", "paid"]
