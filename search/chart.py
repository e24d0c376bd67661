"""The monthly chart as a server-side SVG: lengths are computed here, the template only writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.money import DIGITS, Money, format_money
from apps.core.templatetags.core import month_label
from search.contract import MonthSum

MOST_MONTHS = 24
SIZES = {"wide": (830, 200), "narrow": (328, 170)}
LEFT, TOP, BOTTOM = 44, 22, 22


@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    y: str
    width: str
    height: str
    middle: str
    label: str
    title: str
    top: str


@dataclass(frozen=True, slots=True)
class Tick:
    y: str
    text_y: str
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    name: str
    width: int
    height: int
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    foot: int


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawings of one currency's sums by month (or by year when the months are many), and their unit."""

    drawings: tuple[Drawing, ...]
    unit: int
    yearly: bool
    currency: str
    first: str
    last: str
    highest: str
    highest_amount: str


def chart(months: Sequence[MonthSum]) -> Chart | None:
    """This will draw the sums of the currency most rows have; None when there is nothing to draw."""
    sums: dict[str, dict[int, int]] = {}
    for found in months:
        for total in found.totals:
            sums.setdefault(total.currency, {})[found.month] = total.minor
    if not sums:
        return None
    currency = "CNY" if "CNY" in sums else max(sums, key=lambda code: len(sums[code]))
    values = sums[currency]
    first, last = min(values), max(values)
    yearly = last - first >= MOST_MONTHS
    points: list[tuple[str, str, int]] = []
    if yearly:
        for year in range(first // 12, last // 12 + 1):
            spent = sum(amount for month, amount in values.items() if month // 12 == year)
            points.append((str(year), str(year), spent))
    else:
        for month in range(first, last + 1):
            points.append((str(month % 12 + 1), month_label(month), values.get(month, 0)))
    top = max(max(amount for _, _, amount in points), 0)
    if top == 0:
        return None
    step = _step(top)
    peak = max(points, key=lambda point: point[2])
    return Chart(
        drawings=tuple(_draw(name, points, step, currency) for name in SIZES),
        unit=_unit(top, currency),
        yearly=yearly,
        currency=currency,
        first=points[0][1],
        last=points[-1][1],
        highest=peak[1],
        highest_amount=format_money(Money(peak[2], currency)),
    )


def _unit(top: int, currency: str) -> int:
    """The axis counts in yuan, or in ten thousands from 100,000 yuan up."""
    base: int = 10 ** DIGITS[currency]
    return base * 10_000 if top >= base * 100_000 else base


def _step(top: int) -> int:
    raw = max(1, top // 5)
    power: int = 10 ** (len(str(raw)) - 1)
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)


def _draw(name: str, points: Sequence[tuple[str, str, int]], step: int, currency: str) -> Drawing:
    width, height = SIZES[name]
    peak = max(amount for _, _, amount in points)
    most = -(-peak // step) * step
    base, room = height - BOTTOM, height - BOTTOM - TOP
    unit = _unit(peak, currency)
    slot = (width - LEFT) / len(points)
    bars = []
    for place, (label, title, amount) in enumerate(points):
        tall = room * max(amount, 0) / most
        thick = min(slot * 0.64, 64)
        x = LEFT + slot * place + (slot - thick) / 2
        every = max(1, -(-len(points) // (12 if name == "narrow" else 24)))
        bars.append(
            Bar(
                x=f"{x:.1f}", y=f"{base - tall:.1f}", width=f"{thick:.1f}", height=f"{tall:.1f}",
                middle=f"{x + thick / 2:.1f}", label=label if place % every == 0 else "",
                title=f"{title}: {format_money(Money(amount, currency))}",
                top=_short(amount, unit) if amount == peak else "",
            )
        )  # fmt: skip
    ticks = tuple(
        Tick(
            f"{base - room * value / most:.1f}", f"{base - room * value / most + 4:.1f}", _short(value, unit)
        )
        for value in range(0, most + 1, step)
    )
    return Drawing(name, width, height, tuple(bars), ticks, height - 4)


def _short(amount: int, unit: int) -> str:
    text = f"{amount / unit:,.2f}".rstrip("0").rstrip(".")
    return text if len(text) < 7 else f"{amount / unit:,.0f}"
