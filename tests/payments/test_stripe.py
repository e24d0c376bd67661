"""The card provider's adapter against servers others wrote, and against a fake for what those lack."""

from __future__ import annotations

import datetime as dt
import json
import queue
import secrets
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import stripe

from apps.core.actors import PUBLIC
from apps.core.money import Money
from apps.donations import operations as donations
from apps.donations.models import Gift, Receipt
from apps.donations.operations import GiftRequest
from apps.ledger.models import Entry
from apps.ledger.queries import figures
from apps.payments import registry
from apps.payments.models import Payment, ProviderEvent
from apps.payments.operations import poll_events, poll_payments, process_inbox, receive_event
from apps.payments.provider import BadSignature, CheckoutRequest, ProviderUnavailable, Snapshot, StaleEvent
from charity_site.stack.ports import free_port
from tests import world as w
from tests.payments import fake_stripe
from tests.tools import stripe_mock


def configure(settings: Any, url: str) -> None:
    settings.PAYMENT_PROVIDERS = ["stripe"]
    settings.STRIPE_API_KEY = "sk_test_123"
    settings.STRIPE_API_BASE = url
    settings.STRIPE_WEBHOOK_SECRET = fake_stripe.SECRET
    registry.forget()


@pytest.fixture
def fake(settings: Any) -> Iterator[fake_stripe.FakeStripe]:
    state, server = fake_stripe.start()
    configure(settings, state.url)
    yield state
    server.shutdown()
    server.server_close()
    registry.forget()


def request(**over: Any) -> CheckoutRequest:
    fields: dict[str, Any] = {
        "reference": "0b7d7a35-0000-4000-8000-000000000001", "key": "k", "amount": 20_000, "currency": "CNY",
        "method": "card", "description": "石桥镇危房修缮", "return_url": "http://localhost/gifts/x/",
        "cancel_url": "http://localhost/", "email": "a@example.org",
        "expires_at": dt.datetime.now(dt.UTC) + dt.timedelta(minutes=31),
    }  # fmt: skip
    return CheckoutRequest(**fields | over)


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


@pytest.fixture
def mock_server(settings: Any) -> Iterator[None]:
    port = free_port()
    child = subprocess.Popen([stripe_mock(), "-http-port", str(port)], stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/v1/balance")
        configure(settings, f"http://127.0.0.1:{port}")
        yield
    finally:
        child.kill()
        child.wait()
        registry.forget()


@pytest.mark.parametrize("method", ["card", "alipay", "wechat_pay"])
def test_requests_are_accepted_by_stripes_own_mock(mock_server: None, method: str) -> None:
    """stripe-mock validates every request against Stripe's published OpenAPI file."""
    provider = registry.provider("stripe")
    checkout = provider.open_checkout(request(method=method))
    assert checkout.ref
    snapshot = provider.fetch(checkout.ref)
    assert snapshot.session_ref and snapshot.fees[0].currency == "USD"
    assert isinstance(list(provider.recent_events(dt.datetime.now(dt.UTC)))[:1], list)
    body = json.dumps(
        {"type": "charge.updated", "data": {"object": {"id": "ch_1", "payment_intent": "pi_1"}}}
    ).encode()
    assert provider.session_of(body)


def open_gift(city: w.World, method: str = "card") -> Gift:
    now = dt.datetime.now(dt.UTC)
    gift = donations.open_gift(
        actor=PUBLIC, fund=city.fund, project=city.project, now=now,
        request=GiftRequest(Money(20_000), method, secrets.token_hex(8)),
    )  # fmt: skip
    donations.start_gift_checkout(
        actor=PUBLIC, gift=gift, return_url="http://localhost/x", cancel_url="/", now=now
    )
    gift.refresh_from_db()
    return gift


def arrive(signed: tuple[dict[str, str], bytes]) -> None:
    headers, body = signed
    receive_event(provider_name="stripe", headers=headers, body=body, now=dt.datetime.now(dt.UTC))


def session(gift: Gift) -> str:
    assert gift.payment is not None
    return Payment.objects.get(pk=gift.payment.pk).session_ref


@pytest.mark.django_db
def test_paid_session_becomes_one_gift_with_its_fee(fake: fake_stripe.FakeStripe) -> None:
    city = w.build()
    gift = open_gift(city)
    fake.complete(session(gift))
    first = fake.event("checkout.session.completed", session(gift))
    charge = fake.event("charge.updated", session(gift))
    for signed in (charge, first, first, charge):
        arrive(signed)
    w.work(dt.datetime.now(dt.UTC))
    gift.refresh_from_db()
    assert gift.status == "received"
    assert Entry.objects.filter(kind="gift").count() == Entry.objects.filter(kind="fee").count() == 1
    assert figures([city.earmark]).fees == 440
    assert Receipt.objects.count() == 1


@pytest.mark.django_db
def test_delayed_method_stays_pending_until_paid(fake: fake_stripe.FakeStripe) -> None:
    city = w.build()
    gift = open_gift(city, "wechat_pay")
    fake.complete(session(gift), paid=False)
    arrive(fake.event("checkout.session.completed", session(gift)))
    w.work(dt.datetime.now(dt.UTC))
    assert Payment.objects.get().status == "pending"
    assert Entry.objects.count() == 0
    fake.complete(session(gift))
    arrive(fake.event("checkout.session.async_payment_succeeded", session(gift)))
    w.work(dt.datetime.now(dt.UTC))
    gift.refresh_from_db()
    assert (gift.status, gift.late) == ("received", "")


@pytest.mark.django_db
def test_event_alone_is_never_believed(fake: fake_stripe.FakeStripe) -> None:
    """The event says paid, the fetched session doesn't: nothing is posted."""
    city = w.build()
    gift = open_gift(city)
    arrive(fake.event("checkout.session.completed", session(gift)))
    w.work(dt.datetime.now(dt.UTC))
    gift.refresh_from_db()
    assert gift.status == "opened" and Entry.objects.count() == 0
    fake.complete(session(gift))
    fake.sessions[session(gift)]["amount_total"] = 1
    arrive(fake.event("checkout.session.completed", session(gift)))
    w.work(dt.datetime.now(dt.UTC))
    assert Entry.objects.count() == 0, "another amount is not our payment"


@pytest.mark.django_db
def test_forged_stale_and_foreign_events(fake: fake_stripe.FakeStripe) -> None:
    city = w.build()
    gift = open_gift(city)
    fake.complete(session(gift))
    now = dt.datetime.now(dt.UTC)
    headers, body = fake.event("checkout.session.completed", session(gift))
    forged = [({"Stripe-Signature": "t=1,v1=00"}, body), ({}, body), (headers, body + b" "),
              fake_stripe.sign(body, int(time.time()), "whsec_other"), ({"Stripe-Signature": "t=x"}, body)]  # fmt: skip
    for bad_headers, bad_body in forged:
        with pytest.raises(BadSignature):
            receive_event(provider_name="stripe", headers=bad_headers, body=bad_body, now=now)
    for away in (-700, 700):
        old = fake.event("checkout.session.completed", session(gift), at=time.time() + away)
        with pytest.raises(StaleEvent):
            receive_event(provider_name="stripe", headers=old[0], body=old[1], now=now)
    with pytest.raises(BadSignature):
        signed = fake_stripe.sign(b"[1]", int(time.time()))
        receive_event(provider_name="stripe", headers=signed[0], body=signed[1], now=now)
    live = fake.event("checkout.session.completed", session(gift), livemode=True)
    arrive(live)
    w.work(dt.datetime.now(dt.UTC))
    assert ProviderEvent.objects.get().outcome == "ignored"
    gift.refresh_from_db()
    assert gift.status == "opened"


@pytest.mark.django_db
def test_provider_down_loses_nothing(fake: fake_stripe.FakeStripe) -> None:
    city = w.build()
    gift = open_gift(city)
    fake.complete(session(gift))
    arrive(fake.event("checkout.session.completed", session(gift)))
    fake.down = True
    now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    process_inbox(now=now)
    assert ProviderEvent.objects.filter(processed_at=None).count() == 1
    with pytest.raises(ProviderUnavailable):
        open_gift(city)
    fake.down = False
    process_inbox(now=now + dt.timedelta(minutes=2))
    w.work(dt.datetime.now(dt.UTC))
    gift.refresh_from_db()
    assert gift.status == "received"


@pytest.mark.django_db
def test_pollers_close_gaps(fake: fake_stripe.FakeStripe) -> None:
    """No event came at all; or it was never delivered; or we crashed before the session's id was stored."""
    city = w.build()
    silent, lost = open_gift(city), open_gift(city)
    fake.complete(session(silent))
    Payment.objects.filter(pk=silent.payment_id).update(session_ref="", status="created")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    poll_payments(now=later)
    fake.complete(session(lost))
    fake.event("checkout.session.completed", session(lost))
    assert poll_events(now=dt.datetime.now(dt.UTC)) == 1
    assert poll_events(now=dt.datetime.now(dt.UTC)) == 0
    w.work(dt.datetime.now(dt.UTC))
    assert set(Gift.objects.values_list("status", flat=True)) == {"received"}
    assert len(fake.sessions) == 2


@pytest.mark.django_db
def test_one_key_opens_one_session(fake: fake_stripe.FakeStripe) -> None:
    provider = registry.provider("stripe")
    assert provider.open_checkout(request()).ref == provider.open_checkout(request()).ref
    assert len(fake.sessions) == 1


def test_signed_events_of_a_stateful_server_others_wrote(settings: Any) -> None:
    """localstripe takes a payment and a refund and signs its own events; our verifier accepts them,
    changed ones not."""
    received: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()

    class Hook(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_POST(self) -> None:
            received.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

    hook = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}/v1/customers")
        configure(settings, base)
        form = f"url=http://127.0.0.1:{hook.server_address[1]}/&secret={fake_stripe.SECRET}".encode()
        urllib.request.urlopen(f"{base}/_config/webhooks/tests", data=form)
        client = stripe.StripeClient("sk_test_123", base_addresses={"api": base})
        method = client.v1.payment_methods.create(
            {
                "type": "card",
                "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"},
            }  # type: ignore[typeddict-unknown-key]
        )
        intent = client.v1.payment_intents.create(
            {"amount": 20_000, "currency": "cny", "payment_method": method.id, "confirm": True}
        )
        assert intent.status == "succeeded"
        refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 5_000})
        assert refund.status == "succeeded"
        headers, body = received.get(timeout=15)
        event = registry.provider("stripe").read_event(headers, body, dt.datetime.now(dt.UTC))
        assert event.ref.startswith("evt_")
        with pytest.raises(BadSignature):
            registry.provider("stripe").read_event(
                headers, body.replace(b"20000", b"20001") + b" ", dt.datetime.now(dt.UTC)
            )
    finally:
        child.kill()
        child.wait()
        hook.shutdown()
        registry.forget()


@pytest.mark.django_db
def test_one_unreadable_event_holds_up_no_other(
    fake: fake_stripe.FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = w.build()
    bad, good = open_gift(city), open_gift(city)
    for gift in (bad, good):
        fake.complete(session(gift))
        arrive(fake.event("checkout.session.completed", session(gift)))
    provider, poisoned = registry.provider("stripe"), session(bad)
    real = provider.fetch

    def fetch(ref: str) -> Snapshot:
        if ref == poisoned:
            raise KeyError("a shape nobody has seen")
        return real(ref)

    monkeypatch.setattr(provider, "fetch", fetch)
    process_inbox(now=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))
    assert set(Payment.objects.values_list("status", flat=True)) == {"open", "paid"}
    assert ProviderEvent.objects.get(processed_at=None).attempts == 1
