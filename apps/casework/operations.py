"""Writes (and logged reads) of case files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from apps.casework import policies
from apps.casework.models import AccessRow, BlindIndex, Household, PrivateField, SealedField
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.errors import BadInput, NotFound
from apps.core.policies import Policy, authorize
from apps.places.models import Town

INDEXED = (PrivateField.ID_NUMBER, PrivateField.BANK_ACCOUNT, PrivateField.PHONE)
BANK = (PrivateField.NAME, PrivateField.BANK_NAME, PrivateField.BANK_ACCOUNT)


class BadIdNumber(BadInput):
    code = "bad_id_number"
    message = _("身份证号的校验位或出生日期不对，请对照证件核对18位号码。")
    field = "id_number"


class FieldMissing(BadInput):
    code = "field_missing"
    message = _("这一项必须填写。")


class AlreadyRegistered(BadInput):
    code = "already_registered"
    message = _("这个身份证号在本镇街已有档案。请用原档案申请。")
    field = "id_number"


class ReasonMissing(BadInput):
    code = "reason_missing"
    message = _("打开家庭档案要写明理由，会留下不可删除的记录。")
    field = "reason"


@transaction.atomic
def register_household(
    *, actor: Actor, town: Town, income_tier: str, people: int, private: Mapping[str, str], consented_at: dt.datetime,
    now: dt.datetime,
) -> Household:  # fmt: skip
    """This will open a family's file (C1) with its private values sealed under a key of its own.

    `private` has a value for every PrivateField. Raises BadIdNumber, FieldMissing, AlreadyRegistered (same town).
    """
    authorize(policies.can_register_household, actor, town.pk)
    values = {name: private.get(name, "").strip() for name in PrivateField.values}
    for name, value in values.items():
        if not value:
            raise FieldMissing(field=name)
    values[PrivateField.ID_NUMBER] = _check_id(values[PrivateField.ID_NUMBER])
    values[PrivateField.BANK_ACCOUNT] = _digits(values[PrivateField.BANK_ACCOUNT])
    digest = crypto.blind_index(PrivateField.ID_NUMBER, values[PrivateField.ID_NUMBER])
    _lock_digest(digest)
    if BlindIndex.objects.filter(name=PrivateField.ID_NUMBER, digest=digest, household__town=town).exists():
        raise AlreadyRegistered()
    assert actor.person_id is not None
    household = Household(
        town=town, income_tier=income_tier, people=people, registered_by_id=actor.person_id, registered_at=now,
        consented_at=consented_at,
    )  # fmt: skip
    household.data_key = crypto.new_data_key(_owner(household))
    household.file_number = f"H-{household.key_name[:10]}"
    household.save()
    _seal(household, values)
    return household


@transaction.atomic
def change_bank_account(
    *, actor: Actor, household: Household, bank_name: str, bank_account: str, now: dt.datetime
) -> Household:
    """This will replace a family's bank details; payments approved before are re-opened by those who pay (P3)."""
    household = Household.objects.select_for_update().get(pk=household.pk)
    authorize(policies.can_change_household, actor, household)
    _seal(
        household,
        {PrivateField.BANK_NAME: bank_name.strip(), PrivateField.BANK_ACCOUNT: _digits(bank_account)},
    )
    household.bank_changed_at = now
    household.save(update_fields=["bank_changed_at"])
    return household


def hold_bank_details(household_ids: Iterable[int]) -> None:
    """This will keep the bank details of families as they are until the running transaction ends, rows in id order."""
    rows = Household.objects.select_for_update(no_key=True).filter(pk__in=set(household_ids)).order_by("id")
    list(rows.values_list("pk", flat=True))


def open_file(
    *, actor: Actor, household: Household, fields: Sequence[str], reason: str, now: dt.datetime
) -> dict[str, str]:
    """This will read private fields of a file and, in the same transaction, append who, which, and why (C2).

    Raises ReasonMissing; if the row can't be written, nothing is read.
    """
    return _read(policies.can_read_household, actor, household, household, fields, reason, now)


def open_bank_details(
    *, actor: Actor, household: Household, organization_id: int, reason: str, now: dt.datetime
) -> dict[str, str]:
    """This will read the payee and account for a payment batch, leaving the same row as any other read (C2)."""
    return _read(policies.can_read_bank_details, actor, organization_id, household, BANK, reason, now)


@transaction.atomic
def _read(
    rule: Policy, actor: Actor, scope: object, household: Household, fields: Sequence[str], reason: str,
    now: dt.datetime,
) -> dict[str, str]:  # fmt: skip
    authorize(rule, actor, scope)
    if not reason.strip():
        raise ReasonMissing()
    if household.data_key is None:
        raise NotFound(_("这个家庭的资料已经按规定销毁。"))
    AccessRow.objects.create(
        household=household.pk, person=actor.person_id, actor_label=actor.label[:80], fields=",".join(fields)[:160],
        reason=reason.strip()[:200], read_at=now,
    )  # fmt: skip
    key = crypto.unwrap_data_key(bytes(household.data_key), _owner(household))
    sealed = {row.name: row.value for row in SealedField.objects.filter(household=household, name__in=fields)}
    return {
        name: crypto.decrypt(key, bytes(sealed[name]), _place(household, name))
        for name in fields
        if name in sealed
    }


def _seal(household: Household, values: Mapping[str, str]) -> None:
    assert household.data_key is not None
    key = crypto.unwrap_data_key(bytes(household.data_key), _owner(household))
    for name, value in values.items():
        sealed = crypto.encrypt(key, value, _place(household, name))
        SealedField.objects.update_or_create(household=household, name=name, defaults={"value": sealed})
        if name in INDEXED:
            digest = crypto.blind_index(name, value)
            BlindIndex.objects.update_or_create(household=household, name=name, defaults={"digest": digest})


def _lock_digest(digest: str) -> None:
    """Two registrations of one ID number wait for each other; different numbers don't."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4))", [digest])


def _owner(household: Household) -> str:
    return f"household:{household.key_name}"


def _place(household: Household, name: str) -> str:
    return f"{_owner(household)}:{name}"


def _check_id(number: str) -> str:
    try:
        return str(ric.validate(number.upper()))
    except ValidationError as error:
        raise BadIdNumber() from error


def _digits(text: str) -> str:
    digits = "".join(text.split())
    if not digits.isdecimal() or not 8 <= len(digits) <= 30:
        raise BadInput(_("银行账号只能是8到30位数字。"), field=PrivateField.BANK_ACCOUNT)
    return digits
