"""Reading a list of goods as a charity published it: titles and prose above and below, a party written only once,
quantity and unit in one cell, cells merged over several rows, headers repeated in the middle."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from apps.core.tables.cells import Cell, day, folded, head_words, text
from apps.core.tables.faults import CellFault, letter
from apps.core.tables.opening import Table, UnreadableTable, open_table
from apps.inventory.states import ListKind

HEADER_WITHIN = 40
MOST_ROWS = 20_000
FIELDS = ("party", "unit", "spec", "amount", "item", "day", "note")
_PARTY = {
    ListKind.RECEIVED: ("捐赠单位", "捐赠方", "捐赠人", "捐赠者", "捐赠企业", "捐赠来源", "捐赠名称", "来源",
                        "donor", "捐赠"),
    ListKind.GIVEN: ("接收单位", "接受单位", "受赠单位", "受捐单位", "领用单位", "领取单位", "发放单位", "发放对象",
                     "收货单位", "使用单位", "受助单位", "接收方", "受赠方", "分配单位", "receiver", "recipient"),
}  # fmt: skip
WORDS: dict[str, tuple[str, ...]] = {
    "unit": ("计量单位", "单位", "unit"),
    "spec": ("规格", "型号", "spec"),
    "amount": ("数量", "件数", "quantity", "qty"),
    "item": ("品名", "物资名称", "物品名称", "产品名称", "货物名称", "名称", "品种", "物资", "物品", "item"),
    "day": ("日期", "时间", "date"),
    "note": ("备注", "说明", "用途", "note", "remark"),
}
TOTALS = ("合计", "总计", "共计", "小计", "总数", "total")
_TITLE_DAY = re.compile(r"(\d{4})\s*[年.\-/]\s*(\d{1,2})\s*[月.\-/]\s*(\d{1,2})")


@dataclass(slots=True)
class ReadRow:
    """A line of the list: several rows of the sheet where its quantity is one merged cell. `at` names the column of
    each field, for faults."""

    row: int
    last_row: int
    party: str
    item: str
    spec: str
    amount: str
    unit_word: str
    day: str
    note: str
    carried: bool = False
    at: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """What a list holds: lines, prose (shown, never recorded), the day its head or its foot names."""

    header_row: int
    at: Mapping[str, int]
    rows: list[ReadRow]
    prose: list[tuple[int, str]]
    found_day: dt.date | None
    other_sheets: int = 0


def read_list(path: Path, kind: str, chosen: Mapping[str, int] | None = None) -> Reading:
    """This will read a list; `chosen` are columns a person named ({field: place from 0}), the rest is guessed by the
    header.

    Raises UnreadableTable: no table at all, no header with item and quantity, too many rows.
    """
    table = open_table(path)
    rows: list[tuple[int, list[Cell]]] = []
    for number, cells in table:
        if number > MOST_ROWS:
            raise UnreadableTable(_("名单超过2万行。请分成几个文件导入。"))
        rows.append((number, cells))
    header, at = _header(rows, kind, dict(chosen or {}))
    if not header:
        raise UnreadableTable(
            _(
                "没有找到表头。表头要有品名和数量两列（例如“品名”“数量”），在前40行里。也可以指定哪一列是什么。"
            )
        )
    lines, prose = _lines(table, rows, header, at)
    heads = [(n, " ".join(filter(None, map(_shown, cells)))) for n, cells in rows if n < header]
    prose = [(n, words) for n, words in heads if words] + prose
    return Reading(header, at, lines, prose, _day_of(rows, header, prose), table.other_sheets)


def _shown(cell: Cell) -> str:
    return cell.isoformat()[:10] if isinstance(cell, dt.date) else text(cell)


def _header(
    rows: Sequence[tuple[int, list[Cell]]], kind: str, chosen: dict[str, int]
) -> tuple[int, dict[str, int]]:
    for number, cells in rows[:HEADER_WITHIN]:
        at = {**_named([head_words(cell) for cell in cells], kind), **chosen}
        if "item" in at and "amount" in at:
            return number, at
    return 0, {}


def _named(titles: list[str], kind: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for what in FIELDS:
        for word in _PARTY[ListKind(kind)] if what == "party" else WORDS[what]:
            for place, title in enumerate(titles):
                if word in title and len(title) <= 20 and place not in found.values():
                    found[what] = place
                    break
            if what in found:
                break
    return found


def _lines(
    table: Table, rows: Sequence[tuple[int, list[Cell]]], header: int, at: Mapping[str, int]
) -> tuple[list[ReadRow], list[tuple[int, str]]]:
    merged = table.merged()
    titles = [head_words(cell) for cell in dict(rows)[header]]
    tops = {what: _tops(merged, place) for what, place in at.items()}
    values = {
        number: {what: _shown(cells[place]) if place < len(cells) else "" for what, place in at.items()}
        for number, cells in rows
    }
    names = {what: letter(place) for what, place in at.items()}
    found: list[ReadRow] = []
    prose: list[tuple[int, str]] = []
    party = ""
    for number, cells in rows:
        if number <= header or not any(map(_shown, cells)):
            continue
        if [head_words(cell) for cell in cells] == titles:
            continue
        mine = values[number]
        top = tops["amount"].get(number, number)
        if top != number and found and found[-1].row <= top <= found[-1].last_row:
            _join(found[-1], mine, number)
            continue
        own = mine.get("party", "")
        if folded(own).casefold().startswith(TOTALS) or folded(mine["item"]).casefold().startswith(TOTALS):
            prose.append((number, " ".join(filter(None, map(_shown, cells)))))
            continue
        if not mine["item"] and not mine["amount"]:
            # Prose, or a party that stands alone above its goods: then it is carried down.
            prose.append((number, " ".join(filter(None, map(_shown, cells)))))
            party = own or party
            continue
        carried = not own
        party = own or party
        item = mine["item"] or _above(values, tops, "item", number)
        spec = mine.get("spec", "") or _above(values, tops, "spec", number)
        found.append(
            ReadRow(number, number, party, item, spec, mine["amount"], mine.get("unit", ""),
                    mine.get("day", "") or _above(values, tops, "day", number), mine.get("note", ""), carried, names)
        )  # fmt: skip
    return found, prose


def _tops(merged: Sequence[tuple[int, int, int, int]], place: int) -> dict[int, int]:
    """For every row inside a merged cell of a column: the row its value stands in."""
    return {
        row: top
        for top, bottom, left, right in merged
        if left <= place <= right and bottom > top
        for row in range(top, bottom + 1)
    }


def _above(
    values: Mapping[int, Mapping[str, str]], tops: Mapping[str, Mapping[int, int]], what: str, number: int
) -> str:
    top = tops.get(what, {}).get(number)
    return values.get(top, {}).get(what, "") if top is not None else ""


def _join(line: ReadRow, more: Mapping[str, str], number: int) -> None:
    """A row whose quantity cell is merged with the one above belongs to it; what it says besides is kept."""
    line.last_row = number
    for what, sign in (("item", "／"), ("spec", "；")):
        words = more.get(what, "")
        if words and words not in getattr(line, what):
            setattr(line, what, sign.join(filter(None, (getattr(line, what), words))))
    for what in ("party", "note"):
        if more.get(what) and more[what] != line.party:
            line.note = "；".join(filter(None, (line.note, more[what])))


def _day_of(
    rows: Sequence[tuple[int, list[Cell]]], header: int, prose: Sequence[tuple[int, str]]
) -> dt.date | None:
    """The one day that stands above the header; else the one that stands in the foot."""
    for cells in (cells for number, cells in rows if number < header):
        for cell in cells:
            try:
                return day(cell)
            except CellFault:
                continue
    for words in (words for number, words in prose if number < header):
        match = _TITLE_DAY.search(folded(words))
        if match:
            return _civil(match)
    return None


def _civil(match: re.Match[str]) -> dt.date | None:
    try:
        return dt.date(*(int(part) for part in match.groups()))
    except ValueError:
        return None
