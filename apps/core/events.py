"""Events and the outbox.

An event is a frozen dataclass of ids with a `name`. `publish` writes it and one delivery per subscribed handler in the
caller's transaction; the broker is only a doorbell. `deliver_due` runs deliveries, each in its own transaction, and may
be called by any number of workers: rows are taken with SKIP LOCKED. Handlers are idempotent.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import traceback
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from django.db import connection, transaction
from django.db.models import F

from apps.core.models import OutboxDelivery

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


@dataclasses.dataclass(frozen=True, slots=True)
class _Due:
    """A locked delivery with its event."""

    pk: int
    handler: str
    attempts: int
    name: str
    payload: dict[str, Any]


_WRITE = """
WITH told AS (
  INSERT INTO core_outboxevent (name, payload)
  SELECT t.name, t.payload::jsonb
  FROM unnest(%(names)s::text[], %(payloads)s::text[]) WITH ORDINALITY AS t(name, payload, n) ORDER BY t.n
  RETURNING id, name
)
INSERT INTO core_outboxdelivery (event_id, handler, attempts, last_error)
SELECT told.id, s.handler, 0, ''
FROM told JOIN unnest(%(subscribed)s::text[], %(handlers)s::text[]) AS s(name, handler) ON s.name = told.name
ORDER BY told.id
RETURNING id
"""
"""Events and one delivery per subscribed handler, in one statement: it stands in every hot path."""

_TAKE = """
SELECT d.id, d.handler, d.attempts, e.name, e.payload::text
FROM core_outboxdelivery d JOIN core_outboxevent e ON e.id = d.event_id
WHERE d.done_at IS NULL AND d.due_at <= %(now)s AND d.id <> ALL(%(tried)s::bigint[]){narrow}
ORDER BY d.due_at, d.id LIMIT %(limit)s
FOR UPDATE OF d SKIP LOCKED
"""


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


def is_heard(event: type[Event]) -> bool:
    """This will tell whether anybody listens to an event here. For events that only repeat what a table says, and that
    nobody misses who comes to listen later."""
    return bool(_HANDLERS.get(event.name))


def publish(*events: Event) -> None:
    """This will write events and their deliveries in the present transaction and ring after commit.

    Raises RuntimeError outside a transaction: an event that can be committed without its fact is worth nothing.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("publish() needs the transaction that makes the event true")
    if not events:
        return
    pairs = [
        (name, handler) for name in {event.name for event in events} for handler in _HANDLERS.get(name, {})
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "names": [event.name for event in events],
                "payloads": [json.dumps(event.payload()) for event in events],
                "subscribed": [name for name, _handler in pairs],
                "handlers": [handler for _name, handler in pairs],
            },
        )
        ids = [row[0] for row in cursor.fetchall()]
    if ids:
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
        rows: list[_Due] = []
        try:
            with transaction.atomic():
                rows = _take(now, tried, only, limit - len(tried))
                if not rows:
                    break
                tried.update(row.pk for row in rows)
                _run(rows, now)
            done += len(rows)
        except Exception as error:
            if not rows:
                raise
            place = _place(rows, error)
            if len(rows) == 1:
                _put_back(rows[0], now, place)
            else:
                done += sum(deliver_due(now=now, limit=1, only=[row.pk]) for row in rows)
    return done


def _take(now: dt.datetime, tried: set[int], only: list[int] | None, limit: int) -> list[_Due]:
    """Locks the oldest due delivery; of a batch handler, up to `limit` of its deliveries."""
    places: dict[str, Any] = {"now": now, "tried": list(tried), "only": only or []}
    narrow = " AND d.id = ANY(%(only)s)" if only is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE.format(narrow=narrow), {**places, "limit": 1})
        found = [_due(row) for row in cursor.fetchall()]
        if not found or limit == 1 or not _takes_batch(found[0]):
            return found
        narrow += " AND d.handler = %(handler)s"
        cursor.execute(_TAKE.format(narrow=narrow), {**places, "handler": found[0].handler, "limit": limit})
        return [_due(row) for row in cursor.fetchall()]


def _due(row: tuple[Any, ...]) -> _Due:
    pk, handler, attempts, name, payload = row
    return _Due(pk, handler, attempts, name, json.loads(payload))


def _takes_batch(row: _Due) -> bool:
    return bool(getattr(_HANDLERS.get(row.name, {}).get(row.handler), "takes_batch", False))


def _run(rows: list[_Due], now: dt.datetime) -> None:
    """What the handler writes and the mark that it is done are one transaction; a failure takes both back."""
    handler = _HANDLERS[rows[0].name][rows[0].handler]
    events = [_EVENTS[row.name](**row.payload) for row in rows]
    if _takes_batch(rows[0]):
        handler(events, now=now)
    else:
        handler(events[0], now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_outboxdelivery SET done_at = %s, attempts = attempts + 1, last_error = '' WHERE id = ANY(%s)",
            [now, [row.pk for row in rows]],
        )


def _place(rows: list[_Due], error: Exception) -> str:
    """The place, not the words: an error's text could carry what a person typed."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} at {last.name}:{last.lineno}"
    log.warning("outbox.delivery_failed", handler=rows[0].handler, rows=len(rows), error=place)
    return place


def _put_back(row: _Due, now: dt.datetime, error: str) -> None:
    wait = RETRY_AFTER[min(row.attempts + 1, len(RETRY_AFTER)) - 1]
    OutboxDelivery.objects.filter(pk=row.pk, done_at__isnull=True).update(
        attempts=F("attempts") + 1, due_at=now + dt.timedelta(seconds=wait), last_error=error
    )


def _ring(ids: list[int]) -> None:
    for ring in _doorbell:
        ring(ids)
