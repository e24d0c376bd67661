"""Reads of goods. The public ones show what C4 allows, and cost the same at any history: the board reads roll-ups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from apps.inventory.models import (
    BoardRow,
    Consignment,
    Dispatch,
    DontSend,
    Handover,
    Inspection,
    Lot,
    Movement,
    Need,
    Removal,
    StockCount,
)
from apps.inventory.states import STANDING, Category, DispatchStatus, Kind, Place, Receiver
from apps.inventory.words import narrowed

ENOUGH = 5
"""Households that must be distinct before a town may be named (C4)."""


@dataclass(frozen=True, slots=True)
class BoardGroup:
    """A category of the board: a row for each unit, and what it is worth in all (fen)."""

    category: str
    label: str
    rows: list[BoardRow]
    value: int
    delivered_value: int

    @property
    def closes(self) -> bool:
        return all(row.gap == 0 for row in self.rows)


def board() -> tuple[list[BoardGroup], dt.datetime | None]:
    """This will give the public board by category, and when it last changed. One SQL statement."""
    rows = list(BoardRow.objects.select_related("unit").order_by("category", "-received", "unit"))
    groups = [
        BoardGroup(value, str(label), mine, sum(r.value for r in mine), sum(r.delivered_value for r in mine))
        for value, label in Category.choices
        if (mine := [row for row in rows if row.category == value])
    ]
    return groups, max((row.changed_at for row in rows), default=None)


@dataclass(frozen=True, slots=True)
class LotFilter:
    """What a list of lots is narrowed by; empty = any."""

    words: str = ""
    category: str = ""
    state: str = ""
    today: dt.date | None = None


def lots(wanted: LotFilter) -> QuerySet[Lot]:
    """This will list lots, newest first, narrowed; words are matched in any spelling (folded) or as a number."""
    rows = Lot.objects.select_related("unit", "total", "warehouse", "consignment").order_by("-id")
    if wanted.category in Category.values:
        rows = rows.filter(category=wanted.category)
    if wanted.state in STANDING:
        rows = rows.filter(**{f"total__{wanted.state}__gt": 0})
    elif wanted.state == "waiting":
        rows = rows.filter(stock__location__kind=Place.INTAKE, stock__quantity__gt=0)
    elif wanted.state == "expired" and wanted.today:
        rows = rows.filter(expires_on__lt=wanted.today, total__in_stock__gt=0)
    return narrowed(rows, wanted.words)


def after(rows: QuerySet[Any], cursor: str, field: str = "public_id") -> QuerySet[Any]:
    """This will turn to the page behind a record named by its public id; an unknown one gives the first page."""
    if not cursor:
        return rows
    last = rows.model._default_manager.filter(**{field: cursor}).values_list("pk", flat=True).first()
    return rows.filter(pk__lt=last) if last is not None else rows


MOST_SUMMED = 2_000
"""So many lots of a search are summed; of more the list says that it is too long, and the board has the whole."""


def summed(wanted: LotFilter) -> tuple[list[dict[str, Any]], bool]:
    """This will sum the lots of a filter by unit, so that a filtered list closes as well; True where they are too many
    for it. All lots, and all of a category, are the board's roll-ups: the same cost at any history."""
    names = ("received", "in_stock", "in_transit", "delivered")
    rows: QuerySet[Any] = BoardRow.objects.all()
    if wanted.category in Category.values:
        rows = rows.filter(category=wanted.category)
    to_sum = ""
    if wanted.words or wanted.state:
        found = list(lots(wanted).values_list("pk", flat=True)[: MOST_SUMMED + 1])
        if len(found) > MOST_SUMMED:
            return [], True
        rows, to_sum = Lot.objects.filter(pk__in=found), "total__"
    sums = (
        rows.order_by().values("unit").annotate(**{f"sum_{name}": Sum(f"{to_sum}{name}") for name in names})
    )
    made = [{"unit": row["unit"], **{name: row[f"sum_{name}"] for name in names}} for row in sums]
    return sorted(made, key=lambda row: (-row["received"], row["unit"]))[:12], False


@dataclass(frozen=True, slots=True)
class Stop:
    """One step of a lot's way as the public sees it. `place` is a town only where C4 allows it."""

    at: dt.datetime
    kind: str
    label: str
    quantity: Decimal
    place: str = ""
    note: str = ""
    confirmed: Decimal | None = None


def town_shown(dispatches: set[int]) -> dict[int, bool]:
    """This will tell for each dispatch to families whether its town may be named: only once all of it has arrived, so
    that no name has to be taken back, and when no family is named in it or at least 5 distinct ones are (C4)."""
    closed = set(
        Dispatch.objects.filter(pk__in=dispatches, status=DispatchStatus.CLOSED).values_list("pk", flat=True)
    )
    named = {
        row["dispatch"]: (row["named"], row["families"])
        for row in Handover.objects.filter(dispatch__in=dispatches)
        .values("dispatch")
        .annotate(named=Count("household"), families=Count("household", distinct=True))
    }
    return {
        key: key in closed and (key not in named or named[key][0] == 0 or named[key][1] >= ENOUGH)
        for key in dispatches
    }  # fmt: skip


def way_of(lot: Lot) -> list[Stop]:
    """This will give a lot's way, oldest first. What went to one dispatch is one stop, so that no line shows what one
    family got; moves between shelves stay inside; what went to another warehouse names it. At most 6 SQL statements."""
    moves = list(
        lot.movements.exclude(kind=Kind.STORE)
        .select_related("dispatch_line__dispatch__town", "dispatch_line__dispatch__to_warehouse", "handover")
        .order_by("id")
    )
    dispatches = {
        row.dispatch_line.dispatch_id
        for row in moves
        if row.dispatch_line and row.dispatch_line.dispatch.receiver == Receiver.FAMILIES
    }
    named = town_shown(dispatches)
    stops: list[Stop] = []
    given: dict[int, int] = {}
    for row in moves:
        dispatch = row.dispatch_line.dispatch if row.dispatch_line else None
        place = ""
        if dispatch is not None:
            shown = dispatch.receiver != Receiver.FAMILIES or named.get(dispatch.pk)
            place = dispatch.goes_to if shown else ""
        confirmed = Decimal(0)
        if row.kind == Kind.DELIVER and row.handover and row.handover.confirmed:
            confirmed = row.quantity
        if row.kind == Kind.DELIVER and dispatch is not None and dispatch.pk in given:
            index = given[dispatch.pk]
            old = stops[index]
            stops[index] = Stop(old.at, old.kind, old.label, old.quantity + row.quantity, place, "",
                                (old.confirmed or Decimal(0)) + confirmed)  # fmt: skip
            continue
        if row.kind == Kind.DELIVER and dispatch is not None:
            given[dispatch.pk] = len(stops)
        stops.append(
            Stop(row.at, row.kind, str(row.get_kind_display()), row.quantity, place,
                 row.reason if row.kind in (Kind.FAIL, Kind.WRITE_OFF, Kind.SELL, Kind.GIVE_BACK) else "",
                 confirmed if row.kind == Kind.DELIVER else None)
        )  # fmt: skip
    return stops


def made_from(lot: Lot) -> list[Lot]:
    """This will list the lots that a made lot came from."""
    if lot.made_by_id is None:
        return []
    return list(
        Lot.objects.filter(movements__conversion=lot.made_by_id, movements__kind=Kind.CONVERT_OUT)
        .select_related("unit")
        .distinct()
        .order_by("id")
    )


def made_into(lot: Lot) -> list[Lot]:
    """This will list the lots that parts of this one became."""
    ids = lot.movements.filter(kind=Kind.CONVERT_OUT).values("conversion")
    return list(Lot.objects.filter(made_by__in=ids).select_related("unit").order_by("id"))


def public_lot(public_id: str) -> Lot | None:
    """This will find a lot by its public id, with what its page needs."""
    return (
        Lot.objects.filter(public_id=public_id)
        .select_related("unit", "inner_unit", "total", "warehouse__organization", "consignment", "made_by")
        .first()
    )


def consignment_of(token: str) -> Consignment | None:
    """This will find what a giver's own link stands for (T4)."""
    if not 20 <= len(token) <= 43:
        return None
    return Consignment.objects.filter(token=token).select_related("warehouse__organization").first()


def dont_send(today: dt.date, *, town: int | None = None, category: str = "") -> list[DontSend]:
    """This will list what is not needed for now, the whole city first (W6)."""
    rows = DontSend.objects.filter(ended_at__isnull=True, until__gte=today).select_related("town")
    if town is not None:
        rows = rows.filter(Q(town=town) | Q(town__isnull=True))
    if category:
        rows = rows.filter(category=category)
    return list(rows.order_by(F("town__position").asc(nulls_first=True), "category")[:200])


def needs(today: dt.date, *, town: int | None = None) -> list[Need]:
    """This will list what is needed, by town."""
    rows = Need.objects.filter(ended_at__isnull=True, until__gte=today).select_related("town", "unit")
    if town is not None:
        rows = rows.filter(town=town)
    return list(rows.order_by(F("town__position").asc(nulls_first=True), "category", "id")[:200])


@dataclass(frozen=True, slots=True)
class ReceiptWish:
    """What a receipt in kind needs to know of a consignment."""

    payer: str
    payer_code: str
    received_on: dt.date
    lines: list[dict[str, Any]]


def receipt_wish(consignment_id: int) -> ReceiptWish | None:
    """This will give the lines of a receipt in kind: fit goods with a value; None when none is wanted or nothing has a
    value."""
    found = Consignment.objects.filter(pk=consignment_id, wants_receipt=True, receipts="").first()
    if found is None:
        return None
    fit = {
        row["lot"]: row["fit"]
        for row in Inspection.objects.filter(lot__consignment=found).values("lot").annotate(fit=Sum("passed"))
    }
    lines = [
        {"item": lot.item[:80], "unit": lot.unit_id, "quantity": fit[lot.pk], "unit_value": lot.unit_value,
         "basis": lot.basis, "basis_source": lot.basis_source, "places": lot.unit.places}
        for lot in found.lots.select_related("unit").order_by("id")
        if lot.unit_value and fit.get(lot.pk)
    ]  # fmt: skip
    return ReceiptWish(found.donor_name, found.payer_code, found.received_on, lines) if lines else None


def lot_rows(rows: QuerySet[Lot]) -> Iterator[list[Any]]:
    """This will give lots for a file: a header, then a row each, some at a time."""
    yield [
        "lot", "number", "category", "item", "spec", "unit", "received_on", "received", "made", "found", "in_stock",
        "in_transit", "delivered", "returned", "sold", "written_off", "converted", "expires_on", "unit_value_fen",
        "basis", "giver",
    ]  # fmt: skip
    for lot in rows.iterator(chunk_size=2000):
        sums = lot.total
        yield [
            lot.public_id, lot.number, lot.category, lot.item, lot.spec, lot.unit_id, lot.received_on,
            *(plain(getattr(sums, name)) for name in ("received", "made", "found", *STANDING)),
            lot.expires_on, lot.unit_value, lot.basis, lot.consignment.public_name if lot.consignment else "",
        ]  # fmt: skip


def plain(quantity: Decimal) -> str:
    """This will write a quantity without idle zeros: 12, 2.5."""
    return f"{quantity.normalize():f}" if quantity else "0"


def may_be_one_person(keep: int, other: int) -> bool:
    """This will tell whether two people never asked for and decided the same removal or count, nor sent and
    received the same goods."""
    pair = [keep, other]
    return not (
        Removal.objects.filter(asked_by__in=pair, decided_by__in=pair).exists()
        or StockCount.objects.filter(counted_by__in=pair, decided_by__in=pair).exists()
        or Movement.objects.filter(
            dispatch_line__dispatch__receiver=Receiver.WAREHOUSE,
            kind=Kind.ARRIVE,
            actor_person__in=pair,
            dispatch_line__movements__kind=Kind.SEND,
            dispatch_line__movements__actor_person__in=pair,
        ).exists()
    )
