"""WeChat Pay behind the interface of payments: an order by our reference, the code to scan, refunds, bills.

Our payment's uuid without its dashes is the order's number (out_trade_no), our refund's the refund's. Nothing but an
authenticated query says that money came; a notification only says where to look. There are no disputes: WeChat's
complaints move no money. It states its fees in the next day's bill only.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.urls import reverse

from apps.core.clock import SHANGHAI
from apps.payments.provider import (
    BadSignature,
    BalanceItem,
    Checkout,
    CheckoutRequest,
    DisputeSnapshot,
    IncomingEvent,
    PayoutItem,
    ProviderUnavailable,
    RefundRefused,
    RefundRequest,
    RefundSnapshot,
    Snapshot,
)
from apps.payments.providers.wechat.bills import Bills
from apps.payments.providers.wechat.client import Client, Refused, moment
from apps.payments.providers.wechat.signing import load_keys
from apps.payments.states import Method, RefundStatus, Subject

log = structlog.get_logger(__name__)

ORDERS = "/v3/pay/transactions/out-trade-no/"
REFUNDS = "/v3/refund/domestic/refunds"
REFUND_DAYS = 180
MAXIMUM = 5_000_000
"""¥50,000, in fen: what most banks let through in one WeChat payment; more goes by bank transfer (G3)."""

STATES = {
    "SUCCESS": "paid", "REFUND": "paid", "NOTPAY": "open", "USERPAYING": "pending", "ACCEPT": "pending",
    "CLOSED": "expired", "REVOKED": "expired", "PAYERROR": "failed",
}  # fmt: skip
REFUND_STATES = {
    "SUCCESS": RefundStatus.SUCCEEDED, "PROCESSING": RefundStatus.SENT, "CLOSED": RefundStatus.FAILED,
    # The bank took nothing back. Until somebody sends it elsewhere or closes it at WeChat, it may still be made there.
    "ABNORMAL": RefundStatus.SENT,
}  # fmt: skip
SUBJECTS = {
    "TRANSACTION.SUCCESS": Subject.PAYMENT, "REFUND.SUCCESS": Subject.REFUND, "REFUND.ABNORMAL": Subject.REFUND,
    "REFUND.CLOSED": Subject.REFUND,
}  # fmt: skip
ASK_AGAIN = frozenset({"NOT_ENOUGH", "FREQUENCY_LIMITED", "SYSTEM_ERROR", "SIGN_ERROR", "NO_AUTH"})
"""Refusals of a refund that say nothing about it: an empty balance, haste, or our own configuration."""


class WechatPay:
    name = "wechatpay"
    bills_fees = True

    def __init__(self) -> None:
        keys = load_keys(
            mchid=settings.WECHATPAY_MCHID, serial=settings.WECHATPAY_CERT_SERIAL,
            private_key_file=settings.WECHATPAY_PRIVATE_KEY_FILE, apiv3_key=settings.WECHATPAY_APIV3_KEY,
            public_key_files=settings.WECHATPAY_PUBLIC_KEY_FILE, public_key_ids=settings.WECHATPAY_PUBLIC_KEY_ID,
        )  # fmt: skip
        self._client = Client(keys, settings.WECHATPAY_API_BASE)
        self._bills = Bills(self._client)

    def methods(self) -> list[str]:
        return [Method.WECHAT_PAY]

    def maximum(self, method: str, currency: str) -> int:
        return MAXIMUM if currency == "CNY" else 0

    def refund_days(self, method: str) -> int | None:
        return REFUND_DAYS

    def test_page(self, session_ref: str) -> str:
        return ""

    def open_checkout(self, request: CheckoutRequest) -> Checkout:
        number = _number(request.reference)
        order = {
            "appid": settings.WECHATPAY_APPID, "mchid": settings.WECHATPAY_MCHID,
            # Published in characters, counted in bytes: 127 of them.
            "description": request.description.encode()[:120].decode(errors="ignore"), "out_trade_no": number,
            "time_expire": request.expires_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
            "notify_url": _notify_url(), "amount": {"total": request.amount, "currency": request.currency},
        }  # fmt: skip
        try:
            answer = self._client.post("/v3/pay/transactions/native", order)
        except Refused as refused:
            # Whatever it dislikes, nothing was collected: the donor takes another way.
            log.error("payments.order_refused", provider=self.name, code=refused.code)
            raise ProviderUnavailable() from refused
        code = str(answer.get("code_url", ""))
        if not code.startswith("weixin://"):
            raise ProviderUnavailable()
        return Checkout(number, "", request.expires_at, code=code)

    def find_session(self, reference: str, opened_at: dt.datetime) -> Checkout | None:
        number = _number(reference)
        found = self.fetch(number)
        return None if found is None else Checkout(number, "", opened_at)

    def close(self, session_ref: str) -> None:
        try:
            self._client.post(f"{ORDERS}{session_ref}/close", {"mchid": settings.WECHATPAY_MCHID})
        except Refused as refused:
            # Paid or closed meanwhile: the fetch that follows says which.
            log.info("payments.not_closed", provider=self.name, code=refused.code)

    def fetch(self, session_ref: str) -> Snapshot | None:
        try:
            order = self._client.get(f"{ORDERS}{session_ref}", mchid=settings.WECHATPAY_MCHID)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise ProviderUnavailable() from refused
        if order.get("mchid") != settings.WECHATPAY_MCHID or order.get("appid") != settings.WECHATPAY_APPID:
            log.error("payments.foreign_order", provider=self.name)
            raise ProviderUnavailable()
        status = STATES.get(str(order.get("trade_state")), "open")
        amount: Mapping[str, Any] = order.get("amount") or {}
        return Snapshot(
            session_ref=str(order["out_trade_no"]), reference=_reference(str(order["out_trade_no"])), status=status,
            amount=int(amount.get("total", 0)), currency=str(amount.get("currency") or "CNY"),
            charge_ref=str(order.get("transaction_id") or "") if status == "paid" else "",
            settled_at=moment(order["success_time"]) if status == "paid" and order.get("success_time") else None,
        )  # fmt: skip

    def read_event(self, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> IncomingEvent:
        skew = self._client.keys.verify(headers, body, now)
        try:
            data = json.loads(body)
            kind, ref, at = str(data["event_type"]), str(data["id"]), moment(str(data["create_time"]))
            thing = self._client.keys.open(data["resource"])
            number = str(thing["out_trade_no"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadSignature() from error
        ours = thing.get("mchid") == settings.WECHATPAY_MCHID
        subject = SUBJECTS.get(kind, "") if ours else ""
        refund = str(thing.get("out_refund_no") or "") if subject == Subject.REFUND else ""
        return IncomingEvent(
            ref=ref, kind=kind, object_ref=refund or number, occurred_at=at, reference=_reference(number),
            subject=subject, skew=skew,
        )  # fmt: skip

    def session_of(self, event_body: bytes) -> str:
        return str(self._thing(event_body).get("out_trade_no", ""))

    def recent_events(self, since: dt.datetime) -> Iterable[tuple[IncomingEvent, bytes]]:
        return []

    def send_refund(self, request: RefundRequest) -> RefundSnapshot:
        content = {
            "transaction_id": request.charge_ref, "out_refund_no": _number(request.reference),
            "notify_url": _notify_url(),
            "amount": {"refund": request.amount, "total": request.whole, "currency": request.currency},
        }  # fmt: skip
        try:
            return _refund(self._client.post(REFUNDS, content))
        except Refused as refused:
            if refused.code in ASK_AGAIN:
                raise ProviderUnavailable() from refused
            raise RefundRefused(refused.code) from refused

    def fetch_refund(self, ref: str, request: RefundRequest) -> RefundSnapshot | None:
        return self._fetch_refund(ref or _number(request.reference))

    def refunds_of(self, event_body: bytes) -> Iterable[RefundSnapshot]:
        found = self._fetch_refund(str(self._thing(event_body)["out_refund_no"]))
        return [found] if found else []

    def disputes_of(self, event_body: bytes) -> Iterable[DisputeSnapshot]:
        return []

    def fetch_dispute(self, ref: str) -> DisputeSnapshot | None:
        return None

    def balance_lines(self, since: dt.datetime, now: dt.datetime) -> Iterable[BalanceItem]:
        return self._bills.lines(since, now)

    def balance_until(self, now: dt.datetime) -> dt.datetime:
        return self._bills.known_until(now)

    def payouts(self, since: dt.datetime, now: dt.datetime) -> Iterable[PayoutItem]:
        return self._bills.payouts(since, now)

    def _fetch_refund(self, number: str) -> RefundSnapshot | None:
        try:
            return _refund(self._client.get(f"{REFUNDS}/{number}"))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise ProviderUnavailable() from refused

    def _thing(self, event_body: bytes) -> dict[str, Any]:
        """What a kept notification speaks of: its bytes stay as they came, encrypted."""
        return self._client.keys.open(json.loads(event_body)["resource"])


def _refund(refund: Mapping[str, Any]) -> RefundSnapshot:
    amount, state = refund["amount"], str(refund["status"])
    if state == "ABNORMAL":
        log.error("payments.refund_abnormal", provider=WechatPay.name)
    return RefundSnapshot(
        ref=str(refund["out_refund_no"]), reference=_reference(str(refund["out_refund_no"])),
        payment_reference=_reference(str(refund["out_trade_no"])), charge_ref=str(refund["transaction_id"]),
        status=REFUND_STATES.get(state, RefundStatus.SENT), amount=int(amount["refund"]),
        currency=str(amount.get("currency") or "CNY"),
        occurred_at=moment(str(refund.get("success_time") or refund["create_time"])),
        failure="closed" if state == "CLOSED" else "",
    )  # fmt: skip


def _number(reference: str) -> str:
    """Our uuid as WeChat takes it: 32 characters."""
    return UUID(reference).hex


def _reference(number: str) -> str:
    """Our uuid of an order's or refund's number, "" where the number is somebody else's."""
    try:
        return str(UUID(hex=number)) if len(number) == 32 else ""
    except ValueError:
        return ""


def _notify_url() -> str:
    return settings.SITE_URL.rstrip("/") + reverse("payments_webhook", args=[WechatPay.name])
