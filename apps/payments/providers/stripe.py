"""Stripe: Checkout Sessions, signed events, re-fetch before posting. stripe-python objects are read by attribute."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import stripe
import structlog
from django.conf import settings

from apps.payments.provider import (
    BadSignature,
    BalanceItem,
    Checkout,
    CheckoutRequest,
    DisputeSnapshot,
    Fee,
    IncomingEvent,
    Movement,
    PayoutItem,
    ProviderUnavailable,
    RefundRefused,
    RefundRequest,
    RefundSnapshot,
    Snapshot,
    StaleEvent,
)
from apps.payments.providers import stripe_balance
from apps.payments.providers.stripe_monthly import StripeMonthly
from apps.payments.states import DisputeStatus, Method, RefundStatus, Subject

log = structlog.get_logger(__name__)

TOLERANCE = 300
REFUND_DAYS = {Method.ALIPAY: 90, Method.WECHAT_PAY: 180}
"""Days after payment that a wallet can be refunded (G8); cards have no fixed limit here, the provider says no."""
SEARCHED = 1000
"""Sessions read at most when one is looked up by our reference."""

EXPAND = ["payment_intent.latest_charge.balance_transaction"]
SESSION_EVENTS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
SUBJECTS: dict[str, str] = {
    **dict.fromkeys([*SESSION_EVENTS, "charge.succeeded", "charge.updated"], Subject.PAYMENT),
    **dict.fromkeys(
        ["charge.refunded", "charge.refund.updated", "refund.created", "refund.updated", "refund.failed"],
        Subject.REFUND,
    ),
    **dict.fromkeys(
        [
            f"charge.dispute.{what}"
            for what in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
        ],
        Subject.DISPUTE,
    ),
}
FAMILIES: dict[str, str] = {
    "invoice": Subject.SUBSCRIPTION,
    "customer.subscription": Subject.SUBSCRIPTION,
    "payout": Subject.PAYOUT,
}
REFUND_STATES = {
    "pending": RefundStatus.SENT, "requires_action": RefundStatus.SENT, "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED, "canceled": RefundStatus.FAILED,
}  # fmt: skip
DISPUTE_STATES = {
    "warning_needs_response": DisputeStatus.INQUIRY, "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.CLOSED, "prevented": DisputeStatus.CLOSED, "needs_response": DisputeStatus.OPEN,
    "under_review": DisputeStatus.OPEN, "won": DisputeStatus.WON, "lost": DisputeStatus.LOST,
}  # fmt: skip


class StripeProvider(StripeMonthly):
    name = "stripe"
    bills_fees = False

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
            raise unavailable("open_checkout", error) from error
        return Checkout(session.id, session.url or "", _moment(session.expires_at))

    def find_session(self, reference: str, opened_at: dt.datetime) -> Checkout | None:
        around = {"gte": int(opened_at.timestamp()) - 300, "lte": int(opened_at.timestamp()) + 3600}
        try:
            page = self._client.v1.checkout.sessions.list({"created": around, "limit": 100})  # type: ignore[arg-type]
            for n, session in enumerate(page.auto_paging_iter()):
                if session.client_reference_id == reference:
                    return Checkout(session.id, session.url or "", _moment(session.expires_at))
                if n >= SEARCHED:
                    log.error("payments.search_given_up", provider=self.name)
                    break
        except stripe.StripeError as error:
            raise unavailable("find_session", error) from error
        return None

    def refund_days(self, method: str) -> int | None:
        return REFUND_DAYS.get(Method(method))

    def test_page(self, session_ref: str) -> str:
        return ""

    def send_refund(self, request: RefundRequest) -> RefundSnapshot:
        try:
            refund = self._client.v1.refunds.create(
                {  # type: ignore[arg-type]
                    **_answered(request.charge_ref), "amount": request.amount,
                    "metadata": {"refund": request.reference, "payment": request.payment_reference},
                },
                {"idempotency_key": request.key},
            )  # fmt: skip
        except stripe.InvalidRequestError as error:
            # Anything about the money itself is a refusal; an empty balance or a busy lock is asked again.
            if error.code in ("balance_insufficient", "lock_timeout") or error.http_status not in (
                400,
                402,
                404,
            ):
                raise unavailable("send_refund", error) from error
            raise RefundRefused(error.code or "refused") from error
        except stripe.CardError as error:
            raise RefundRefused(error.code or "refused") from error
        except stripe.StripeError as error:
            raise unavailable("send_refund", error) from error
        return _refund(refund)

    def fetch_refund(self, ref: str, request: RefundRequest) -> RefundSnapshot | None:
        try:
            if ref:
                return _refund(self._client.v1.refunds.retrieve(ref))
            found = self._refunds(_answered(request.charge_ref))
        except stripe.StripeError as error:
            raise unavailable("fetch_refund", error) from error
        return next((each for each in found if each.reference == request.reference), None)

    def refunds_of(self, event_body: bytes) -> Iterable[RefundSnapshot]:
        thing = json.loads(event_body)["data"]["object"]
        charge = thing["id"] if thing.get("object") == "charge" else thing.get("charge")
        wanted = _answered(thing.get("payment_intent") or charge or "")
        try:
            return self._refunds(wanted)
        except stripe.StripeError as error:
            raise unavailable("refunds_of", error) from error

    def _refunds(self, wanted: dict[str, str]) -> list[RefundSnapshot]:
        page = self._client.v1.refunds.list({**wanted, "limit": 100})  # type: ignore[arg-type]
        return [_refund(each) for each in page.auto_paging_iter()]

    def disputes_of(self, event_body: bytes) -> Iterable[DisputeSnapshot]:
        found = self.fetch_dispute(str(json.loads(event_body)["data"]["object"]["id"]))
        return [found] if found else []

    def fetch_dispute(self, ref: str) -> DisputeSnapshot | None:
        try:
            dispute = self._client.v1.disputes.retrieve(ref)
        except stripe.StripeError as error:
            raise unavailable("fetch_dispute", error) from error
        if dispute.livemode != ("_live_" in settings.STRIPE_API_KEY):
            return None
        return _dispute(dispute)

    def read_event(self, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> IncomingEvent:
        header = headers.get("Stripe-Signature", "")
        try:
            stripe.WebhookSignature.verify_header(body.decode(), header, settings.STRIPE_WEBHOOK_SECRET, None)
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
            raise BadSignature() from error
        stamp = next((part[2:] for part in header.split(",") if part.startswith("t=")), "0")
        skew = round(int(stamp) - now.timestamp())
        if abs(skew) > TOLERANCE:
            raise StaleEvent(skew)
        return replace(_incoming(json.loads(body)), skew=skew)

    def session_of(self, event_body: bytes) -> str:
        data = json.loads(event_body)
        thing = data["data"]["object"]
        if data["type"] in SESSION_EVENTS:
            return str(thing["id"])
        if not thing.get("payment_intent"):
            return ""
        try:
            page = self._client.v1.checkout.sessions.list(
                {"payment_intent": thing["payment_intent"], "limit": 1}
            )
        except stripe.StripeError as error:
            raise unavailable("session_of", error) from error
        return page.data[0].id if page.data else ""

    def fetch(self, session_ref: str) -> Snapshot:
        try:
            session = self._client.v1.checkout.sessions.retrieve(session_ref, {"expand": EXPAND})
        except stripe.StripeError as error:
            raise unavailable("fetch", error) from error
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

    def close(self, session_ref: str) -> None:
        """Nothing to do: a session expires by itself, at the time it was opened with."""

    def recent_events(self, since: dt.datetime) -> Iterable[tuple[IncomingEvent, bytes]]:
        try:
            page = self._client.v1.events.list({"created": {"gte": int(since.timestamp())}, "limit": 100})
            for event in page.auto_paging_iter():
                body = json.dumps(event.to_dict(), default=str).encode()
                yield _incoming(json.loads(body)), body
        except stripe.StripeError as error:
            raise unavailable("recent_events", error) from error

    def balance_lines(self, since: dt.datetime, now: dt.datetime) -> Iterable[BalanceItem]:
        return stripe_balance.lines(self._client, since)

    def balance_until(self, now: dt.datetime) -> dt.datetime:
        return now

    def payouts(self, since: dt.datetime, now: dt.datetime) -> Iterable[PayoutItem]:
        return stripe_balance.payouts(self._client, since)


def _incoming(data: dict[str, Any]) -> IncomingEvent:
    try:
        thing = data["data"]["object"]
        kind = str(data["type"])
        event = IncomingEvent(
            ref=str(data["id"]), kind=kind, object_ref=str(thing.get("id", "")),
            occurred_at=_moment(int(data["created"])), reference=str(thing.get("client_reference_id") or ""),
            subject=_subject(kind, thing),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadSignature() from error
    if bool(data.get("livemode")) != ("_live_" in settings.STRIPE_API_KEY) or data.get("account"):
        # An event of the other mode, or of another account that ours is connected to, is stored, never acted on.
        return replace(event, subject="")
    return event


def _subject(kind: str, thing: dict[str, Any]) -> str:
    if kind in SESSION_EVENTS and thing.get("mode") == "subscription":
        return Subject.SUBSCRIPTION
    return SUBJECTS[kind] if kind in SUBJECTS else FAMILIES.get(kind.rpartition(".")[0], "")


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


def _answered(ref: str) -> dict[str, str]:
    """How the API is told which payment is meant: by its intent, or by its charge where it has none."""
    return {"payment_intent" if ref.startswith("pi_") else "charge": ref}


def _of(thing: Any) -> str:
    """The intent, or else the charge, that a refund or dispute answers."""
    ref = getattr(thing, "payment_intent", None) or thing.charge
    return str(ref if isinstance(ref, str) else ref.id)


def _refund(refund: Any) -> RefundSnapshot:
    metadata = _plain(refund.metadata)
    balance = getattr(refund, "balance_transaction", None)
    fee = 0 if balance is None or isinstance(balance, str) else balance.fee
    return RefundSnapshot(
        ref=refund.id, reference=metadata.get("refund", ""), payment_reference=metadata.get("payment", ""),
        charge_ref=_of(refund),
        status=REFUND_STATES.get(refund.status or "pending", RefundStatus.SENT), amount=refund.amount,
        currency=refund.currency.upper(), occurred_at=_moment(refund.created),
        failure=getattr(refund, "failure_reason", None) or ("canceled" if refund.status == "canceled" else ""),
        fees=(Fee(balance.id, fee, balance.currency.upper(), _moment(balance.created)),) if fee > 0 and balance else (),
    )  # fmt: skip


def _dispute(dispute: Any) -> DisputeSnapshot:
    currency = dispute.currency.upper()
    details = getattr(dispute, "evidence_details", None)
    due = getattr(details, "due_by", None)
    movements = []
    for each in dispute.balance_transactions or []:
        same = each.currency.upper() == currency
        sign = 1 if each.amount < 0 else -1
        movements.append(
            # A settlement in another currency moves the disputed amount; its fee is the settlement's own money.
            Movement(each.id, sign * (abs(each.amount) if same else dispute.amount), currency, _moment(each.created),
                     each.fee if same else 0)
        )  # fmt: skip
    return DisputeSnapshot(
        ref=dispute.id, charge_ref=_of(dispute),
        status=DISPUTE_STATES.get(dispute.status, DisputeStatus.OPEN), amount=dispute.amount, currency=currency,
        opened_at=_moment(dispute.created), reason=dispute.reason or "", answer_by=_moment(due) if due else None,
        movements=tuple(movements),
    )  # fmt: skip


def _plain(metadata: Any) -> dict[str, str]:
    if metadata is None:
        return {}
    return {
        str(k): str(v) for k, v in (metadata if isinstance(metadata, dict) else metadata.to_dict()).items()
    }


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def unavailable(call: str, error: stripe.StripeError) -> ProviderUnavailable:
    log.warning(
        "payments.provider_error", provider="stripe", call=call, code=error.code, status=error.http_status
    )
    return ProviderUnavailable()
