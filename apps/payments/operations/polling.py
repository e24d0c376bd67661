"""Closing gaps: open payments are asked for, the provider's own event list is read, forgotten intents expire."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from apps.core.actors import system
from apps.core.events import publish
from apps.core.transitions import move
from apps.payments.events import PaymentEnded
from apps.payments.models import Payment, PaymentStatusChange
from apps.payments.operations.applying import apply_snapshots
from apps.payments.operations.inbox import store_event, waiting_payments
from apps.payments.provider import Provider, ProviderUnavailable, Snapshot
from apps.payments.registry import provider, providers
from apps.payments.states import FORWARD, PaymentStatus


def poll_payments(*, now: dt.datetime) -> int:
    """This will fetch payments that have waited over two minutes and apply what the provider says; an intent that never
    reached its provider is looked up there, and expires when its time is over. Returns how many were asked for."""
    waiting = waiting_payments(now)
    actor = system("payments.poller")
    configured = {each.name for each in providers()}
    for payment in waiting:
        if payment.provider not in configured:
            _let_go(payment, now)
            continue
        try:
            ref = payment.session_ref
            if not ref:
                found = provider(payment.provider).find_session(str(payment.uuid), payment.created_at)
                ref = found.ref if found else ""
            snapshot = _fetch(provider(payment.provider), payment, ref, now) if ref else None
            if snapshot:
                apply_snapshots(actor=actor, snapshots={(payment.provider, ref): snapshot}, now=now)
            elif payment.expires_at < now:
                _expire(payment, now)
        except ProviderUnavailable:
            Payment.objects.filter(pk=payment.pk).update(checked_at=now)
    return len(waiting)


def _fetch(way: Provider, payment: Payment, ref: str, now: dt.datetime) -> Snapshot | None:
    """What the provider has. A checkout whose time is over is closed, so that it can't be paid any more and stops
    holding a target."""
    found = way.fetch(ref)
    if found and found.status == PaymentStatus.OPEN and payment.expires_at < now:
        way.close(ref)
        found = way.fetch(ref)
    if found is None:
        Payment.objects.filter(pk=payment.pk).update(checked_at=now)
    return found


def poll_events(*, now: dt.datetime, hours: int = 24) -> int:
    """This will read each provider's own list of events and put those that never arrived into the inbox."""
    new = 0
    for each in providers():
        for event, body in each.recent_events(now - dt.timedelta(hours=hours)):
            new += store_event(each.name, event, body, now)
    return new


def _let_go(payment: Payment, now: dt.datetime) -> None:
    """A payment of a provider that was taken out of the configuration: nobody can be asked, so it expires by our own
    clock and stops holding a target. Money that comes all the same is late, never lost."""
    Payment.objects.filter(pk=payment.pk).update(checked_at=now)
    patience = dt.timedelta(days=7) if payment.status == PaymentStatus.PENDING else dt.timedelta(0)
    if payment.expires_at + patience < now:
        _expire(payment, now)


@transaction.atomic
def _expire(payment: Payment, now: dt.datetime) -> None:
    locked = Payment.objects.select_for_update().get(pk=payment.pk)
    if locked.status != payment.status:
        return
    move(locked, PaymentStatus.EXPIRED, forward=FORWARD, history=PaymentStatusChange,
         actor=system("payments.poller"), now=now)  # fmt: skip
    publish(PaymentEnded(payment_id=locked.pk, status=str(locked.status)))
