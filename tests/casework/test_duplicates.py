"""One person in two files (C3): both towns learn it, neither sees the other's file; a release counts one family."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from apps.casework import operations, queries
from apps.casework.models import AccessRow, DuplicateAlert
from apps.core.errors import BadInput, PermissionRefused
from tests import world as w
from tests.casework.people import add_member, number

pytestmark = pytest.mark.django_db
CHILD = number(dt.date(2015, 1, 2))


def test_both_towns_are_told_and_neither_sees_the_others_file() -> None:
    city = w.build()
    one, two = w.household(city, 1), w.household(city, 1, town=city.towns[1])
    alert = DuplicateAlert.objects.get()
    assert {alert.household_id, alert.other_id} == {one.pk, two.pk}
    for town, own, other in (("shiqiao", one, two), ("hengxi", two, one)):
        for role in ("caseworker", "reviewer"):
            actor = city.people[f"{role}_{town}"]
            seen = list(queries.seen_by(actor, list(queries.alerts_of(actor))))
            assert [(each.own, each.other_town) for each in seen] == [(own, other.town.name_zh)]
            assert other.file_number not in repr(seen)
            assert queries.open_alerts(actor) == 1
    assert not queries.alerts_of(city.people["manager"]).exists()
    assert AccessRow.objects.count() == 0, "nothing was opened"


def test_a_member_in_another_file_alerts_once_a_pair() -> None:
    city = w.build()
    one, two = w.household(city, 1), w.household(city, 2, town=city.towns[1])
    add_member(city, one, id_number=CHILD)
    assert DuplicateAlert.objects.count() == 0
    add_member(city, two, id_number=CHILD)
    assert DuplicateAlert.objects.count() == 1
    assert queries.files_of_same_people(one) == [two.pk] and queries.files_of_same_people(two) == [one.pk]
    third = w.household(city, 1, town=city.towns[1])
    assert DuplicateAlert.objects.count() == 2
    assert queries.files_of_same_people(one) == [two.pk, third.pk]


def test_a_child_without_a_number_alerts_nobody() -> None:
    city = w.build()
    one, two = w.household(city, 1), w.household(city, 2)
    for family in (one, two):
        add_member(city, family, id_number="", birth_date=dt.date(2020, 1, 1))
    assert queries.files_of_same_people(one) == []


def test_each_town_answers_once() -> None:
    city = w.build()
    w.household(city, 1)
    w.household(city, 1, town=city.towns[1])
    alert = DuplicateAlert.objects.get()
    town = city.towns[0].pk
    caseworker = city.people["caseworker_shiqiao"]
    with pytest.raises(PermissionRefused):
        operations.answer_alert(
            actor=caseworker, alert=alert, town_id=city.towns[1].pk, note="一户", now=w.NOW
        )
    with pytest.raises(BadInput):
        operations.answer_alert(actor=caseworker, alert=alert, town_id=town, note=" ", now=w.NOW)
    operations.answer_alert(
        actor=caseworker, alert=alert, town_id=town, note="同一人，已转到横溪镇", now=w.NOW
    )
    with pytest.raises(operations.AlertAnswered):
        operations.answer_alert(
            actor=city.people["reviewer_shiqiao"], alert=alert, town_id=town, note="再写", now=w.NOW
        )
    assert queries.open_alerts(caseworker) == 0
    other = city.people["reviewer_hengxi"]
    seen = next(iter(queries.seen_by(other, list(queries.alerts_of(other)))))
    assert seen.other_answered and seen.answered == "" and "已转到" not in repr(seen)
    with pytest.raises(DatabaseError), transaction.atomic():
        alert.delete()


def test_files_that_share_a_person_are_one_family() -> None:
    city = w.build()
    one, two, three = w.household(city, 1), w.household(city, 1, town=city.towns[1]), w.household(city, 3)
    four = w.household(city, 4)
    add_member(city, three, id_number=CHILD)
    add_member(city, four, id_number=CHILD)
    keys = queries.distinct_families([one.pk, two.pk, three.pk, four.pk])
    assert keys[one.pk] == keys[two.pk] != keys[three.pk] == keys[four.pk]
    add_member(city, two, id_number=CHILD, relation="other", birth_date=None)
    assert len(set(queries.distinct_families(keys).values())) == 1
    assert queries.distinct_families([]) == {}
