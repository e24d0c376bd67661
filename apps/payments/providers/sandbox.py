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
from django.db import transaction
from django.db.models import Sum
from django.urls import reverse

from apps.core import clock
from apps.payments.models import SandboxDispute, SandboxRefund, SandboxSession, SandboxSubscription
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
    RefundRefused,
    RefundRequest,
    RefundSnapshot,
    Snapshot,
    StaleEvent,
)
from apps.payments.providers import sandbox_balance
from apps.payments.providers.sandbox_balance import DISPUTE_FEE
from apps.payments.providers.sandbox_monthly import SandboxMonthly
from apps.payments.states import DisputeStatus, Method, RefundStatus, Subject

TOLERANCE = 300
"""Seconds an event may be old or early."""

FEE_BP = 60
"""The test cashier's fee: 0.6%, as its balance transaction states it."""


REFUND_DAYS = {Method.ALIPAY: 90, Method.WECHAT_PAY: 180}
"""The real wallets' limits (G8), so that the test cashier can be tried past them."""

SUBJECTS = {"session": Subject.PAYMENT, "refund": Subject.REFUND, "dispute": Subject.DISPUTE,
            "subscription": Subject.SUBSCRIPTION}  # fmt: skip


class SandboxProvider(SandboxMonthly):
    name = "sandbox"
    bills_fees = False

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

    def find_session(self, reference: str, opened_at: dt.datetime) -> Checkout | None:
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
        skew = round(int(stamp) - now.timestamp())
        if abs(skew) > TOLERANCE:
            raise StaleEvent(skew)
        data = json.loads(body)
        return IncomingEvent(
            ref=data["id"], kind=data["type"], object_ref=data["session"],
            occurred_at=dt.datetime.fromtimestamp(data["created"], dt.UTC), reference=data["reference"],
            subject=SUBJECTS.get(data["type"].partition(".")[0], ""), skew=skew,
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

    def close(self, session_ref: str) -> None:
        SandboxSession.objects.filter(ref=session_ref, status="open").update(status="expired")

    def refund_days(self, method: str) -> int | None:
        return REFUND_DAYS.get(Method(method))

    def test_page(self, session_ref: str) -> str:
        return reverse("payments_sandbox_cashier", args=[session_ref])

    def send_refund(self, request: RefundRequest) -> RefundSnapshot:
        with transaction.atomic():
            session = SandboxSession.objects.select_for_update().get(ref=request.session_ref)
            known = SandboxRefund.objects.filter(key=request.key).first()
            return refund_snapshot(
                known or make_refund(session, request.amount, request.key, clock.now(), request.reference)
            )

    def fetch_refund(self, ref: str, request: RefundRequest) -> RefundSnapshot | None:
        rows = SandboxRefund.objects.select_related("session").filter(session__ref=request.session_ref)
        found = rows.filter(ref=ref).first() if ref else rows.filter(reference=request.reference).first()
        return refund_snapshot(found) if found else None

    def refunds_of(self, event_body: bytes) -> Iterable[RefundSnapshot]:
        rows = SandboxRefund.objects.select_related("session").filter(
            session__ref=self.session_of(event_body)
        )
        return [refund_snapshot(row) for row in rows.order_by("id")]

    def disputes_of(self, event_body: bytes) -> Iterable[DisputeSnapshot]:
        rows = SandboxDispute.objects.select_related("session").filter(
            session__ref=self.session_of(event_body)
        )
        return [_dispute_snapshot(row) for row in rows.order_by("id")]

    def fetch_dispute(self, ref: str) -> DisputeSnapshot | None:
        row = SandboxDispute.objects.select_related("session").filter(ref=ref).first()
        return _dispute_snapshot(row) if row else None

    def recent_events(self, since: dt.datetime) -> Iterable[tuple[IncomingEvent, bytes]]:
        return []

    def balance_lines(self, since: dt.datetime, now: dt.datetime) -> Iterable[BalanceItem]:
        return sandbox_balance.lines(since, now)

    def balance_until(self, now: dt.datetime) -> dt.datetime:
        return now

    def payouts(self, since: dt.datetime, now: dt.datetime) -> Iterable[PayoutItem]:
        return sandbox_balance.payouts(since, now)


def sign(stamp: str, body: bytes) -> str:
    """This will sign an event's raw bytes with a key derived from the site's secret."""
    key = hashlib.sha256(b"sandbox-cashier:" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def make_event(
    session: SandboxSession | SandboxSubscription, kind: str, now: dt.datetime
) -> tuple[dict[str, str], bytes]:
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


def make_refund(
    session: SandboxSession, amount: int, key: str, now: dt.datetime, reference: str = ""
) -> SandboxRefund:
    """This will take a refund on the cashier's side (the session is locked by the caller), refusing what passes the
    payment or stands in a dispute, as real cashiers do. Without `reference` it is one of the "dashboard"."""
    made = session.refunds.exclude(status="failed").aggregate(n=Sum("amount"))["n"] or 0
    if session.status != "paid" or made + amount > session.amount:
        raise RefundRefused("amount_too_large")
    if session.disputes.filter(status="open").exists():
        raise RefundRefused("charge_disputed")
    return SandboxRefund.objects.create(
        ref=f"re_{secrets.token_hex(12)}",
        key=key,
        session=session,
        reference=reference,
        amount=amount,
        made_at=now,
    )


def refund_snapshot(row: SandboxRefund) -> RefundSnapshot:
    """This will give a refund as the cashier has it."""
    return RefundSnapshot(
        ref=row.ref, reference=row.reference, payment_reference=row.session.reference,
        charge_ref=f"ch_{row.session.ref}", status=RefundStatus(row.status), amount=row.amount,
        currency=row.session.currency, occurred_at=row.made_at, failure=row.failure,
    )  # fmt: skip


def _dispute_snapshot(row: SandboxDispute) -> DisputeSnapshot:
    currency = row.session.currency
    movements = []
    if row.withdrawn_at:
        movements.append(Movement(f"txn_{row.ref}", row.amount, currency, row.withdrawn_at, DISPUTE_FEE))
    if row.returned_at:
        movements.append(
            Movement(f"txn_{row.ref}_back", -row.returned, currency, row.returned_at, -DISPUTE_FEE)
        )
    return DisputeSnapshot(
        ref=row.ref, charge_ref=f"ch_{row.session.ref}", payment_reference=row.session.reference,
        status=DisputeStatus(row.status), amount=row.amount, currency=currency, opened_at=row.opened_at,
        reason="test", movements=tuple(movements),
    )  # fmt: skip


@transaction.atomic
def play(session: SandboxSession, action: str, now: dt.datetime, amount: int = 0) -> list[str]:
    """This will do what a button of the test page says to a paid payment, on the cashier's side, and give the kinds of
    the events it sends. `amount` in minor units (0: all of it) for what takes one. Impossible ones do nothing."""
    session = SandboxSession.objects.select_for_update().get(pk=session.pk)
    if action == "refund_dashboard":
        try:
            made = make_refund(session, amount or session.amount, f"dashboard-{secrets.token_hex(8)}", now)
        except RefundRefused:
            return []
        made.status = "succeeded"
        made.save(update_fields=["status"])
        return ["refund.created", "refund.updated"]
    if action == "refund_succeed":
        return ["refund.updated"] if session.refunds.filter(status="sent").update(status="succeeded") else []
    if action == "refund_fail":
        # The newest one on its way; where none is, the newest that was made comes back.
        last = (
            (session.refunds.filter(status="sent") or session.refunds.filter(status="succeeded"))
            .order_by("id")
            .last()
        )
        if last is None:
            return []
        last.status, last.failure = "failed", "account_closed"
        last.save(update_fields=["status", "failure"])
        return ["refund.failed"]
    return _dispute(session, action, now, amount)


def _dispute(session: SandboxSession, action: str, now: dt.datetime, amount: int) -> list[str]:
    live = session.disputes.filter(status__in=["inquiry", "open"]).first()
    if action in ("dispute_inquire", "dispute_open"):
        made = session.disputes.exclude(status__in=["won", "closed"]).aggregate(n=Sum("amount"))["n"] or 0
        back = session.refunds.exclude(status="failed").aggregate(n=Sum("amount"))["n"] or 0
        if live and live.status == "inquiry" and action == "dispute_open":
            live.status, live.withdrawn_at = "open", now
            live.save(update_fields=["status", "withdrawn_at"])
            return ["dispute.updated", "dispute.funds_withdrawn"]
        wanted = min(amount or session.amount, session.amount - made - back)
        if live or session.status != "paid" or wanted <= 0:
            return []
        opened = action == "dispute_open"
        SandboxDispute.objects.create(
            ref=f"dp_{secrets.token_hex(12)}", session=session, amount=wanted, opened_at=now,
            status="open" if opened else "inquiry", withdrawn_at=now if opened else None,
        )  # fmt: skip
        return ["dispute.created", "dispute.funds_withdrawn"] if opened else ["dispute.created"]
    if (
        live is None
        or live.status != "open"
        or action not in ("dispute_win", "dispute_partly", "dispute_lose")
    ):
        return []
    live.status = "lost" if action == "dispute_lose" else "won"
    if action != "dispute_lose":
        # Won in part: the bank gives back half.
        live.returned, live.returned_at = (
            live.amount if action == "dispute_win" else (live.amount + 1) // 2,
            now,
        )
    live.save(update_fields=["status", "returned", "returned_at"])
    return ["dispute.closed"] if action == "dispute_lose" else ["dispute.funds_reinstated", "dispute.closed"]
