"""Standing orders at the card provider: requests that its own mock accepts, and a month's life on a small fake.

The fake's shapes are those of the published API since 2025-03-31 (an invoice's `parent` and `payments`).
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.core.actors import PUBLIC
from apps.core.money import Money
from apps.donations.models import Gift, MonthlyGift
from apps.donations.operations import (
    GiftRequest,
    change_monthly_gift,
    open_monthly_gift,
    start_monthly_checkout,
)
from apps.payments import registry
from apps.payments.models import FailedCharge
from apps.payments.operations import process_inbox, receive_event
from apps.payments.provider import MonthlyProvider, MonthlyRequest
from apps.payments.states import OrderKind
from tests import world as w
from tests.payments.fake_stripe import sign
from tests.payments.test_stripe import configure, mock_server

__all__ = ["mock_server"]


def monthly() -> MonthlyProvider:
    found = registry.monthly_provider_of("stripe")
    assert isinstance(found, MonthlyProvider)
    return found


def test_requests_are_accepted_by_stripes_own_mock(mock_server: None) -> None:
    now = dt.datetime.now(dt.UTC)
    checkout = monthly().open_monthly(
        MonthlyRequest("6f1c6d6c-0000-4000-8000-000000000000", "k", 5_000, "CNY", "项目", "http://localhost/x",
                       "http://localhost/", now + dt.timedelta(minutes=31), "a@example.org")
    )  # fmt: skip
    assert checkout.ref
    found = monthly().fetch_subscription("sub_1", "", now)
    assert found is not None and found.currency == "USD"
    assert monthly().fetch_subscription("", "nobody", now) is None
    for kind, amount in ((OrderKind.AMOUNT, 8_000), (OrderKind.PAUSE, None), (OrderKind.RESUME, None),
                         (OrderKind.STOP, None)):  # fmt: skip
        monthly().change_subscription("sub_1", kind, amount, "CNY", f"key-{kind}")


class Fake:
    """One subscription and its invoices."""

    def __init__(self) -> None:
        self.url, self.reference, self.status, self.amount = "", "", "active", 5_000
        self.paused: dict[str, str] | None = None
        self.invoices: list[dict[str, Any]] = []
        self.keys: list[str] = []

    def subscription(self) -> dict[str, Any]:
        price = {"id": "price_1", "unit_amount": self.amount, "currency": "cny", "product": "prod_1"}
        until = int(time.time()) + 2_600_000
        item = {"id": "si_1", "object": "subscription_item", "current_period_end": until, "price": price}
        return {"id": "sub_1", "object": "subscription", "status": self.status, "pause_collection": self.paused,
                "metadata": {"subscription": self.reference}, "items": {"object": "list", "data": [item]}}  # fmt: skip

    def invoice(self, status: str, *, attempt: int = 1, again: int | None = None) -> dict[str, Any]:
        n = len(self.invoices) + 1
        return {
            "id": f"in_{n}", "object": "invoice", "status": status, "currency": "cny", "amount_due": self.amount,
            "amount_paid": self.amount if status == "paid" else 0, "attempt_count": attempt,
            "created": int(time.time()),
            "next_payment_attempt": again, "status_transitions": {"paid_at": int(time.time())},
            "parent": {"subscription_details": {"subscription": "sub_1"}},
            "payments": {"object": "list", "data": [
                {"status": status, "payment": {"type": "payment_intent", "payment_intent": f"pi_{n}"}}]},
        }  # fmt: skip

    def answer(self, method: str, path: str, form: dict[str, str]) -> tuple[dict[str, Any], int]:
        if path == "/v1/checkout/sessions":
            self.reference = form["client_reference_id"]
            return {"id": "cs_sub", "object": "checkout.session", "url": "https://pay.example/x",
                    "expires_at": int(time.time()) + 1800}, 200  # fmt: skip
        if path == "/v1/invoices":
            return {"object": "list", "data": self.invoices[::-1], "has_more": False, "url": path}, 200
        if path.startswith("/v1/payment_intents/"):
            n = path.rsplit("_", 1)[1]
            balance = {"id": f"txn_{n}", "object": "balance_transaction", "fee": 110, "currency": "cny",
                       "created": int(time.time())}  # fmt: skip
            charge = {"id": f"ch_{n}", "object": "charge", "balance_transaction": balance}
            return {"id": f"pi_{n}", "object": "payment_intent", "latest_charge": charge}, 200
        if method == "DELETE":
            self.status = "canceled"
        elif method == "POST" and self.status == "canceled":
            return {"error": {"type": "invalid_request_error", "message": "canceled"}}, 400
        elif "pause_collection[behavior]" in form:
            self.paused = {"behavior": form["pause_collection[behavior]"]}
        elif "pause_collection" in form:
            self.paused = None
        elif "items[0][price_data][unit_amount]" in form:
            self.amount = int(form["items[0][price_data][unit_amount]"])
        return self.subscription(), 200


@pytest.fixture
def fake(settings: Any) -> Iterator[Fake]:
    made = Fake()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = {
                k: v[0] for k, v in parse_qs(self.rfile.read(length).decode(), keep_blank_values=True).items()
            }
            made.keys.append(self.headers.get("Idempotency-Key", ""))
            body, status = made.answer(self.command, urlsplit(self.path).path, form)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _do

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    configure(settings, f"http://127.0.0.1:{server.server_address[1]}")
    yield made
    server.shutdown()
    server.server_close()
    registry.forget()


def arrive(kind: str, thing: dict[str, Any], ref: str) -> None:
    event = {"id": ref, "object": "event", "type": kind, "created": int(time.time()), "livemode": False,
             "data": {"object": thing}}  # fmt: skip
    headers, body = sign(json.dumps(event).encode(), int(time.time()))
    for _ in range(2):
        receive_event(provider_name="stripe", headers=headers, body=body, now=dt.datetime.now(dt.UTC))


def work() -> None:
    process_inbox(now=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))
    w.work(dt.datetime.now(dt.UTC))


@pytest.mark.django_db
def test_a_standing_orders_life(fake: Fake) -> None:
    city, now = w.build(now=dt.datetime.now(w.SHANGHAI)), dt.datetime.now(dt.UTC)
    request = GiftRequest(Money(5_000), "card", "k", email="donor@example.org")
    gift = open_monthly_gift(actor=PUBLIC, request=request, fund=city.fund, project=city.project, now=now)
    start_monthly_checkout(actor=PUBLIC, gift=gift, return_url="http://x/", cancel_url="http://x/", now=now)
    fake.invoices.append(fake.invoice("paid"))
    session = {"id": "cs_sub", "object": "checkout.session", "mode": "subscription", "subscription": "sub_1"}
    arrive("invoice.paid", fake.invoices[0], "evt_2")
    arrive("checkout.session.completed", session, "evt_1")
    work()
    gift.refresh_from_db()
    month = Gift.objects.select_related("payment").get()
    assert gift.status == "active" and month.status == "received" and month.payment is not None
    assert (month.payment.session_ref, month.payment.charge_ref) == ("in_1", "pi_1")
    assert list(month.payment.facts.order_by("kind").values_list("kind", "amount")) == [
        ("fee", 110),
        ("settled", 5_000),
    ]
    fake.status = "past_due"
    fake.invoices.append(fake.invoice("open", attempt=2, again=int(time.time()) + 86_400))
    arrive("invoice.payment_failed", fake.invoices[1], "evt_3")
    work()
    gift.refresh_from_db()
    assert gift.status == "past_due" and FailedCharge.objects.get().attempt == 2
    fake.status = "active"
    fake.invoices[1] = {**fake.invoice("paid"), "id": "in_2"}
    arrive("customer.subscription.updated", fake.subscription(), "evt_4")
    work()
    assert Gift.objects.count() == 2
    for kind, status in (("amount", "active"), ("pause", "paused"), ("resume", "active"), ("stop", "ended")):
        money = Money(9_000) if kind == "amount" else None
        change_monthly_gift(actor=PUBLIC, gift=gift, kind=kind, money=money, now=dt.datetime.now(dt.UTC))
        work()
        gift.refresh_from_db()
        assert (kind, gift.status) == (kind, status)
    assert MonthlyGift.objects.get().amount == 9_000
    assert len({key for key in fake.keys if key.startswith("order-")}) == 4
