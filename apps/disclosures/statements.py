"""The statutory statements (D1: audited accounts), each line a query over ledger accounts by data.

资产负债表 balance sheet, 业务活动表 activities, 现金流量表 cash flow of the non-profit accounting system.
The ledger keeps no closing entries: net assets are what income, expense and transfers leave, by whether their
earmark is restricted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection

from apps.core.clock import start_of_day
from apps.disclosures.figures import Figure
from apps.disclosures.models.statements import StatementLine
from apps.disclosures.states import STATEMENTS, Section
from apps.ledger.models import Book
from apps.ledger.states import EarmarkKind
from apps.organizations.models import Organization

CASH = ("cash", "bank", "clearing")
UNRESTRICTED = frozenset({EarmarkKind.OPERATIONS.value, EarmarkKind.RESERVE.value})
"""The federation's own money; all other earmarks are bound to what givers chose."""
COLUMNS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    Section.SHEET: (("opening", "年初数", "start of year"), ("closing", "期末数", "end of year")),
    Section.ACTIVITY: (("unrestricted", "非限定性", "unrestricted"), ("restricted", "限定性", "restricted"),
                       ("total", "合计", "total")),
    Section.CASHFLOW: (("year", "本年", "this year"),),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turnover:
    """A sum of ledger lines: debit positive, minor units. `earmark` is "" for assets and liabilities."""

    role: str
    earmark: str
    kind: str
    amount: int


def book_of(organization: Organization) -> Book | None:
    """This will give the book that an organization keeps here; executing partners keep theirs elsewhere."""
    return Book.objects.filter(owner=organization.pk).first()


_SUMS = """
SELECT a.role, coalesce(m.kind, ''), coalesce(o.kind, e.kind), sum(l.amount)
FROM ledger_line l
JOIN ledger_entry e ON e.id = l.entry_id
JOIN ledger_account a ON a.id = l.account_id
LEFT JOIN ledger_earmark m ON m.id = l.earmark_id
LEFT JOIN ledger_giveback g ON g.entry_id = e.id
LEFT JOIN ledger_entry o ON o.id = coalesce(e.reverses_id, g.payment_id)
WHERE a.book_id = %(book)s AND l.currency = %(currency)s AND e.effective_at >= %(start)s AND e.effective_at < %(end)s
  AND e.recorded_at < %(cutoff)s
GROUP BY 1, 2, 3
"""


def turnover(
    book: Book, *, start: dt.datetime, end: dt.datetime, cutoff: dt.datetime, currency: str = "CNY"
) -> list[Turnover]:
    """This will sum a book's lines effective in [start, end) and recorded before a moment; a reversal or a part given
    back counts with the kind of what it undoes. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SUMS, {"book": book.pk, "currency": currency, "start": start, "end": end, "cutoff": cutoff}
        )
        return [Turnover(role, mark, kind, int(total)) for role, mark, kind, total in cursor.fetchall()]


_BY_YEAR = """
SELECT extract(year FROM e.effective_at AT TIME ZONE 'Asia/Shanghai')::int, a.role, sum(l.amount)
FROM ledger_line l
JOIN ledger_entry e ON e.id = l.entry_id
JOIN ledger_account a ON a.id = l.account_id
WHERE a.book_id = %s AND l.currency = %s AND a.bears_earmark
GROUP BY 1, 2
"""


def turnover_by_year(book: Book, currency: str = "CNY") -> dict[int, dict[str, int]]:
    """This will sum income, costs and transfers of a book: {year of Asia/Shanghai: {role: fen, debit positive}}."""
    made: dict[int, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_YEAR, [book.pk, currency])
        for year, role, total in cursor.fetchall():
            made.setdefault(int(year), {})[role] = int(total)
    return made


def lines_in_force(day: dt.date) -> list[StatementLine]:
    """This will give the lines of the statements as the accounting system has them on a day."""
    newest: dict[tuple[str, str], StatementLine] = {}
    for line in StatementLine.objects.filter(effective_from__lte=day).order_by("effective_from"):
        newest[line.statement, line.code] = line
    return sorted(
        newest.values(), key=lambda line: (STATEMENTS.index(Section(line.statement)), line.position)
    )


LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def statement_figures(organization: Organization, year: int, cutoff: dt.datetime) -> list[Figure]:
    """This will compute an organization's three statements of a calendar year, keyed "<line>:<column>";
    nothing for one
    that keeps no book here."""
    book = book_of(organization)
    if book is None:
        return []
    start, end = start_of_day(dt.date(year, 1, 1)), start_of_day(dt.date(year + 1, 1, 1))
    before = turnover(book, start=LONG_AGO, end=start, cutoff=cutoff)
    during = turnover(book, start=start, end=end, cutoff=cutoff)
    return figures_from(lines_in_force(dt.date(year, 12, 31)), before, during)


def figures_from(
    lines: Iterable[StatementLine], before: list[Turnover], during: list[Turnover]
) -> list[Figure]:
    """This will lay the sums of before and of the year out as statement lines."""
    made: list[Figure] = []
    lines = list(lines)
    for statement in STATEMENTS:
        own = [line for line in lines if line.statement == statement]
        by_code = {line.code: line for line in own}
        named = {kind for line in own for kind in line.kinds if kind != "*"}
        for line in own:
            for column, zh, en in COLUMNS[statement]:
                amount = _value(line, column, by_code, named, before, during)
                alone = len(COLUMNS[statement]) == 1
                made.append(
                    Figure(
                        statement, f"{line.code}:{column}", line.label_zh if alone else f"{line.label_zh}（{zh}）",
                        line.label_en if alone else f"{line.label_en} ({en})", amount,
                    )
                )  # fmt: skip
    return made


def _value(
    line: StatementLine, column: str, by_code: Mapping[str, StatementLine], named: set[str],
    before: list[Turnover], during: list[Turnover],
) -> int:  # fmt: skip
    if line.sums:
        return sum(
            (-1 if code.startswith("-") else 1)
            * _value(by_code[code.lstrip("-")], column, by_code, named, before, during)
            for code in line.sums
        )
    if line.statement == Section.SHEET:
        rows = before if column == "opening" else [*before, *during]
    elif line.code.startswith("opening"):
        rows = before
    else:
        rows = during
    return line.sign * sum(row.amount for row in rows if _counts(row, line, column, named))


def _counts(row: Turnover, line: StatementLine, column: str, named: set[str]) -> bool:
    if row.role not in line.roles:
        return False
    side = line.earmarks or (column if column in ("restricted", "unrestricted") else "")
    if side and (row.earmark in UNRESTRICTED) != (side == "unrestricted"):
        return False
    if not line.kinds:
        return True
    return row.kind in line.kinds or ("*" in line.kinds and row.kind not in named)
