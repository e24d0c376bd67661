"""Stripe's subscriptions: Checkout in mode subscription, a month is an invoice, its charge that of its payment.

Shapes are those of the published API since 2025-03-31: an invoice names its subscription under `parent` and its payment
intents under `payments`.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import stripe

from apps.payments.provider import (
    Charge,
    Checkout,
    Fee,
    MonthlyRequest,
    OrderRefused,
    SubscriptionSnapshot,
)
from apps.payments.states import ChargeStatus, OrderKind, SubscriptionStatus

NEWEST = 24
"""Invoices read of one subscription: two years."""
S = SubscriptionStatus
STATES = {
    "active": S.ACTIVE, "trialing": S.ACTIVE, "past_due": S.PAST_DUE, "paused": S.PAUSED,
    "unpaid": S.ENDED, "canceled": S.ENDED,
}  # fmt: skip


class StripeMonthly:
    """What Stripe can do for standing orders; part of its provider."""

    _client: stripe.StripeClient

    def open_monthly(self, request: MonthlyRequest) -> Checkout:
        metadata = {"subscription": request.reference}
        params: dict[str, Any] = {
            "mode": "subscription",
            "client_reference_id": request.reference,
            "metadata": metadata,
            "subscription_data": {"metadata": metadata, "description": request.description[:250]},
            "payment_method_types": ["card"],
            "line_items": [
                {"quantity": 1, "price_data": _price(request.amount, request.currency, request.description)}
            ],
            "success_url": request.return_url,
            "cancel_url": request.cancel_url,
            "expires_at": int(request.expires_at.timestamp()),
            "locale": "en" if request.language.startswith("en") else "zh",
            "customer_email": request.email,
        }
        session = self._monthly(
            "open_monthly",
            lambda: self._client.v1.checkout.sessions.create(params, {"idempotency_key": request.key}),  # type: ignore[arg-type]
        )
        return Checkout(session.id, session.url or "", _moment(session.expires_at))

    def subscription_of(self, event_body: bytes) -> str:
        data = json.loads(event_body)
        thing = data["data"]["object"]
        if data["type"].startswith("customer.subscription."):
            return str(thing["id"])
        if thing.get("object") == "checkout.session":
            return str(thing.get("subscription") or "")
        parent = thing.get("parent") or {}
        return str((parent.get("subscription_details") or {}).get("subscription") or "")

    def fetch_subscription(
        self, ref: str, reference: str, opened_at: dt.datetime
    ) -> SubscriptionSnapshot | None:
        ref = ref or self._find(reference, opened_at)
        if not ref:
            return None
        found = self._monthly("fetch_subscription", lambda: self._client.v1.subscriptions.retrieve(ref))
        state = STATES.get(found.status)
        if state is None:  # incomplete: the first month was never paid
            return None
        if state == S.ACTIVE and found.pause_collection is not None:
            state = S.PAUSED
        item = found["items"].data[0]  # `.items` would be the mapping's own method
        noted = found.metadata.to_dict() if found.metadata else {}
        return SubscriptionSnapshot(
            ref=found.id, reference=str(noted.get("subscription", "")), status=state,
            amount=item.price.unit_amount or 0, currency=item.price.currency.upper(),
            next_at=_moment(item.current_period_end) if state in (S.ACTIVE, S.PAST_DUE) else None,
            charges=tuple(self._charges(found.id)),
        )  # fmt: skip

    def change_subscription(
        self, ref: str, kind: OrderKind, amount: int | None, currency: str, key: str
    ) -> None:
        options: Any = {"idempotency_key": key}
        api = self._client.v1.subscriptions
        if kind == OrderKind.STOP:
            self._monthly("stop", lambda: api.cancel(ref, {}, options))
        elif kind == OrderKind.PAUSE:
            self._monthly(
                "pause", lambda: api.update(ref, {"pause_collection": {"behavior": "void"}}, options)
            )
        elif kind == OrderKind.RESUME:
            self._monthly("resume", lambda: api.update(ref, {"pause_collection": ""}, options))
        else:
            found = self._monthly("amount", lambda: api.retrieve(ref))
            item = found["items"].data[0]
            price = {**_price(amount or 0, currency, ""), "product": item.price.product}
            price.pop("product_data")
            change: Any = {"items": [{"id": item.id, "price_data": price}], "proration_behavior": "none"}
            self._monthly("amount", lambda: api.update(ref, change, options))

    def _find(self, reference: str, opened_at: dt.datetime) -> str:
        """The subscription of a page that was opened within the hour after our intent."""
        window: Any = {
            "created": {"gte": int(opened_at.timestamp()) - 60, "lte": int(opened_at.timestamp()) + 3600},
            "limit": 100,
        }
        page = self._monthly("find_subscription", lambda: self._client.v1.checkout.sessions.list(window))
        for session in page.data:
            if session.client_reference_id == reference:
                return str(session.subscription or "")
        return ""

    def _charges(self, ref: str) -> list[Charge]:
        asked: Any = {"subscription": ref, "limit": NEWEST, "expand": ["data.payments"]}
        page = self._monthly("invoices", lambda: self._client.v1.invoices.list(asked))
        return [charge for invoice in reversed(page.data) if (charge := self._charge_of(invoice)) is not None]

    def _charge_of(self, invoice: Any) -> Charge | None:
        currency = str(invoice.currency).upper()
        if invoice.status == "paid" and invoice.amount_paid:
            intent = self._intent(invoice)
            balance = getattr(getattr(intent, "latest_charge", None), "balance_transaction", None)
            fees: tuple[Fee, ...] = ()
            if balance is not None and not isinstance(balance, str):
                fees = (Fee(balance.id, balance.fee, balance.currency.upper(), _moment(balance.created)),)
            paid_at = getattr(invoice.status_transitions, "paid_at", None) or invoice.created
            return Charge(
                invoice.id, ChargeStatus.PAID, invoice.amount_paid, currency, invoice.attempt_count or 0,
                charge_ref=intent.id if intent is not None else "", settled_at=_moment(paid_at), fees=fees,
            )  # fmt: skip
        if invoice.status in ("open", "uncollectible") and invoice.attempt_count:
            again = invoice.next_payment_attempt
            return Charge(
                invoice.id, ChargeStatus.FAILED, invoice.amount_due, currency, invoice.attempt_count,
                next_at=_moment(again) if again else None,
            )  # fmt: skip
        return None

    def _intent(self, invoice: Any) -> Any:
        paid = [
            each.payment
            for each in (invoice.payments.data if invoice.payments else ())
            if each.status == "paid"
        ]
        refs = [ref if isinstance(ref, str) else ref.id for each in paid if (ref := each.payment_intent)]
        if not refs:
            return None
        asked: Any = {"expand": ["latest_charge.balance_transaction"]}
        return self._monthly("intent", lambda: self._client.v1.payment_intents.retrieve(refs[0], asked))

    def _monthly(self, call: str, ask: Any) -> Any:
        from apps.payments.providers.stripe import unavailable

        try:
            return ask()
        except stripe.InvalidRequestError as error:
            if call in ("stop", "pause", "resume", "amount"):
                raise OrderRefused(str(error.code or "")) from error
            raise unavailable(call, error) from error
        except stripe.StripeError as error:
            raise unavailable(call, error) from error


def _price(amount: int, currency: str, name: str) -> dict[str, Any]:
    return {
        "currency": currency.lower(),
        "unit_amount": amount,
        "recurring": {"interval": "month"},
        "product_data": {"name": name[:250]},
    }


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
