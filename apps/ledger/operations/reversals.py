from __future__ import annotations

import datetime as dt
from collections import defaultdict

from django.db import transaction

from apps.core.actors import Actor
from apps.ledger.errors import AlreadyReversed, MoreThanPaid
from apps.ledger.models import Allocation, Entry, GiveBack
from apps.ledger.operations import lots
from apps.ledger.operations.entries import Posting, known_entry, write_entry
from apps.ledger.operations.folding import lock_earmarks
from apps.ledger.states import EntryKind


@transaction.atomic
def reverse_entry(*, actor: Actor, entry: Entry, key: str, effective_at: dt.datetime) -> Entry:
    """This will undo a fee, refund or dispute by a linked reversal: the lots get their parts back and the money is
    available again. Safe to repeat by `key`; raises AlreadyReversed for a second reversal of one entry."""
    done = known_entry(key)
    if done:
        return done
    lock_earmarks(set(entry.allocations.values_list("lot__earmark", flat=True)))
    kinds = dict(entry.allocations.values_list("lot__earmark", "kind"))
    reversal, restored = mirror(actor=actor, entry=entry, key=key, effective_at=effective_at)
    for earmark, amount in restored.items():
        lots.change_balance(earmark, **{lots.COLUMN_OF[kinds[earmark]]: -amount, "available": amount})
    return reversal


def mirror(
    *, actor: Actor, entry: Entry, key: str, effective_at: dt.datetime
) -> tuple[Entry, dict[int, int]]:
    """This will write the mirrored entry and allocations under locks the caller holds; returns it with what each
    earmark got back."""
    if Entry.objects.filter(reverses=entry).exists() or GiveBack.objects.filter(payment=entry).exists():
        raise AlreadyReversed()
    lines = list(entry.lines.select_related("account", "channel").order_by("n"))
    reversal = write_entry(
        kind=EntryKind.REVERSAL, key=key, book=lines[0].account.book_id, currency=entry.currency,
        postings=[
            Posting(line.account.role, -line.amount, earmark=line.earmark_id, budget_line=line.budget_line,
                    channel=line.channel.code if line.channel else None)
            for line in lines
        ],
        effective_at=effective_at, actor=actor, reverses=entry,
    )  # fmt: skip
    restored: dict[int, int] = defaultdict(int)
    by_kind: dict[str, list[lots.Part]] = defaultdict(list)
    for lot, kind, amount, earmark in entry.allocations.values_list("lot", "kind", "amount", "lot__earmark"):
        by_kind[kind].append(lots.Part(lot, -amount))
        restored[earmark] += amount
    for kind, parts in by_kind.items():
        lots.allocate(reversal, kind, parts)
    return reversal, dict(restored)


@transaction.atomic
def give_back_part(*, actor: Actor, entry: Entry, amount: int, key: str, effective_at: dt.datetime) -> Entry:
    """This will book a part of a payment that came back: Dr bank / Cr cost, the money available again, and the lots
    that the payment reached last get theirs first. What stays is what a payment of the rest would have taken (T2, the
    rule's version 2).

    `amount` in minor units. Safe to repeat by `key`. Raises MoreThanPaid, AlreadyReversed.
    """
    lines = list(entry.lines.select_related("account", "channel").order_by("n"))
    cost = next(line for line in lines if line.earmark_id is not None)
    bank = next(line for line in lines if line.earmark_id is None)
    assert cost.earmark_id is not None
    lock_earmarks([cost.earmark_id])
    done = known_entry(key)
    if done:
        return done
    if Entry.objects.filter(reverses=entry).exists():
        raise AlreadyReversed()
    before = list(GiveBack.objects.filter(payment=entry).values_list("entry", flat=True))
    taken: dict[int, int] = defaultdict(int)
    rows = Allocation.objects.filter(entry__in=[entry.pk, *before], kind="spent").order_by("-lot__seq")
    for lot, part in rows.values_list("lot", "amount"):
        taken[lot] += part
    if not 0 < amount <= sum(taken.values()):
        raise MoreThanPaid()
    back = write_entry(
        kind=EntryKind.GIVE_BACK, key=key, book=cost.account.book_id, currency=entry.currency,
        postings=[
            Posting(bank.account.role, amount, channel=bank.channel.code if bank.channel else None),
            Posting(cost.account.role, -amount, earmark=cost.earmark_id, budget_line=cost.budget_line),
        ],
        effective_at=effective_at, actor=actor,
    )  # fmt: skip
    GiveBack.objects.create(entry=back, payment=entry, n=len(before) + 1, amount=amount)
    parts = [lots.Part(part.lot, -part.amount) for part in lots.take_first(taken.items(), amount)]
    lots.allocate(back, "spent", parts)
    lots.change_balance(cost.earmark_id, spent=-amount, available=amount)
    return back
