from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.ledger.errors import NotEnoughMoney, ReservationClosed
from apps.ledger.models import EarmarkBalance, Entry, Reservation
from apps.ledger.operations import lots
from apps.ledger.operations.entries import EntryDraft, Posting, known_entry, write_entries
from apps.ledger.operations.folding import lock_earmarks
from apps.ledger.operations.reservations import close_reservation, consume_reservations, open_reservation
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


@dataclass(frozen=True, slots=True)
class Payment:
    """A reservation to be paid: what it stands for, the payment's key, its cost's account role and budget line."""

    purpose: str
    key: str
    cost: str
    budget_line: int | None


def pay_reservation(
    *, actor: Actor, purpose: str, key: str, cost: str, budget_line: int | None, now: dt.datetime,
    effective_at: dt.datetime, channel: str = "bank",
) -> Entry:  # fmt: skip
    """This will turn one reservation into a payment; see `pay_reservations`."""
    payment = Payment(purpose, key, cost, budget_line)
    made = pay_reservations(
        actor=actor, payments=[payment], now=now, effective_at=effective_at, channel=channel
    )
    return made[0]


@transaction.atomic
def pay_reservations(
    *, actor: Actor, payments: Sequence[Payment], now: dt.datetime, effective_at: dt.datetime, channel: str = "bank"
) -> list[Entry]:  # fmt: skip
    """This will turn reservations into payments, in the order given: for each Dr cost (earmark, budget line) / Cr bank,
    with first-in-first-out allocations in the same transaction (P7), in the same few statements for any number of them.

    The cost is an account role: programme, management or fundraising. Safe to repeat by key. Raises ReservationClosed,
    NotEnoughMoney; then nothing is paid.
    """
    wanted = Reservation.objects.filter(purpose__in=[each.purpose for each in payments], status="open")
    lock_earmarks(wanted.values_list("earmark", flat=True))
    held = {each.purpose: each for each in wanted.all().select_related("earmark")}
    # Whoever lost the race for a key finds the winner's entry; anybody else is refused.
    lost = [each.key for each in payments if each.purpose not in held]
    known = {entry.idempotency_key: entry for entry in Entry.objects.filter(idempotency_key__in=lost)}
    if len(known) != len(set(lost)):
        raise ReservationClosed()
    queues: dict[int, lots.Queue] = {}
    taken: dict[tuple[int, str], list[tuple[Payment, list[lots.Part]]]] = defaultdict(list)
    for payment in payments:
        reservation = held.get(payment.purpose)
        if reservation is None:
            continue
        mark = reservation.earmark
        parts = queues.setdefault(mark.pk, lots.Queue(mark.pk)).take(reservation.amount)
        if lots.total(parts) != reservation.amount:
            raise NotEnoughMoney()
        taken[mark.book_id, mark.currency].append((payment, parts))
    for (book, currency), group in taken.items():
        entries = write_entries(
            kind=EntryKind.PAYMENT, book=book, currency=currency, actor=actor,
            drafts=[_draft(payment, held[payment.purpose], channel, effective_at) for payment, _parts in group],
        )  # fmt: skip
        crash_point("ledger.payment_written")
        lots.allocate_many("spent", zip(entries, (parts for _payment, parts in group), strict=True))
        consume_reservations(
            {held[payment.purpose].pk: entry.pk for (payment, _), entry in zip(group, entries, strict=True)},
            now,
        )
        known |= {entry.idempotency_key: entry for entry in entries}
    spent: dict[int, int] = defaultdict(int)
    for reservation in held.values():
        spent[reservation.earmark_id] += reservation.amount
    for earmark, amount in sorted(spent.items()):
        lots.change_balance(earmark, reserved=-amount, spent=amount)
    return [known[payment.key] for payment in payments]


def _draft(payment: Payment, reservation: Reservation, channel: str, effective_at: dt.datetime) -> EntryDraft:
    return EntryDraft(
        payment.key,
        [
            Posting(
                payment.cost,
                reservation.amount,
                earmark=reservation.earmark_id,
                budget_line=payment.budget_line,
            ),
            Posting(AccountRole.BANK, -reservation.amount, channel=channel),
        ],
        effective_at,
    )


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
