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
WITH part AS (SELECT * FROM unnest(%(lots)s::bigint[], %(amounts)s::bigint[]) AS t(lot_id, amount)),
taken AS (
  UPDATE ledger_lotbalance b SET remaining = b.remaining - p.amount FROM part p WHERE b.lot_id = p.lot_id
)
INSERT INTO ledger_allocation (lot_id, entry_id, kind, amount, rule)
SELECT lot_id, %(entry)s, %(kind)s, amount, %(rule)s FROM part
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
    if not parts:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {"lots": [p.lot for p in parts], "amounts": [p.amount for p in parts], "entry": entry.pk, "kind": str(kind),
             "rule": RULE},
        )  # fmt: skip


def change_balance(earmark: int, **changes: int) -> None:
    """This will add to columns of a locked earmark's balance; the database refuses any below zero."""
    sets = ", ".join(f"{column} = {column} + %s" for column in changes)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE ledger_earmarkbalance SET {sets} WHERE earmark_id = %s",  # noqa: S608  (names from the code)
            [*changes.values(), earmark],
        )
