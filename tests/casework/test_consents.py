"""Consents: one purpose each, a guardian's below 14, withdrawn once and for ever; the database holds it too."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.casework import operations, queries
from apps.casework.models import Consent, ConsentWithdrawal, Household, Member, Purpose
from apps.core.errors import PermissionRefused
from apps.core.models import OutboxEvent
from tests import world as w
from tests.casework.people import add_member, number

pytestmark = pytest.mark.django_db


def give(
    city: w.World, member: Member, purpose: str = "story", given_by: str = "self", **more: Any
) -> Consent:
    who = more.pop("who", f"caseworker_{member.household.town.code}")
    asked = {"now": w.NOW} | more
    return operations.give_consent(
        actor=city.people[who], member=member, purpose=purpose, given_by=given_by, **asked
    )


def head(family: Household) -> Member:
    return family.members.get(relation="head")


def test_registration_is_agreed_to_and_nothing_else() -> None:
    city = w.build()
    family = w.household(city, 1)
    consent = Consent.objects.get(household=family)
    assert (consent.purpose, consent.given_by, consent.under_14, consent.text.version) == (
        "registration", "self", False, 1,
    )  # fmt: skip
    assert queries.has_consent(family) and not queries.has_consent(family, Purpose.STORY)


def test_below_14_only_a_guardian_counts_until_the_birthday() -> None:
    city = w.build()
    family = w.household(city, 1)
    child = add_member(city, family, id_number=number(dt.date(2012, 11, 24)))
    with pytest.raises(operations.GuardianNeeded):
        give(city, child)
    with pytest.raises(operations.BadGuardian):
        give(city, child, given_by="guardian")
    with pytest.raises(operations.BadGuardian):
        give(city, child, given_by="guardian", guardian=child)
    stranger = head(w.household(city, 2))
    with pytest.raises(operations.BadGuardian):
        give(city, child, given_by="guardian", guardian=stranger)
    made = give(city, child, given_by="guardian", guardian=head(family))
    assert made.under_14 and made.guardian == head(family)
    assert not give(city, child, "photo", now=w.NOW + dt.timedelta(days=1)).under_14


def test_a_sibling_below_18_is_no_guardian() -> None:
    city = w.build()
    family = w.household(city, 1)
    child, sibling = add_member(city, family), add_member(city, family, id_number=number(dt.date(2009, 1, 1)))
    with pytest.raises(operations.BadGuardian):
        give(city, child, given_by="guardian", guardian=sibling)


def test_the_database_refuses_a_childs_own_word() -> None:
    city = w.build()
    family = w.household(city, 1)
    row = Consent.objects.get(household=family)
    wrong = {"household": family, "purpose": "story", "text": row.text, "given_at": w.NOW,
             "recorded_by": row.recorded_by, "member": row.member}  # fmt: skip
    for fields in (
        {"given_by": "self", "under_14": True},
        {"given_by": "guardian", "under_14": True},
        {"given_by": "guardian", "under_14": True, "guardian": row.member},
        {"given_by": "self", "under_14": False, "guardian": add_member(city, family)},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Consent.objects.create(**wrong, **fields)
    with pytest.raises(DatabaseError), transaction.atomic():
        Consent.objects.update(purpose="photo")
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()


def test_withdrawn_once_tells_the_rooms_above_and_can_be_given_anew() -> None:
    city = w.build()
    family = w.household(city, 1)
    first = give(city, head(family))
    with pytest.raises(operations.ConsentStands):
        give(city, head(family))
    with pytest.raises(PermissionRefused):
        operations.withdraw_consent(actor=city.people["caseworker_hengxi"], consent=first, now=w.NOW)
    operations.withdraw_consent(actor=city.people["caseworker2_shiqiao"], consent=first, now=w.NOW)
    with pytest.raises(operations.ConsentEnded):
        operations.withdraw_consent(actor=city.people["caseworker_shiqiao"], consent=first, now=w.NOW)
    told = OutboxEvent.objects.get(name="casework.consent_withdrawn").payload
    assert told == {"consent_id": first.pk, "code": first.code, "purpose": "story"}
    assert queries.live_codes([first.code], ["story"]) == set()
    second = give(city, head(family))
    assert second.code != first.code and queries.live_codes([second.code], ["story"]) == {second.code}
    with pytest.raises(DatabaseError), transaction.atomic():
        ConsentWithdrawal.objects.all().delete()


def test_an_orphan_who_heads_a_household_is_registered_by_an_office() -> None:
    city = w.build()
    asked = {
        "actor": city.people["caseworker_shiqiao"], "town": city.towns[0], "income_tier": "child", "people": 1,
        "consented_at": w.NOW, "now": w.NOW,
        "private": {"name": "石小满", "id_number": number(dt.date(2016, 5, 4)), "phone": "13800000009",
                    "address": "某路9号", "bank_name": "某银行", "bank_account": "6222000000000009"},
    }  # fmt: skip
    with pytest.raises(operations.GuardianNeeded) as refused:
        operations.register_household(**asked)
    assert refused.value.field == "consent_by"
    assert Household.objects.count() == 0
    family = operations.register_household(**asked, consent_by="office")
    assert Consent.objects.get(household=family).under_14
