"""Reading a list of offline gifts as charities publish them (G11): what is a gift, what a total, what only prose."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from apps.core.money import Money, format_money
from apps.core.tables import cells, columns
from apps.core.tables.cells import Cell
from apps.core.tables.columns import Columns
from apps.core.tables.faults import CellFault, Fault, letter
from apps.core.tables.opening import Table, UnreadableTable, open_table

WANTED = ("date", "amount", "name", "note", "reference", "debit")
"""What a list of gifts may have; only the amount is needed."""

TOTAL_WORDS = frozenset({"合计", "总计", "共计", "总额", "total", "合计金额"})
_COUNT = re.compile(r"共计?\s*([\d,]+)\s*(?:人次|笔|人|条)")
_SUM = re.compile(
    r"(?:总金额|合计金额|总额|总计|合计|共计)\s*[:：]?\s*[¥￥]?\s*(\d[\d,]*(?:\.\d+)?)(?![\d,.]|\s*(?:人次|笔|人|条))"
)
_REMARK = re.compile(r"^(?:注|备注|说明|附注|note)\s*[:：]", re.IGNORECASE)
NAME, NOTE, REFERENCE = 120, 300, 80
FAULTS_KEPT = 10_000
"""Beyond this they are only counted: nobody mends more by hand."""


@dataclass(frozen=True, slots=True)
class ListedGift:
    """A row that is a gift. `amount` in minor units, `day` a civil date."""

    row: int
    day: dt.date
    name: str
    amount: int
    note: str
    reference: str


@dataclass(slots=True)
class GiftList:
    """A list being read: iterate over `gifts()`, then look at what was found besides them."""

    table: Table
    columns: Columns
    currency: str
    day: dt.date | None
    today: dt.date
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    gifts_read: int = 0
    total: int = 0
    stated_total: int | None = None
    stated_count: int | None = None
    total_row: int = 0
    prose: list[tuple[int, str]] = field(default_factory=list)
    outgoing: int = 0
    _waiting: list[tuple[int, str]] = field(default_factory=list)
    _blank: bool = False

    def gifts(self) -> Iterator[ListedGift]:
        """This will give the gifts one by one; faults gather in `faults`. Memory doesn't grow with the list."""
        for number, row in self.table:
            if number <= self.columns.header_row:
                continue
            gift = self._row(number, row)
            if gift is not None:
                self.gifts_read += 1
                self.total += gift.amount
                yield gift
        self.prose += self._waiting
        self._waiting = []
        self._agree()

    def _row(self, number: int, row: Sequence[Cell]) -> ListedGift | None:
        at = self.columns
        raw = at.cell(row, "amount")
        if raw in ("", None) or (isinstance(raw, str) and not cells.text(raw)):
            words = [word for word in (cells.text(cell) for cell in row) if word]
            if not words:
                self._blank = True
                return None
            if not self._is_total(number, row, words):
                self._without_amount(number, row, words)
            return None
        label = cells.folded(next((cell for cell in row if cells.text(cell)), ""))
        if (not label[:1].isdigit() or "共" in label) and self._is_total(
            number, row, [cells.text(cell) for cell in row]
        ):
            return None
        return self._gift(number, row, raw)

    def _gift(self, number: int, row: Sequence[Cell], raw: Cell) -> ListedGift | None:
        for place, _words in self._waiting:
            self._fault(place, "amount", "amount_missing")
        self._waiting = []
        if self.total_row:
            self._keep(Fault(number, "A", "after_total"))
            return None
        before = self.fault_count
        at = self.columns
        amount, day, reference = 0, self.day, ""
        try:
            if (number, at.at["amount"]) in self.table.formulas:
                raise CellFault("formula")
            amount = cells.amount(raw, self.currency, decimal=at.decimal, unit=at.unit)
            if amount <= 0:
                raise CellFault("amount_negative" if amount else "amount_zero", raw)
        except CellFault as fault:
            self._fault(number, "amount", fault.code, fault.detail)
        if "date" in at.at:
            try:
                day = cells.day(at.cell(row, "date"), at.date_order)
                if day > self.today:
                    raise CellFault("date_future", day)
            except CellFault as fault:
                self._fault(number, "date", fault.code, fault.detail)
        try:
            reference = cells.number_text(at.cell(row, "reference"))
        except CellFault as fault:
            self._fault(number, "reference", fault.code, fault.detail)
        name, note = cells.text(at.cell(row, "name")), cells.text(at.cell(row, "note"))
        for what, words, longest in (("name", name, NAME), ("reference", reference, REFERENCE)):
            if len(words) > longest:
                self._fault(number, what, "too_long", str(longest))
        if self.fault_count > before or day is None:
            return None
        return ListedGift(number, day, name, amount, note[:NOTE], reference)

    def _is_total(self, number: int, row: Sequence[Cell], words: Sequence[str]) -> bool:
        plain = {word.rstrip(":：").replace(" ", "").casefold() for word in words}
        joined = " ".join(words) if any("共" in word or "总金额" in word for word in words) else ""
        said, counted = _SUM.search(joined), _COUNT.search(joined)
        if not plain & TOTAL_WORDS and not (said and counted):
            return False
        if counted:
            self.stated_count = int(counted.group(1).replace(",", ""))
        at, raw = self.columns, self.columns.cell(row, "amount")
        try:
            shown = said.group(1) if said and counted else raw
            self.stated_total = cells.amount(
                shown, self.currency, decimal=at.decimal, unit=1 if said and counted else at.unit
            )
        except CellFault:
            self._fault(number, "amount", "total_unreadable")
        self.total_row = number
        return True

    def _without_amount(self, number: int, row: Sequence[Cell], words: Sequence[str]) -> None:
        """A line without an amount: money that went out, a remark, or (below the last gift) a signature."""
        shown = " ".join(words)[:120]
        if cells.text(self.columns.cell(row, "debit")):
            self.outgoing += 1
            self.prose.append((number, shown))
        elif _REMARK.match(shown):
            self._blank = True
            self.prose.append((number, shown))
        elif self._blank or self.total_row:
            self._waiting.append((number, shown))
        else:
            self._fault(number, "amount", "amount_missing")

    def _agree(self) -> None:
        if self.fault_count:
            return
        if self.stated_total is not None and self.stated_total != self.total:
            away = format_money(Money(self.stated_total - self.total, self.currency))
            self._fault(self.total_row, "amount", "total_differs", away)

    def _fault(self, row: int, what: str, code: str, detail: str = "") -> None:
        self._keep(Fault(row, letter(self.columns.at.get(what, -1)), code, detail))

    def _keep(self, fault: Fault) -> None:
        self.fault_count += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(fault)


def guess_columns(table: Table, currency: str) -> Columns | None:
    """This will guess which column is what; None when there is no header to be seen."""
    return columns.guess(table.head(), wanted=WANTED, currency=currency)


def read_gifts(path: Path, *, currency: str, today: dt.date, day: dt.date | None = None,
               at: Columns | None = None) -> GiftList:  # fmt: skip
    """This will open a list and guess its columns unless they are given; `day` dates a list without a date column.

    Raises UnreadableTable when it is no table, or has no header.
    """
    table = open_table(path)
    chosen = at or guess_columns(table, currency)
    if chosen is None:
        raise UnreadableTable(
            _("没有找到表头。前30行里要有一行写着金额和别的列名，例如“捐赠人”“捐赠金额（元）”。")
        )
    return GiftList(table, chosen, currency, day, today)
