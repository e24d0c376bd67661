"""Putting private values away under a household's key, and taking them out with a row (C1, C2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from apps.casework import identity
from apps.casework.models import (
    AccessRow,
    BlindIndex,
    Household,
    Member,
    MemberField,
    PrivateField,
    PrivateTrace,
    Relation,
    SealedField,
)
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.errors import BadInput, NotFound
from apps.core.policies import Policy, authorize

INDEXED = (PrivateField.ID_NUMBER, PrivateField.BANK_ACCOUNT, PrivateField.PHONE)


class FieldMissing(BadInput):
    code = "field_missing"
    message = _("这一项必须填写。")


class ReasonMissing(BadInput):
    code = "reason_missing"
    message = _("打开家庭档案要写明理由，会留下不可删除的记录。")
    field = "reason"


class Erased(NotFound):
    code = "file_erased"
    message = _("这个家庭的资料已经按规定销毁。")


def owner_of(household: Household) -> str:
    """This will give the name a household's data key is bound to."""
    return f"household:{household.key_name}"


def key_of(household: Household) -> bytes:
    """This will unwrap a household's data key. Raises Erased."""
    if household.data_key is None:
        raise Erased()
    return crypto.unwrap_data_key(bytes(household.data_key), owner_of(household))


def place_of(household: Household, name: str, member: Member | None = None) -> str:
    """This will give the place a sealed value is bound to, so that it can't be moved."""
    return f"{owner_of(household)}:{name}" if member is None else f"{owner_of(household)}:{member.pk}:{name}"


def lock_household(pk: int) -> Household:
    """This will lock a file's row. Raises Erased for one that was destroyed."""
    household = Household.objects.select_for_update().select_related("town").get(pk=pk)
    if household.data_key is None:
        raise Erased()
    return household


def lock_digests(*digests: str) -> None:
    """This will make two registrations of one ID number wait for each other; different numbers don't."""
    with connection.cursor() as cursor:
        for digest in sorted(set(digests)):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4))", [digest])


def seal(household: Household, values: Mapping[str, str], member: Member | None = None) -> None:
    """This will encrypt values, and write the hashes they are found by, in place of earlier ones."""
    key = key_of(household)
    for name, value in values.items():
        sealed = crypto.encrypt(key, value, place_of(household, name, member))
        SealedField.objects.update_or_create(
            household=household, member=member, name=name, defaults={"value": sealed}
        )
        if name in INDEXED:
            BlindIndex.objects.update_or_create(
                household=household,
                member=member,
                name=name,
                defaults={"digest": crypto.blind_index(name, value)},
            )
        elif name == PrivateField.NAME:
            trace(household, member, PrivateTrace.Kind.NAME, identity.name_traces(value))
        elif name == PrivateField.ADDRESS:
            trace(household, member, PrivateTrace.Kind.ADDRESS, identity.address_traces(value))


def trace(household: Household, member: Member | None, kind: str, words: set[str]) -> None:
    """This will write the hashes of words that no public text may hold, in place of earlier ones (C5)."""
    PrivateTrace.objects.filter(household=household, member=member, kind=kind).delete()
    PrivateTrace.objects.bulk_create(
        PrivateTrace(
            household=household, member=member, kind=kind, digest=crypto.blind_index(f"trace:{kind}", word)
        )
        for word in sorted(words)
    )


def unseal(household: Household, names: Sequence[str], member: Member | None = None) -> dict[str, str]:
    """This will decrypt values. Only for what `note_access` has written a row about, or for what shows nobody a value
    (an age against a limit)."""
    key = key_of(household)
    rows = SealedField.objects.filter(household=household, member=member, name__in=names)
    sealed = {row.name: bytes(row.value) for row in rows}
    return {
        name: crypto.decrypt(key, sealed[name], place_of(household, name, member))
        for name in names
        if name in sealed
    }


def unseal_member(member: Member, names: Sequence[str]) -> dict[str, str]:
    """This will decrypt values of a member; the head's name and number are the household's own, and a birth date that
    was not typed is read from the number."""
    household = member.household
    is_head = member.relation == Relation.HEAD
    own = [MemberField.BIRTH_DATE] if is_head else [*names, MemberField.ID_NUMBER]
    values = unseal(household, list(dict.fromkeys([*own, MemberField.BIRTH_DATE])), member)
    if is_head:
        values |= unseal(household, [PrivateField.NAME, PrivateField.ID_NUMBER])
    if MemberField.BIRTH_DATE not in values and MemberField.ID_NUMBER in values:
        values[MemberField.BIRTH_DATE] = identity.born_on(values[MemberField.ID_NUMBER]).isoformat()
    return {name: values[name] for name in names if name in values}


def age_of(member: Member, day: dt.date) -> int:
    """This will reckon a member's age on a civil date from the sealed birth date, showing nobody the date."""
    born = unseal_member(member, [MemberField.BIRTH_DATE])[MemberField.BIRTH_DATE]
    return identity.age_on(dt.date.fromisoformat(born), day)


@transaction.atomic
def note_access(
    rule: Policy, actor: Actor, scope: object, household: Household, fields: Sequence[str], reason: str,
    now: dt.datetime,
) -> None:  # fmt: skip
    """This will authorize a reading and append its row. Raises ReasonMissing, Erased."""
    authorize(rule, actor, scope)
    if not reason.strip():
        raise ReasonMissing()
    if household.data_key is None:
        raise Erased()
    AccessRow.objects.create(
        household=household.pk, person=actor.person_id, actor_label=actor.label[:80], fields=",".join(fields)[:160],
        reason=reason.strip()[:200], read_at=now,
    )  # fmt: skip
