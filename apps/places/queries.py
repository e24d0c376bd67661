from __future__ import annotations

import datetime as dt

from apps.places.models import Holiday, Town


def towns() -> list[Town]:
    """This will list the towns in their usual order."""
    return list(Town.objects.all())


def town_names() -> dict[int, tuple[str, str]]:
    """This will give {town id: (Chinese name, English name)}."""
    return {town.pk: (town.name_zh, town.name_en) for town in Town.objects.all()}


def add_working_days(day: dt.date, count: int) -> dt.date:
    """This will give the `count`-th working day after a day (the day itself is not counted), by the week and the
    holidays known as data. A year without its notice follows the week alone."""
    horizon = day + dt.timedelta(days=3 * count + 40)
    known = dict(Holiday.objects.filter(day__gt=day, day__lte=horizon).values_list("day", "is_working"))
    while count > 0:
        day += dt.timedelta(days=1)
        count -= known.get(day, day.weekday() < 5)
    return day
