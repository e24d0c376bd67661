"""Reading a department's list: which column is the ID number, and what each line says. Names are never read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.casework import identity
from apps.core.errors import BadInput, Text
from apps.core.tables import cells
from apps.core.tables.faults import CellFault
from apps.core.tables.opening import Table

HEADER_WITHIN = 30
WORDS: dict[str, tuple[str, ...]] = {
    "id_number": ("身份证", "公民身份号码", "证件号", "idnumber", "idno", "idcard"),
    "valid_until": ("有效期至", "有效期止", "截止", "终止", "到期", "结束", "validuntil", "until", "enddate"),
    "valid_from": (
        "有效期起",
        "生效",
        "批准日期",
        "审批日期",
        "起始",
        "开始",
        "享受日期",
        "validfrom",
        "from",
        "startdate",
    ),
}
FAULTS: dict[str, Text] = {
    "bad_id_number": _("身份证号的校验位或出生日期不对"),
    "id_missing": _("没有身份证号"),
    "number_mangled": _("号码被表格软件改成了科学计数，后几位已经丢失"),
    "doubled": _("这个号码在名单里已经有一行"),
    "date_unreadable": _("日期读不出来"),
    "period": _("结束日期早于开始日期"),
}


class NoIdColumn(BadInput):
    code = "no_id_column"
    message = _("没有认出身份证号是哪一列。请选表头在第几行、身份证号在哪一列。")
    field = "id_number"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand: header row as a spreadsheet counts (0: none), places from 0 (-1: not there)."""

    header_row: int
    id_number: int
    valid_from: int = -1
    valid_until: int = -1

    def as_json(self) -> dict[str, int]:
        """This will give what is stored."""
        return {"header_row": self.header_row, "id_number": self.id_number, "valid_from": self.valid_from,
                "valid_until": self.valid_until}  # fmt: skip

    @classmethod
    def from_json(cls, stored: Mapping[str, int]) -> Layout:
        """This will take back what `as_json` gave."""
        return cls(**{name: int(value) for name, value in stored.items()})


@dataclass(frozen=True, slots=True)
class Line:
    """A readable line, or what is wrong with it; the number itself leaves only as a hash."""

    row: int
    number: str = ""
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    fault: str = ""


def guess(head: Sequence[Sequence[cells.Cell]]) -> Layout | None:
    """This will find the header row and the columns by their titles; None when no title speaks of an ID number."""
    for index, row in enumerate(head[:HEADER_WITHIN]):
        titles = [re.sub(r"[\s_]+", "", cells.folded(cell)).casefold() for cell in row]
        at: dict[str, int] = {}
        for what, words in WORDS.items():
            for place, title in enumerate(titles):
                if len(title) <= 20 and place not in at.values() and any(word in title for word in words):
                    at[what] = place
                    break
        if "id_number" in at:
            return Layout(index + 1, at["id_number"], at.get("valid_from", -1), at.get("valid_until", -1))
    return None


def lines(table: Table, layout: Layout, as_of: dt.date) -> Iterator[Line]:
    """This will read a list line by line; a line without a start counts from `as_of`."""
    for row, cells_ in table:
        if row <= layout.header_row or not any(cells.text(cell) for cell in cells_):
            continue
        yield _line(row, cells_, layout, as_of)


def _line(row: int, cells_: Sequence[cells.Cell], layout: Layout, as_of: dt.date) -> Line:
    try:
        number = cells.number_text(_at(cells_, layout.id_number))
        if not number:
            return Line(row, fault="id_missing")
        number = identity.checked_id(number)
        start = _day(_at(cells_, layout.valid_from)) or as_of
        end = _day(_at(cells_, layout.valid_until))
    except CellFault as fault:
        return Line(row, fault="number_mangled" if fault.code == "number_mangled" else "date_unreadable")
    except identity.BadIdNumber:
        return Line(row, fault="bad_id_number")
    if end is not None and end < start:
        return Line(row, fault="period")
    return Line(row, number, start, end)


def _at(cells_: Sequence[cells.Cell], place: int) -> cells.Cell:
    return cells_[place] if 0 <= place < len(cells_) else ""


def _day(cell: cells.Cell) -> dt.date | None:
    words = cells.folded(cell) if not isinstance(cell, dt.date) else "date"
    return None if words in ("", "-", "—", "无", "长期") else cells.day(cell)
