"""月捐: a monthly gift's life at the test cashier, each month a gift, whatever the events do (G1, G6)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client

from apps.core import clock
from apps.core.actors import PUBLIC
from apps.core.errors import DomainError
from apps.core.invariants import ordered
from apps.core.money import Money
from apps.donations.models import Gift, MonthlyGift
from apps.donations.operations import (
    GiftRequest,
    change_monthly_gift,
    open_monthly_gift,
    start_monthly_checkout,
)
from apps.funds.operations import close_raising
from apps.payments.models import FailedCharge, Payment, SandboxSubscription, Subscription, SubscriptionOrder
from apps.payments.operations import poll_subscriptions, receive_event, send_orders
from apps.payments.provider import ProviderUnavailable
from apps.payments.providers import sandbox_monthly
from apps.payments.providers.sandbox import SandboxProvider, make_event
from apps.tracing.queries import trace_gift
from tests import world as w


@pytest.fixture
def city(db: None) -> w.World:
    return w.build()


def promise(city: w.World, fen: int = 5_000, *, key: str = "k", **typed: str) -> MonthlyGift:
    request = GiftRequest(Money(fen), "card", key, email="donor@example.org", **typed)
    gift = open_monthly_gift(actor=PUBLIC, request=request, fund=city.fund, project=city.project, now=w.NOW)
    start_monthly_checkout(actor=PUBLIC, gift=gift, return_url="/x/", cancel_url="/", now=w.NOW)
    return gift


def order_of(gift: MonthlyGift) -> SandboxSubscription:
    gift.refresh_from_db()
    return SandboxSubscription.objects.get(reference=str(gift.subscription.uuid))  # type: ignore[union-attr]


def play(gift: MonthlyGift, action: str, now: dt.datetime = w.NOW, copies: int = 1) -> None:
    for kind in sandbox_monthly.play(order_of(gift), action, now):
        headers, body = make_event(order_of(gift), kind, now)
        for _ in range(copies):
            receive_event(provider_name="sandbox", headers=headers, body=body, now=now)
    w.work(now)
    gift.refresh_from_db()


def begun(city: w.World, **typed: str) -> MonthlyGift:
    gift = promise(city, **typed)
    play(gift, "subscribe", copies=3)
    return gift


def check() -> None:
    for each in ordered():
        if each.number <= 4:
            assert not each.check().broken, each.name


def test_each_month_is_one_gift_with_its_receipt_and_trace(city: w.World) -> None:
    gift = begun(city, payer="石桥织布厂", shown_as="alias", shown_name="山里的风")
    assert gift.status == "active"
    first = Gift.objects.get()
    assert (first.amount, first.status, first.monthly_id, first.earmark_id) == (
        5_000,
        "received",
        gift.pk,
        city.earmark,
    )
    assert (first.payer, first.shown_name) == ("石桥织布厂", "山里的风")
    assert first.receipt.amount == 5_000 and trace_gift(first).fee == 30
    for n in range(2):
        play(gift, "next", w.NOW + dt.timedelta(days=31 * (n + 1)), copies=2)
    assert Gift.objects.count() == Payment.objects.filter(subscription=gift.subscription).count() == 3
    subjects = [m.subject for m in mail.outbox]
    assert len(subjects) == 4 and sum("月捐开始了" in each for each in subjects) == 1, (
        "one mail a month, one at the start"
    )
    check()


def test_a_month_goes_to_the_fund_when_its_project_takes_no_more(city: w.World) -> None:
    gift = begun(city)
    close_raising(actor=city.people["officer"], project=city.project, now=w.NOW)
    play(gift, "next")
    newest = Gift.objects.order_by("-id")[0]
    assert newest.project is None and newest.earmark_id == city.general and not newest.late
    check()


def test_a_month_that_would_pass_the_target_goes_to_the_fund(city: w.World) -> None:
    city.project = w.make_project(city, slug="small", target=12_000)
    gift = begun(city)
    play(gift, "next")
    play(gift, "next")
    assert [each.project_id for each in Gift.objects.order_by("id")] == [
        city.project.pk,
        city.project.pk,
        None,
    ]


def test_a_failing_card_is_told_four_times_then_it_ends(city: w.World) -> None:
    gift = begun(city)
    play(gift, "card_fails")
    mail.outbox.clear()
    at = w.NOW
    for days in (31, 3, 5, 7):
        at += dt.timedelta(days=days)
        play(gift, "next", at, copies=2)
        play(gift, "card_fails", at)
    assert gift.status == "ended"
    assert list(FailedCharge.objects.order_by("id").values_list("attempt", "last")) == [
        (1, False), (2, False), (3, False), (4, True),
    ]  # fmt: skip
    told = [m.subject for m in mail.outbox]
    assert sum("没有扣成" in each for each in told) == 4 and sum("已停止" in each for each in told) == 1
    assert Gift.objects.count() == 1
    with pytest.raises(DomainError) as refused:
        change_monthly_gift(actor=PUBLIC, gift=gift, kind="resume", now=at)
    assert refused.value.code == "subscription_over"


def test_a_card_that_works_again_collects_the_same_month_once(city: w.World) -> None:
    gift = begun(city)
    play(gift, "card_fails")
    play(gift, "next")
    assert gift.status == "past_due"
    play(gift, "card_works")
    play(gift, "next")
    assert gift.status == "active" and Gift.objects.count() == 2
    check()


def test_amount_pause_and_stop(city: w.World) -> None:
    gift = begun(city)
    change_monthly_gift(actor=PUBLIC, gift=gift, kind="amount", money=Money(8_000), now=w.NOW)
    w.work()
    play(gift, "next")
    assert gift.amount == 8_000 and Gift.objects.order_by("-id")[0].amount == 8_000
    for kind, status in (("pause", "paused"), ("resume", "active"), ("stop", "ended")):
        change_monthly_gift(actor=PUBLIC, gift=gift, kind=kind, now=w.NOW)
        w.work()
        gift.refresh_from_db()
        assert gift.status == status
    play(gift, "next")
    assert Gift.objects.count() == 2, "nothing is collected after the stop"
    with pytest.raises(DomainError):
        change_monthly_gift(actor=PUBLIC, gift=gift, kind="amount", money=Money(1), now=w.NOW)


def test_a_provider_that_does_not_answer_is_asked_again(
    city: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gift = begun(city)

    def down(*_args: object) -> None:
        raise ProviderUnavailable()

    with monkeypatch.context() as patch:
        patch.setattr(SandboxProvider, "change_subscription", down)
        change_monthly_gift(actor=PUBLIC, gift=gift, kind="stop", now=w.NOW)
    order = SubscriptionOrder.objects.get()
    assert order.status == "waiting" and order.due_at > w.NOW
    with pytest.raises(DomainError) as refused:
        change_monthly_gift(actor=PUBLIC, gift=gift, kind="pause", now=w.NOW)
    assert refused.value.code == "order_waits"
    assert send_orders(now=order.due_at) == 1
    w.work()
    gift.refresh_from_db()
    assert gift.status == "ended" and order_of(gift).status == "ended"


def test_lost_events_are_found_by_asking(city: w.World) -> None:
    gift = promise(city)
    sandbox_monthly.play(order_of(gift), "subscribe", w.NOW)
    assert poll_subscriptions(now=w.NOW + dt.timedelta(minutes=3)) == 1
    w.work()
    gift.refresh_from_db()
    assert gift.status == "active" and Gift.objects.count() == 1
    assert poll_subscriptions(now=w.NOW + dt.timedelta(minutes=4)) == 0, "asked after a while only"


def test_a_page_that_was_left_expires(city: w.World) -> None:
    gift = promise(city)
    poll_subscriptions(now=w.NOW + dt.timedelta(minutes=40))
    w.work()
    gift.refresh_from_db()
    assert gift.status == "failed" and not Gift.objects.exists()


def test_a_month_is_refunded_like_any_gift(city: w.World) -> None:
    begun(city)
    month = Gift.objects.get()
    asked = w.refund(city, month, 4_000)
    w.act(month, "refund_succeed")
    w.work()
    asked.refresh_from_db()
    assert asked.status == "paid"
    check()


def test_the_clock_collects_at_the_test_cashier(city: w.World) -> None:
    gift = begun(city)
    due = order_of(gift).next_at
    assert due is not None and dt.timedelta(27) < due - w.NOW < dt.timedelta(32)
    assert sandbox_monthly.advance(due - dt.timedelta(seconds=1)) == []
    assert len(sandbox_monthly.advance(due)) == 1 and sandbox_monthly.advance(due) == []


@pytest.mark.parametrize(
    ("model", "change"),
    [(Subscription, {"amount": 0}), (Subscription, {"status": "ended"}), (MonthlyGift, {"email": ""}),
     (MonthlyGift, {"shown_name": "x"}), (MonthlyGift, {"amount": 0})],
)  # fmt: skip
def test_rules_of_the_rows(city: w.World, model: type, change: dict[str, object]) -> None:
    begun(city)
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**change)  # type: ignore[attr-defined]


FORM = {"preset": "5000", "method": "wechat_pay", "frequency": "monthly", "shown_as": "anonymous", "key": "k" * 20,
        "email": "donor@example.org"}  # fmt: skip


def test_the_donors_own_page(city: w.World, client: Client) -> None:
    give = f"/projects/{city.project.slug}/give/"
    refused = client.post(give, {**FORM, "email": ""})
    assert refused.status_code == 422 and "月捐要填邮箱" in refused.content.decode()
    answer = client.post(give, FORM)
    assert answer.status_code == 302 and "/payments/sandbox/monthly/" in answer["Location"]
    assert client.post(give, FORM)["Location"] == answer["Location"], "a double click is one standing order"
    client.post(answer["Location"], {"action": "subscribe"})
    w.work(clock.now())
    gift = MonthlyGift.objects.get()
    path = f"/monthly/{gift.token}/"
    page = client.get(path).content.decode()
    assert "每月¥50.00" in page and Gift.objects.get().token in page
    assert client.post(path, {"act": "amount", "amount": "abc"}).status_code == 422
    assert client.post(path, {"act": "amount", "amount": "0.5"}).status_code == 422
    assert client.post(path, {"act": "amount", "amount": "88"}).status_code == 302
    assert client.post(path, {"act": "stop"}).status_code == 302
    w.work(clock.now())
    assert "已停止" in client.get(path).content.decode()
    assert client.get(f"/monthly/{'x' * 43}/").status_code == 404
    assert client.post(path, {"act": "resume"}).status_code == 302
    assert "已经停止，不能再改" in client.get(path).content.decode()
