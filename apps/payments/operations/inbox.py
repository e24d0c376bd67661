"""The webhook inbox: verify, keep the bytes, answer; then work events off in batches, re-fetching every payment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import structlog
from django.db import connection, transaction

from apps.core.actors import system
from apps.core.crash import crash_point
from apps.core.pages import bump_epoch
from apps.payments.models import ClockAlarm, Payment, ProviderEvent
from apps.payments.operations.routing import ROUTES, Found
from apps.payments.provider import IncomingEvent, ProviderUnavailable, StaleEvent
from apps.payments.queries import ALARM_LASTS
from apps.payments.registry import provider

log = structlog.get_logger(__name__)

RETRY_AFTER = dt.timedelta(seconds=30)
LEASE = dt.timedelta(seconds=40)
"""How long a worker has events to itself; working them off twice does no harm."""
_STORE = """
INSERT INTO payments_providerevent (provider, event_ref, kind, object_ref, subject, body, occurred_at, due_at,
  processed_at, outcome, attempts)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0) ON CONFLICT (provider, event_ref) DO NOTHING RETURNING id
"""
_CLAIM = """
UPDATE payments_providerevent SET due_at = %(until)s WHERE id IN (
  SELECT id FROM payments_providerevent WHERE processed_at IS NULL AND due_at <= %(now)s
  ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING *
"""
SKEW_ALARM = 60
"""Seconds between a provider's clock and ours that a person must hear of (money.md)."""


def receive_event(*, provider_name: str, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> bool:
    """This will verify a signed event over its raw bytes and put it into the inbox once; True when it was new.

    Raises NotFound (no such provider), BadSignature, StaleEvent. Unknown kinds are kept and never acted on. A clock
    that is off by more than a minute is noted for a person to see, also when the event is refused for it.
    """
    try:
        event = provider(provider_name).read_event(headers, body, now)
    except StaleEvent as error:
        note_skew(provider_name=provider_name, skew=error.skew, rejected=True, now=now)
        raise
    if abs(event.skew) > SKEW_ALARM:
        note_skew(provider_name=provider_name, skew=event.skew, rejected=False, now=now)
    created = store_event(provider_name, event, body, now)
    crash_point("payments.event_stored")
    return created


def store_event(provider_name: str, event: IncomingEvent, body: bytes, now: dt.datetime) -> bool:
    """This will put a verified event into the inbox unless it is there already; True when it was new."""
    routed = event.subject in ROUTES
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE,
            [provider_name, event.ref, event.kind[:80], event.object_ref, event.subject, body, event.occurred_at, now,
             None if routed else now, "" if routed else "stored" if event.subject else "ignored"],
        )  # fmt: skip
        return cursor.fetchone() is not None


@transaction.atomic
def note_skew(*, provider_name: str, skew: int, rejected: bool, now: dt.datetime) -> ClockAlarm:
    """This will keep how far a provider's clock is from ours, in seconds, for the status page and the cashier."""
    log.error("payments.clock_skew", provider=provider_name, seconds=skew, rejected=rejected)
    ClockAlarm.objects.bulk_create(
        [ClockAlarm(provider=provider_name, skew=skew, first_at=now, last_at=now)], ignore_conflicts=True
    )
    alarm = ClockAlarm.objects.select_for_update().get(provider=provider_name)
    if now - alarm.last_at > ALARM_LASTS:
        alarm.first_at, alarm.rejected = now, 0
    if alarm.first_at == now:
        bump_epoch()  # the public status page says so at once
    alarm.skew, alarm.last_at = skew, now
    alarm.rejected += rejected
    alarm.save(update_fields=["skew", "first_at", "last_at", "rejected"])
    return alarm


def process_inbox(*, now: dt.datetime, limit: int = 100) -> int:
    """This will work off up to `limit` waiting events: ask the providers outside any transaction, each event by the
    route of its subject, then apply all in one. Events whose provider doesn't answer, or that can't be read or
    applied, are put back and hold up no other. Returns how many were done."""
    events = _claim(now, limit)
    if not events:
        return 0
    try:
        return _work_off(events, now)
    except Exception as error:
        log.error("payments.batch_not_applied", rows=len(events), error=type(error).__name__)
    return sum(_alone(event, now) for event in events)


def _alone(event: ProviderEvent, now: dt.datetime) -> int:
    try:
        return _work_off([event], now)
    except Exception as error:
        log.error("payments.event_not_applied", row=event.pk, error=type(error).__name__)
        _put_back(event, now)
        return 0


def _work_off(events: list[ProviderEvent], now: dt.datetime) -> int:
    found: Found = {subject: {} for subject in ROUTES}
    done: dict[int, str] = {}
    for event in events:
        try:
            route = ROUTES.get(event.subject)
            done[event.pk] = (
                route.fetch(provider(event.provider), bytes(event.body), found) if route else "stored"
            )
        except ProviderUnavailable:
            _put_back(event, now)
        except Exception as error:
            # One event that nobody can read must not hold up those behind it. Its words may be a person's.
            log.error("payments.event_unreadable", row=event.pk, error=type(error).__name__)
            _put_back(event, now)
    crash_point("payments.events_fetched")
    with transaction.atomic():
        for subject, route in ROUTES.items():
            if found[subject]:
                route.apply(system("payments.inbox"), found[subject], now)
        for outcome in set(done.values()):
            ProviderEvent.objects.filter(
                pk__in=[pk for pk, each in done.items() if each == outcome], processed_at__isnull=True
            ).update(processed_at=now, outcome=outcome)
    return len(done)


def _claim(now: dt.datetime, limit: int) -> list[ProviderEvent]:
    """Takes waiting events for a while, so that workers beside each other take others; whoever dies loses them only
    until the lease ends."""
    return sorted(
        ProviderEvent.objects.raw(_CLAIM, {"now": now, "until": now + LEASE, "limit": limit}),
        key=lambda event: event.pk,
    )


def _put_back(event: ProviderEvent, now: dt.datetime) -> None:
    ProviderEvent.objects.filter(pk=event.pk).update(
        attempts=event.attempts + 1, due_at=now + RETRY_AFTER * min(event.attempts + 1, 20)
    )


def waiting_payments(now: dt.datetime) -> list[Payment]:
    """This will list open payments whose provider hasn't been asked for a while."""
    return list(
        Payment.objects.filter(
            status__in=["created", "open", "pending"], created_at__lte=now - dt.timedelta(minutes=2)
        )
        .exclude(checked_at__gt=now - dt.timedelta(minutes=2))
        .order_by("id")[:100]
    )
