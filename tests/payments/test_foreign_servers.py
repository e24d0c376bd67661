"""Refunds and disputes against servers others wrote, as far as each goes."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from apps.core.money import Money
from apps.payments import registry
from apps.payments.models import Payment
from apps.payments.operations import open_refund
from apps.payments.operations.refunding import RefundPastPayment
from apps.payments.provider import RefundRefused, RefundRequest
from charity_site.stack.ports import free_port
from charity_site.stack.processes import wait_until
from tests import world as w
from tests.payments.test_stripe import configure, mock_server, wait_for
from tests.tools import stateful_mock

__all__ = ["mock_server"]

NOW = dt.datetime.now(dt.UTC)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def to_send(**over: Any) -> RefundRequest:
    fields: dict[str, Any] = {
        "reference": "0b7d7a35-0000-4000-8000-000000000002", "key": "r1", "session_ref": "cs_1", "charge_ref": "pi_1",
        "payment_reference": "0b7d7a35-0000-4000-8000-000000000001", "amount": 5_000, "whole": 20_000,
        "currency": "CNY", "opened_at": NOW,
    }  # fmt: skip
    return RefundRequest(**fields | over)


def test_requests_are_accepted_by_stripes_own_mock(mock_server: None) -> None:
    """stripe-mock validates every request against Stripe's published OpenAPI file."""
    provider = registry.provider("stripe")
    made = provider.send_refund(to_send())
    assert made.ref and made.currency
    assert provider.fetch_refund(made.ref, to_send()) is not None
    assert provider.fetch_refund("", to_send()) is None, "it knows nothing of our reference"
    body = json.dumps(
        {"type": "refund.updated", "data": {"object": {"id": "re_1", "payment_intent": "pi_1"}}}
    ).encode()
    assert list(provider.refunds_of(body))
    dispute = provider.fetch_dispute("dp_1")
    assert dispute is not None and dispute.status in ("open", "inquiry", "won", "lost", "closed")
    assert provider.find_session("0b7d7a35-0000-4000-8000-000000000001", NOW) is None


@pytest.fixture
def localstripe(settings: Any) -> Iterator[stripe.StripeClient]:
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}/v1/customers")
        configure(settings, base)
        yield stripe.StripeClient("sk_test_123", base_addresses={"api": base})
    finally:
        child.kill()
        child.wait()
        registry.forget()


@pytest.mark.django_db
def test_localstripe_accepts_too_much_and_we_do_not(localstripe: stripe.StripeClient) -> None:
    city = w.build()
    method = localstripe.v1.payment_methods.create(
        {
            "type": "card",
            "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"},
        }  # type: ignore[typeddict-unknown-key]
    )
    intent = localstripe.v1.payment_intents.create(
        {"amount": 20_000, "currency": "cny", "payment_method": method.id, "confirm": True}
    )
    provider = registry.provider("stripe")
    sent = provider.send_refund(to_send(charge_ref=intent.id))
    again = provider.fetch_refund(sent.ref, to_send(charge_ref=intent.id))
    assert again is not None and (again.status, again.amount, again.currency) == ("succeeded", 5_000, "CNY")
    looked_up = provider.fetch_refund("", to_send(charge_ref=intent.id))
    assert looked_up is not None and looked_up.ref == sent.ref, "found by our own reference"
    too_much = provider.send_refund(to_send(charge_ref=intent.id, amount=90_000, key="r2"))
    assert too_much.amount == 90_000, (
        "this server takes over-refunds and ignores keys; so our own layers must not"
    )
    payment = Payment.objects.create(
        purpose="gift:0", provider="stripe", method="card", amount=20_000, currency="CNY", status="paid",
        charge_ref=intent.id, created_at=NOW, expires_at=NOW, paid_at=NOW,
    )  # fmt: skip
    open_refund(
        actor=city.people["manager"], payment=payment, purpose="refund:1", money=Money(15_000), now=now()
    )
    with pytest.raises(RefundPastPayment):
        open_refund(
            actor=city.people["manager"], payment=payment, purpose="refund:2", money=Money(5_001), now=now()
        )


@pytest.fixture
def stateful(settings: Any) -> Iterator[stripe.StripeClient]:
    port = free_port()
    child = subprocess.Popen([stateful_mock()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env={**os.environ, "PORT": str(port), "LOG_LEVEL": "silent"})  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}/")
        configure(settings, base)
        yield stripe.StripeClient("sk_test_123", base_addresses={"api": base})
    finally:
        child.kill()
        child.wait()
        registry.forget()


def test_stateful_mock_keeps_keys_and_refuses_too_much(stateful: stripe.StripeClient) -> None:
    """One key is one refund; what passes the charge, or stands in a dispute, is refused in the words we expect."""
    charge = stateful.v1.charges.create({"amount": 20_000, "currency": "cny", "source": "tok_visa"})
    provider = registry.provider("stripe")
    first = provider.send_refund(to_send(charge_ref=charge.id))
    assert provider.send_refund(to_send(charge_ref=charge.id)).ref == first.ref, (
        "the same key, the same refund"
    )
    found = provider.fetch_refund("", to_send(charge_ref=charge.id))
    assert found is not None and found.ref == first.ref
    with pytest.raises(RefundRefused):
        provider.send_refund(to_send(charge_ref=charge.id, amount=15_001, key="r2"))
    provider.send_refund(to_send(charge_ref=charge.id, amount=15_000, key="r3"))
    with pytest.raises(RefundRefused) as caught:
        provider.send_refund(to_send(charge_ref=charge.id, amount=1, key="r4"))
    assert caught.value.reason == "charge_already_refunded"
    body = json.dumps(
        {"data": {"object": {"id": charge.id, "object": "charge", "payment_intent": None}}}
    ).encode()
    assert sum(each.amount for each in provider.refunds_of(body)) == 20_000
    disputed = stateful.v1.charges.create({"amount": 7_000, "currency": "cny", "source": "tok_createDispute"})
    # The server opens the dispute a moment after the charge.
    assert wait_until(lambda: bool(stateful.v1.charges.retrieve(disputed.id).dispute), 30, 0.1)  # type: ignore[attr-defined]
    with pytest.raises(RefundRefused) as caught:
        provider.send_refund(to_send(charge_ref=disputed.id, amount=1, key="r5"))
    assert caught.value.reason == "charge_disputed"
    dispute = provider.fetch_dispute(str(stateful.v1.charges.retrieve(disputed.id).dispute))  # type: ignore[attr-defined]
    assert dispute is not None and dispute.status == "open"
    assert [(each.amount, each.fee) for each in dispute.movements] == [(7_000, 1_500)]
