from __future__ import annotations

import datetime as dt

from django.db import transaction

from apps.core.actors import Actor
from apps.ledger.errors import NotEnoughMoney
from apps.ledger.models import Earmark, EarmarkBalance, Entry, Lot, LotBalance
from apps.ledger.operations import lots
from apps.ledger.operations.entries import Posting, known_entry, write_entry
from apps.ledger.operations.folding import lock_earmarks
from apps.ledger.states import AccountRole, EntryKind


@transaction.atomic
def transfer(
    *,
    actor: Actor,
    source: int,
    target: int,
    amount: int,
    key: str,
    effective_at: dt.datetime,
    origin: int | None = None,
) -> Entry:
    """This will move money between earmarks (P9): allocations at the source, new lots at the target's next seq that
    keep their origin gifts; first in, first out, or the own lots of the gift `origin` alone.

    Raises NotEnoughMoney. Safe to repeat by `key`.
    """
    lock_earmarks([source, target])
    done = known_entry(key)
    if done:
        return done
    available = EarmarkBalance.objects.values_list("available", flat=True).get(earmark=source)
    if source == target or amount <= 0 or available < amount:
        raise NotEnoughMoney()
    earmark = Earmark.objects.get(pk=source)
    parts = lots.first_in(source, amount) if origin is None else lots.own_lots(source, origin, amount)
    if lots.total(parts) < amount:
        raise NotEnoughMoney()
    entry = write_entry(
        kind=EntryKind.TRANSFER, key=key, book=earmark.book_id, currency=earmark.currency,
        postings=[
            Posting(AccountRole.NET_ASSETS, amount, earmark=source),
            Posting(AccountRole.NET_ASSETS, -amount, earmark=target),
        ],
        effective_at=effective_at, actor=actor,
    )  # fmt: skip
    lots.allocate(entry, "moved", parts)
    lots.change_balance(source, available=-amount, moved_out=amount)
    origins = Lot.objects.in_bulk([part.lot for part in parts])
    first = EarmarkBalance.objects.values_list("next_seq", flat=True).get(earmark=target)
    opened = Lot.objects.bulk_create(
        Lot(earmark_id=target, seq=first + i, origin=origins[part.lot].origin, entry=entry, amount=part.amount,
            settled_at=effective_at)
        for i, part in enumerate(parts)
    )  # fmt: skip
    LotBalance.objects.bulk_create(
        LotBalance(lot=lot, earmark_id=target, seq=lot.seq, remaining=lot.amount) for lot in opened
    )
    lots.change_balance(target, available=amount, moved_in=amount, next_seq=len(parts))
    return entry
