"""Which column is what: guessed from the header, mended by a person, remembered for the next file of that kind."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from apps.core.money import DIGITS
from apps.core.tables.cells import Cell, folded, head_words

HEADER_WITHIN = 30
"""The header is looked for in the first rows; what stands above it is title and prose."""

WORDS: dict[str, tuple[str, ...]] = {
    "date": ("捐赠日期", "交易日期", "记账日期", "日期", "交易时间", "tnxdate", "date", "时间"),
    "credit": ("creditamount", "credit", "贷方", "收入", "存入", "转入", "到账金额"),
    "debit": ("debitamount", "debit", "借方", "支出", "转出", "付出"),
    "amount": ("捐赠金额", "交易金额", "金额", "amount", "数额"),
    "balance": ("balance", "余额"),
    "reference": (
        "referencenumber",
        "reference",
        "流水号",
        "交易号",
        "凭证号",
        "参考号",
        "订单号",
        "docno",
        "documentnumber",
    ),
    "name": (
        "姓名",
        "捐赠人",
        "捐赠者",
        "捐款人",
        "捐赠单位",
        "捐赠方",
        "对方户名",
        "付款人",
        "户名",
        "单位",
        "donor",
        "payer",
        "offsetaccount",
        "name",
    ),
    "note": ("备注", "用途", "附言", "摘要", "transactiondetails", "details", "remark", "note", "purpose"),
    "account": ("本方账号", "本方账户", "本账号", "own account"),
}
NOT_WORDS: dict[str, tuple[str, ...]] = {
    "amount": ("debit", "借", "支出", "balance", "余额", "单位：", "单位:"),
    "name": ("本方", "金额", "单位：", "单位:"),
    "date": ("到期",),
}
DATE_ORDERS = ("ymd", "dmy", "mdy")
UNITS = (1, 10_000)


@dataclass(frozen=True, slots=True)
class Columns:
    """How to read a table: `header_row` as a spreadsheet counts (0: none), `at` {what: place from 0}, `titles` the
    header's words (to know the same kind of file again), the order of a date's parts, the sign before a fraction, and
    the unit of amounts (10000 for 万元)."""

    header_row: int = 0
    at: Mapping[str, int] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    date_order: str = "dmy"
    decimal: str = "."
    unit: int = 1

    def as_json(self) -> dict[str, Any]:
        """This will give what is stored."""
        return {"header_row": self.header_row, "at": dict(self.at), "titles": dict(self.titles),
                "date_order": self.date_order, "decimal": self.decimal, "unit": self.unit}  # fmt: skip

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Columns:
        """This will take back what `as_json` gave."""
        return cls(int(stored["header_row"]), {str(k): int(v) for k, v in stored["at"].items()},
                   {str(k): str(v) for k, v in stored["titles"].items()}, str(stored["date_order"]),
                   str(stored["decimal"]), int(stored["unit"]))  # fmt: skip

    def cell(self, row: Sequence[Cell], what: str) -> Cell:
        """This will give a row's cell of a kind, nothing where the column or the cell isn't there."""
        place = self.at.get(what, -1)
        return row[place] if 0 <= place < len(row) else ""


def guess(head: Sequence[Sequence[Cell]], *, wanted: Sequence[str], currency: str) -> Columns | None:
    """This will guess the columns from the first rows: the first row that names an amount and something else.

    A column called credit is the amount, where both are there. None when no row looks like a header.
    """
    for index, row in enumerate(head[:HEADER_WITHIN]):
        found = _named(row, wanted)
        if ("amount" in found or "credit" in found) and len(found) > 1:
            if "credit" in found and "credit" not in wanted:
                found["amount"] = found.pop("credit")
            at = {what: place for what, place in found.items() if what in wanted}
            return details(Columns(index + 1, at, _titles(row, at)), head, currency)
    return None


def recognized(head: Sequence[Sequence[Cell]], kept: Columns) -> Columns | None:
    """This will find remembered columns in another file by their titles, in any order; None when one is missing."""
    for index, row in enumerate(head[:HEADER_WITHIN]):
        words = [head_words(cell) for cell in row]
        if kept.titles and all(title in words for title in kept.titles.values()):
            at = {what: words.index(title) for what, title in kept.titles.items()}
            return replace(kept, header_row=index + 1, at=at)
    return None


def details(columns: Columns, head: Sequence[Sequence[Cell]], currency: str) -> Columns:
    """This will guess the rest from the rows below the header: order of dates, decimal sign, unit."""
    below = head[columns.header_row :]
    title = folded(head[columns.header_row - 1][columns.at["amount"]]) if _has_title(columns, head) else ""
    return replace(
        columns,
        date_order=_order([folded(columns.cell(row, "date")) for row in below]),
        decimal=_decimal(
            [folded(columns.cell(row, "amount") or columns.cell(row, "credit")) for row in below], currency
        ),
        unit=10_000 if "万" in title else 1,
    )


def with_titles(columns: Columns, head: Sequence[Sequence[Cell]]) -> Columns:
    """This will note the header's words of chosen columns, so that the next file is recognized."""
    if not 0 < columns.header_row <= len(head):
        return replace(columns, titles={})
    return replace(columns, titles=_titles(head[columns.header_row - 1], columns.at))


def _has_title(columns: Columns, head: Sequence[Sequence[Cell]]) -> bool:
    row = columns.header_row
    return "amount" in columns.at and 0 < row <= len(head) and columns.at["amount"] < len(head[row - 1])


def _named(row: Sequence[Cell], wanted: Sequence[str]) -> dict[str, int]:
    titles = [head_words(cell) for cell in row]
    found: dict[str, int] = {}
    for what in [*dict.fromkeys(["credit", "debit", "balance", *wanted])]:
        for word in WORDS[what]:
            for place, title in enumerate(titles):
                if (
                    word in title
                    and len(title) <= 30
                    and place not in found.values()
                    and not any(other in title for other in NOT_WORDS.get(what, ()))
                ):
                    found[what] = place
                    break
            if what in found:
                break
    return found


def _titles(row: Sequence[Cell], at: Mapping[str, int]) -> dict[str, str]:
    return {what: head_words(row[place]) for what, place in at.items() if 0 <= place < len(row)}


def _order(words: Sequence[str]) -> str:
    pairs = [
        found for found in (re.match(r"(\d{1,2})[.\-/](\d{1,2})[.\-/]\d{4}", word) for word in words) if found
    ]
    if not pairs:
        return "ymd"
    if any(int(pair.group(2)) > 12 for pair in pairs) and not any(int(pair.group(1)) > 12 for pair in pairs):
        return "mdy"
    return "dmy"


def _decimal(words: Sequence[str], currency: str) -> str:
    """A comma is the decimal sign when amounts show it so: 1.234,50, or (no minor unit) 50.000."""
    if any(re.fullmatch(r"\d{1,3}(\.\d{3})*,\d{1,2}", word) for word in words):
        return ","
    dotted = [word for word in words if "." in word]
    if DIGITS[currency] == 0 and dotted and all(re.fullmatch(r"\d{1,3}(\.\d{3})+", word) for word in dotted):
        return ","
    if len(dotted) > 2 and any(word.count(".") > 1 for word in dotted):
        return ","
    return "."
