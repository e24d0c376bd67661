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
from typing import Any

from django.db.models import Case, F, QuerySet, Sum, Value, When
from django.utils.translation import override

from apps.core.clock import start_of_day
from apps.disclosures.figures import Figure
from apps.disclosures.states import Section, Unit
from apps.inventory.models import Movement
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
    statements."""
    flows: dict[tuple[str, str], Flow] = defaultdict(Flow)
    for row in _sums(organization, start_of_day(first), start_of_day(last), recorded_before):
        _add(flows[row["lot__category"], row["lot__unit"]], row)
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
    start, end = start_of_day(dt.date(year, 1, 1)), start_of_day(dt.date(year + 1, 1, 1))
    rows = Movement.objects.filter(kind=Kind.RECEIVE, lot__warehouse__organization=organization)
    return rows.filter(at__gte=start, at__lt=end).exists()


def _sums(
    organization: int, start: dt.datetime, end: dt.datetime, recorded_before: dt.datetime
) -> QuerySet[Any, Any]:
    rows = Movement.objects.filter(
        lot__warehouse__organization=organization, at__lt=end, recorded_at__lt=recorded_before
    ).exclude(kind=Kind.STORE)
    before = Case(When(at__lt=start, then=Value(True)), default=Value(False))
    return (
        rows.annotate(before=before, from_kind=F("source__kind"), to_kind=F("target__kind"))
        .values("lot__category", "lot__unit", "kind", "before", "from_kind", "to_kind")
        .annotate(quantities=Sum("quantity"), values=Sum("value"))
        .order_by()
    )


def _add(flow: Flow, row: dict[str, Any]) -> None:
    """The stock at both ends is counted by where goods went, the lines between by what was done: that they agree is
    the lot's sum (I2), and a test."""
    quantity, value = thousandths(row["quantities"]), int(row["values"])
    ends = ("opening", "closing") if row["before"] else ("closing",)
    for end in ends:
        flow.quantity[end] += _gain(row, OWNED) * quantity
        flow.value[end] += _gain(row, VALUED) * value
    bucket = BUCKETS.get(row["kind"])
    if row["before"] or bucket is None:
        return
    name, sign = bucket
    if row["kind"] != Kind.PASS:
        flow.quantity[name] += sign * quantity
    flow.value[name] += sign * value


def _gain(row: dict[str, Any], places: tuple[str, ...]) -> int:
    return (row["to_kind"] in places) - (row["from_kind"] in places)


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
