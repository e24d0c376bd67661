"""Stripe's balance transactions and payouts: shapes of the published API, page by page, and what becomes of them."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.core.actors import PUBLIC, system
from apps.core.invariants import ordered
from apps.core.money import Money
from apps.donations import operations as donations
from apps.donations.operations import GiftRequest
from apps.ledger.models import Entry
from apps.payments import registry
from apps.payments.models import BalanceLine, Difference, Match, Payment, Payout
from apps.payments.operations import process_inbox, receive_event, reconciling
from apps.payments.provider import ProviderUnavailable
from tests import world as w
from tests.payments import fake_stripe
from tests.payments.test_stripe import configure, mock_server  # noqa: F401

NOW = dt.datetime.now(dt.UTC)
LATER = NOW + dt.timedelta(hours=1)


class Lists:
    """The two lists a balance consists of, two rows a page."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {"/v1/balance_transactions": [], "/v1/payouts": []}
        self.down = False
        self.asked: list[str] = []

    def transaction(self, ref: str, category: str, amount: int, fee: int, source: Any, **over: Any) -> None:
        self.rows["/v1/balance_transactions"].append(
            {
                "id": ref,
                "object": "balance_transaction",
                "amount": amount,
                "fee": fee,
                "net": amount - fee,
                "currency": "cny",
                "created": int(NOW.timestamp()),
                "available_on": int(NOW.timestamp()),
                "type": category,
                "reporting_category": category,
                "status": "available",
                "source": source,
                **over,
            }
        )

    def payout(self, ref: str, amount: int, status: str) -> None:
        self.rows["/v1/payouts"].append(
            {"id": ref, "object": "payout", "amount": amount, "currency": "cny", "status": status, "automatic": True,
             "arrival_date": int(NOW.timestamp()), "created": int(NOW.timestamp()), "balance_transaction": f"txn_{ref}"}
        )  # fmt: skip


@pytest.fixture
def lists(settings: Any) -> Iterator[Lists]:
    state = Lists()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            place = urlsplit(self.path)
            state.asked.append(self.path)
            rows, after = state.rows.get(place.path, []), parse_qs(place.query).get("starting_after", [""])[0]
            start = next((n + 1 for n, row in enumerate(rows) if row["id"] == after), 0)
            body = {
                "object": "list",
                "url": place.path,
                "data": rows[start : start + 2],
                "has_more": len(rows) > start + 2,
            }
            data = json.dumps({"error": {"type": "api_error"}} if state.down else body).encode()
            self.send_response(500 if state.down else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    configure(settings, f"http://127.0.0.1:{server.server_address[1]}")
    yield state
    server.shutdown()
    registry.forget()


def given(settings: Any, back: str) -> tuple[w.World, Payment]:
    """A gift that was paid at the fake of Checkout; then the balance is at `back` again."""
    city = w.build()
    shop, server = fake_stripe.start()
    configure(settings, shop.url)
    gift = donations.open_gift(actor=PUBLIC, request=GiftRequest(Money(20_000), "card", "k1"), fund=city.fund,
                               project=city.project, now=w.NOW)  # fmt: skip
    donations.start_gift_checkout(actor=PUBLIC, gift=gift, return_url="http://localhost/", cancel_url="http://localhost/",
                                  now=NOW)  # fmt: skip
    payment = Payment.objects.get()
    shop.complete(payment.session_ref)
    headers, body = shop.event("checkout.session.completed", payment.session_ref)
    receive_event(provider_name="stripe", headers=headers, body=body, now=dt.datetime.now(dt.UTC))
    process_inbox(now=LATER)
    w.work(LATER)
    server.shutdown()
    configure(settings, back)
    payment.refresh_from_db()
    return city, payment


def read(now: dt.datetime = LATER) -> int:
    return reconciling.read_balances(actor=system("tests"), now=now)


def differences() -> list[tuple[str, int | None, int | None]]:
    return list(Difference.objects.order_by("key").values_list("kind", "theirs", "ours"))


@pytest.mark.django_db
def test_charge_fee_and_payout_are_matched_and_a_failed_payout_is_taken_back(
    lists: Lists, settings: Any
) -> None:
    _city, payment = given(settings, settings.STRIPE_API_BASE)
    charge = {"id": "ch_1", "object": "charge", "payment_intent": payment.charge_ref}
    lists.transaction(f"txn_{payment.session_ref}", "charge", 20_000, 440, charge)
    lists.transaction("txn_po_1", "payout", -19_560, 0, {"id": "po_1", "object": "payout"})
    lists.payout("po_1", 19_560, "paid")
    lists.payout("po_2", 5, "in_transit")
    lists.payout("po_3", 7, "canceled")
    assert read() == 3 and read() == 0
    assert Match.objects.count() == 3 and differences() == []
    assert Entry.objects.filter(kind="payout").count() == 1 and Payout.objects.count() == 3
    lists.rows["/v1/payouts"][0]["status"] = "failed"
    lists.transaction("txn_po_1_back", "payout_reversal", 19_560, 0, {"id": "po_1", "object": "payout"})
    assert read() == 1 and read() == 0
    reversal = Entry.objects.get(kind="reversal")
    assert reversal.idempotency_key == "payout:stripe:po_1:failed" and differences() == []
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


@pytest.mark.django_db
def test_what_they_have_otherwise_is_shown(lists: Lists, settings: Any) -> None:
    _city, payment = given(settings, settings.STRIPE_API_BASE)
    charge = {"id": "ch_1", "object": "charge", "payment_intent": payment.charge_ref}
    lists.transaction(f"txn_{payment.session_ref}", "charge", 19_000, 440, charge)
    lists.transaction("txn_x", "contribution", -30, 0, None)
    read()
    assert differences() == [("amount", 19_000, 20_000), ("theirs", -30, None)]


@pytest.mark.django_db
def test_another_currency_is_a_difference(lists: Lists, settings: Any) -> None:
    _city, payment = given(settings, settings.STRIPE_API_BASE)
    charge = {"id": "ch_1", "object": "charge", "payment_intent": payment.charge_ref}
    lists.transaction(f"txn_{payment.session_ref}", "charge", 20_000, 0, charge, currency="usd")
    read()
    assert ("amount", 20_000, 20_000) in differences()


@pytest.mark.django_db
def test_a_provider_that_is_away_is_asked_next_time(lists: Lists) -> None:
    w.build()
    lists.down = True
    assert read() == 0 and not BalanceLine.objects.exists()
    with pytest.raises(ProviderUnavailable):
        list(registry.provider("stripe").payouts(NOW, NOW))


def test_all_pages_are_read_and_sources_are_expanded(lists: Lists) -> None:
    for n in range(5):
        lists.transaction(
            f"txn_{n}", "charge", 100, 1, {"id": f"ch_{n}", "object": "charge", "payment_intent": f"pi_{n}"}
        )
    found = list(registry.provider("stripe").balance_lines(NOW, NOW))
    assert [each.source_ref for each in found] == [f"pi_{n}" for n in range(5)]
    assert "expand" in lists.asked[0] and "created" in lists.asked[0]


def test_stripes_own_mock_accepts_the_requests(mock_server: None) -> None:
    """stripe-mock validates every request against Stripe's published OpenAPI file."""
    provider = registry.provider("stripe")
    [line] = list(provider.balance_lines(NOW, NOW))[:1]
    [payout] = list(provider.payouts(NOW, NOW))[:1]
    assert line.ref.startswith("txn_") and line.currency == line.currency.upper()
    assert payout.ref.startswith("po_") and payout.status in ("pending", "paid", "failed")
