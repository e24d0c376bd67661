"""Events and the outbox.

An event is a frozen dataclass of ids with a `name`. `publish` writes it and one delivery per subscribed handler in the
caller's transaction; the broker is only a doorbell. `deliver_due` runs deliveries, each in its own transaction, and may
be called by any number of workers: rows are taken with SKIP LOCKED. Handlers are idempotent.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import traceback
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from django.db import transaction
from django.db.models import F

from apps.core.models import OutboxDelivery, OutboxEvent

log = structlog.get_logger(__name__)

Handler = Callable[..., None]

_EVENTS: dict[str, type[Event]] = {}
_HANDLERS: dict[str, dict[str, Handler]] = {}
_doorbell: list[Callable[[list[int]], None]] = []

RETRY_AFTER = (5, 30, 120, 600, 1800, 3600)
"""Seconds until the next attempt; the last value repeats. Nothing is ever given up."""


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """The base of all events: fields are ids, numbers and text only."""

    name: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def handler_name(handler: Handler) -> str:
    """This will give the stable name under which a handler's deliveries are kept."""
    return f"{handler.__module__}.{handler.__qualname__}"


def register(event: type[Event], *handlers: Handler) -> None:
    """This will subscribe handlers to an event; only charity_site/subscriptions.py calls it."""
    _EVENTS[event.name] = event
    table = _HANDLERS.setdefault(event.name, {})
    for handler in handlers:
        table[handler_name(handler)] = handler


def on_publish(ring: Callable[[list[int]], None]) -> None:
    """This will set the doorbell: called after commit with the ids of new deliveries. It must not raise or wait."""
    _doorbell[:] = [ring]


def publish(*events: Event) -> None:
    """This will write events and their deliveries in the present transaction and ring after commit.

    Raises RuntimeError outside a transaction: an event that can be committed without its fact is worth nothing.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("publish() needs the transaction that makes the event true")
    if not events:
        return
    rows = OutboxEvent.objects.bulk_create(
        [OutboxEvent(name=event.name, payload=event.payload()) for event in events]
    )
    deliveries = OutboxDelivery.objects.bulk_create(
        [OutboxDelivery(event=row, handler=name) for row in rows for name in _HANDLERS.get(row.name, {})]
    )
    if deliveries:
        ids = [delivery.pk for delivery in deliveries]
        transaction.on_commit(lambda: _ring(ids))


def in_batches(handler: Handler) -> Handler:
    """This will mark a handler that takes a list of events at once, so that many are worked off in one transaction."""
    handler.takes_batch = True  # type: ignore[attr-defined]
    return handler


def deliver_due(*, now: dt.datetime, limit: int = 200, only: list[int] | None = None) -> int:
    """This will deliver up to `limit` due deliveries (or those of `only`); returns how many succeeded.

    One transaction a delivery; those of a batch handler up to `limit` in one, and one by one when the batch fails. A
    handler that fails is put back with a growing delay and its error kept. Any number of workers may call this.
    """
    done, tried = 0, set[int]()
    while len(tried) < limit:
        with transaction.atomic():
            rows = _take(now, tried, only, limit - len(tried))
            if not rows:
                break
            tried.update(row.pk for row in rows)
            if _attempt(rows, now):
                done += len(rows)
                continue
        if len(rows) == 1:
            _put_back(rows[0], now)
            continue
        for row in rows:
            done += _deliver_one(row.pk, now)
    return done


def _take(now: dt.datetime, tried: set[int], only: list[int] | None, limit: int) -> list[OutboxDelivery]:
    rows = OutboxDelivery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("event")
    rows = rows.filter(done_at__isnull=True, due_at__lte=now).order_by("due_at", "id")
    if only is not None:
        rows = rows.filter(pk__in=only)
    if tried:
        rows = rows.exclude(pk__in=tried)
    first = rows.first()
    if first is None:
        return []
    if not getattr(_HANDLERS.get(first.event.name, {}).get(first.handler), "takes_batch", False):
        return [first]
    return list(rows.filter(handler=first.handler)[:limit])


def _deliver_one(pk: int, now: dt.datetime) -> int:
    with transaction.atomic():
        row = (
            OutboxDelivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("event")
            .filter(pk=pk, done_at__isnull=True)
            .first()
        )
        if row is None or _attempt([row], now):
            return int(row is not None)
    _put_back(row, now)
    return 0


def _attempt(rows: list[OutboxDelivery], now: dt.datetime) -> bool:
    try:
        with transaction.atomic():
            handler = _HANDLERS[rows[0].event.name][rows[0].handler]
            events = [_EVENTS[row.event.name](**row.event.payload) for row in rows]
            if getattr(handler, "takes_batch", False):
                handler(events, now=now)
            else:
                handler(events[0], now=now)
    except Exception as error:
        # The place, not the words: an error's text could carry what a person typed.
        place = traceback.extract_tb(error.__traceback__)[-1]
        rows[0].last_error = f"{type(error).__name__} at {place.name}:{place.lineno}"
        log.warning(
            "outbox.delivery_failed", handler=rows[0].handler, rows=len(rows), error=rows[0].last_error
        )
        return False
    OutboxDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        done_at=now, attempts=F("attempts") + 1, last_error=""
    )
    return True


def _put_back(row: OutboxDelivery, now: dt.datetime) -> None:
    wait = RETRY_AFTER[min(row.attempts + 1, len(RETRY_AFTER)) - 1]
    OutboxDelivery.objects.filter(pk=row.pk, done_at__isnull=True).update(
        attempts=F("attempts") + 1, due_at=now + dt.timedelta(seconds=wait), last_error=row.last_error
    )


def _ring(ids: list[int]) -> None:
    for ring in _doorbell:
        ring(ids)
