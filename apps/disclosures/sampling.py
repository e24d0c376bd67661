"""Which payments an auditor looks at: drawn by the seed that was committed at submission, so that nobody chose them.

Each payment's place is SHA-256("<seed>:<report>:sample:<entry>"); the lowest places are drawn: a tenth, at least
ten, at most sixty, all where there are fewer. Whoever holds the list of payments (auditor, supervisor) can draw
again once the
seed is out; the list's own hash is published with the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.canonical import canonical_json, sha256_hex

SMALLEST, LARGEST = 10, 60


@dataclass(frozen=True, slots=True)
class Voucher:
    """A payment behind a report: its ledger entry, its record, its amount in minor units (negative: returned)."""

    entry: int
    disbursement: int
    amount: int


def sample_size(population: int) -> int:
    """This will say how many of a number of payments are drawn."""
    return min(population, max(SMALLEST, min(LARGEST, -(-population // 10))))


def draw_sample(seed: str, public_id: str, vouchers: Sequence[Voucher]) -> list[Voucher]:
    """This will draw the sample, in the order of the draw."""
    placed = sorted(vouchers, key=lambda each: sha256_hex(f"{seed}:{public_id}:sample:{each.entry}".encode()))
    return placed[: sample_size(len(vouchers))]


def digest_of(vouchers: Sequence[Voucher]) -> str:
    """This will give the SHA-256 of a list of payments, entries in order with their amounts."""
    rows = sorted([each.entry, each.amount] for each in vouchers)
    return sha256_hex(canonical_json(rows))
