"""A patient reader who keeps every published figure of every day and solves them all together.

What is known of a figure is which payments it sums. All linear combinations of the figures are what can be learned; the
reader looks for the one that stands for the fewest families. Elimination gives a basis; where each release is a figure
of its own the basis is the finest split there is, and combinations of two are tried on top.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import combinations


class Attacker:
    def __init__(self, family_of: Mapping[int, object], amount_of: Mapping[int, int]) -> None:
        self.family_of, self.amount_of = family_of, amount_of
        self.figures: list[tuple[frozenset[int], int]] = []

    def sees(self, payments: Iterable[int], value: int) -> None:
        """A figure was published. It must be what its payments sum to: what the reader knows is true."""
        known = frozenset(payments)
        assert value == sum(self.amount_of[each] for each in known), (
            "a published figure that is no sum of payments"
        )
        if known and (known, value) not in self.figures:
            self.figures.append((known, value))

    def basis(self) -> list[dict[int, Fraction]]:
        """Gauss and Jordan over the rationals; columns are payments, alike ones taken together."""
        patterns: dict[tuple[bool, ...], list[int]] = defaultdict(list)
        every = sorted({each for known, _value in self.figures for each in known})
        for each in every:
            patterns[tuple(each in known for known, _value in self.figures)].append(each)
        blocks = list(patterns.values())
        rows = [[Fraction(block[0] in known) for block in blocks] for known, _value in self.figures]
        done: list[list[Fraction]] = []
        for column in range(len(blocks)):
            pivot = next((row for row in rows if row[column]), None)
            if pivot is None:
                continue
            rows.remove(pivot)
            pivot = [value / pivot[column] for value in pivot]
            rows = [_without(row, pivot, column) for row in rows]
            done = [_without(row, pivot, column) for row in done] + [pivot]
        return [
            {each: value for block, value in zip(blocks, row, strict=True) if value for each in block}
            for row in done
        ]

    def fewest(self) -> int:
        """How many families the most telling combination stands for."""
        basis = self.basis()
        found = [self._families(one) for one in basis]
        for one, other in combinations(basis, 2):
            for sign in (1, -1):
                mixed: dict[int, Fraction] = defaultdict(Fraction)
                for each, value in one.items():
                    mixed[each] += value
                for each, value in other.items():
                    mixed[each] += sign * value
                found.append(self._families(mixed))
        return min(found, default=10**9)

    def _families(self, combination: Mapping[int, Fraction]) -> int:
        net: dict[object, Fraction] = defaultdict(Fraction)
        for each, value in combination.items():
            net[self.family_of[each]] += value * self.amount_of[each]
        return sum(1 for value in net.values() if value)


def _without(row: list[Fraction], pivot: list[Fraction], column: int) -> list[Fraction]:
    return [a - row[column] * b for a, b in zip(row, pivot, strict=True)]
