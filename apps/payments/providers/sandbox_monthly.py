"""The test cashier's standing orders: a month is a session of its own, so that it is refunded and disputed like any.

A failing card is tried again after 3, 5 and 7 days, then the order ends.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets

from django.db import transaction
from django.urls import reverse

from apps.core.clock import add_months, civil_day, start_of_day
from apps.payments.models import SandboxSession, SandboxSubscription
from apps.payments.provider import (
    Charge,
    Checkout,
    Fee,
    MonthlyRequest,
    OrderRefused,
    SubscriptionSnapshot,
)
from apps.payments.states import ChargeStatus, Method, OrderKind, SubscriptionStatus

RETRIES = (3, 5, 7)
"""Days until a failing card is tried again."""
NEWEST = 24
S = SubscriptionStatus


class SandboxMonthly:
    """What the test cashier can do for standing orders; part of its provider."""

    def open_monthly(self, request: MonthlyRequest) -> Checkout:
        order, _created = SandboxSubscription.objects.get_or_create(
            reference=request.reference,
            defaults={
                "ref": f"sub_{secrets.token_hex(12)}", "amount": request.amount, "currency": request.currency,
                "description": request.description[:200], "return_url": request.return_url,
                "expires_at": request.expires_at,
            },
        )  # fmt: skip
        return Checkout(order.ref, reverse("payments_sandbox_monthly", args=[order.ref]), order.expires_at)

    def subscription_of(self, event_body: bytes) -> str:
        return str(json.loads(event_body)["session"])

    def fetch_subscription(
        self, ref: str, reference: str, opened_at: dt.datetime
    ) -> SubscriptionSnapshot | None:
        rows = SandboxSubscription.objects.filter(ref=ref) if ref else (
            SandboxSubscription.objects.filter(reference=reference)
        )  # fmt: skip
        order = rows.first()
        if order is None or order.status in (S.OPEN, S.EXPIRED):
            return None
        return SubscriptionSnapshot(
            ref=order.ref, reference=order.reference, status=S(order.status), amount=order.amount,
            currency=order.currency, next_at=order.next_at, charges=tuple(_charges(order)),
        )  # fmt: skip

    def change_subscription(
        self, ref: str, kind: OrderKind, amount: int | None, currency: str, key: str
    ) -> None:
        with transaction.atomic():
            order = SandboxSubscription.objects.select_for_update().get(ref=ref)
            if key in order.keys:
                return
            if order.status == S.ENDED:
                raise OrderRefused("ended")
            if kind == OrderKind.AMOUNT and amount:
                order.amount = amount
            elif kind == OrderKind.PAUSE:
                order.status = S.PAUSED
            elif kind == OrderKind.RESUME:
                order.status = S.ACTIVE
            elif kind == OrderKind.STOP:
                order.status, order.next_at = S.ENDED, None
            order.keys = [*order.keys, key]
            order.save()


def _charges(order: SandboxSubscription) -> list[Charge]:
    made = []
    for month in order.months.order_by("-id")[:NEWEST]:
        if month.status == "paid" and month.paid_at:
            fee = Fee(f"fee_{month.ref}", month.fee, month.currency, month.paid_at)
            made.append(
                Charge(month.ref, ChargeStatus.PAID, month.amount, month.currency, charge_ref=f"ch_{month.ref}",
                       settled_at=month.paid_at, fees=(fee,))
            )  # fmt: skip
        elif month.status == "failed":
            newest = order.attempt if order.status == S.PAST_DUE else len(RETRIES) + 1
            made.append(
                Charge(month.ref, ChargeStatus.FAILED, month.amount, month.currency, attempt=newest,
                       next_at=order.next_at if order.status == S.PAST_DUE else None)
            )  # fmt: skip
    return made[::-1]


@transaction.atomic
def play(order: SandboxSubscription, action: str, now: dt.datetime) -> list[str]:
    """This will do what a button of the test page says to a standing order and give the kinds of its events."""
    order = SandboxSubscription.objects.select_for_update().get(pk=order.pk)
    if action == "subscribe" and order.status in (S.OPEN, S.EXPIRED):
        order.status, order.started_at = S.ACTIVE, now
        _collect(order, now)
        return ["subscription.created", "subscription.charged"]
    if action in ("card_fails", "card_works") and order.status != S.OPEN:
        order.card_fails = action == "card_fails"
        order.save(update_fields=["card_fails"])
        return ["subscription.card"]
    if action == "next" and order.status in (S.ACTIVE, S.PAST_DUE):
        _collect(order, now)
        return ["subscription.charged"]
    return []


@transaction.atomic
def advance(now: dt.datetime) -> list[SandboxSubscription]:
    """This will collect what is due by the clock and give the orders that changed."""
    due = SandboxSubscription.objects.select_for_update(skip_locked=True).filter(
        status__in=[S.ACTIVE, S.PAST_DUE], next_at__lte=now
    )
    changed = list(due.order_by("id")[:100])
    for order in changed:
        _collect(order, now)
    return changed


def _collect(order: SandboxSubscription, now: dt.datetime) -> None:
    from apps.payments.providers.sandbox import settle

    month = (
        order.months.filter(status="failed").order_by("-id").first() if order.status == S.PAST_DUE else None
    )
    if month is None:
        month = SandboxSession.objects.create(
            ref=f"sbx_{secrets.token_hex(16)}", reference="", amount=order.amount, currency=order.currency,
            method=Method.CARD, description=order.description, return_url=order.return_url, expires_at=now,
            subscription=order,
        )  # fmt: skip
    if order.card_fails:
        month.status, order.attempt = "failed", order.attempt + 1
        month.save(update_fields=["status"])
        if order.attempt <= len(RETRIES):
            order.status, order.next_at = S.PAST_DUE, now + dt.timedelta(days=RETRIES[order.attempt - 1])
        else:
            order.status, order.next_at = S.ENDED, None
    else:
        settle(month, now)
        order.status, order.attempt = S.ACTIVE, 0
        order.next_at = start_of_day(add_months(civil_day(now), 1)) + dt.timedelta(hours=9)
    order.save()
