"""Goods at the scale of the published plan: 2,689 givers, 121,700 items worth 3.82 million yuan, 102,700 of them handed
out to 54,000 households, on top of what the small warehouse has."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Sum

from apps.core.actors import Actor
from apps.core.money import Money
from apps.inventory import operations as ops
from apps.inventory.models import Consignment, Handover, Location, Lot, LotTotal, Warehouse
from apps.inventory.operations import Giver, LotDraft, Pick
from apps.inventory.states import Place
from charity_site.demonstration.clockwork import time_left, work
from charity_site.demonstration.story import City, moment

GIVERS, ITEMS, FEN, HANDED, HELPED = 2_689, 121_700, 382_000_000, 102_700, 54_000
"""The plan's figures; value in fen, those helped counted in households and times (户次)."""
BIG = 600_000
"""The last gift is one powered wheelchair that bears what is left of the value: a little over 6,000 yuan."""
GOODS = (
    ("棉被", "clothing", "床", 9_800), ("保暖衣", "clothing", "件", 5_600), ("大米", "food", "袋", 4_500),
    ("食用油", "food", "桶", 6_200), ("作业本", "education", "本", 150), ("书包", "education", "个", 4_800),
    ("毛巾", "daily", "条", 800), ("洗衣液", "daily", "瓶", 1_900), ("口罩", "medical", "盒", 1_400),
    ("保温杯", "daily", "个", 2_900),
)  # fmt: skip
PER_CAR = 12
AT_ONCE = 100
MONTHS = 5


def fill_warehouse(city: City, warehouse: Warehouse, rng: random.Random, say: Callable[[str], None]) -> None:
    """This will take in and hand out what lacks to the plan's figures, with time left."""
    lots = _take_in(city, warehouse, rng, say)
    _hand_out(city, warehouse, lots, say)
    work(city.now)


def _take_in(city: City, warehouse: Warehouse, rng: random.Random, say: Callable[[str], None]) -> list[Lot]:
    there = Lot.objects.aggregate(n=Sum("quantity"), fen=Sum(F("quantity") * F("unit_value")))
    count = GIVERS - Consignment.objects.count()
    pieces, fen = ITEMS - int(there["n"]) - 1, FEN - int(there["fen"])
    quantities = _shares(pieces, count - 1, rng)
    kinds = [rng.choice(GOODS) for _ in quantities]
    usual = sum(n * kind[3] for n, kind in zip(quantities, kinds, strict=True))
    prices = [kind[3] * (fen - BIG) // usual for kind in kinds]
    left = fen - sum(n * price for n, price in zip(quantities, prices, strict=True))
    drafts = [
        LotDraft(kind[0], Decimal(n), kind[2], kind[1], "", Money(price), "market", "批发市场同类价")
        for n, kind, price in zip(quantities, kinds, prices, strict=True)
    ]
    drafts.append(LotDraft("电动轮椅", Decimal(1), "辆", "aid", "", Money(left), "invoice", "购货发票"))
    shelf = Location.objects.filter(warehouse=warehouse, kind=Place.SHELF).exclude(name="").order_by("pk")[0]
    keeper, began, lots = city.staff["storekeeper1"], time.monotonic(), []
    for start in range(0, len(drafts), AT_ONCE):
        # One commit for some givers: what is checked at commit costs the same, waiting for the disk doesn't.
        with transaction.atomic():
            for n in range(start, min(start + AT_ONCE, len(drafts))):
                at = moment(city, -MONTHS + n * MONTHS // len(drafts), 1 + n % 20)
                lots.append(_bring(keeper, warehouse, shelf, drafts[n], at))
        say(time_left("givers of goods", len(lots), len(drafts), began))
    return lots


def _bring(keeper: Actor, warehouse: Warehouse, shelf: Location, draft: LotDraft, at: dt.datetime) -> Lot:
    made = ops.record_consignment(
        actor=keeper, warehouse=warehouse, giver=Giver("爱心人士", "anonymous"), lots=[draft], received_on=at.date(),
        carrier="捐赠人送到", now=at,
    )  # fmt: skip
    lot = made.lots.select_related("unit", "warehouse").get()
    ops.inspect_lot(
        actor=keeper, lot=lot, passed=lot.quantity, failed=Decimal(0), shelf=shelf, grade="new", now=at
    )
    return lot


def _hand_out(city: City, warehouse: Warehouse, lots: list[Lot], say: Callable[[str], None]) -> None:
    """Sends cars of twelve lots to the towns in turn until the plan's number is handed out."""
    handed = int(LotTotal.objects.aggregate(n=Sum("delivered"))["n"])
    helped = Handover.objects.aggregate(n=Sum("households"))["n"] or 0
    shelf = Location.objects.filter(warehouse=warehouse, kind=Place.SHELF).exclude(name="").order_by("pk")[0]
    picks: list[Pick] = []
    for lot in lots:
        part = min(int(lot.quantity), HANDED - handed)
        if part <= 0:
            break
        picks.append(Pick(lot, shelf, Decimal(part)))
        handed += part
    cars = [picks[at : at + PER_CAR] for at in range(0, len(picks), PER_CAR)]
    began = time.monotonic()
    for n, car in enumerate(cars):
        families = (HELPED - helped) * (n + 1) // len(cars) - (HELPED - helped) * n // len(cars)
        _send(city, warehouse, n, car, families)
        if (n + 1) % 20 == 0:
            say(time_left("cars with goods", n + 1, len(cars), began))


def _send(city: City, warehouse: Warehouse, n: int, picks: list[Pick], families: int) -> None:
    keeper, town = city.staff["storekeeper2"], city.towns[n % len(city.towns)]
    at = min(
        max(pick.lot.recorded_at for pick in picks) + dt.timedelta(days=1), city.now - dt.timedelta(hours=2)
    )
    dispatch = ops.plan_dispatch(
        actor=keeper, warehouse=warehouse, picks=picks, town=town, purpose="困难家庭慰问", now=at
    )
    dispatch = ops.send_dispatch(actor=keeper, dispatch=dispatch, carrier="本会车队", now=at)
    ops.record_handover(
        actor=city.staff[f"caseworker1.{town.code}"], dispatch=dispatch, households=families,
        quantities={line: pick.quantity for line, pick in enumerate(picks, 1)}, slip=f"QS-{dispatch.pk}",
        now=at + dt.timedelta(hours=1),
    )  # fmt: skip


def _shares(whole: int, count: int, rng: random.Random) -> list[int]:
    """`count` whole numbers of at least one that add up to `whole`."""
    weights = [rng.choice([5, 10, 10, 20, 30, 50, 80]) for _ in range(count)]
    all_of_them = sum(weights)
    parts = [max(whole * weight // all_of_them, 1) for weight in weights]
    for n in range(whole - sum(parts)):
        parts[n % count] += 1
    return parts
