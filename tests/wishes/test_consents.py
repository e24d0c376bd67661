"""Wishes stand on a consent in the family's file: none without it, and down at once when it is withdrawn (C4)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client

from apps.accounts.models import Account
from apps.casework.models import Consent, Purpose
from apps.casework.operations import NotOneConsent, give_consent, withdraw_consent
from apps.core import clock
from apps.core.invariants import ordered
from apps.wishes import operations as ops
from apps.wishes.errors import ConsentMissing
from apps.wishes.models import Thanks, Wish, WishPhoto, WishTemplate
from apps.wishes.queries import active_templates, left_of_gift, may_be_one_person
from tests import world as w
from tests.accounts.signing import account_of, with_session
from tests.wishes import shop as s
from tests.wishes.test_way import jpeg

pytestmark = pytest.mark.django_db


def withdraw(store: s.Store, purpose: str) -> None:
    consent = Consent.objects.get(household=store.family, purpose=purpose, withdrawal=None)
    withdraw_consent(actor=store.caseworker, consent=consent, now=s.NOW)
    w.work()


def test_no_wish_is_submitted_without_a_standing_consent() -> None:
    store = s.build()
    wish = s.drafted(store)
    withdraw(store, Purpose.WISH)
    with pytest.raises(ConsentMissing):
        ops.submit_wish(actor=store.caseworker, wish=wish, now=s.NOW)
    head = store.family.members.get(relation="head")
    give_consent(actor=store.caseworker, member=head, purpose=Purpose.WISH, given_by="self", now=s.NOW)
    with pytest.raises(ConsentMissing):
        ops.submit_wish(actor=store.caseworker, wish=wish, now=s.NOW)
    withdraw(store, Purpose.WISH)
    made = s.agree(store, store.family)[0]
    submitted = ops.submit_wish(actor=store.caseworker, wish=wish, consent=made.code, now=s.NOW)
    assert submitted.consent_id == made.pk
    with pytest.raises(IntegrityError, match="wish_submitted_has_consent"), transaction.atomic():
        Wish.objects.update(consent=None)


def test_a_withdrawn_consent_takes_an_open_wish_down_and_its_giver_keeps_the_money() -> None:
    store = s.build()
    opened, claimed, drafted = s.opened(store), s.opened(store), s.drafted(store)
    gift = s.paid(claimed, email="giver@example.org")
    withdraw(store, Purpose.WISH)
    assert s.standing(opened) == ("withdrawn", 0) and s.standing(claimed) == ("withdrawn", 0)
    assert s.standing(drafted)[0] == "draft" and s.of(claimed) == ["withdrawn"]
    assert left_of_gift(gift) == claimed.cap and opened.hidden_at and str(claimed) != claimed.title
    for wish in (opened, claimed):
        assert Client().get(f"/wishes/{wish.public_id}/").status_code == 404
    w.work()
    assert not any(claimed.title in each.subject + each.body for each in mail.outbox)
    s.check()


def test_what_is_bought_still_reaches_the_family_unseen() -> None:
    store = s.build()
    wish = s.opened(store, quantity=2)
    s.paid(wish)
    s.bought(store, wish)
    withdraw(store, Purpose.WISH)
    assert s.standing(wish) == ("in_progress", 0) and wish.hidden_at
    assert Client().get(f"/wishes/{wish.public_id}/").status_code == 404
    assert wish.public_id not in Client().get("/shop/?tab=all").content.decode()
    ops.hand_over(actor=store.caseworker, wish=wish, now=s.NOW)
    ops.confirm_by_slip(actor=store.caseworker, wish=wish, slip="S-1", now=s.NOW)
    assert s.standing(wish) == ("fulfilled", 0)
    with pytest.raises(ConsentMissing):
        ops.write_thanks(actor=store.caseworker, wish=wish, words="谢谢您", now=s.NOW)
    s.check()


def test_photos_and_thanks_go_with_their_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    store = s.build()
    wish = s.drafted(store, photo_consent=True)
    ops.add_photo(actor=store.caseworker, wish=wish, content=jpeg(), no_face=True, now=s.NOW)
    ops.submit_wish(actor=store.caseworker, wish=wish, now=s.NOW)
    ops.approve_in_town(actor=store.reviewer, wish=wish, photo_ok=True, now=s.NOW)
    wish = ops.approve_in_city(actor=store.city_reviewer, wish=wish, photo_ok=True, now=s.NOW)
    s.paid(wish)
    s.fulfilled(store, wish)
    ops.write_thanks(
        actor=store.caseworker, wish=wish, words="很好用。", photo=jpeg(), no_face=True, now=s.NOW
    )
    ops.publish_thanks(actor=store.reviewer, wish=wish, photo_ok=True, now=s.NOW)
    consent = Consent.objects.get(purpose=Purpose.WISH_PHOTO)
    withdraw_consent(actor=store.caseworker, consent=consent, now=s.NOW)
    monkeypatch.setattr(clock, "now", lambda: s.NOW + dt.timedelta(minutes=2))
    found = next(each for each in ordered() if each.name == "wishes.consent")
    assert found.check().broken == [f"wish {wish.public_id}"], (
        "an undelivered withdrawal shows within minutes"
    )
    w.work()
    assert not found.check().broken
    assert not WishPhoto.objects.exists() and Thanks.objects.get().photo is None
    assert Client().get(f"/wishes/{wish.public_id}/").status_code == 200
    withdraw(store, Purpose.WISH)
    assert s.standing(wish)[0] == "fulfilled"
    assert Client().get(f"/wishes/{wish.public_id}/").status_code == 404


def test_one_of_several_consents_is_named() -> None:
    store = s.build()
    wish = s.drafted(store)
    first = Consent.objects.get(purpose=Purpose.WISH)
    head = store.family.members.get(relation="head")
    columns = "household_id, member_id, purpose, text_id, given_by, under_14, given_at, recorded_by_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO casework_consent (code, {columns}) SELECT 'secondsecondseco', {columns} "
            "FROM casework_consent WHERE member_id = %s AND purpose = 'wish'", [head.pk],
        )  # fmt: skip
    with pytest.raises(NotOneConsent):
        ops.submit_wish(actor=store.caseworker, wish=wish, now=s.NOW)
    ops.submit_wish(actor=store.caseworker, wish=wish, consent=first.code, now=s.NOW)


def test_the_code_goes_by_text_message(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: s.NOW)
    settings.SMS_GATEWAY, settings.DATA_DIR = "file", str(tmp_path)
    store = s.build()
    wish = s.opened(store)
    s.paid(wish)
    s.bought(store, wish)
    ops.hand_over(actor=store.caseworker, wish=wish, now=s.NOW)
    code = ops.ask_wish_code(actor=store.caseworker, wish=wish, now=s.NOW)
    s.work(s.NOW)
    sent = json.loads((tmp_path / "sms" / "messages.jsonl").read_text())
    assert sent["phone"] == "13800000901" and f"/wishes/confirm/{code.token}/" in sent["text"]
    assert "发验证码到家人手机" in page(store, wish)
    settings.SMS_GATEWAY = "off"
    assert "发验证码到家人手机" not in page(store, wish)
    code.refresh_from_db()
    assert code.sent_at is not None and "13800000901" not in repr(vars(code))


def test_two_people_of_one_wish_are_never_joined_and_a_retired_template_is_gone() -> None:
    store = s.build()
    wish = s.opened(store)
    ids = [store.caseworker.person_id, store.reviewer.person_id, store.city_reviewer.person_id]
    stranger = store.caseworker2.person_id
    assert stranger is not None
    for one in ids:
        assert one is not None and may_be_one_person(one, stranger)
        for other in ids:
            assert other is not None and may_be_one_person(one, other) is (one == other)
    s.paid(wish)
    s.fulfilled(store, wish)
    ops.write_thanks(actor=store.caseworker, wish=wish, words="谢谢您", now=s.NOW)
    ops.publish_thanks(actor=store.reviewer, wish=wish, now=s.NOW)
    assert ids[0] and ids[1] and not may_be_one_person(ids[1], ids[0])
    template = ops.add_template(
        actor=store.manager, organization=store.city.organization, category="daily", title="毯子", item="毛毯",
        spec="150厘米", item_price=9_900,
    )  # fmt: skip
    for _ in range(2):
        ops.retire_template(
            actor=store.manager, organization=store.city.organization, template=template, now=s.NOW
        )
    assert not active_templates().exists() and WishTemplate.objects.get().retired_at == s.NOW


def page(store: s.Store, wish: Wish) -> str:
    found = Account.objects.filter(email="caseworker@example.org").first()
    client = with_session(found or account_of(store.caseworker, "caseworker@example.org"), second=True)
    return client.get(f"/workbench/wishes/{wish.public_id}/").content.decode()
