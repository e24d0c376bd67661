"""Lines of a given-out list that may have come out of stock: offered where exactly one lot can be meant, never taken
without an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.text import fold
from apps.inventory.lists.judging import GoodsRow
from apps.inventory.models import GoodsImport, Lot, Stock
from apps.inventory.states import ListKind, Place

NONE = "none"
"""The answer that a line didn't come out of stock."""


@dataclass(frozen=True, slots=True)
class Match:
    """A lot with enough of it on one shelf; `said` once a person agreed."""

    lot: Lot
    location: int
    said: bool = False


def matches(listing: GoodsImport, rows: Sequence[GoodsRow]) -> dict[str, Match]:
    """This will give, by the rows' keys, the lot that each may have come from. Two SQL statements.

    Only where one single lot of the warehouse has the same item, specification and unit, was there that day, had not
    expired, and has enough on one shelf after what the lines before have been given.
    """
    if listing.kind != ListKind.GIVEN or not rows:
        return {}
    answers = listing.answers.get("lot", {})
    lines = Counter(row.row for row in rows)
    left: dict[tuple[int, int], Decimal] = {}
    lots: dict[tuple[str, str, str], dict[int, Lot]] = {}
    for stock in (
        Stock.objects.filter(
            location__warehouse=listing.warehouse_id, location__kind=Place.SHELF, quantity__gt=0,
            lot__unit__in={row.unit for row in rows},
        )
        .select_related("lot")
        .order_by("lot_id", "location_id")
    ):  # fmt: skip
        left[stock.lot_id, stock.location_id] = stock.quantity
        lots.setdefault(_same(stock.lot.item, stock.lot.spec, stock.lot.unit_id), {})[stock.lot_id] = (
            stock.lot
        )
    found = {}
    for row in sorted(rows, key=lambda each: (str(each.row) not in answers, each.row)):
        said = answers.get(str(row.row), "")
        if said == NONE or lines[row.row] > 1:
            continue
        places = [
            (lot, location)
            for lot in lots.get(_same(row.item, row.spec, row.unit), {}).values()
            if lot.received_on <= row.day and not (lot.expires_on and lot.expires_on < row.day)
            for (key, location), quantity in left.items()
            if key == lot.pk and quantity >= row.quantity
        ]
        if said:
            places = [(lot, location) for lot, location in places if lot.number == said]
        if len({lot.pk for lot, _location in places}) == 1:
            lot, location = places[0]
            left[lot.pk, location] -= row.quantity
            found[row.key] = Match(lot, location, bool(said))
    return found


def _same(item: str, spec: str, unit: str) -> tuple[str, str, str]:
    return fold(item).strip(), fold(spec).strip(), unit
