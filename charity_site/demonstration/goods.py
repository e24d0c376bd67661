"""A small believable warehouse: goods come in, are inspected, stored, sent to towns, handed over; one count, one sale,
one write-off. All by the operations."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from apps.accounts.operations import ask_grant, confirm_grant
from apps.accounts.queries import actor_for
from apps.core.actors import Actor, system
from apps.core.money import Money
from apps.inventory import operations as ops
from apps.inventory.models import Consignment, Location, Lot, Stock, Warehouse
from apps.inventory.operations import Giver, LotDraft, Pick
from apps.inventory.states import Place
from charity_site.demonstration.clockwork import work
from charity_site.demonstration.people import Staff, make_account
from charity_site.demonstration.story import City, moment

ACTOR = system("demo")
D = Decimal

GIVERS: tuple[tuple[str, str, str, int, tuple[tuple[str, str, str, str, str, int, int], ...]], ...] = (
    # giver, shown, alias, months ago, (item, category, spec, quantity, unit, price of one in fen, months until expiry)
    ("澜江纺织厂", "name", "", -5, (("冬被", "clothing", "150×200厘米", "240", "床", 12_800, 0),
                                   ("棉衣", "clothing", "均码", "180", "件", 15_900, 0))),
    ("澜江米业公司", "name", "", -4, (("大米", "food", "散装", "3000", "公斤", 560, 9),
                                    ("食用油", "food", "5升", "400", "桶", 6_800, 14))),
    ("一位老师", "alias", "山茶", -4, (("作业本", "education", "32开", "2000", "本", 150, 0),
                                     ("书包", "education", "小学", "160", "个", 5_900, 0))),
    ("爱心人士", "anonymous", "", -3, (("轮椅", "aid", "折叠", "24", "辆", 46_000, 0),)),
    ("澜江医疗用品公司", "name", "", -3, (("医用外科口罩", "medical", "50只/盒", "1200", "盒", 1_500, 20),
                                        ("洗手液", "medical", "500毫升", "600", "瓶", 1_250, 16))),
    ("澜江日化商行", "name", "", -2, (("洗衣粉", "daily", "1公斤", "500", "袋", 990, 0),)),
    ("爱心人士", "anonymous", "", -1, (("电热水壶", "appliance", "1.7升", "60", "台", 7_900, 0),)),
)  # fmt: skip
SENDINGS: tuple[tuple[str, int, tuple[tuple[str, str], ...], bool], ...] = (
    # town by number, months ago, (item, quantity), confirmed by slips
    ("0", -4, (("冬被", "60"), ("棉衣", "50")), True), ("1", -3, (("大米", "600"), ("食用油", "90")), True),
    ("2", -3, (("作业本", "800"), ("书包", "70")), True),
    ("3", -2, (("医用外科口罩", "400"), ("洗手液", "200")), False),
    ("4", -2, (("轮椅", "9"),), True), ("5", -1, (("冬被", "70"), ("洗衣粉", "150")), False),
)  # fmt: skip


def keep_goods(city: City) -> Warehouse:
    """This will open the warehouse and let some months of goods pass through it."""
    start = moment(city, -6, 3)
    warehouse = ops.add_warehouse(
        actor=city.staff["manager1"], organization=city.federation, code="boai", name="博爱仓库",
        name_en="Bo'ai warehouse", address="澜江市博爱路18号", town=city.towns[0], shelves=("A-01", "A-02", "B-01"),
    )  # fmt: skip
    keepers = make_storekeepers(city.staff, warehouse, start)
    shelf = Location.objects.get(warehouse=warehouse, kind=Place.SHELF, name="A-01")
    for name, shown, alias, month, lots in GIVERS:
        _bring(
            city,
            keepers[0],
            warehouse,
            shelf,
            Giver(name, shown, alias, wants_receipt=shown == "name"),
            month,
            lots,
        )
    for town, month, items, confirmed in SENDINGS:
        _send(city, keepers[1], warehouse, int(town), month, items, confirmed)
    _aside(city, keepers[0], warehouse, shelf)
    _wants(city)
    work(city.now)
    return warehouse


def make_storekeepers(staff: Staff, warehouse: Warehouse, now: dt.datetime) -> list[Actor]:
    """This will make the warehouse's two storekeepers."""
    made = []
    for n in (1, 2):
        account = make_account(staff, f"storekeeper{n}", "仓管" + "甲乙"[n - 1], now)
        grant = ask_grant(
            actor=staff["admin1"], person=account.person, role="storekeeper", scope_id=warehouse.pk, now=now
        )
        confirm_grant(actor=staff["admin2"], grant=grant, now=now)
        staff.actors[f"storekeeper{n}"] = actor_for(account, mfa=True)
        made.append(staff[f"storekeeper{n}"])
    return made


def _bring(
    city: City, keeper: Actor, warehouse: Warehouse, shelf: Location, giver: Giver, month: int,
    lots: tuple[tuple[str, str, str, str, str, int, int], ...],
) -> Consignment:  # fmt: skip
    at = moment(city, month, 4)
    drafts = [
        LotDraft(item, D(quantity), unit, category, spec, Money(fen), "market", "批发市场同类价",
                 expires_on=(at + dt.timedelta(days=30 * months)).date() if months else None)
        for item, category, spec, quantity, unit, fen, months in lots
    ]  # fmt: skip
    made = ops.record_consignment(
        actor=keeper,
        warehouse=warehouse,
        giver=giver,
        lots=drafts,
        received_on=at.date(),
        carrier="捐赠人送到",
        now=at,
    )
    for n, lot in enumerate(made.lots.order_by("id")):
        failed = D(int(lot.quantity) // 60) if n == 0 else D(0)
        ops.inspect_lot(
            actor=keeper, lot=lot, passed=lot.quantity - failed, failed=failed, shelf=shelf, grade="new",
            note="包装破损" if failed else "", now=at,
        )  # fmt: skip
        if failed:
            quarantine = Location.objects.get(warehouse=warehouse, kind=Place.QUARANTINE)
            ops.give_back(
                actor=keeper, lot=lot, location=quarantine, quantity=failed, reason="包装破损", now=at
            )
    return made


def _send(
    city: City, keeper: Actor, warehouse: Warehouse, town_number: int, month: int, items: tuple[tuple[str, str], ...],
    confirmed: bool,
) -> None:  # fmt: skip
    at, town = moment(city, month, 12), city.towns[town_number]
    picks = []
    for item, quantity in items:
        row = Stock.objects.select_related("lot", "location").get(
            lot__item=item, lot__warehouse=warehouse, location__kind=Place.SHELF
        )
        picks.append(Pick(row.lot, row.location, D(quantity)))
    dispatch = ops.plan_dispatch(
        actor=keeper, warehouse=warehouse, picks=picks, town=town, purpose="困难家庭慰问", now=at
    )
    dispatch = ops.send_dispatch(actor=keeper, dispatch=dispatch, carrier="本会车队", now=at)
    caseworker = city.staff[f"caseworker1.{town.code}"]
    part = {n: pick.quantity if confirmed else pick.quantity // 2 for n, pick in enumerate(picks, 1)}
    ops.record_handover(
        actor=caseworker, dispatch=dispatch, quantities=part, households=40,
        slip=f"QS-{dispatch.pk}" if confirmed else "", now=at + dt.timedelta(days=2),
    )  # fmt: skip


def _aside(city: City, keeper: Actor, warehouse: Warehouse, shelf: Location) -> None:
    """A sale, a write-off and a stock count, each decided by the manager."""
    at = moment(city, -1, 18)
    manager = city.staff["manager1"]
    kettle, soap = (Lot.objects.get(item=item, warehouse=warehouse) for item in ("电热水壶", "洗衣粉"))
    common: dict[str, Any] = {"actor": keeper, "location": shelf, "now": at}
    sale = ops.ask_removal(
        **common, lot=kettle, quantity=D(10), kind="sell", reason="数量多于需要，变卖所得用于微基金", buyer="便民商店",
        proceeds=Money(50_000), fund=next(iter(city.funds.values())),
    )  # fmt: skip
    loss = ops.ask_removal(**common, lot=soap, quantity=D(6), kind="write_off", reason="受潮结块")
    for one in (sale, loss):
        ops.decide_removal(actor=manager, removal=one, approve=True, now=at)
    count = ops.open_count(actor=keeper, warehouse=warehouse, now=at)
    for row in Stock.objects.filter(location=shelf, quantity__gt=0).select_related("lot").order_by("pk"):
        short = D(2) if row.lot.item == "作业本" else D(0)
        ops.record_count(
            actor=keeper, count=count, lot=row.lot, location=shelf, counted=row.quantity - short,
            note="少两本，可能发放时多给" if short else "", now=at,
        )  # fmt: skip
    ops.submit_count(actor=keeper, count=count, now=at)
    ops.decide_count(actor=manager, count=count, approve=True, now=at)


def _wants(city: City) -> None:
    town, until = city.towns[0], (city.now + dt.timedelta(days=90)).date()
    worker = city.staff[f"caseworker1.{town.code}"]
    ops.state_need(
        actor=worker,
        town=town,
        category="food",
        item="大米",
        quantity=D(500),
        unit="公斤",
        until=until,
        now=city.now,
    )
    ops.ask_not_to_send(
        actor=worker, town=town, category="clothing", reason="旧衣物存放已满", until=until, now=city.now
    )
