"""Cells as people and spreadsheets write them: text, dates, amounts in exact minor units."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import Any

from apps.core.money import DIGITS, MAX_MINOR
from apps.core.tables.faults import CellFault

Cell = Any
"""str, int, float, bool, a date or datetime, or None."""

MANGLED = 10**15
"""From here on a spreadsheet keeps no exact whole number: account and card numbers lose their last digits."""

_GONE = dict.fromkeys((*range(9), *range(14, 32), 127, 8203, 8204, 8205, 8288, 65279))
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,3}")
_FORMULA_SIGNS = "=+-@＝＋－＠"
_POINT = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d+))?")
_COMMA = re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+)?(?:,(\d+))?")
_YMD = re.compile(
    r"(\d{4})\s*[.\-/年]\s*(\d{1,2})\s*[.\-/月]\s*(\d{1,2})\s*日?(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
)
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})")
_OTHER = re.compile(r"(\d{1,2})[.\-/](\d{1,2})[.\-/](\d{4})(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?")


def text(cell: Cell) -> str:
    """This will give a cell's text: white space of any kind collapsed, invisible and control signs gone, the
    apostrophe that `neutral` set in front of a formula sign taken off again."""
    if isinstance(cell, str):
        words = " ".join(cell.translate(_GONE).split())
        return words[1:] if len(words) > 1 and words[0] == "'" and words[1] in _FORMULA_SIGNS else words
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < MANGLED:
        return str(int(cell))
    return str(cell)


def folded(cell: Cell) -> str:
    """This will give a cell's text with full-width signs narrowed, for comparing."""
    words = text(cell)
    return words if words.isascii() else unicodedata.normalize("NFKC", words)


def number_text(cell: Cell) -> str:
    """This will give a number kept as text (reference, account). Raises CellFault for one in scientific notation."""
    if isinstance(cell, float | int) and not isinstance(cell, bool) and abs(cell) >= MANGLED:
        raise CellFault("number_mangled", cell)
    words = folded(cell)
    if _SCIENTIFIC.fullmatch(words):
        raise CellFault("number_mangled", words)
    return words


def amount(cell: Cell, currency: str, *, decimal: str = ".", unit: int = 1) -> int:
    """This will read an amount as exact minor units; a binary float counts as the decimal it shows
    (38422322.23999998 is 38422322.24). `decimal` is the sign before the fraction, `unit` 10000 for 万元.

    Raises CellFault. Zero and negative amounts are read; who asks decides.
    """
    digits = DIGITS[currency]
    if isinstance(cell, bool | dt.date):
        raise CellFault("amount_unreadable", cell)
    if isinstance(cell, int | float):
        value = Decimal(repr(cell)) * unit
        shown = round(value, digits) if value.is_finite() else value
        if not value.is_finite() or abs(value) * 10**digits > MAX_MINOR:
            raise CellFault("amount_too_large", cell)
        if abs(value - shown) >= Decimal("0.000001") * unit:
            raise CellFault("amount_too_fine", cell)
        return int(shown.scaleb(digits))
    words = folded(cell)
    if words.isdecimal() and words.isascii() and len(words) < 14:
        return int(words) * unit * int(10**digits)
    return _typed(words, digits, decimal, unit)


def _typed(words: str, digits: int, decimal: str, unit: int) -> int:
    if not words:
        raise CellFault("amount_missing")
    if words[0] == "=":
        raise CellFault("formula")
    bare = words.replace(" ", "").removesuffix("元").lstrip("¥￥₫$")
    sign = 1
    if bare[:1] in ("-", "−", "+"):
        sign, bare = (1 if bare[0] == "+" else -1), bare[1:].lstrip("¥￥₫$")
    if bare.startswith("(") and bare.endswith(")"):
        sign, bare = -1, bare[1:-1]
    found = (_COMMA if decimal == "," else _POINT).fullmatch(bare)
    if not found or not bare or len(bare) > 30:
        raise CellFault("amount_unreadable", words)
    fraction = found.group(1) or ""
    if len(fraction) > digits and unit == 1:
        raise CellFault("amount_too_fine", words)
    whole = bare[: len(bare) - len(fraction) - 1] if fraction else bare
    whole = whole.replace(",", "").replace(".", "")
    value = Decimal(f"{whole or '0'}.{fraction or '0'}") * unit * 10**digits
    if value != value.to_integral_value():
        raise CellFault("amount_too_fine", words)
    if value > MAX_MINOR:
        raise CellFault("amount_too_large", words)
    return sign * int(value)


def day(cell: Cell, order: str = "ymd") -> dt.date:
    """This will read a civil date; `order` (dmy or mdy) says how 01/02/2024 is meant. Raises CellFault."""
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if 20000101 <= cell <= 21001231:
            return _date(*(int(part) for part in _PACKED.fullmatch(str(int(cell))).groups()), shown=cell)  # type: ignore[union-attr,misc]
        if 10_000 <= cell <= 80_000:
            raise CellFault(
                "date_serial", f"{cell:g}: {dt.date(1899, 12, 30) + dt.timedelta(days=int(cell))}?"
            )
        raise CellFault("date_unreadable", cell)
    words = folded(cell)
    if not words:
        raise CellFault("date_missing")
    found = _YMD.fullmatch(words) or _PACKED.fullmatch(words)
    if found:
        return _date(*(int(part) for part in found.groups()), shown=words)
    other = _OTHER.fullmatch(words)
    if other:
        first, second, year = (int(part) for part in other.groups())
        month, date = (first, second) if order == "mdy" else (second, first)
        return _date(year, month, date, shown=words)
    if words.isdecimal() and 10_000 <= int(words) <= 80_000:
        raise CellFault("date_serial", f"{words}: {dt.date(1899, 12, 30) + dt.timedelta(days=int(words))}?")
    raise CellFault("date_unreadable", words)


def _date(year: int, month: int, date: int, *, shown: object) -> dt.date:
    try:
        return dt.date(year, month, date)
    except ValueError:
        raise CellFault("date_unreadable", shown) from None


def head_words(cell: Cell) -> str:
    """This will give a column's head as it is compared: folded, without white space and capitals."""
    return re.sub(r"\s+", "", folded(cell)).casefold()
