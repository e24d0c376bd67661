"""Reads of payments for the rooms above: the way a refund may take, alarms, the provider's test page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from apps.core.errors import NotFound
from apps.payments.models import ClockAlarm, Payment
from apps.payments.registry import provider

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
