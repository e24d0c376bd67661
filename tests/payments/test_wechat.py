"""WeChat Pay, API v3: the published protocol with keys of our own, then the whole way on a server that checks ours."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from apps.core.actors import PUBLIC, system
from apps.core.clock import SHANGHAI, civil_day
from apps.core.invariants import ordered
from apps.core.money import Money
from apps.donations import operations as donations
from apps.donations.models import Gift, Receipt
from apps.donations.operations import GiftRequest
from apps.ledger.models import Entry
from apps.ledger.queries import figures
from apps.payments import registry
from apps.payments.models import BalanceLine, ClockAlarm, Match, Payment, ProviderEvent, ProviderFact
from apps.payments.operations import poll_payments, process_inbox, reconciling, send_refunds
from apps.payments.provider import ProviderUnavailable
from tests import world as w
from tests.payments import fake_wechat as fw

READER = system("tests")


@pytest.fixture
def fake(settings: Any, wechat_files: dict[str, Any]) -> Iterator[fw.FakeWechat]:
    state, server = fw.start()
    settings.PAYMENT_PROVIDERS = ["wechatpay"]
    settings.WECHATPAY_MCHID, settings.WECHATPAY_APPID = fw.MCHID, fw.APPID
    settings.WECHATPAY_CERT_SERIAL, settings.WECHATPAY_APIV3_KEY = fw.SERIAL, fw.APIV3
    settings.WECHATPAY_PRIVATE_KEY_FILE = wechat_files["private_key_file"]
    settings.WECHATPAY_PUBLIC_KEY_FILE, settings.WECHATPAY_PUBLIC_KEY_ID = (
        wechat_files["public_key_files"],
        [fw.KEY_ID],
    )
    settings.WECHATPAY_API_BASE = state.url
    registry.forget()
    yield state
    server.shutdown()
    server.server_close()
    registry.forget()
    assert not state.refused, "a request of ours was not signed as published"


# The whole way.


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def open_gift(city: w.World, fen: int = 20_000) -> tuple[Gift, str]:
    gift = donations.open_gift(
        actor=PUBLIC, fund=city.fund, project=city.project, now=now(),
        request=GiftRequest(Money(fen), "wechat_pay", secrets.token_hex(8)),
    )  # fmt: skip
    donations.start_gift_checkout(
        actor=PUBLIC, gift=gift, return_url=f"http://testserver/gifts/{gift.token}/",
        cancel_url=f"http://testserver/projects/{city.project.slug}/give/", now=now(),
    )  # fmt: skip
    gift.refresh_from_db()
    return gift, Payment.objects.get(pk=gift.payment_id).session_ref


def arrive(signed: tuple[dict[str, str], bytes]) -> int:
    headers, body = signed
    client = Client()
    answer = client.post(
        "/payments/wechatpay/webhook/", body, content_type="application/json", headers=headers
    )
    return answer.status_code


def given(city: w.World, fake: fw.FakeWechat, fen: int = 20_000, at: float | None = None) -> tuple[Gift, str]:
    gift, number = open_gift(city, fen)
    fake.pay(number, at)
    assert arrive(fake.paid_notice(number)) == 200
    w.work(now())
    gift.refresh_from_db()
    assert gift.status == "received"
    return gift, number


def check() -> None:
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


@pytest.mark.django_db
def test_a_gift_from_its_code_to_its_receipt(fake: fw.FakeWechat) -> None:
    """The page shows the code; the notification comes twice, forged and too early; the gift is received once."""
    city = w.build(now=now())
    gift, number = open_gift(city)
    payment = Payment.objects.get(pk=gift.payment_id)
    assert number == payment.uuid.hex and fake.orders[number]["amount"]["total"] == 20_000
    assert fake.orders[number]["notify_url"] == "http://testserver/payments/wechatpay/webhook/"
    page = Client().get(payment.checkout_url)
    text = page.content.decode()
    assert page.status_code == 200 and "<svg" in text and "200.00" in text and 'http-equiv="refresh"' in text
    assert "no-store" in page["Cache-Control"] and "<script" not in text.partition("<main")[2]

    early = fake.paid_notice(number)  # signed, but the order isn't paid: what is fetched counts
    assert arrive(early) == 200
    w.work(now())
    gift.refresh_from_db()
    assert gift.status == "opened"

    fake.pay(number)
    notice = fake.paid_notice(number)
    headers, body = notice
    assert arrive((headers, body.replace(b"SUCCESS", b"FAILURE"))) == 400
    assert arrive(fake.paid_notice(number, key=fw.STRANGER)) == 400
    assert arrive(fake.paid_notice(number, apiv3="f" * 32)) == 400
    assert arrive(fake.paid_notice(number, at=now().timestamp() - 900)) == 400
    assert ClockAlarm.objects.get(provider="wechatpay").rejected == 1
    assert [arrive(each) for each in (notice, notice, fake.paid_notice(number))] == [200, 200, 200]
    w.work(now())
    gift.refresh_from_db()
    assert gift.status == "received" and Receipt.objects.count() == 1
    assert Entry.objects.filter(kind="gift").count() == 1
    assert figures([city.earmark]).raised == 20_000 and figures([city.earmark]).fees == 0
    assert Client().get(payment.checkout_url)["Location"].endswith(f"/gifts/{gift.token}/")
    assert ProviderEvent.objects.filter(provider="wechatpay").count() == 3
    check()


@pytest.mark.django_db
def test_a_notification_of_another_merchant_is_kept_and_not_acted_on(fake: fw.FakeWechat) -> None:
    city = w.build(now=now())
    _, number = open_gift(city)
    fake.pay(number)
    assert arrive(fake.notify("TRANSACTION.SUCCESS", {**fake.orders[number], "mchid": "1"})) == 200
    assert ProviderEvent.objects.get().outcome == "ignored"
    fake.orders[number]["appid"] = "wxother"
    with pytest.raises(ProviderUnavailable):
        registry.provider("wechatpay").fetch(number)


@pytest.mark.django_db
def test_a_lost_notification_is_found_by_asking(fake: fw.FakeWechat) -> None:
    city = w.build(now=now())
    gift, number = open_gift(city)
    fake.pay(number)
    poll_payments(now=now() + dt.timedelta(minutes=3))
    w.work(now())
    gift.refresh_from_db()
    assert gift.status == "received"


@pytest.mark.django_db
def test_an_unpaid_order_is_closed_when_its_time_is_over_and_frees_the_target(fake: fw.FakeWechat) -> None:
    city = w.build(now=now(), target=20_000)
    gift, number = open_gift(city)
    poll_payments(now=now() + dt.timedelta(minutes=3))
    assert fake.orders[number]["trade_state"] == "NOTPAY"
    late = now() + dt.timedelta(minutes=35)
    poll_payments(now=late)
    w.work(late)
    gift.refresh_from_db()
    assert (fake.orders[number]["trade_state"], gift.status) == ("CLOSED", "expired")
    open_gift(city)


@pytest.mark.django_db
def test_an_order_that_nobody_knows_expires_by_our_own_clock(fake: fw.FakeWechat) -> None:
    city = w.build(now=now())
    gift, number = open_gift(city)
    del fake.orders[number]
    late = now() + dt.timedelta(minutes=35)
    poll_payments(now=late)
    w.work(late)
    gift.refresh_from_db()
    assert gift.status == "expired"
    assert registry.provider("wechatpay").find_session(str(secrets.token_hex(16)), now()) is None


@pytest.mark.django_db
def test_a_provider_that_is_down_or_unsigned_loses_nothing(fake: fw.FakeWechat) -> None:
    city = w.build(now=now())
    fake.down = True
    with pytest.raises(ProviderUnavailable):
        open_gift(city)
    fake.down = False
    gift, number = open_gift(city)
    fake.pay(number)
    assert arrive(fake.paid_notice(number)) == 200
    fake.signs_with = fw.STRANGER  # an answer that WeChat didn't sign is no answer
    assert process_inbox(now=now()) == 0
    fake.signs_with = fw.PLATFORM
    assert process_inbox(now=now() + dt.timedelta(minutes=2)) == 1
    w.work(now())
    gift.refresh_from_db()
    assert gift.status == "received"


@pytest.mark.django_db
def test_a_refund_by_two_people_is_made_once_and_booked(fake: fw.FakeWechat) -> None:
    city = w.build(now=now())
    gift, _ = given(city, fake)
    fake.lose_answer = True  # made, and the answer lost: it is looked up by our number before another try
    refund = w.refund(city, gift, 5_000, now=now())
    send_refunds(now=now() + dt.timedelta(minutes=3))
    assert len(fake.refunds) == 1
    (number,) = fake.refunds
    assert refund.payment_refund and number == refund.payment_refund.uuid.hex
    w.work(now())
    refund.refresh_from_db()
    assert refund.status == "approved"
    fake.finish(number)
    notice = fake.refund_notice(number)
    assert [arrive(notice), arrive(notice)] == [200, 200]
    w.work(now())
    refund.refresh_from_db()
    assert refund.status == "paid" and Entry.objects.filter(kind="refund").count() == 1
    assert figures([city.earmark]).refunded == 5_000
    check()


@pytest.mark.django_db
def test_what_wechat_says_of_a_refund(fake: fw.FakeWechat) -> None:
    """No money for it: asked again. Refused: by bank. Abnormal: waits for WeChat's own desk. Closed: it failed."""
    city = w.build(now=now())
    gift, _ = given(city, fake)
    fake.refuses_refunds = "NOT_ENOUGH"
    refund = w.refund(city, gift, 5_000, now=now())
    assert refund.status == "approved" and not fake.refunds
    fake.refuses_refunds = ""
    send_refunds(now=now() + dt.timedelta(minutes=5))
    (number,) = fake.refunds
    fake.finish(number, "ABNORMAL")
    arrive(fake.refund_notice(number, "REFUND.ABNORMAL"))
    w.work(now())
    refund.refresh_from_db()
    assert refund.status == "approved"
    fake.finish(number, "CLOSED")
    arrive(fake.refund_notice(number, "REFUND.CLOSED"))
    w.work(now())
    refund.refresh_from_db()
    assert refund.status == "failed" and figures([city.earmark]).refunded == 0
    fake.refuses_refunds = "USER_ACCOUNT_ABNORMAL"
    another, _ = given(city, fake, 10_000)
    other = w.refund(city, another, 1_000, now=now())
    w.work(now())
    other.refresh_from_db()
    assert other.status == "failed"
    check()


# Bills.


@pytest.mark.django_db
def test_the_bill_brings_fees_refunds_and_payouts_and_everything_matches(fake: fw.FakeWechat) -> None:
    city = w.build(now=now())
    gift, number = given(city, fake)
    refund = w.refund(city, gift, 5_000, now=now())
    (back,) = fake.refunds.values()
    fake.finish(back["out_refund_no"])
    arrive(fake.refund_notice(back["out_refund_no"]))
    w.work(now())
    refund.refresh_from_db()
    assert refund.status == "paid"
    day, at = civil_day(now()), now()
    rows = [
        fw.trade_row(fake.orders[number], at, "1.20000"),
        fw.trade_row(fake.orders[number], at, "0.00000", back),
    ]
    fake.bills["tradebill", day.isoformat()] = fw.bill(
        fw.TRADE_HEADER, rows, fw.TRADE_SUMS, ["2", "200.00", "50.00", "0.00", "1.20000", "200.00", "50.00"]
    )
    moved = f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    flows = [[moved, "1", "11", "交易", "交易", "收入", "200.00", "200.00", "system", "", "x"],
             [moved, "1", "12", "扣除交易手续费", "扣除交易手续费", "支出", "1.20", "198.80", "system", "", "x"],
             [moved, "2", "13", "退款", "退款", "支出", "50.00", "148.80", "system", "", "x"],
             [moved, "3", "14", "提现", "提现", "支出", "100.00", "48.80", "system", "", "x"]]  # fmt: skip
    fake.bills["fundflowbill", day.isoformat()] = fw.bill(
        fw.FLOW_HEADER, flows, fw.FLOW_SUMS, ["4", "1", "200.00", "3", "151.20"]
    )
    reconciling.read_balances(actor=READER, now=now())
    assert BalanceLine.objects.count() == 0  # today's bill is made tomorrow
    tomorrow = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(10, 30), SHANGHAI)
    for _ in range(2):
        reconciling.read_balances(actor=READER, now=tomorrow)
        w.work(tomorrow)
    fee = ProviderFact.objects.get(kind="fee")
    assert (fee.amount, fee.fact_ref, fee.payment_id) == (
        120,
        fake.orders[number]["transaction_id"],
        gift.payment_id,
    )
    assert figures([city.earmark]).fees == 120
    assert Entry.objects.filter(idempotency_key="payout:wechatpay:14").count() == 1
    lines = BalanceLine.objects.filter(provider="wechatpay")
    assert sorted(lines.values_list("kind", "part", "amount")) == [
        ("charge", "fee", -120), ("charge", "gross", 20_000), ("payout", "gross", -10_000), ("refund", "gross", -5_000)
    ]  # fmt: skip
    assert Match.objects.filter(balance_line__in=lines).count() == 4
    calls = len(fake.calls)
    reconciling.read_balances(actor=READER, now=tomorrow)
    assert len(fake.calls) == calls  # a bill that is made is asked for once
    check()


@pytest.mark.django_db
def test_a_bill_that_was_changed_on_its_way_is_not_taken(fake: fw.FakeWechat) -> None:
    w.build(now=now())
    day = civil_day(now()) - dt.timedelta(days=2)
    fake.bills["tradebill", day.isoformat()] = fw.bill(
        fw.TRADE_HEADER, [], fw.TRADE_SUMS, ["0"] + ["0.00"] * 6
    )
    way = registry.provider("wechatpay")
    fake.spoils_bills = True
    with pytest.raises(ProviderUnavailable):
        list(way.balance_lines(now() - dt.timedelta(days=3), now()))
    fake.spoils_bills = False
    assert list(way.balance_lines(now() - dt.timedelta(days=3), now())) == []


def test_it_stands_beside_other_providers(fake: fw.FakeWechat, settings: Any) -> None:
    settings.PAYMENT_PROVIDERS = ["wechatpay", "sandbox"]
    assert registry.offered_methods() == {"wechat_pay": "wechatpay", "alipay": "sandbox", "card": "sandbox"}
    settings.PAYMENT_PROVIDERS = ["sandbox", "wechatpay"]
    assert registry.offered_methods()["wechat_pay"] == "sandbox"
    assert registry.provider("wechatpay").refund_days("wechat_pay") == 180
    assert registry.provider("wechatpay").disputes_of(b"{}") == []
    assert json.loads("[]") == registry.provider("wechatpay").recent_events(now())
