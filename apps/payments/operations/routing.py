"""Which way an event takes, by what it speaks of. A route fetches outside any transaction and applies inside one.

To add one (payouts): write `fetch` and `apply` beside each other, and name them in ROUTES. Events of a
subject without a route are kept in the inbox as "stored".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.actors import Actor
from apps.payments.models import Payment
from apps.payments.operations.applying import apply_snapshots
from apps.payments.operations.disputing import apply_disputes
from apps.payments.operations.refunding import apply_refunds
from apps.payments.operations.subscribing import apply_subscriptions
from apps.payments.provider import MonthlyProvider, Provider
from apps.payments.states import PaymentStatus, Subject

Key = tuple[str, str]
Found = dict[str, dict[Key, Any]]
"""What a batch of events led to: {subject: {(provider, reference): snapshot}}."""


@dataclass(frozen=True, slots=True)
class Route:
    """`fetch(provider, body, found)` asks the provider and returns the event's outcome; `apply(actor=, found=, now=)`
    writes what was found for this subject."""

    fetch: Callable[[Provider, bytes, Found], str]
    apply: Callable[[Actor, Mapping[Key, Any], dt.datetime], object]


def _fetch_payment(provider: Provider, body: bytes, found: Found) -> str:
    ref = provider.session_of(body)
    if not ref:
        return "no_session"
    payments = found[Subject.PAYMENT]
    if (provider.name, ref) not in payments:
        snapshot = provider.fetch(ref)
        if snapshot is None:
            return "nothing_found"
        payments[provider.name, ref] = snapshot
    return "applied"


def _fetch_refunds(provider: Provider, body: bytes, found: Found) -> str:
    refunds = list(provider.refunds_of(body))
    for snapshot in refunds:
        found[Subject.REFUND][provider.name, snapshot.ref] = snapshot
    _payment_first(provider, body, {snapshot.charge_ref for snapshot in refunds}, found)
    return "applied" if refunds else "nothing_found"


def _fetch_disputes(provider: Provider, body: bytes, found: Found) -> str:
    disputes = list(provider.disputes_of(body))
    for snapshot in disputes:
        found[Subject.DISPUTE][provider.name, snapshot.ref] = snapshot
    _payment_first(provider, body, {snapshot.charge_ref for snapshot in disputes}, found)
    return "applied" if disputes else "nothing_found"


def _payment_first(provider: Provider, body: bytes, charges: set[str], found: Found) -> None:
    """A refund or dispute may be heard of before its payment: then the payment is fetched as well."""
    known = Payment.objects.filter(
        provider=provider.name, charge_ref__in=charges, status=PaymentStatus.PAID
    ).values_list("charge_ref", flat=True)
    if charges - set(known):
        _fetch_payment(provider, body, found)


def _fetch_subscription(provider: Provider, body: bytes, found: Found) -> str:
    if not isinstance(provider, MonthlyProvider):
        return "stored"
    ref = provider.subscription_of(body)
    if not ref:
        return "nothing_found"
    orders = found[Subject.SUBSCRIPTION]
    if (provider.name, ref) not in orders:
        snapshot = provider.fetch_subscription(ref, "", dt.datetime.now(dt.UTC))
        if snapshot is None:
            return "nothing_found"
        orders[provider.name, ref] = snapshot
    return "applied"


ROUTES: dict[str, Route] = {
    Subject.PAYMENT: Route(
        _fetch_payment, lambda actor, found, now: apply_snapshots(actor=actor, snapshots=found, now=now)
    ),
    Subject.SUBSCRIPTION: Route(
        _fetch_subscription,
        lambda actor, found, now: apply_subscriptions(actor=actor, snapshots=found, now=now),
    ),
    Subject.REFUND: Route(
        _fetch_refunds, lambda actor, found, now: apply_refunds(actor=actor, snapshots=found, now=now)
    ),
    Subject.DISPUTE: Route(
        _fetch_disputes, lambda actor, found, now: apply_disputes(actor=actor, snapshots=found, now=now)
    ),
}
"""In the order in which a batch is applied: a payment before what became of its money."""
