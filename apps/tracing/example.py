"""The worked example of the public rule page: computed by the ledger's own code on made-up gifts, never written
down."""

from __future__ import annotations

from dataclasses import dataclass

from apps.ledger.operations.lots import take_first

GIFTS = (100_00, 50_00, 80_00)
PAYMENTS = (120_00, 60_00)
"""Fen. The first payment uses up the first gift and a part of the second; the next goes on from there."""


@dataclass(frozen=True, slots=True)
class ExampleGift:
    """A gift of the example: its amount, what each payment took of it, what is left; fen."""

    n: int
    amount: int
    taken: list[int]
    left: int


def worked_example() -> list[ExampleGift]:
    """This will let the rule spend the example's payments from its gifts, oldest first."""
    left = list(GIFTS)
    taken: list[list[int]] = [[] for _ in GIFTS]
    for payment in PAYMENTS:
        parts = {part.lot: part.amount for part in take_first(enumerate(left), payment)}
        for n in range(len(GIFTS)):
            taken[n].append(parts.get(n, 0))
            left[n] -= parts.get(n, 0)
    return [ExampleGift(n + 1, amount, taken[n], left[n]) for n, amount in enumerate(GIFTS)]
