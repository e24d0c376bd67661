from __future__ import annotations

import datetime as dt

from django.db import transaction

from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.ledger.errors import NotEnoughMoney, ReservationClosed
from apps.ledger.models import EarmarkBalance, Entry, Reservation
from apps.ledger.operations import lots
from apps.ledger.operations.entries import Posting, known_entry, write_entry
from apps.ledger.operations.folding import lock_earmarks
from apps.ledger.operations.reservations import close_reservation, open_reservation
from apps.ledger.operations.reversals import mirror
from apps.ledger.states import AccountRole, EntryKind, ReservationKind, ReservationStatus


@transaction.atomic
def reserve(*, earmark: int, amount: int, purpose: str, now: dt.datetime) -> Reservation:
    """This will set money of an earmark aside for an approved payment (P3).

    `amount` in minor units, `purpose` the record it stands for ("disbursement:17"). Raises NotEnoughMoney.
    """
    lock_earmarks([earmark])
    # The guard is in the UPDATE itself; the check constraint stands behind it.
    changed = EarmarkBalance.objects.filter(earmark=earmark, available__gte=amount)
    if not changed.exists():
        raise NotEnoughMoney()
    lots.change_balance(earmark, available=-amount, reserved=amount)
    return Reservation.objects.create(
        kind=ReservationKind.SPENDING, purpose=purpose, earmark_id=earmark, amount=amount, opened_at=now
    )


@transaction.atomic
def void_reservation(*, purpose: str, now: dt.datetime) -> None:
    """This will give reserved money back to its earmark; raises ReservationClosed when none is open."""
    reservation = open_reservation(purpose)
    lots.change_balance(reservation.earmark_id, available=reservation.amount, reserved=-reservation.amount)
    close_reservation(reservation, ReservationStatus.VOID, now, None)


@transaction.atomic
def pay_reservation(
    *, actor: Actor, purpose: str, key: str, cost: str, budget_line: int | None, now: dt.datetime,
    effective_at: dt.datetime, channel: str = "bank",
) -> Entry:  # fmt: skip
    """This will turn a reservation into a payment: Dr cost (earmark, budget line) / Cr bank, with first-in-first-out
    allocations in the same transaction (P7).

    `cost` is the account role: programme, management or fundraising. Safe to repeat by `key`.
    """
    try:
        reservation = open_reservation(purpose)
    except ReservationClosed:
        # Whoever lost the race for one key finds the winner's entry; anybody else is refused.
        done = known_entry(key)
        if done:
            return done
        raise
    earmark, amount = reservation.earmark_id, reservation.amount
    parts = lots.first_in(earmark, amount)
    if lots.total(parts) != amount:
        raise NotEnoughMoney()
    entry = write_entry(
        kind=EntryKind.PAYMENT, key=key, book=reservation.earmark.book_id, currency=reservation.earmark.currency,
        postings=[
            Posting(cost, amount, earmark=earmark, budget_line=budget_line),
            Posting(AccountRole.BANK, -amount, channel=channel),
        ],
        effective_at=effective_at, actor=actor,
    )  # fmt: skip
    crash_point("ledger.payment_written")
    lots.allocate(entry, "spent", parts)
    lots.change_balance(earmark, reserved=-amount, spent=amount)
    close_reservation(reservation, ReservationStatus.CONSUMED, now, entry)
    return entry


@transaction.atomic
def return_payment(
    *, actor: Actor, entry: Entry, purpose: str, key: str, now: dt.datetime, effective_at: dt.datetime,
    reserve_again: bool = True,
) -> Entry:  # fmt: skip
    """This will book a payment that the bank sent back: a reversal with negative allocations to the same lots and, in
    the same transaction, the reservation made again (or the money made available)."""
    done = known_entry(key)
    if done:
        return done
    earmarks = set(entry.lines.exclude(earmark=None).values_list("earmark", flat=True))
    lock_earmarks(earmarks)
    reversal, restored = mirror(actor=actor, entry=entry, key=key, effective_at=effective_at)
    for earmark, amount in restored.items():
        if reserve_again:
            lots.change_balance(earmark, spent=-amount, reserved=amount)
            Reservation.objects.create(
                kind=ReservationKind.SPENDING,
                purpose=purpose,
                earmark_id=earmark,
                amount=amount,
                opened_at=now,
            )
        else:
            lots.change_balance(earmark, spent=-amount, available=amount)
    return reversal
