"""Members: numbers, dates and relations are checked against each other; nothing of them stands in the clear."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.casework import operations
from apps.casework.models import AccessRow, Member, SealedField
from apps.casework.operations import sealing
from apps.core.errors import DomainError, PermissionRefused
from tests import world as w
from tests.casework.people import BOY, number
from tests.casework.people import add_member as add

pytestmark = pytest.mark.django_db


def test_a_member_is_sealed_and_read_only_with_a_row() -> None:
    city = w.build()
    family = w.household(city, 1)
    child = add(city, family, birth_date=BOY, sex="m", schooling="primary", has_disability=True)
    for sealed in SealedField.objects.filter(member=child):
        assert "石小满".encode() not in bytes(sealed.value) and b"2016" not in bytes(sealed.value)
    assert AccessRow.objects.count() == 0
    actor = city.people["reviewer_shiqiao"]
    read = operations.open_member(actor=actor, member=child, reason="核对年龄", now=w.NOW)
    assert read == {"name": "石小满", "id_number": number(BOY), "birth_date": "2016-05-04"}
    assert f"member.{child.pk}.birth_date" in AccessRow.objects.get().fields
    with pytest.raises(PermissionRefused):
        operations.open_member(actor=city.people["caseworker_hengxi"], member=child, reason="看看", now=w.NOW)
    with pytest.raises(operations.ReasonMissing):
        operations.open_member(actor=actor, member=child, reason=" ", now=w.NOW)
    assert AccessRow.objects.count() == 1


def test_the_head_is_a_member_with_the_households_own_number() -> None:
    city = w.build()
    family = w.household(city, 1)
    head = family.members.get()
    read = operations.open_member(
        actor=city.people["caseworker_shiqiao"], member=head, reason="核对", now=w.NOW
    )
    assert read == {"name": "户主1", "id_number": w.id_number(1), "birth_date": "1990-03-07"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.create(household=family, relation="head", added_at=w.NOW)
    with pytest.raises(operations.HeadStays):
        operations.remove_member(actor=city.people["caseworker_shiqiao"], member=head, now=w.NOW)


def test_age_turns_on_the_birthday_and_a_leap_day() -> None:
    city = w.build()
    family = w.household(city, 1)
    child = add(city, family, id_number="", birth_date=dt.date(2012, 2, 29))
    assert sealing.age_of(child, dt.date(2026, 2, 28)) == 13
    assert sealing.age_of(child, dt.date(2026, 3, 1)) == 14
    asked = operations.reckon_age(
        actor=city.people["caseworker_shiqiao"],
        member=child,
        on=dt.date(2026, 3, 1),
        reason="监护",
        now=w.NOW,
    )
    assert asked == 14 and AccessRow.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({"id_number": number(BOY)[:-1] + ("1" if number(BOY)[-1] != "1" else "2")}, "bad_id_number"),
        ({"id_number": "11010120161340001X"}, "bad_id_number"),
        ({"birth_date": dt.date(2016, 5, 5)}, "birth_date_differs"),
        ({"sex": "f"}, "sex_differs"),
        ({"id_number": "", "birth_date": None}, "field_missing"),
        ({"id_number": "", "birth_date": dt.date(2027, 1, 1)}, "bad_birth_date"),
        ({"id_number": "", "birth_date": dt.date(1890, 1, 1), "relation": "other"}, "bad_birth_date"),
        ({"id_number": "", "birth_date": dt.date(1995, 1, 1)}, "unlikely_age"),
        ({"relation": "parent"}, "unlikely_age"),
        ({"relation": "grandparent", "id_number": number(dt.date(1970, 1, 1))}, "unlikely_age"),
        ({"relation": "spouse"}, "unlikely_age"),
        ({"schooling": "university"}, "unlikely_age"),
        ({"relation": "head"}, "bad_input"),
        ({"name": "\u3000 "}, "field_missing"),
        ({"id_number": w.id_number(1), "relation": "sibling"}, "already_member"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(typed: dict[str, Any], code: str) -> None:
    city = w.build()
    family = w.household(city, 1)
    before = SealedField.objects.count()
    with pytest.raises(DomainError) as refused:
        add(city, family, **typed)
    assert refused.value.code == code
    assert family.members.count() == 1 and SealedField.objects.count() == before


def test_others_cannot_add_or_change() -> None:
    city = w.build()
    family = w.household(city, 1)
    child = add(city, family)
    for who in ("caseworker_hengxi", "reviewer_shiqiao", "manager", "supervisor"):
        with pytest.raises(PermissionRefused):
            operations.add_member(
                actor=city.people[who], household=family, relation="child", name="某某", id_number="",
                birth_date=BOY, now=w.NOW,
            )  # fmt: skip
        with pytest.raises(PermissionRefused):
            operations.change_member(
                actor=city.people[who], member=child, schooling="primary", has_disability=False, now=w.NOW
            )
    with pytest.raises(operations.UnlikelyAge):
        operations.change_member(
            actor=city.people["caseworker_shiqiao"], member=child, schooling="senior_high", has_disability=False,
            now=w.NOW,
        )  # fmt: skip
