"""Where money went, as a picture drawn on the server: one source, a band to each place it went to, in proportion.

Plain SVG attributes only (the page's policy allows no inline style); a table with the same figures stands beneath.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, BAR, BANDS_END = 360, 12, 104
NODE, GAP, TALLEST = 20, 8, 150
ROOM = 24
"""Half-widths of a place's words beside its amount: 12 Chinese signs or 24 letters."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where some of the money is: its words, minor units, and the class that colours it."""

    label: str
    amount: int
    tone: str


@dataclass(frozen=True, slots=True)
class Band:
    """A place as it is drawn: the band from the source, the bar at its end, and where its words stand."""

    label: str
    amount: int
    tone: str
    path: str
    y: str
    height: str
    text_y: str


@dataclass(frozen=True, slots=True)
class Flow:
    """A drawn flow; lengths in the view box's units."""

    width: int
    height: int
    source: str
    bands: list[Band]


def draw(places: Sequence[Place], *, most: int = 8, rest: str = "") -> Flow:
    """This will draw the places that hold something, in the order given; of more than `most`, the smallest uses between
    the first and the last are drawn together as `rest`. Amounts must not be negative."""
    shown = _few([place for place in places if place.amount > 0], most, rest)
    total = sum(place.amount for place in shown)
    if not total:
        return Flow(WIDTH, NODE, "0", [])
    heights = [max(TALLEST * place.amount / total, 3.0) for place in shown]
    tops, y = [], 0.0
    for height in heights:
        tops.append(y)
        y += max(height, NODE) + GAP
    whole = sum(heights)
    bands, from_y = [], max((y - GAP - whole) / 2, 0.0)
    for place, height, top in zip(shown, heights, tops, strict=True):
        middle = (BAR + BANDS_END) / 2
        path = (
            f"M{BAR} {from_y:.1f}C{middle:.0f} {from_y:.1f} {middle:.0f} {top:.1f} {BANDS_END} {top:.1f}"
            f"V{top + height:.1f}C{middle:.0f} {top + height:.1f} {middle:.0f} {from_y + height:.1f}"
            f" {BAR} {from_y + height:.1f}Z"
        )
        text_y = f"{top + max(min(height / 2 + 5, height), 14):.1f}"
        bands.append(
            Band(fit(place.label), place.amount, place.tone, path, f"{top:.1f}", f"{height:.1f}", text_y)
        )
        from_y += height
    return Flow(WIDTH, round(y), f"{whole:.1f}", bands)


def fit(words: str) -> str:
    """This will cut words to the room they have in the picture, by their width; the table has them whole."""
    if sum(map(_width, words)) <= ROOM:
        return words
    kept, room = "", ROOM - 1
    for sign in words:
        room -= _width(sign)
        if room < 0:
            break
        kept += sign
    return f"{kept.rstrip()}…"


def _width(sign: str) -> int:
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def _few(places: list[Place], most: int, rest: str) -> list[Place]:
    if len(places) <= most:
        return places
    middle = sorted(places[1:-1], key=lambda place: -place.amount)
    kept = set(map(id, middle[: most - 3]))
    together = sum(place.amount for place in middle if id(place) not in kept)
    return [
        places[0], *(place for place in places[1:-1] if id(place) in kept), Place(rest, together, "f-c"), places[-1],
    ]  # fmt: skip
