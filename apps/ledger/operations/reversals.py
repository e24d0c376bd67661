from __future__ import annotations

import datetime as dt
from collections import defaultdict

from django.db import transaction

from apps.core.actors import Actor
from apps.ledger.errors import AlreadyReversed
from apps.ledger.models import Entry
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
    if Entry.objects.filter(reverses=entry).exists():
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
