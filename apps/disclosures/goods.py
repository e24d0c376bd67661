"""What the stock books say of a report's period: the goods flow (货物流向) by value and by quantity (D3, I2).

Goods belong to the organization whose warehouse holds them and to no project, so these are lines of organizations'
reports. The value is what goods stand for in the ledger's inventory, from their inspection on; goods without a value
count by quantity only. Different units of measure never add, so quantities stand by category and unit.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.db import connection
from django.utils.translation import override

from apps.core.clock import start_of_day
from apps.disclosures.figures import Figure
from apps.disclosures.states import Section, Unit
from apps.inventory.models import Unit as Measure
from apps.inventory.states import IN_STOCK, Category, Kind, Place

OWNED = (*IN_STOCK, Place.TRANSIT)
"""Where goods are the organization's still: in its warehouse, or on the road."""

VALUED = (Place.SHELF, Place.TRANSIT)
"""Where they stand in the ledger's inventory: accepted goods only."""

WORDS = {
    "opening": ("期初库存", "In stock at the start"),
    "received": ("收到", "Received"),
    "found": ("盘盈", "Found at a count"),
    "converted": ("组装拆分净增", "Made up or taken apart, net"),
    "delivered": ("发放", "Handed out"),
    "returned": ("退还捐赠人", "Given back to givers"),
    "sold": ("变卖", "Sold"),
    "written_off": ("核销", "Written off"),
    "closing": ("期末库存（含在途）", "In stock at the end, on the road included"),
}
ALWAYS = ("received", "delivered", "closing")
"""Shown though they are nothing; the others only where something happened."""

BUCKETS: dict[str, tuple[str, int]] = {
    Kind.RECEIVE: ("received", 1), Kind.PASS: ("received", 1), Kind.OVER: ("found", 1),
    Kind.CONVERT_IN: ("converted", 1), Kind.CONVERT_OUT: ("converted", -1), Kind.DELIVER: ("delivered", 1),
    Kind.TAKE_BACK: ("delivered", -1), Kind.GIVE_BACK: ("returned", 1), Kind.SELL: ("sold", 1),
    Kind.WRITE_OFF: ("written_off", 1), Kind.SHORT: ("written_off", 1),
}  # fmt: skip
"""Which line a movement counts in; what was handed out and came back is taken off again."""


@dataclass(slots=True)
class Flow:
    """The sums of one measure; `quantity` in thousandths of its unit, `value` in fen."""

    quantity: Counter[str] = field(default_factory=Counter)
    value: Counter[str] = field(default_factory=Counter)


def goods_figures(
    organization: int, first: dt.date, last: dt.date, recorded_before: dt.datetime
) -> list[Figure]:
    """This will compute an organization's goods lines for [first, last) in civil days of Asia/Shanghai, from movements
    recorded before a moment: values first, then each category and unit. Empty for one that never had goods. Two SQL
    statements: months that are folded (GoodsSum) are read as sums, only what was recorded since one by one."""
    flows: dict[tuple[str, str], Flow] = defaultdict(Flow)
    for row in _sums(organization, first, last, recorded_before):
        _add(flows[row.category, row.unit], row)
    if not flows:
        return []
    value: Counter[str] = Counter()
    for flow in flows.values():
        value.update(flow.value)  # Counter.update adds, and keeps what is below zero
    made = [
        Figure(Section.GOODS, f"value:{name}", f"物资价值：{zh}", f"Value of goods: {_inside(en)}", value[name])
        for name, (zh, en) in _shown(value)
    ]  # fmt: skip
    names = dict(Measure.objects.values_list("code", "name_en"))
    order = list(Category.values)
    for (category, unit), flow in sorted(flows.items(), key=lambda one: (order.index(one[0][0]), one[0][1])):
        what_zh, what_en = _category(category)
        made += [
            Figure(Section.GOODS, f"{category}:{unit}:{name}", f"{what_zh}：{zh}（{unit}）",
                   f"{what_en}: {_inside(en)} ({names[unit]})", flow.quantity[name], Unit.QUANTITY)
            for name, (zh, en) in _shown(flow.quantity)
        ]  # fmt: skip
    return made


def received_goods(organization: int, year: int) -> bool:
    """This will tell whether an organization received goods in a calendar year, which begins its yearly duty (D1)."""
    first, last = dt.date(year, 1, 1), dt.date(year + 1, 1, 1)
    rows = _sums(organization, first, last, None)
    return any(row.kind == Kind.RECEIVE and not row.before for row in rows)


class Part(NamedTuple):
    """Movements of one kind from one sort of place to another, before a report's period or in it."""

    category: str
    unit: str
    kind: str
    from_kind: str
    to_kind: str
    before: bool
    quantity: Decimal
    value: int


MOVED = """FROM inventory_movement m
  JOIN inventory_lot l ON l.id = m.lot_id JOIN inventory_warehouse w ON w.id = l.warehouse_id
  JOIN inventory_location a ON a.id = m.source_id JOIN inventory_location b ON b.id = m.target_id"""
"""A movement m with its lot l, the lot's warehouse w, and the places a and b it went between."""

MONTH = "(date_trunc('month', m.at AT TIME ZONE 'Asia/Shanghai'))::date"
"""Its month of Asia/Shanghai."""

PARTS = f"""
WITH mark AS (
  SELECT last FROM disclosures_goodsfold
  WHERE %(months)s AND recorded_until IS NOT NULL AND (%(cutoff)s::timestamptz IS NULL OR recorded_until < %(cutoff)s)
), parts AS (
  SELECT category, unit, kind, from_kind, to_kind, month < %(first)s AS before, quantity, value
  FROM disclosures_goodssum
  WHERE organization_id = %(organization)s AND month < %(last)s AND EXISTS (SELECT 1 FROM mark)
  UNION ALL
  SELECT l.category, l.unit_id, m.kind, a.kind, b.kind, m.at < %(start)s, m.quantity, m.value
  {MOVED}
  WHERE m.id > coalesce((SELECT last FROM mark), 0) AND w.organization_id = %(organization)s AND m.at < %(end)s
    AND (%(cutoff)s::timestamptz IS NULL OR m.recorded_at < %(cutoff)s) AND m.kind <> 'store'
)
SELECT category, unit, kind, from_kind, to_kind, before, sum(quantity), sum(value) FROM parts GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608  (constants only)
"""One statement, so that a fold between two reads can't count a movement twice."""


def _sums(
    organization: int, first: dt.date, last: dt.date, recorded_before: dt.datetime | None
) -> list[Part]:
    """Sums count only for periods of whole months, and for a cut-off that lies after all that is folded."""
    asked: dict[str, int | bool | dt.date | None] = {
        "organization": organization, "first": first, "last": last, "start": start_of_day(first),
        "end": start_of_day(last), "cutoff": recorded_before, "months": first.day == last.day == 1,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(PARTS, asked)
        return [Part(*row) for row in cursor.fetchall()]


def _add(flow: Flow, row: Part) -> None:
    """The stock at both ends is counted by where goods went, the lines between by what was done: that they agree is
    the lot's sum (I2), and a test."""
    quantity, value = thousandths(row.quantity), int(row.value)
    ends = ("opening", "closing") if row.before else ("closing",)
    for end in ends:
        flow.quantity[end] += _gain(row, OWNED) * quantity
        flow.value[end] += _gain(row, VALUED) * value
    bucket = BUCKETS.get(row.kind)
    if row.before or bucket is None:
        return
    name, sign = bucket
    if row.kind != Kind.PASS:
        flow.quantity[name] += sign * quantity
    flow.value[name] += sign * value


def _gain(row: Part, places: tuple[str, ...]) -> int:
    return (row.to_kind in places) - (row.from_kind in places)


def _shown(sums: Counter[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, words in WORDS.items():
        if name in ALWAYS or sums[name]:
            yield name, words


def thousandths(quantity: Decimal) -> int:
    """This will write a quantity of at most three decimals as an integer."""
    return int(quantity * 1000)


def _inside(label: str) -> str:
    """A label's English within a line."""
    return label[:1].lower() + label[1:]


def _category(category: str) -> tuple[str, str]:
    said = []
    for language in ("zh-hans", "en"):
        with override(language):
            said.append(str(Category(category).label))
    return said[0], said[1]
