"""Volunteers' errands: hours by two people, never by oneself, summed and certified (O5)."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from apps.accounts.models import Person
from apps.core import clock, crypto
from apps.core.actors import Actor
from apps.core.errors import BadInput, PermissionRefused, WrongState
from apps.places.models import Town
from apps.wishes import operations as ops
from apps.wishes.models import Errand, HoursCertificate, Volunteer, Wish
from apps.wishes.operations.errands import NoHours, OwnHours, VolunteerKnown
from apps.wishes.queries import errands_for, volunteer_name, volunteers_with_hours
from tests.accounts.signing import account_of, with_session
from tests.wishes import shop as s

pytestmark = pytest.mark.django_db
DAY = s.NOW.date()


def carrier(store: s.Store, phone: str = "13900002222", **over: Any) -> Volunteer:
    return ops.register_volunteer(
        actor=store.caseworker, draft=ops.VolunteerDraft("何一帆", phone, **over), now=s.NOW
    )


def planned(store: s.Store, who: Volunteer) -> tuple[Wish, Errand]:
    wish = s.opened(store)
    return wish, ops.plan_errand(actor=store.caseworker, volunteer=who, wish=wish, on=DAY, now=s.NOW)


def done(store: s.Store, who: Volunteer, minutes: int = 90) -> Errand:
    _wish, errand = planned(store, who)
    ops.record_hours(actor=store.caseworker, errand=errand, minutes=minutes, on=DAY, now=s.NOW)
    return ops.confirm_hours(actor=store.caseworker2, errand=errand, now=s.NOW)


def test_hours_are_said_by_one_and_confirmed_by_another_then_certified() -> None:
    store = s.build()
    who = carrier(store)
    _wish, errand = planned(store, who)
    with pytest.raises(PermissionRefused):
        ops.record_hours(
            actor=store.city.people["caseworker_hengxi"], errand=errand, minutes=90, on=DAY, now=s.NOW
        )
    for minutes in (0, -5, 721, True, 1.5):
        with pytest.raises(BadInput):
            ops.record_hours(actor=store.caseworker, errand=errand, minutes=minutes, on=DAY, now=s.NOW)
    with pytest.raises(BadInput):
        late = DAY + dt.timedelta(days=1)
        ops.record_hours(actor=store.caseworker, errand=errand, minutes=90, on=late, now=s.NOW)
    with pytest.raises(NoHours):
        ops.issue_hours_certificate(
            actor=store.caseworker, volunteer=who, first_on=DAY, last_on=DAY, now=s.NOW
        )
    ops.record_hours(actor=store.caseworker, errand=errand, minutes=90, on=DAY, now=s.NOW)
    with pytest.raises(OwnHours):
        ops.confirm_hours(actor=store.caseworker, errand=errand, now=s.NOW)
    ops.give_hours_back(actor=store.caseworker2, errand=errand, reason="记错了", now=s.NOW)
    ops.record_hours(actor=store.caseworker, errand=errand, minutes=75, on=DAY, now=s.NOW)
    ops.confirm_hours(actor=store.caseworker2, errand=errand, now=s.NOW)
    done(store, who, 60)
    row = volunteers_with_hours().get(pk=who.pk)
    assert (row.minutes, row.done) == (135, 2)  # type: ignore[attr-defined]
    paper = ops.issue_hours_certificate(
        actor=store.caseworker, volunteer=who, first_on=DAY, last_on=DAY, now=s.NOW
    )
    assert (paper.minutes, paper.errands) == (135, 2)
    with pytest.raises(WrongState):
        ops.cancel_errand(actor=store.caseworker, errand=errand, reason="x", now=s.NOW)


def test_nobody_states_confirms_or_certifies_their_own_hours() -> None:
    store = s.build()
    me = store.caseworker2
    assert me.person_id is not None
    person = Person.objects.get(pk=me.person_id)
    with pytest.raises(OwnHours):
        ops.register_volunteer(
            actor=me, draft=ops.VolunteerDraft("何一帆", "13900002222", account=person), now=s.NOW
        )
    who = carrier(store, account=person)
    _wish, errand = planned(store, who)
    with pytest.raises(OwnHours):
        ops.record_hours(actor=me, errand=errand, minutes=60, on=DAY, now=s.NOW)
    ops.record_hours(actor=store.caseworker, errand=errand, minutes=60, on=DAY, now=s.NOW)
    with pytest.raises(OwnHours):
        ops.confirm_hours(actor=me, errand=errand, now=s.NOW)
    with pytest.raises(OwnHours):
        ops.issue_hours_certificate(actor=me, volunteer=who, first_on=DAY, last_on=DAY, now=s.NOW)


def test_the_database_holds_two_people_one_thing_and_kept_hours() -> None:
    store = s.build()
    who = carrier(store)
    _wish, errand = planned(store, who)
    ops.record_hours(actor=store.caseworker, errand=errand, minutes=60, on=DAY, now=s.NOW)
    me, other = store.caseworker.person_id, store.caseworker2.person_id
    for change, rule in (
        (f"status = 'confirmed', confirmed_by_id = {me}, confirmed_at = now()", "errand_hours_by_two_people"),
        (f"person_id = {me}", "errand_hours_not_by_oneself"),
        ("minutes = 721", "errand_minutes_of_a_day"),
        ("status = 'confirmed'", "errand_state_has_its_people"),
        ("town_id = NULL", "errand_for_one_thing"),
    ):
        with pytest.raises(IntegrityError, match=rule), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE wishes_errand SET {change}")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE wishes_errand SET status = 'confirmed', confirmed_by_id = {other}, confirmed_at = now()"
        )
    for sql in ("UPDATE wishes_errand SET minutes = 600", "DELETE FROM wishes_errand"):
        with pytest.raises(IntegrityError, match="are confirmed"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(sql)


def test_a_volunteer_is_sealed_and_known_once() -> None:
    store = s.build()
    who = carrier(store, "139 0000-2222")
    assert "何一帆" not in repr(vars(who)) and "13900002222" not in repr(vars(who))
    assert volunteer_name(who) == "何一帆"
    with pytest.raises(VolunteerKnown):
        carrier(store, "13900002222")
    for name, phone in ((" ", "13900003333"), ("何", "12"), ("何", "23900003333")):
        with pytest.raises(BadInput):
            ops.register_volunteer(actor=store.caseworker, draft=ops.VolunteerDraft(name, phone), now=s.NOW)
    assert not errands_for(store.city.people["caseworker_hengxi"]).exists() and Town.objects.count() > 1


def test_pages_of_errands_and_the_public_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: s.NOW)
    store = s.build()
    here, there = staff(store.caseworker), staff(store.caseworker2)
    said = {"name": "何一帆", "phone": "13900002222"}
    assert here.post("/workbench/volunteers/", {"name": "何一帆"}).status_code == 422
    assert here.post("/workbench/volunteers/", said).status_code == 302
    assert here.post("/workbench/volunteers/", said).status_code in (409, 422)
    who, wish = Volunteer.objects.get(), s.opened(store)
    asked = {"volunteer": who.public_id, "what": "none", "on": DAY.isoformat()}
    assert here.post("/workbench/errands/", asked).status_code == 422
    here.post("/workbench/errands/", asked | {"what": wish.public_id})
    errand = Errand.objects.get()
    at = f"/workbench/errands/{errand.number}/"
    here.post(at, {"act": "record", "hours": "1.5", "on": DAY.isoformat()})
    here.post(at, {"act": "confirm"})
    errand.refresh_from_db()
    assert (errand.status, errand.minutes) == ("recorded", 90), "not confirmed by who recorded it"
    there.post(at, {"act": "confirm"})
    errand.refresh_from_db()
    assert errand.status == "confirmed"
    page = f"/workbench/volunteers/{who.public_id}/"
    here.post(page, {"act": "issue", "first_on": DAY.isoformat(), "last_on": DAY.isoformat()})
    paper = HoursCertificate.objects.get()
    assert "1.5" in here.get(f"{page}{paper.number}/").content.decode()
    pdf = here.get(f"{page}{paper.number}.pdf")
    assert pdf.status_code == 503 or pdf.content[:5] == b"%PDF-"
    check = f"/volunteers/check/?number={paper.number}&check="
    public = Client().get(check + paper.check_code).content.decode()
    assert "1.5" in public and "何一帆" not in public
    here.post(page, {"act": "naming", "named": "on"})
    assert "何一帆" in Client().get(check + paper.check_code).content.decode()
    wrong = Client().get(check + "000000")
    assert wrong.status_code == 404 and "何一帆" not in wrong.content.decode()
    for words, found in (
        ("V-", 1),
        (errand.number.upper(), 1),
        (wish.title[2:5], 1),
        ("V-0", 0),
        ("没有的词", 0),
        ("，", 0),
    ):
        listed = here.get("/workbench/errands/", {"status": "confirmed", "q": words}).text
        assert (f"/errands/{errand.number}/" in listed) is bool(found), words


def test_volunteers_are_paged_by_key_and_found_by_number_or_phone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.wishes.views.errands.PAGE", 2)
    store = s.build()
    here = staff(store.caseworker)
    people = [carrier(store, f"1390000000{n}") for n in range(5)]
    address, seen = "/workbench/volunteers/", []
    while address:
        page = here.get(address).text
        shown = [
            who.public_id
            for who in people
            if who.public_id in page.partition("<tbody>")[2].partition("</tbody>")[0]
        ]
        assert 1 <= len(shown) <= 2
        seen += shown[::-1]
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = "/workbench/volunteers/" + following[1].replace("&amp;", "&") if following else ""
    assert seen == [who.public_id for who in reversed(people)], "newest first, none twice, none left out"
    for words in (
        people[1].public_id,
        people[1].public_id.upper(),
        "139 0000-0001",
        "１３９０００００００１",
    ):
        page = here.get("/workbench/volunteers/", {"q": words}).text
        assert people[1].public_id in page and people[2].public_id not in page, words
    for words in ("1390000", "何一帆", "zzz"):
        page = here.get("/workbench/volunteers/", {"q": words})
        assert page.status_code == 200 and people[1].public_id not in page.text, words
    assert here.get("/workbench/volunteers/", {"q": "\x00"}).status_code == 400


def staff(actor: Actor) -> Client:
    return with_session(account_of(actor, f"p{actor.person_id}@example.org"), second=True)


def test_a_volunteer_stays_readable_through_a_rotation(settings: Any, tmp_path: Path) -> None:
    settings.FIELD_KEY_FILE = tmp_path / "field.json"
    crypto.new_key_file(settings.FIELD_KEY_FILE)
    store = s.build()
    who = carrier(store)
    call_command("rotate_field_key", "--new", "--retire")
    who.refresh_from_db()
    assert crypto.versions() == ["2"] and who.name.startswith("2:") and who.phone.startswith("2:")
    assert volunteer_name(who) == "何一帆"
