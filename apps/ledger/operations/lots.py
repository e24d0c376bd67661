"""Taking from lots, always under the earmark's lock: first in, first out, or a gift's own lot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import F

from apps.ledger.models import Entry, LotBalance
from apps.ledger.operations.entries import RULE

STEP = 500
"""Lots read at a time: a payment that needs three lots doesn't read ten thousand."""

COLUMN_OF = {
    "spent": "spent",
    "fee": "fees",
    "refund": "refunded",
    "dispute": "disputed",
    "moved": "moved_out",
}
"""The cumulative column of an earmark's balance that each kind of allocation counts in."""

_TAKE = """
WITH part AS (
  SELECT * FROM unnest(%(lots)s::bigint[], %(amounts)s::bigint[], %(entries)s::bigint[]) WITH ORDINALITY
    AS t(lot_id, amount, entry_id, n)
), taken AS (
  UPDATE ledger_lotbalance b SET remaining = b.remaining - p.amount
  FROM (SELECT lot_id, sum(amount)::bigint AS amount FROM part GROUP BY lot_id) p WHERE b.lot_id = p.lot_id
)
INSERT INTO ledger_allocation (lot_id, entry_id, kind, amount, rule)
SELECT lot_id, entry_id, %(kind)s, amount, %(rule)s FROM part ORDER BY n
"""


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a lot."""

    lot: int
    amount: int


def take_first(free: Iterable[tuple[int, int]], amount: int) -> list[Part]:
    """This will take an amount from lots in the order given, each (lot, free part), or as much as they hold: the rule
    of first in, first out itself (T2), also behind the worked example of its public page."""
    parts: list[Part] = []
    left = amount
    if left <= 0:
        return parts
    for lot, part in free:
        take = min(left, part)
        if take:
            parts.append(Part(lot, take))
            left -= take
        if not left:
            break
    return parts


def first_in(earmark: int, amount: int) -> list[Part]:
    """This will choose the oldest free lots of a locked earmark for an amount, or as much of it as they hold."""
    return take_first(_free_lots(earmark), amount)


class Queue:
    """The free lots of a locked earmark in their order, for many payments one after another: each goes on where the one
    before stopped, so that no lot is read twice. Nothing may be taken otherwise until the parts are allocated."""

    def __init__(self, earmark: int) -> None:
        self._free = _free_lots(earmark)
        self._begun: tuple[int, int] | None = None

    def take(self, amount: int) -> list[Part]:
        """This will take an amount, or as much of it as the lots hold."""
        parts = take_first(self._offered(), amount)
        if parts and self._begun is not None:
            lot, free = self._begun
            left = free - parts[-1].amount
            self._begun = (lot, left) if left else None
        return parts

    def _offered(self) -> Iterator[tuple[int, int]]:
        if self._begun is not None:
            yield self._begun
        for offer in self._free:
            self._begun = offer
            yield offer
        self._begun = None


def _free_lots(earmark: int) -> Iterator[tuple[int, int]]:
    """Free lots by seq, read in steps as they are asked for."""
    after = 0
    while True:
        rows = list(
            LotBalance.objects.filter(earmark=earmark, seq__gt=after, remaining__gt=F("held"))
            .order_by("seq")
            .values_list("lot_id", "seq", "remaining", "held")[:STEP]
        )
        for lot, after, remaining, held in rows:  # noqa: B007  (`after` is where the next step begins)
            yield lot, remaining - held
        if len(rows) < STEP:
            return


def own_lots(earmark: int, origin: int, amount: int) -> list[Part]:
    """This will choose the free part of a gift's own lots in a locked earmark, at most `amount`."""
    parts: list[Part] = []
    left = amount
    rows = LotBalance.objects.filter(earmark=earmark, lot__origin=origin, remaining__gt=F("held")).order_by(
        "seq"
    )
    for lot, remaining, held in rows.values_list("lot_id", "remaining", "held"):
        take = min(left, remaining - held)
        if take:
            parts.append(Part(lot, take))
            left -= take
    return parts


def total(parts: Sequence[Part]) -> int:
    return sum(part.amount for part in parts)


def allocate(entry: Entry, kind: str, parts: Sequence[Part]) -> None:
    """This will take parts (negative ones give back) from their lots and append the allocations."""
    allocate_many(kind, [(entry, parts)])


def allocate_many(kind: str, taken: Iterable[tuple[Entry, Sequence[Part]]]) -> None:
    """This will do so for many entries in one statement, in the order given."""
    rows = [(part.lot, part.amount, entry.pk) for entry, parts in taken for part in parts]
    if not rows:
        return
    of_lots, amounts, entries = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE, {"lots": of_lots, "amounts": amounts, "entries": entries, "kind": str(kind), "rule": RULE}
        )


def change_balance(earmark: int, **changes: int) -> None:
    """This will add to columns of a locked earmark's balance; the database refuses any below zero."""
    sets = ", ".join(f"{column} = {column} + %s" for column in changes)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE ledger_earmarkbalance SET {sets} WHERE earmark_id = %s",  # noqa: S608  (names from the code)
            [*changes.values(), earmark],
        )
