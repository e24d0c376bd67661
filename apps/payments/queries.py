"""Reads of payments for the rooms above: the way a refund may take, alarms, the provider's test page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from apps.core.errors import NotFound
from apps.payments.models import ClockAlarm, Payment, ProviderFact
from apps.payments.registry import provider
from apps.payments.states import FactKind

ALARM_LASTS = dt.timedelta(hours=24)
"""How long an alarm stands after the last event that showed it."""


@dataclass(frozen=True, slots=True)
class RefundWay:
    """Whether a payment can still be refunded through its provider, and until when (None: no fixed limit)."""

    open: bool
    until: dt.datetime | None = None
    days: int | None = None


def refund_way(payment: Payment, now: dt.datetime) -> RefundWay:
    """This will say whether a paid payment may go back the way it came (G8): within the provider's window for its
    method, at a provider that is still configured."""
    if payment.paid_at is None:
        return RefundWay(False)
    try:
        days = provider(payment.provider).refund_days(payment.method)
    except NotFound:
        return RefundWay(False)
    if days is None:
        return RefundWay(True)
    until = payment.paid_at + dt.timedelta(days=days)
    return RefundWay(now < until, until, days)


def fees_of(payment_id: int | None) -> int:
    """This will sum what the provider charged for a payment, less what it gave back, minor units."""
    facts = ProviderFact.objects.filter(payment=payment_id, kind__in=[FactKind.FEE, FactKind.FEE_BACK])
    rows = facts.values_list("kind", "amount")
    return sum(amount if kind == FactKind.FEE else -amount for kind, amount in rows)


def test_page(payment: Payment) -> str:
    """This will give the path of the provider's marked test page for a payment, "" where there is none."""
    if not payment.session_ref:
        return ""
    try:
        return provider(payment.provider).test_page(payment.session_ref)
    except NotFound:
        return ""


def clock_alarms(now: dt.datetime) -> list[ClockAlarm]:
    """This will list the providers whose clock differed from ours by over a minute within the last day."""
    return list(ClockAlarm.objects.filter(last_at__gte=now - ALARM_LASTS).order_by("provider"))
