"""When a report is due (D1, D2): pure arithmetic on civil days of Asia/Shanghai, nothing read from anywhere."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from apps.core.clock import add_months
from apps.disclosures.states import Rule


class KindRow(Protocol):
    """What is read of a kind here: a row of models.DutyKind, or of a test."""

    rule: str
    number: int | None
    due_month: int | None
    due_day: int | None
    effective_from: dt.date
    effective_until: dt.date | None


K = TypeVar("K", bound=KindRow)


@dataclass(frozen=True, slots=True)
class Window(Generic[K]):
    """The n-th duty of a kind: what happens from `starts_on` on is reported by `due_on`."""

    n: int
    kind: K
    starts_on: dt.date
    due_on: dt.date


def in_force(rows: Sequence[K], day: dt.date) -> K | None:
    """This will give the row of a kind that counts on a day: the newest that had begun, unless it has run out."""
    begun = [row for row in rows if row.effective_from <= day]
    newest = max(begun, key=lambda row: row.effective_from, default=None)
    if newest is None or (newest.effective_until is not None and newest.effective_until < day):
        return None
    return newest


def recurring(
    began: dt.date, rows: Sequence[K], until: dt.date, ended: dt.date | None = None
) -> Iterator[Window[K]]:
    """This will give the windows of a recurring kind that begin by `until` and before `ended`.

    Each is counted from the first day, so that 31 January is followed by 30 April and 31 July. When the law changes the
    length, the window that runs keeps its date, and counting begins anew at the next. Windows that begin before the
    kind was in force are counted and not owed.
    """
    if not rows:
        return
    anchor, k, n, start, last = began, 0, 1, began, None
    while start <= until and (ended is None or start < ended):
        counts = in_force(rows, start)
        if counts is None and any(row.effective_from <= start for row in rows):
            return
        row = counts or min(rows, key=lambda each: each.effective_from)
        if last is not None and (row.rule, row.number) != (last.rule, last.number):
            anchor, k = start, 0
        last, k = row, k + 1
        end = _step(anchor, row, k)
        if counts is not None:
            yield Window(n, counts, start, end)
        start, n = end, n + 1


def once(
    day: dt.date, rows: Sequence[K], add_working_days: Callable[[dt.date, int], dt.date]
) -> Window[K] | None:
    """This will give the one duty that something on `day` begins, by the row in force on that day."""
    row = in_force(rows, day)
    if row is None or row.number is None:
        return None
    if row.rule == Rule.MONTHS_AFTER:
        due = add_months(day, row.number)
    elif row.rule == Rule.WORKING_DAYS_AFTER:
        due = add_working_days(day, row.number)
    else:
        due = day + dt.timedelta(days=row.number)
    return Window(1, row, day, due)


def yearly(year: int, rows: Sequence[K]) -> Window[K] | None:
    """This will give the duty over a calendar year, by the row in force on the day after it."""
    row = in_force(rows, dt.date(year + 1, 1, 1))
    if row is None or row.due_month is None or row.due_day is None:
        return None
    last = calendar.monthrange(year + 1, row.due_month)[1]
    return Window(year, row, dt.date(year, 1, 1), dt.date(year + 1, row.due_month, min(row.due_day, last)))


def _step(anchor: dt.date, row: KindRow, k: int) -> dt.date:
    assert row.number is not None
    if row.rule == Rule.EVERY_DAYS:
        return anchor + dt.timedelta(days=row.number * k)
    return add_months(anchor, row.number * k)
