"""A warehouse for tests, made by the operations themselves."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.core.actors import Actor
from apps.core.invariants import ordered
from apps.core.money import Money
from apps.inventory import operations as ops
from apps.inventory.models import Consignment, Dispatch, Location, Lot, Stock, Warehouse
from apps.inventory.operations import Giver, LotDraft, Pick
from apps.inventory.states import Place
from tests import world as w

NOW = w.NOW


@dataclass
class Store:
    city: w.World
    warehouse: Warehouse
    shelf: Location
    shelf2: Location
    keeper: Actor
    keeper2: Actor
    manager: Actor
    caseworker: Actor

    def place(self, kind: str) -> Location:
        return Location.objects.get(warehouse=self.warehouse, kind=kind, name="")


def build(city: w.World | None = None) -> Store:
    """This will open a warehouse with two shelves in the world's city."""
    city = city or w.build()
    warehouse = ops.add_warehouse(
        actor=city.people["manager"], organization=city.organization, code="main", name="博爱仓库",
        name_en="Bo'ai warehouse", address="澜江市博爱路18号", shelves=("A-01", "A-02"),
    )  # fmt: skip
    shelf, shelf2 = Location.objects.filter(warehouse=warehouse, kind=Place.SHELF).order_by("name")
    scope = ("storekeeper", "warehouse", warehouse.pk)
    return Store(
        city, warehouse, shelf, shelf2, w.person("keeper", scope), w.person("keeper2", scope),
        city.people["manager"], city.people["caseworker_shiqiao"],
    )  # fmt: skip


def draft(item: str = "棉被", quantity: str = "10", unit: str = "床", **more: Any) -> LotDraft:
    more.setdefault("category", "clothing")
    if "fen" in more:
        more["unit_value"] = Money(more.pop("fen"))
        more.setdefault("basis", "invoice")
    return LotDraft(item, Decimal(quantity), unit, **more)


def receive(store: Store, *drafts: LotDraft, now: dt.datetime = NOW, **giver: Any) -> Consignment:
    giver.setdefault("name", "澜江纺织厂")
    return ops.record_consignment(
        actor=store.keeper, warehouse=store.warehouse, giver=Giver(**giver), lots=drafts or (draft(),),
        received_on=now.date(), now=now,
    )  # fmt: skip


def stored(store: Store, *drafts: LotDraft, now: dt.datetime = NOW, **giver: Any) -> Lot:
    """This will receive and pass goods; gives the first lot."""
    lots = list(receive(store, *drafts, now=now, **giver).lots.order_by("pk"))
    for lot in lots:
        ops.inspect_lot(
            actor=store.keeper, lot=lot, passed=lot.quantity, failed=Decimal(0), shelf=store.shelf, now=now
        )
    return lots[0]


def plan(store: Store, lot: Lot, quantity: str, **more: Any) -> Dispatch:
    if "receiver_name" not in more:
        more.setdefault("town", store.city.towns[0])
    return ops.plan_dispatch(
        actor=store.keeper, warehouse=store.warehouse, picks=[Pick(lot, store.shelf, Decimal(quantity))],
        now=more.pop("now", NOW), **more,
    )  # fmt: skip


def sent(store: Store, lot: Lot, quantity: str, **more: Any) -> Dispatch:
    return ops.send_dispatch(
        actor=store.keeper, dispatch=plan(store, lot, quantity, **more), carrier="本会车队", now=NOW
    )


def at(lot: Lot, kind: str) -> Decimal:
    """How much of a lot is at a kind of place."""
    rows = Stock.objects.filter(lot=lot, location__kind=kind).values_list("quantity", flat=True)
    return sum(rows, Decimal(0))


def check() -> None:
    """Every invariant of goods and of the ledger holds."""
    for invariant in ordered():
        if invariant.number in (1, 2, 3, 5):
            found = invariant.check()
            assert not found.broken, (invariant.name, found.broken)
