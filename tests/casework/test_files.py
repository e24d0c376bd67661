"""Case files: sealed per family, found only by their own kind of hash, and never read without a row."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from django.db import DatabaseError, IntegrityError, transaction

from apps.casework import operations
from apps.casework.models import AccessRow, BlindIndex, Household, PrivateField, SealedField
from apps.casework.queries import find_by_id_number, same_value
from apps.core import crypto
from apps.core.errors import NotFound, PermissionRefused
from tests import world as w

pytestmark = pytest.mark.django_db


def open_it(city: w.World, family: Household, reason: str = "核实申请", who: str = "caseworker_shiqiao",
            fields: tuple[str, ...] = ("name", "phone")) -> dict[str, str]:  # fmt: skip
    return operations.open_file(
        actor=city.people[who], household=family, fields=fields, reason=reason, now=w.NOW
    )


def test_every_read_leaves_a_row() -> None:
    city = w.build()
    family = w.household(city, 1)
    assert open_it(city, family) == {"name": "户主1", "phone": "13800000001"}
    row = AccessRow.objects.get()
    actor = city.people["caseworker_shiqiao"]
    assert (row.household, row.person, row.fields, row.reason) == (
        family.pk,
        actor.person_id,
        "name,phone",
        "核实申请",
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        AccessRow.objects.update(reason="别的")


def test_no_reason_no_right_no_row_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    city = w.build()
    family = w.household(city, 1)
    with pytest.raises(operations.ReasonMissing):
        open_it(city, family, reason="  ")
    for who in ("caseworker_hengxi", "reviewer_hengxi", "manager", "cashier", "supervisor"):
        with pytest.raises(PermissionRefused):
            open_it(city, family, who=who)
    read: list[str] = []
    monkeypatch.setattr(crypto, "decrypt", lambda *_: read.append("read") or "")
    monkeypatch.setattr(crypto, "unwrap_data_key", lambda *_: read.append("unwrapped") or b"")

    def full(**_: object) -> None:
        raise IntegrityError("no room")

    monkeypatch.setattr(AccessRow.objects, "create", full)
    with pytest.raises(IntegrityError):
        open_it(city, family)
    assert read == []
    assert AccessRow.objects.count() == 0


def test_a_reading_that_fails_leaves_no_row_behind() -> None:
    """The row and the reading are one transaction: a file moved to another family can't be opened, and says nothing."""
    city = w.build()
    one, two = w.household(city, 1), w.household(city, 2)
    foreign = SealedField.objects.get(household=two, name="name").value
    SealedField.objects.filter(household=one, name="name").update(value=foreign)
    with pytest.raises(InvalidTag):
        open_it(city, one)
    assert AccessRow.objects.count() == 0


def test_a_value_moved_to_another_field_cannot_be_read() -> None:
    city = w.build()
    family = w.household(city, 1)
    account = SealedField.objects.get(household=family, name="bank_account").value
    SealedField.objects.filter(household=family, name="name").update(value=account)
    with pytest.raises(InvalidTag):
        open_it(city, family)


def test_hashes_of_different_kinds_never_meet() -> None:
    city = w.build()
    family = w.household(city, 1)
    number = w.id_number(1)
    assert crypto.blind_index("id_number", number) != crypto.blind_index("bank_account", number)
    assert crypto.blind_index("phone", "13800000001") != crypto.blind_index("bank_account", "13800000001")
    assert find_by_id_number(f" {number.lower()} ") == [family.pk]
    assert find_by_id_number(w.id_number(2)) == []
    digests = list(BlindIndex.objects.filter(household=family).values_list("digest", flat=True))
    assert len(set(digests)) == len(digests) == 3


def test_one_account_in_two_families_shows() -> None:
    city = w.build()
    one, two = w.household(city, 1), w.household(city, 2)
    assert same_value(one, PrivateField.BANK_ACCOUNT) == []
    operations.change_bank_account(
        actor=city.people["caseworker_shiqiao"], household=two, bank_name="某银行", bank_account="6222 0000 0000 0001",
        now=w.NOW,
    )  # fmt: skip
    assert same_value(one, PrivateField.BANK_ACCOUNT) == [two.pk]


def test_one_person_is_registered_once_in_a_town() -> None:
    city = w.build()
    w.household(city, 1)
    with pytest.raises(operations.AlreadyRegistered):
        w.household(city, 1)
    w.household(city, 1, town=city.towns[1])


def test_without_its_key_a_file_says_nothing() -> None:
    city = w.build()
    family = w.household(city, 1)
    Household.objects.filter(pk=family.pk).update(data_key=None, erased_at=w.NOW)
    BlindIndex.objects.filter(household=family).delete()
    family.refresh_from_db()
    with pytest.raises(NotFound):
        open_it(city, family)
    assert find_by_id_number(w.id_number(1)) == []


def test_nothing_private_stands_in_the_database_in_the_clear() -> None:
    city = w.build()
    family = w.household(city, 1)
    for sealed in SealedField.objects.filter(household=family):
        for plain in ("户主1", w.id_number(1), "13800000001", "某路1号", "6222000000000001"):
            assert plain.encode() not in bytes(sealed.value)
