from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from apps.core.actors import Actor
from apps.ledger.errors import NotRefundable, ReservationClosed
from apps.ledger.models import EarmarkBalance, Entry, LotBalance, RefundHold, Reservation
from apps.ledger.operations import lots
from apps.ledger.operations.entries import Posting, known_entry, write_entry
from apps.ledger.operations.folding import lock_earmarks
from apps.ledger.operations.reservations import close_reservation, open_reservation
from apps.ledger.states import AccountRole, EntryKind, ReservationKind, ReservationStatus


@transaction.atomic
def hold_refund(*, earmark: int, origin: int, amount: int, purpose: str, now: dt.datetime) -> Reservation:
    """This will hold the unspent part of a gift for an approved refund (G8): on its own lots and on the earmark.

    Raises NotRefundable above the smaller of the lots' free part and the earmark's available money.
    """
    lock_earmarks([earmark])
    available = EarmarkBalance.objects.values_list("available", flat=True).get(earmark=earmark)
    parts = lots.own_lots(earmark, origin, amount)
    if amount <= 0 or lots.total(parts) < amount or available < amount:
        raise NotRefundable()
    for part in parts:
        LotBalance.objects.filter(lot=part.lot).update(held=F("held") + part.amount)
    lots.change_balance(earmark, available=-amount, reserved=amount)
    reservation = Reservation.objects.create(
        kind=ReservationKind.REFUND, purpose=purpose, earmark_id=earmark, amount=amount, opened_at=now
    )
    RefundHold.objects.bulk_create(
        RefundHold(reservation=reservation, lot_id=part.lot, amount=part.amount) for part in parts
    )
    return reservation


@transaction.atomic
def settle_refund(
    *, actor: Actor, purpose: str, key: str, now: dt.datetime, effective_at: dt.datetime, channel: str | None,
    out_of: str = AccountRole.CLEARING,
) -> Entry:  # fmt: skip
    """This will book a refund that went out: Dr gift income (earmark) / Cr provider clearing (or bank), off the held
    lots. Safe to repeat by `key`; raises ReservationClosed where nothing is held."""
    try:
        reservation, parts = _open_hold(purpose)
    except ReservationClosed:
        done = known_entry(key)
        if done:
            return done
        raise
    earmark, amount = reservation.earmark_id, reservation.amount
    entry = write_entry(
        kind=EntryKind.REFUND, key=key, book=reservation.earmark.book_id, currency=reservation.earmark.currency,
        postings=[
            Posting(AccountRole.GIFT_INCOME, amount, earmark=earmark),
            Posting(out_of, -amount, channel=channel),
        ],
        effective_at=effective_at, actor=actor,
    )  # fmt: skip
    _unhold(parts)
    lots.allocate(entry, "refund", parts)
    lots.change_balance(earmark, reserved=-amount, refunded=amount)
    close_reservation(reservation, ReservationStatus.CONSUMED, now, entry)
    return entry


@transaction.atomic
def release_refund(*, purpose: str, now: dt.datetime) -> None:
    """This will give a held refund back after it failed or was withdrawn before anything was booked."""
    reservation, parts = _open_hold(purpose)
    _unhold(parts)
    lots.change_balance(reservation.earmark_id, available=reservation.amount, reserved=-reservation.amount)
    close_reservation(reservation, ReservationStatus.VOID, now, None)


def _open_hold(purpose: str) -> tuple[Reservation, list[lots.Part]]:
    reservation = open_reservation(purpose)
    parts = [
        lots.Part(lot, amount)
        for lot, amount in reservation.holds.order_by("id").values_list("lot", "amount")
    ]
    return reservation, parts


def _unhold(parts: list[lots.Part]) -> None:
    for part in parts:
        LotBalance.objects.filter(lot=part.lot).update(held=F("held") - part.amount)
