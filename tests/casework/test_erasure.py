"""Erasure: two people, nothing readable or findable left, a journal that brings it back after a restore."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from apps.casework import erasure, files, operations, queries
from apps.casework.models import (
    Attachment,
    BlindIndex,
    ErasureRequest,
    Household,
    PrivateTrace,
    SealedField,
)
from apps.core.errors import PermissionRefused, WrongState
from apps.core.models import OutboxEvent
from tests import world as w
from tests.casework.people import add_member
from tests.conftest import Database

PDF = b"%PDF-1.4\ntrailer<<>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def full_file(city: w.World, n: int = 1) -> Household:
    family = w.household(city, n)
    actor = city.people["caseworker_shiqiao"]
    add_member(city, family)
    operations.add_attachment(actor=actor, household=family, kind="diagnosis", content=PDF, now=w.NOW)
    operations.give_consent(
        actor=actor, member=family.members.get(relation="head"), purpose="story", given_by="self", now=w.NOW
    )
    form = operations.newest_form(w.NOW.date())
    answers = {question["key"]: question["answers"][0]["key"] for question in form.questions}
    operations.record_assessment(
        actor=actor, household=family, visited_on=w.NOW.date(), answers=answers, now=w.NOW
    )
    return family


def erase(city: w.World, family: Household) -> ErasureRequest:
    asked = operations.ask_erasure(
        actor=city.people["caseworker_shiqiao"], household=family, ground="asked", now=w.NOW
    )
    return operations.approve_erasure(actor=city.people["reviewer_shiqiao"], request=asked, now=w.NOW)


@pytest.mark.django_db
def test_everything_private_is_gone_and_the_rest_stands(
    data_dir: Path, django_capture_on_commit_callbacks: Any
) -> None:
    city = w.build()
    family, other = full_file(city), w.household(city, 2)
    with django_capture_on_commit_callbacks(execute=True):
        erase(city, family)
    family.refresh_from_db()
    assert family.data_key is None and family.erased_at == w.NOW
    for model in (SealedField, BlindIndex, PrivateTrace):
        assert not model._default_manager.filter(household=family).exists()
        assert model._default_manager.filter(household=other).exists()
    assert family.assessments.get().answers is None
    assert Attachment.objects.get().digest == "" and list(files.folder().rglob("*/*")) == []
    assert not queries.has_consent(family)
    names = list(OutboxEvent.objects.values_list("name", flat=True))
    assert names.count("casework.consent_withdrawn") == 2 and "casework.household_erased" in names
    for act in (
        lambda: operations.open_file(
            actor=city.people["caseworker_shiqiao"], household=family, fields=["name"], reason="看看", now=w.NOW
        ),
        lambda: operations.change_bank_account(
            actor=city.people["caseworker_shiqiao"], household=family, bank_name="某", bank_account="6222000000000001",
            now=w.NOW,
        ),
        lambda: add_member(city, family),
    ):  # fmt: skip
        with pytest.raises(operations.Erased):
            act()
    line = json.loads((data_dir / "erasures.jsonl").read_text())
    assert line["key_name"] == family.key_name and w.id_number(1) not in json.dumps(line)
    assert w.household(city, 1).pk != family.pk, "the person can come back"


@pytest.mark.django_db
def test_one_person_is_never_enough() -> None:
    city = w.build()
    family = w.household(city, 1)
    both = w.person("both", ("town_reviewer", "town", city.towns[0].pk))
    asked = operations.ask_erasure(actor=both, household=family, ground="asked", now=w.NOW)
    with pytest.raises(operations.SamePerson):
        operations.approve_erasure(actor=both, request=asked, now=w.NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        ErasureRequest.objects.filter(pk=asked.pk).update(
            status="done", decided_by=both.person_id, decided_at=w.NOW
        )
    for who in ("caseworker2_shiqiao", "reviewer_hengxi", "manager", "supervisor"):
        with pytest.raises(PermissionRefused):
            operations.approve_erasure(actor=city.people[who], request=asked, now=w.NOW)
    with pytest.raises(operations.ErasureAsked):
        operations.ask_erasure(
            actor=city.people["caseworker_shiqiao"], household=family, ground="asked", now=w.NOW
        )
    operations.refuse_erasure(actor=city.people["reviewer_shiqiao"], request=asked, now=w.NOW)
    with pytest.raises(WrongState):
        operations.approve_erasure(actor=city.people["reviewer_shiqiao"], request=asked, now=w.NOW)
    family.refresh_from_db()
    assert family.data_key is not None


@pytest.mark.django_db
def test_a_payment_under_way_keeps_the_file() -> None:
    city = w.build()
    w.give(city, 500_000)
    family = w.household(city, 1)
    asked = operations.ask_erasure(
        actor=city.people["caseworker_shiqiao"], household=family, ground="asked", now=w.NOW
    )
    item = w.apply_aid(city, family, 1000)
    with pytest.raises(operations.StillNeeded):
        operations.approve_erasure(actor=city.people["reviewer_shiqiao"], request=asked, now=w.NOW)
    assert not erasure.journal_path().exists()
    w.pay_out(city, [w.approve(city, item)])
    operations.approve_erasure(actor=city.people["reviewer_shiqiao"], request=asked, now=w.NOW)


@pytest.mark.django_db
def test_a_restored_backup_is_erased_again() -> None:
    city = w.build()
    family, other = full_file(city), w.household(city, 2)
    before = bytes(family.data_key or b"")
    sealed = list(SealedField.objects.filter(household=family))
    erase(city, family)
    # The backup of before: key and values are back.
    Household.objects.filter(pk=family.pk).update(data_key=before, erased_at=None)
    SealedField.objects.bulk_create(sealed)
    call_command("replay_erasures")
    family.refresh_from_db()
    other.refresh_from_db()
    assert family.data_key is None and not family.sealed.exists()
    assert other.data_key is not None
    from apps.core.actors import system

    assert operations.replay_erasures(actor=system("again"), now=w.NOW) == 0
    with pytest.raises(PermissionRefused):
        operations.replay_erasures(actor=city.people["supervisor"], now=w.NOW)


@pytest.mark.django_db
def test_a_changed_journal_is_noticed_before_anything_happens(data_dir: Path) -> None:
    city = w.build()
    one, two = w.household(city, 1), w.household(city, 2)
    erase(city, one)
    erase(city, two)
    path = data_dir / "erasures.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    for changed in (
        lines[1:],
        [lines[1], lines[0]],
        [lines[0].replace("2026", "2025"), lines[1]],
        ["{}\n"],
        ["x\n"],
    ):
        path.write_text("".join(changed))
        with pytest.raises(CommandError, match="line 1"):
            call_command("replay_erasures")
    path.write_text("".join(lines) + '{"n": 3, "key_na')
    assert [entry.key_name for entry in erasure.read_entries()] == [one.key_name, two.key_name]
    erasure.write_entry("three", w.NOW)
    assert [entry.n for entry in erasure.read_entries()] == [1, 2, 3], "a torn line is cut off"


def test_the_journal_has_it_before_the_database_does(
    committed_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash after the journal's line takes the database back; the replay finishes the erasure. A crash before it
    leaves nothing done."""
    from apps.casework.operations import erasing

    city = w.build()
    family = w.household(city, 1)
    asked = operations.ask_erasure(
        actor=city.people["caseworker_shiqiao"], household=family, ground="asked", now=w.NOW
    )
    for point, lines in (("casework.before_journal", 0), ("casework.after_journal", 1)):

        def crash(name: str, at: str = point) -> None:
            if name == at:
                raise RuntimeError("killed")

        monkeypatch.setattr(erasing, "crash_point", crash)
        with pytest.raises(RuntimeError):
            operations.approve_erasure(actor=city.people["reviewer_shiqiao"], request=asked, now=w.NOW)
        family.refresh_from_db()
        assert family.data_key is not None and len(list(erasure.read_entries())) == lines
    call_command("replay_erasures")
    family.refresh_from_db()
    assert family.data_key is None


@pytest.mark.django_db
def test_what_is_kept_too_long_is_due_by_its_rule() -> None:
    city = w.build()
    w.give(city, 500_000)
    helped, never = w.household(city, 1), w.household(city, 2)
    w.pay_out(city, [w.approve(city, w.apply_aid(city, helped, 1000))])
    actor = city.people["reviewer_shiqiao"]
    assert queries.retention_due(actor, w.NOW.date()) == []
    two_years = w.NOW.date() + dt.timedelta(days=366 * 2)
    assert [due.household for due in queries.retention_due(actor, two_years)] == [never]
    ten_years = w.NOW.date() + dt.timedelta(days=366 * 10)
    found = queries.retention_due(actor, ten_years)
    assert [due.household for due in found] == [never, helped]
    assert found[1].rule.years == 10 and found[1].due == dt.date(2036, 11, 23)
    assert queries.retention_due(city.people["reviewer_hengxi"], ten_years) == []
