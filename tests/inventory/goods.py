"""A warehouse for tests, made by the operations themselves."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from PIL import Image

from apps.core.actors import Actor
from apps.core.invariants import ordered
from apps.core.money import Money
from apps.inventory import operations as ops
from apps.inventory.models import Consignment, Dispatch, GoodsImport, Location, Lot, Stock, Warehouse
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


@dataclass
class Second:
    """Another warehouse of the same organization, with a storekeeper of its own."""

    warehouse: Warehouse
    shelf: Location
    keeper: Actor


def second(store: Store) -> Second:
    warehouse = ops.add_warehouse(
        actor=store.manager, organization=store.city.organization, code="east", name="城东仓库", address="城东路1号",
        shelves=("E-01",),
    )  # fmt: skip
    shelf = Location.objects.get(warehouse=warehouse, kind=Place.SHELF)
    return Second(warehouse, shelf, w.person("keeper_east", ("storekeeper", "warehouse", warehouse.pk)))


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
    if not {"receiver_name", "to_warehouse"} & set(more):
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


def slice_of(kind: str = "received") -> Path:
    """A few lines in the shape of the published lists (Wuhan Red Cross, January 2020; see test_lists)."""
    path = Path(tempfile.mkdtemp(prefix="goods-")) / "list.csv"
    path.write_text(SLICE if kind == "received" else GIVEN, encoding="utf-8")
    return path


def start_list(store: Store, kind: str = "received", path: Path | None = None, **more: Any) -> GoodsImport:
    more.setdefault("day", dt.date(2020, 1, 28))
    return ops.start_import(
        actor=more.pop("actor", store.keeper), warehouse=store.warehouse, kind=kind, source=more.pop("source", "某会"),
        category="medical", file_name="list.csv", path=path or slice_of(kind), now=NOW, **more,
    )  # fmt: skip


def addresses(city: w.World) -> dict[str, dict[str, object]]:
    """One of everything, for the address x role matrix."""
    store = build(city)
    lot = stored(store, draft(fen=12_000))
    assert lot.consignment is not None
    recipe = ops.state_recipe(
        actor=store.keeper, warehouse=store.warehouse, name="慰问包", category="clothing", unit="套",
        parts=[("棉被", "clothing", "床", Decimal(1))], now=NOW,
    )  # fmt: skip
    out = plan(store, lot, "1").number
    came = lot.consignment.number
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(picture, "PNG")
    photo = ops.add_photo(
        actor=store.keeper, consignment=lot.consignment, content=picture.getvalue(), now=NOW
    )
    count = ops.open_count(actor=store.keeper, warehouse=store.warehouse, now=NOW)
    return {
        "goods_lot": {"lot": lot.public_id}, "goods_mine": {"token": lot.consignment.token},
        "inventory_consignment": {"number": came}, "inventory_labels": {"number": came},
        "inventory_photo": {"public_id": photo.public_id}, "inventory_lot": {"public_id": lot.public_id},
        "inventory_dispatch": {"number": out}, "inventory_picking": {"number": out},
        "inventory_count": {"number": count.number}, "inventory_kit": {"pk": recipe.pk},
        "inventory_list": {"public_id": start_list(store).public_id},
    }  # fmt: skip


SLICE = """某会接收社会捐赠物资公示,,,
（1月22日—1月28日）,,,
捐赠单位,品名,规格,数量总计
甲公司,口罩,200个/箱,５箱
,护目镜,\u200b,"1,200个"
乙公司,消毒液,5L*4瓶/件,400瓶
捐赠单位,品名,规格,数量总计
爱心人士,口罩,\u200b,2箱
爱心人士,口罩,\u200b,2箱
,手套,,1提
合计,,,2011件
以上物资已拨付,,,
"""
"""With a header repeated, a doubled row, a total, full-width digits and an unknown unit."""

GIVEN = """某会发放物资一览表,,,,
2020-01-30,,,,
接收单位,品名,规格,计量单位,数量
市一医院,护目镜,200个/箱,箱,5.0
,手套（日本）,50箱（*1000）,件,1.0
市二医院,口罩,,箱,15
"""
