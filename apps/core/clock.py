"""Time. Operations get `now`; edges ask here. Civil dates are those of Asia/Shanghai."""

from __future__ import annotations

import calendar
import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> dt.datetime:
    """This will give the present moment, aware, in UTC."""
    return timezone.now()


def civil_day(moment: dt.datetime) -> dt.date:
    """This will give the civil date in Asia/Shanghai of an aware moment."""
    return moment.astimezone(SHANGHAI).date()


def month_of(moment: dt.datetime | dt.date) -> dt.date:
    """This will give the first day of the Asia/Shanghai month of a moment or a date."""
    day = civil_day(moment) if isinstance(moment, dt.datetime) else moment
    return day.replace(day=1)


def add_months(day: dt.date, months: int) -> dt.date:
    """This will move a date by calendar months; 31 January + 1 month is the last day of February (D1)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))


def start_of_day(day: dt.date) -> dt.datetime:
    """This will give the first moment of a civil date in Asia/Shanghai."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=SHANGHAI)
