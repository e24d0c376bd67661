"""Reading a list of offline gifts as charities publish them: CSV, XLSX or XLS, header found by its names, total row
recognized and never booked (G11)."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from python_calamine import CalamineError, CalamineWorkbook

from apps.core.errors import BadInput
from apps.core.money import DIGITS, Money, format_money

LARGEST = 64 * 1024 * 1024
HEADER_WITHIN = 30
"""The header is looked for in the first rows; what stands above it is title and prose."""

COLUMNS = {
    "date": ("日期", "date"),
    "amount": ("金额", "amount"),
    "name": ("姓名", "捐赠人", "捐赠者", "捐款人", "捐赠单位", "单位", "name", "donor"),
    "note": ("备注", "用途", "附言", "note", "remark"),
}
TOTAL_WORDS = frozenset({"合计", "总计", "共计", "total"})
_DATE = re.compile(r"(\d{4})\s*[.\-/年]\s*(\d{1,2})\s*[.\-/月]\s*(\d{1,2})\s*日?")


class UnreadableList(BadInput):
    code = "unreadable_list"
    field = "file"


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with a cell: row and column as a spreadsheet counts them."""

    row: int
    column: str
    message: str | Promise


@dataclass(frozen=True, slots=True)
class ListedGift:
    """A row that is a gift. `amount` in minor units, `day` a civil date."""

    row: int
    day: dt.date
    name: str
    amount: int
    note: str


@dataclass(slots=True)
class GiftSheet:
    """A list as read: its gifts, its errors, and its own total where it states one."""

    sha256: str
    currency: str
    gifts: list[ListedGift] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    stated_total: int | None = None
    total_row: int | None = None

    @property
    def total(self) -> int:
        return sum(gift.amount for gift in self.gifts)


def read_gift_sheet(content: bytes, *, currency: str) -> GiftSheet:
    """This will read a list of gifts with date, name, amount and note columns; every fault becomes a RowError.

    Raises UnreadableList when it is no table, or has no header with a date and an amount.
    """
    if len(content) > LARGEST:
        raise UnreadableList(_("文件超过64MB。请分成几个文件导入。"))
    rows = _rows(content)
    at, columns = _header(rows)
    sheet = GiftSheet(hashlib.sha256(content).hexdigest(), currency)
    for index in range(at + 1, len(rows)):
        row = rows[index]
        if any(_text(cell) for cell in row):
            _read_row(sheet, row, index + 1, columns)
    if not sheet.gifts and not sheet.errors:
        raise UnreadableList(_("表头下面没有捐赠行。"))
    if sheet.stated_total is not None and not sheet.errors and sheet.stated_total != sheet.total:
        away = format_money(Money(sheet.stated_total - sheet.total, currency))
        message = str(_("合计行与各行之和相差%(away)s。")) % {"away": away}
        sheet.errors.append(RowError(sheet.total_row or 0, _letter(columns["amount"]), message))
    return sheet


def identity_keys(source: str, gifts: Sequence[ListedGift]) -> list[str]:
    """This will give each gift its identity: source, date, name, amount, note, and how many times that same row has
    occurred so far in its list; equal rows within a list are different gifts."""
    seen: Counter[str] = Counter()
    keys = []
    for gift in gifts:
        base = "\x1f".join([source, gift.day.isoformat(), gift.name, str(gift.amount), gift.note])
        seen[base] += 1
        keys.append(hashlib.sha256(f"{base}\x1f{seen[base]}".encode()).hexdigest())
    return keys


def _read_row(sheet: GiftSheet, row: Sequence[Any], number: int, columns: dict[str, int]) -> None:
    words = {_text(cell).rstrip(":：").casefold() for cell in row}
    amount = _amount(_cell(row, columns["amount"]), sheet.currency)
    if words & TOTAL_WORDS:
        if amount is None:
            sheet.errors.append(RowError(number, _letter(columns["amount"]), _("合计行没有可读的金额。")))
        else:
            sheet.stated_total, sheet.total_row = amount, number
        return
    day = _day(_cell(row, columns["date"]))
    before = len(sheet.errors)
    if day is None:
        message = _("日期读不出来。请写成 2020-01-23 这样。")
        sheet.errors.append(RowError(number, _letter(columns["date"]), message))
    if amount is None:
        message = _("金额读不出来，或小数位数多于币种的最小单位。")
        sheet.errors.append(RowError(number, _letter(columns["amount"]), message))
    elif amount <= 0:
        sheet.errors.append(RowError(number, _letter(columns["amount"]), _("金额必须大于零。")))
    if sheet.total_row is not None:
        sheet.errors.append(RowError(number, "A", _("合计行之后还有数据行。")))
    if len(sheet.errors) == before and day is not None and amount is not None:
        name = _text(_cell(row, columns.get("name", -1)))[:120]
        sheet.gifts.append(
            ListedGift(number, day, name, amount, _text(_cell(row, columns.get("note", -1)))[:300])
        )


def _header(rows: list[list[Any]]) -> tuple[int, dict[str, int]]:
    for index, row in enumerate(rows[:HEADER_WITHIN]):
        found: dict[str, int] = {}
        for place, cell in enumerate(row):
            text = _text(cell).casefold()
            for column, words in COLUMNS.items():
                if column not in found and len(text) <= 30 and any(word in text for word in words):
                    found[column] = place
                    break
        if {"date", "amount"} <= found.keys():
            return index, found
    raise UnreadableList(_("没有找到表头。前30行里要有一行写着日期和金额，例如“捐赠日期”“捐赠金额（元）”。"))


def _rows(content: bytes) -> list[list[Any]]:
    if content[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        try:
            sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
            # Without skipping the empty area, so that rows and columns keep the numbers a person sees.
            return sheet.to_python(skip_empty_area=False)
        except (CalamineError, IndexError, OSError) as error:
            raise UnreadableList(_("打不开这个表格文件。请确认它没有损坏，也没有加密。")) from error
    encodings = (
        ("utf-16", "utf-8-sig", "gb18030")
        if content[:2] in (b"\xff\xfe", b"\xfe\xff")
        else ("utf-8-sig", "gb18030")
    )
    for encoding in encodings:
        try:
            return list(csv.reader(io.StringIO(content.decode(encoding), newline="")))
        except (UnicodeDecodeError, csv.Error):
            continue
    raise UnreadableList(_("不是CSV、XLSX或XLS文件。"))


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(unicodedata.normalize("NFKC", str(cell)).replace("\u200b", "").split())


def _cell(row: Sequence[Any], place: int) -> Any:
    return row[place] if 0 <= place < len(row) else ""


def _amount(cell: Any, currency: str) -> int | None:
    """Exact minor units; a binary float counts as the decimal it shows (38422322.23999998 is 38422322.24)."""
    try:
        if isinstance(cell, bool) or cell is None:
            return None
        if isinstance(cell, int | float):
            digits = DIGITS[currency]
            shown = round(Decimal(repr(cell)), digits)
            return (
                int(shown.scaleb(digits)) if abs(Decimal(repr(cell)) - shown) < Decimal("0.000001") else None
            )
        return Money.parse(_text(cell), currency).minor
    except (BadInput, InvalidOperation, ValueError):
        return None


def _day(cell: Any) -> dt.date | None:
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    match = _DATE.fullmatch(_text(cell))
    try:
        return dt.date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else f"A{chr(ord('A') + place - 26)}"
