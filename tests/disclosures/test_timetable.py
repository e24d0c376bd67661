"""The arithmetic of dates: any first day, any change of the law, months' ends and leap years."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.clock import add_months
from apps.disclosures.timetable import in_force, once, recurring, yearly
from apps.places.models import Holiday
from apps.places.queries import add_working_days

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2032, 12, 31))


@dataclass(frozen=True)
class Kind:
    rule: str = "every_months"
    number: int | None = 3
    due_month: int | None = None
    due_day: int | None = None
    effective_from: dt.date = dt.date(2024, 1, 1)
    effective_until: dt.date | None = None


@PATIENT
@given(DAYS, st.integers(1, 12))
def test_windows_follow_each_other_without_gap_and_keep_the_day_of_the_month(
    began: dt.date, months: int
) -> None:
    last = began + dt.timedelta(days=1500)
    windows = list(recurring(began, [Kind(number=months)], last))
    assert windows[0].starts_on == began and windows[-1].starts_on <= last < windows[-1].due_on
    for n, (window, after) in enumerate(pairwise(windows), start=1):
        assert window.n == n and window.due_on == after.starts_on
    for window in windows:
        due = window.due_on
        end_of_month = calendar.monthrange(due.year, due.month)[1]
        assert due.day == min(began.day, end_of_month)
        assert (due.year * 12 + due.month) - (began.year * 12 + began.month) == months * window.n


@PATIENT
@given(DAYS, st.integers(1, 9), st.integers(1, 9), DAYS)
def test_a_change_of_the_law_moves_no_date_that_was_running(
    began: dt.date, before: int, after: int, change: dt.date
) -> None:
    old = Kind(number=before, effective_from=dt.date(2020, 1, 1))
    new = Kind(number=after, effective_from=change)
    last = dt.date(2034, 1, 1)
    windows = list(recurring(began, [old, new], last))
    plain = {w.starts_on: w.due_on for w in recurring(began, [old], last)}
    for window in windows:
        if window.starts_on < change:
            assert window.kind is old and plain[window.starts_on] == window.due_on
        else:
            assert window.kind is new
    for window, later in pairwise(windows):
        assert window.due_on == later.starts_on, "no day is left out"


@PATIENT
@given(DAYS, DAYS)
def test_windows_stop_where_their_reason_ends(began: dt.date, ended: dt.date) -> None:
    windows = list(recurring(began, [Kind()], dt.date(2040, 1, 1), ended))
    assert all(window.starts_on < ended for window in windows)
    assert bool(windows) == (began < ended)


def test_windows_before_the_kind_was_in_force_are_counted_and_not_owed() -> None:
    kind = Kind(effective_from=dt.date(2026, 1, 1))
    windows = list(recurring(dt.date(2025, 5, 31), [kind], dt.date(2026, 6, 30)))
    assert [(w.n, w.starts_on) for w in windows] == [(4, dt.date(2026, 2, 28)), (5, dt.date(2026, 5, 31))]


def test_a_repealed_kind_asks_for_nothing_more() -> None:
    kind = Kind(effective_until=dt.date(2026, 6, 30))
    assert in_force([kind], dt.date(2026, 7, 1)) is None
    windows = list(recurring(dt.date(2026, 1, 15), [kind], dt.date(2028, 1, 1)))
    assert [w.starts_on for w in windows] == [dt.date(2026, 1, 15), dt.date(2026, 4, 15)]
    assert once(dt.date(2026, 7, 1), [kind], lambda day, n: day) is None


@pytest.mark.parametrize(
    ("rule", "number", "day", "due"),
    [
        ("months_after", 3, "2026-11-30", "2027-02-28"),
        ("months_after", 3, "2027-11-29", "2028-02-29"),
        ("months_after", 3, "2026-12-31", "2027-03-31"),
        ("days_after", 30, "2028-01-31", "2028-03-01"),
        ("days_after", 30, "2027-01-31", "2027-03-02"),
    ],
)
def test_once_after(rule: str, number: int, day: str, due: str) -> None:
    window = once(dt.date.fromisoformat(day), [Kind(rule=rule, number=number)], lambda day, n: day)
    assert window is not None and window.due_on == dt.date.fromisoformat(due)


def test_yearly_by_the_row_of_the_day_after() -> None:
    may, june = (
        Kind("yearly_by", None, 5, 31, dt.date(2024, 1, 1)),
        Kind("yearly_by", None, 2, 30, dt.date(2028, 1, 1)),
    )
    [first, second] = [yearly(year, [may, june]) for year in (2026, 2027)]
    assert first and (first.starts_on, first.due_on) == (dt.date(2026, 1, 1), dt.date(2027, 5, 31))
    assert second and second.due_on == dt.date(2028, 2, 29), "a day that the month lacks is its last"
    assert yearly(2022, [may]) is None


@pytest.mark.django_db
def test_working_days_know_holidays_and_days_worked_in_exchange() -> None:
    assert add_working_days(dt.date(2026, 9, 30), 1) == dt.date(2026, 10, 8), "over the national holiday"
    assert add_working_days(dt.date(2026, 9, 30), 3) == dt.date(2026, 10, 10), "a Saturday worked in exchange"
    assert add_working_days(dt.date(2026, 11, 27), 5) == dt.date(2026, 12, 4)
    assert add_working_days(dt.date(2031, 10, 3), 1) == dt.date(2031, 10, 6), (
        "a year without its notice: the week"
    )
    Holiday.objects.create(day=dt.date(2031, 10, 6), name_zh="补", name_en="x", source="test")
    assert add_working_days(dt.date(2031, 10, 3), 1) == dt.date(2031, 10, 7)


@PATIENT
@given(DAYS, st.integers(0, 60))
def test_months_add_up_from_the_first_day(day: dt.date, months: int) -> None:
    assert add_months(day, months) >= day
