"""The webhook inbox: verify, keep the bytes, answer; then work events off in batches, re-fetching every payment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import structlog
from django.db import transaction

from apps.core.actors import system
from apps.core.crash import crash_point
from apps.payments.models import Payment, ProviderEvent
from apps.payments.operations.applying import apply_snapshots
from apps.payments.provider import IncomingEvent, ProviderUnavailable, Snapshot
from apps.payments.registry import provider

log = structlog.get_logger(__name__)

RETRY_AFTER = dt.timedelta(seconds=30)


def receive_event(*, provider_name: str, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> bool:
    """This will verify a signed event over its raw bytes and put it into the inbox once; True when it was new.

    Raises NotFound (no such provider), BadSignature, StaleEvent. Unknown kinds are kept and never acted on.
    """
    event = provider(provider_name).read_event(headers, body, now)
    created = store_event(provider_name, event, body, now)
    crash_point("payments.event_stored")
    return created


def store_event(provider_name: str, event: IncomingEvent, body: bytes, now: dt.datetime) -> bool:
    """This will put a verified event into the inbox unless it is there already; True when it was new."""
    _row, created = ProviderEvent.objects.get_or_create(
        provider=provider_name, event_ref=event.ref,
        defaults={
            "kind": event.kind[:80], "object_ref": event.object_ref, "body": body, "occurred_at": event.occurred_at,
            "due_at": now, "processed_at": None if event.relevant else now,
            "outcome": "" if event.relevant else "ignored",
        },
    )  # fmt: skip
    return created


def process_inbox(*, now: dt.datetime, limit: int = 100) -> int:
    """This will work off up to `limit` waiting events: fetch each payment once, outside any transaction, then apply all
    in one. Events whose provider doesn't answer, or that can't be read, are put back. Returns how many were done."""
    events = list(
        ProviderEvent.objects.filter(processed_at__isnull=True, due_at__lte=now).order_by("due_at", "id")[
            :limit
        ]
    )
    if not events:
        return 0
    snapshots: dict[tuple[str, str], Snapshot] = {}
    done: dict[int, str] = {}
    for event in events:
        try:
            ref = provider(event.provider).session_of(bytes(event.body))
            if ref and (event.provider, ref) not in snapshots:
                snapshots[event.provider, ref] = provider(event.provider).fetch(ref)
            done[event.pk] = "applied" if ref else "no_session"
        except ProviderUnavailable:
            _put_back(event, now)
        except Exception as error:
            # One event that nobody can read must not hold up those behind it. Its words may be a person's.
            log.error("payments.event_unreadable", row=event.pk, error=type(error).__name__)
            _put_back(event, now)
    crash_point("payments.events_fetched")
    with transaction.atomic():
        known = apply_snapshots(actor=system("payments.inbox"), snapshots=snapshots, now=now)
        for pk, outcome in done.items():
            ProviderEvent.objects.filter(pk=pk, processed_at__isnull=True).update(
                processed_at=now, outcome=outcome
            )
    for key in snapshots.keys() - known:
        log.warning("payments.unknown_session", provider=key[0])
    return len(done)


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
