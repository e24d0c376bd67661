"""Numbers and members for tests of casework; all made up."""

from __future__ import annotations

import datetime as dt
from typing import Any

from apps.casework import operations
from apps.casework.models import Household, Member
from tests import world as w

BOY = dt.date(2016, 5, 4)


def number(born: dt.date, order: int = 1) -> str:
    """This will make a well-formed ID number for a birth date; an odd order is male."""
    body = f"110101{born:%Y%m%d}{order:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w_ for d, w_ in zip(body, weights, strict=True)) % 11]


def add_member(city: w.World, family: Household, **typed: Any) -> Member:
    """This will add a boy of ten, or whoever is typed."""
    asked = {"relation": "child", "name": "石小满", "id_number": number(BOY), "now": w.NOW} | typed
    return operations.add_member(
        actor=city.people[f"caseworker_{family.town.code}"], household=family, **asked
    )
