"""Reservations: found under their earmark's lock, closed once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import connection

from apps.ledger.errors import ReservationClosed
from apps.ledger.models import Entry, Reservation
from apps.ledger.operations.folding import lock_earmarks


def open_reservation(purpose: str) -> Reservation:
    """This will lock the earmark of a purpose's open reservation and read it: whoever waited sees what the other did.

    Raises ReservationClosed when none is open.
    """
    earmark = (
        Reservation.objects.filter(purpose=purpose, status="open").values_list("earmark", flat=True).first()
    )
    if earmark is None:
        raise ReservationClosed()
    lock_earmarks([earmark])
    reservation = Reservation.objects.select_related("earmark").filter(purpose=purpose, status="open").first()
    if reservation is None:
        raise ReservationClosed()
    return reservation


def close_reservation(reservation: Reservation, status: str, now: dt.datetime, entry: Entry | None) -> None:
    """This will close a locked reservation as consumed (with its entry) or void."""
    reservation.status = status
    reservation.closed_at = now
    reservation.entry = entry
    reservation.save(update_fields=["status", "closed_at", "entry"])


_CONSUMED = """
UPDATE ledger_reservation r SET status = 'consumed', closed_at = %(now)s, entry_id = p.entry_id
FROM unnest(%(ids)s::bigint[], %(entries)s::bigint[]) AS p(id, entry_id) WHERE r.id = p.id
"""


def consume_reservations(entry_of: Mapping[int, int], now: dt.datetime) -> None:
    """This will close locked reservations as consumed, {reservation: entry}, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_CONSUMED, {"now": now, "ids": list(entry_of), "entries": list(entry_of.values())})
