"""Stripe: Checkout Sessions, signed events, re-fetch before posting. stripe-python objects are read by attribute."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

import stripe
import structlog
from django.conf import settings

from apps.payments.provider import (
    BadSignature,
    BalanceItem,
    Checkout,
    CheckoutRequest,
    Fee,
    IncomingEvent,
    PayoutItem,
    ProviderUnavailable,
    Snapshot,
    StaleEvent,
)
from apps.payments.providers import stripe_balance
from apps.payments.states import Method

log = structlog.get_logger(__name__)

TOLERANCE = 300
SKEW_ALARM = 60
"""Seconds between an event's own time stamp and our clock that raise an alarm (money.md)."""

EXPAND = ["payment_intent.latest_charge.balance_transaction"]
SESSION_EVENTS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
CHARGE_EVENTS = frozenset({"charge.succeeded", "charge.updated"})


class StripeProvider:
    name = "stripe"

    def __init__(self) -> None:
        options: dict[str, Any] = {"max_network_retries": 1}
        if settings.STRIPE_API_BASE:
            options["base_addresses"] = {"api": settings.STRIPE_API_BASE}
        self._client = stripe.StripeClient(settings.STRIPE_API_KEY, **options)

    def methods(self) -> list[str]:
        return [Method.CARD, Method.ALIPAY, Method.WECHAT_PAY]

    def maximum(self, method: str, currency: str) -> int:
        return 99_999_999

    def open_checkout(self, request: CheckoutRequest) -> Checkout:
        metadata = {"payment": request.reference}
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": request.reference,
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata},
            "payment_method_types": [request.method],
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": request.currency.lower(),
                        "unit_amount": request.amount,
                        "product_data": {"name": request.description[:250]},
                    },
                }
            ],
            "success_url": request.return_url,
            "cancel_url": request.cancel_url,
            "expires_at": int(request.expires_at.timestamp()),
            "locale": "en" if request.language.startswith("en") else "zh",
        }
        if request.method == Method.WECHAT_PAY:
            params["payment_method_options"] = {"wechat_pay": {"client": "web"}}
        if request.email:
            params["customer_email"] = request.email
        try:
            session = self._client.v1.checkout.sessions.create(params, {"idempotency_key": request.key})  # type: ignore[arg-type]
        except stripe.StripeError as error:
            raise _unavailable("open_checkout", error) from error
        return Checkout(session.id, session.url or "", _moment(session.expires_at))

    def find_session(self, reference: str) -> Checkout | None:
        try:
            page = self._client.v1.checkout.sessions.list({"limit": 100})
            for session in page.auto_paging_iter():
                if session.client_reference_id == reference:
                    return Checkout(session.id, session.url or "", _moment(session.expires_at))
        except stripe.StripeError as error:
            raise _unavailable("find_session", error) from error
        return None

    def read_event(self, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> IncomingEvent:
        header = headers.get("Stripe-Signature", "")
        try:
            stripe.WebhookSignature.verify_header(body.decode(), header, settings.STRIPE_WEBHOOK_SECRET, None)
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
            raise BadSignature() from error
        stamp = next((part[2:] for part in header.split(",") if part.startswith("t=")), "0")
        away = abs(int(stamp) - now.timestamp())
        if away > SKEW_ALARM:
            log.error("payments.clock_skew", seconds=int(away))
        if away > TOLERANCE:
            raise StaleEvent()
        return _incoming(json.loads(body))

    def session_of(self, event_body: bytes) -> str:
        data = json.loads(event_body)
        thing = data["data"]["object"]
        if data["type"] in SESSION_EVENTS:
            return str(thing["id"])
        try:
            page = self._client.v1.checkout.sessions.list(
                {"payment_intent": thing["payment_intent"], "limit": 1}
            )
        except stripe.StripeError as error:
            raise _unavailable("session_of", error) from error
        return page.data[0].id if page.data else ""

    def fetch(self, session_ref: str) -> Snapshot:
        try:
            session = self._client.v1.checkout.sessions.retrieve(session_ref, {"expand": EXPAND})
        except stripe.StripeError as error:
            raise _unavailable("fetch", error) from error
        if session.livemode != ("_live_" in settings.STRIPE_API_KEY):
            raise ProviderUnavailable()
        intent: Any = session.payment_intent if not isinstance(session.payment_intent, str) else None
        charge: Any = (
            intent.latest_charge if intent is not None and not isinstance(intent.latest_charge, str) else None
        )
        return Snapshot(
            session_ref=session.id,
            reference=session.client_reference_id or "",
            status=_status(session, intent),
            amount=session.amount_total or 0,
            currency=(session.currency or "").upper(),
            charge_ref=intent.id if intent is not None else "",
            settled_at=_moment(charge.created if charge is not None else session.created),
            fees=_fees(charge),
        )

    def recent_events(self, since: dt.datetime) -> Iterable[tuple[IncomingEvent, bytes]]:
        try:
            page = self._client.v1.events.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
            for event in page.auto_paging_iter():
                body = json.dumps(event.to_dict(), default=str).encode()
                yield _incoming(json.loads(body)), body
        except stripe.StripeError as error:
            raise _unavailable("recent_events", error) from error

    def balance_lines(self, since: dt.datetime, now: dt.datetime) -> Iterable[BalanceItem]:
        return stripe_balance.lines(self._client, since)

    def payouts(self, since: dt.datetime, now: dt.datetime) -> Iterable[PayoutItem]:
        return stripe_balance.payouts(self._client, since)


def _incoming(data: dict[str, Any]) -> IncomingEvent:
    try:
        thing = data["data"]["object"]
        kind = str(data["type"])
        event = IncomingEvent(
            ref=str(data["id"]), kind=kind, object_ref=str(thing.get("id", "")),
            occurred_at=_moment(int(data["created"])), reference=str(thing.get("client_reference_id") or ""),
            relevant=kind in SESSION_EVENTS | CHARGE_EVENTS,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadSignature() from error
    if bool(data.get("livemode")) != ("_live_" in settings.STRIPE_API_KEY):
        # An event of the other mode is stored, never acted on.
        return IncomingEvent(
            event.ref, event.kind, event.object_ref, event.occurred_at, event.reference, False
        )
    return event


def _status(session: Any, intent: Any) -> str:
    if session.payment_status == "paid":
        return "paid"
    if session.status == "expired":
        return "expired"
    if session.status == "complete":
        failed = intent is not None and intent.status in ("requires_payment_method", "canceled")
        return "failed" if failed else "pending"
    return "open"


def _fees(charge: Any) -> tuple[Fee, ...]:
    balance = getattr(charge, "balance_transaction", None)
    if balance is None or isinstance(balance, str):
        return ()
    return (Fee(balance.id, balance.fee, balance.currency.upper(), _moment(balance.created)),)


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _unavailable(call: str, error: stripe.StripeError) -> ProviderUnavailable:
    log.warning(
        "payments.provider_error", provider="stripe", call=call, code=error.code, status=error.http_status
    )
    return ProviderUnavailable()
