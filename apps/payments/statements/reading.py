"""Reading a bank's statement: lines in and out, the running balance checked where the bank states it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from django.utils.translation import gettext_lazy as _

from apps.core.money import Money, format_money
from apps.core.tables import cells, columns
from apps.core.tables.cells import Cell
from apps.core.tables.columns import Columns
from apps.core.tables.faults import CellFault, Fault, letter
from apps.core.tables.identity import Identities
from apps.core.tables.opening import Table, UnreadableTable

WANTED = ("date", "credit", "debit", "amount", "balance", "name", "note", "reference", "account")
MOST_LINES = 50_000
FAULTS_KEPT = 500
ENOUGH = 0.9
"""A balance on this share of lines is a running balance; less is a remark of the bank now and then."""

_TOTAL = frozenset({"合计", "总计", "共计", "本页合计", "累计", "total"})


@dataclass(slots=True)
class StatementLine:
    """A line: `amount` positive in, negative out, minor units."""

    row: int
    day: dt.date
    amount: int
    balance: int | None
    name: str
    note: str
    reference: str
    key: str = ""


@dataclass(slots=True)
class Statement:
    """A statement as read, lines oldest first."""

    columns: Columns
    currency: str
    lines: list[StatementLine] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    runs: bool = False

    @property
    def credits(self) -> int:
        return sum(line.amount for line in self.lines if line.amount > 0)

    @property
    def debits(self) -> int:
        return -sum(line.amount for line in self.lines if line.amount < 0)

    @property
    def opening(self) -> int | None:
        first = self.lines[0] if self.lines else None
        return first.balance - first.amount if self.runs and first and first.balance is not None else None

    @property
    def closing(self) -> int | None:
        return self.lines[-1].balance if self.runs and self.lines else None


def guess_columns(table: Table, currency: str) -> Columns | None:
    """This will guess which column is what; None when there is no header to be seen."""
    return columns.guess(table.head(), wanted=WANTED, currency=currency)


def read_statement(table: Table, at: Columns, *, account: str, currency: str, today: dt.date) -> Statement:
    """This will read a statement of one account, each fault by row and column: unreadable cells, another account's
    lines, and where the running balance doesn't close, that is where a line was removed, changed or doubled.

    Raises UnreadableTable when it has no line, or too many.
    """
    found = Statement(at, currency)
    _check_account(table.head(), at, account, found)
    for number, row in table:
        if number <= at.header_row or not any(cells.text(cell) for cell in row):
            continue
        if {cells.folded(cell).rstrip(":：").casefold() for cell in row} & _TOTAL:
            continue
        line = _line(found, number, row, account, today)
        if line is not None:
            found.lines.append(line)
        if len(found.lines) > MOST_LINES:
            raise UnreadableTable(_("对账单超过5万行。请按月分开导入。"))
    if not found.lines and not found.faults:
        raise UnreadableTable(_("表头下面没有对账单的行。"))
    _check_balance(found)
    identities = Identities(source=account, account=account)
    for line in found.lines:
        line.key = identities.key(day=line.day, amount=line.amount, name=line.name, note=line.note,
                                  reference=line.reference)  # fmt: skip
    return found


def _line(
    found: Statement, number: int, row: Sequence[Cell], account: str, today: dt.date
) -> StatementLine | None:
    at, before = found.columns, len(found.faults)
    day, amount, balance, reference = today, 0, None, ""
    try:
        day = cells.day(at.cell(row, "date"), at.date_order)
        if day > today:
            raise CellFault("date_future", day)
    except CellFault as fault:
        _fault(found, number, "date", fault)
    try:
        amount = _amount(found, row)
    except CellFault as fault:
        _fault(found, number, "credit" if "credit" in at.at else "amount", fault)
    if cells.text(at.cell(row, "balance")):
        try:
            balance = cells.amount(at.cell(row, "balance"), found.currency, decimal=at.decimal, unit=at.unit)
        except CellFault as fault:
            _fault(found, number, "balance", CellFault("balance_unreadable", fault.detail))
    try:
        reference = cells.number_text(at.cell(row, "reference"))[:80]
    except CellFault as fault:
        _fault(found, number, "reference", fault)
    own = re.sub(r"\W", "", cells.folded(at.cell(row, "account")))
    if own and not _same_account(own, account):
        _fault(found, number, "account", CellFault("other_account", f"…{own[-4:]}"))
    if len(found.faults) > before or not amount:
        return None
    name, note = cells.text(at.cell(row, "name"))[:120], cells.text(at.cell(row, "note"))[:300]
    return StatementLine(number, day, amount, balance, name, note, reference)


def _amount(found: Statement, row: Sequence[Cell]) -> int:
    at = found.columns
    if "credit" not in at.at:
        return cells.amount(at.cell(row, "amount"), found.currency, decimal=at.decimal, unit=at.unit)
    sides = []
    for what in ("credit", "debit"):
        cell = at.cell(row, what)
        sides.append(
            cells.amount(cell, found.currency, decimal=at.decimal, unit=at.unit) if cells.text(cell) else 0
        )
    if sides[0] and sides[1]:
        raise CellFault("both_sides")
    if not any(sides):
        raise CellFault("amount_missing")
    return sides[0] - abs(sides[1])


def _check_account(head: Sequence[Sequence[Cell]], at: Columns, account: str, found: Statement) -> None:
    """Above the header banks print the account: one that is another's refuses the statement."""
    numbers = set()
    for number, row in enumerate(head[: max(at.header_row - 1, 0)], start=1):
        for cell in row:
            for run in re.findall(r"(?<!\d)\d[\d \-*]{8,30}\d(?!\d)", cells.folded(cell)):
                bare = re.sub(r"[ \-]", "", run)
                if len(bare) >= 10 and not re.fullmatch(r"20\d{6}(20\d{6})?", bare):
                    numbers.add((number, bare))
    if numbers and not any(_same_account(bare, account) for _row, bare in numbers):
        where, bare = min(numbers)
        found.faults.append(Fault(where, "", "other_account", f"…{bare[-4:]}"))


def _same_account(shown: str, account: str) -> bool:
    """A masked number (6222****1234) is the same where it shows the same."""
    pattern = re.escape(shown).replace(r"\*", ".")
    return re.fullmatch(re.sub(r"\.+", ".*", pattern) if "*" in shown else pattern, account) is not None


def _check_balance(found: Statement) -> None:
    having = [line for line in found.lines if line.balance is not None]
    if "balance" not in found.columns.at or len(having) < max(2, len(found.lines) * ENOUGH):
        for line in found.lines:
            line.balance = None
        return
    found.runs = True
    if _breaks(found.lines) > _breaks(found.lines[::-1]):
        found.lines.reverse()  # banks print the newest first, too
    for one, two in pairwise(found.lines):
        if one.balance is None or two.balance is None or one.balance + two.amount == two.balance:
            continue
        if (one.day, one.amount, one.balance, one.reference, one.note) == (
            two.day, two.amount, two.balance, two.reference, two.note,
        ):  # fmt: skip
            _fault(found, max(one.row, two.row), "balance", CellFault("line_doubled", min(one.row, two.row)))
        else:
            away = format_money(Money(two.balance - one.balance - two.amount, found.currency))
            _fault(found, two.row, "balance", CellFault("balance_breaks", away))


def _breaks(lines: Sequence[StatementLine]) -> int:
    return sum(
        one.balance is not None and two.balance is not None and one.balance + two.amount != two.balance
        for one, two in pairwise(lines)
    )


def _fault(found: Statement, row: int, what: str, fault: CellFault) -> None:
    if len(found.faults) < FAULTS_KEPT:
        found.faults.append(Fault(row, letter(found.columns.at.get(what, -1)), fault.code, fault.detail))
