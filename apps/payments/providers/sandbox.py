"""The embedded test cashier: clearly marked, moves no money, refused in production.

It keeps its own sessions (SandboxSession) as a real provider would, signs its events by HMAC and hands them to the
same webhook inbox. The cashier page can succeed, fail, expire, pay late, and send events twice or out of order.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.urls import reverse

from apps.payments.models import SandboxSession
from apps.payments.provider import (
    BadSignature,
    BalanceItem,
    Checkout,
    CheckoutRequest,
    Fee,
    IncomingEvent,
    PayoutItem,
    Snapshot,
    StaleEvent,
)
from apps.payments.providers import sandbox_balance
from apps.payments.states import Method

TOLERANCE = 300
"""Seconds an event may be old or early."""

FEE_BP = 60
"""The test cashier's fee: 0.6%, as its balance transaction states it."""


class SandboxProvider:
    name = "sandbox"

    def methods(self) -> list[str]:
        return [Method.WECHAT_PAY, Method.ALIPAY, Method.CARD]

    def maximum(self, method: str, currency: str) -> int:
        return 50_000_000

    def open_checkout(self, request: CheckoutRequest) -> Checkout:
        session, _ = SandboxSession.objects.get_or_create(
            reference=request.reference,
            defaults={
                "ref": f"sbx_{secrets.token_hex(16)}", "amount": request.amount, "currency": request.currency,
                "method": request.method, "description": request.description[:200],
                "return_url": request.return_url, "expires_at": request.expires_at,
            },
        )  # fmt: skip
        return Checkout(
            session.ref, reverse("payments_sandbox_cashier", args=[session.ref]), session.expires_at
        )

    def find_session(self, reference: str) -> Checkout | None:
        session = SandboxSession.objects.filter(reference=reference).first()
        if session is None:
            return None
        return Checkout(
            session.ref, reverse("payments_sandbox_cashier", args=[session.ref]), session.expires_at
        )

    def read_event(self, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> IncomingEvent:
        stamp, _, digest = headers.get("Sandbox-Signature", "").partition(",")
        if not stamp.isdigit() or len(stamp) > 12 or not hmac.compare_digest(sign(stamp, body), digest):
            raise BadSignature()
        if abs(int(stamp) - now.timestamp()) > TOLERANCE:
            raise StaleEvent()
        data = json.loads(body)
        return IncomingEvent(
            ref=data["id"], kind=data["type"], object_ref=data["session"],
            occurred_at=dt.datetime.fromtimestamp(data["created"], dt.UTC), reference=data["reference"],
        )  # fmt: skip

    def session_of(self, event_body: bytes) -> str:
        return str(json.loads(event_body)["session"])

    def fetch(self, session_ref: str) -> Snapshot:
        session = SandboxSession.objects.get(ref=session_ref)
        fees: tuple[Fee, ...] = ()
        if session.status == "paid" and session.paid_at:
            fees = (Fee(f"fee_{session.ref}", session.fee, session.currency, session.paid_at),)
        return Snapshot(
            session_ref=session.ref, reference=session.reference, status=session.status, amount=session.amount,
            currency=session.currency, charge_ref=f"ch_{session.ref}" if session.paid_at else "",
            settled_at=session.paid_at, fees=fees,
        )  # fmt: skip

    def recent_events(self, since: dt.datetime) -> Iterable[tuple[IncomingEvent, bytes]]:
        return []

    def balance_lines(self, since: dt.datetime, now: dt.datetime) -> Iterable[BalanceItem]:
        return sandbox_balance.lines(since, now)

    def payouts(self, since: dt.datetime, now: dt.datetime) -> Iterable[PayoutItem]:
        return sandbox_balance.payouts(since, now)


def sign(stamp: str, body: bytes) -> str:
    """This will sign an event's raw bytes with a key derived from the site's secret."""
    key = hashlib.sha256(b"sandbox-cashier:" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def make_event(session: SandboxSession, kind: str, now: dt.datetime) -> tuple[dict[str, str], bytes]:
    """This will write and sign an event: headers and raw body."""
    body = json.dumps(
        {"id": f"evt_{secrets.token_hex(12)}", "type": kind, "session": session.ref, "reference": session.reference,
         "created": int(now.timestamp())}
    ).encode()  # fmt: skip
    stamp = str(int(now.timestamp()))
    return {"Sandbox-Signature": f"{stamp},{sign(stamp, body)}"}, body


def settle(session: SandboxSession, now: dt.datetime) -> None:
    """This will mark a session as paid on the cashier's side, with its fee (no fee below one fen)."""
    if session.status != "paid":
        session.status, session.paid_at = "paid", now
        session.fee = session.amount * FEE_BP // 10_000
        session.save(update_fields=["status", "paid_at", "fee"])
