"""Members of a household: who they are to its head, checked against their numbers and ages."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework import identity, policies
from apps.casework.models import BlindIndex, Household, Member, MemberField, PrivateField, Relation, Schooling
from apps.casework.operations.alerting import note_duplicates
from apps.casework.operations.disabilities import note_disabilities, note_disability_seen
from apps.casework.operations.sealing import (
    FieldMissing,
    age_of,
    lock_digests,
    lock_household,
    seal,
    unseal_member,
)
from apps.casework.operations.tiers import note_matches
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput, Conflict, Text
from apps.core.policies import authorize


class BadBirthDate(BadInput):
    code = "bad_birth_date"
    message = _("出生日期不能在今天之后，也不能早于120年前。")
    field = "birth_date"


class BirthDateDiffers(BadInput):
    code = "birth_date_differs"
    message = _("出生日期和身份证号里的不一样。请对照证件，改正其中一个。")
    field = "birth_date"


class SexDiffers(BadInput):
    code = "sex_differs"
    message = _("性别和身份证号里的不一样（第17位单数为男，双数为女）。请对照证件。")
    field = "sex"


class UnlikelyAge(BadInput):
    code = "unlikely_age"
    field = "birth_date"


class AlreadyMember(BadInput):
    code = "already_member"
    message = _("这个身份证号已经在这份档案里。")
    field = "id_number"


class MemberLeft(Conflict):
    code = "member_left"
    message = _("这位成员已经离开这一家，资料不再修改。")


class HeadStays(Conflict):
    code = "head_stays"
    message = _("户主不能移出档案。户主变更请另建档案。")


_GAP: dict[str, tuple[int | None, int | None, Text]] = {
    Relation.CHILD: (12, None, _("登记为子女，但年龄没有比户主小12岁以上。请核对关系和出生日期。")),
    Relation.GRANDCHILD: (26, None, _("登记为孙子女，但年龄没有比户主小26岁以上。请核对关系和出生日期。")),
    Relation.PARENT: (None, -12, _("登记为父母，但年龄没有比户主大12岁以上。请核对关系和出生日期。")),
    Relation.GRANDPARENT: (None, -26, _("登记为祖父母，但年龄没有比户主大26岁以上。请核对关系和出生日期。")),
}
"""Years between the head's birth and the member's: at least, at most. Generous: step-parents and adoption pass."""

_AT_SCHOOL: dict[str, tuple[int, int]] = {
    Schooling.PRESCHOOL: (1, 8),
    Schooling.PRIMARY: (5, 16),
    Schooling.JUNIOR_HIGH: (10, 21),
    Schooling.SENIOR_HIGH: (13, 26),
    Schooling.UNIVERSITY: (14, 60),
}
"""Ages at which a stage is believable; late schooling passes."""

MARRIED_FROM = 18


@transaction.atomic
def add_member(
    *, actor: Actor, household: Household, relation: str, name: str, now: dt.datetime, id_number: str = "",
    birth_date: dt.date | None = None, sex: str = "", schooling: str = Schooling.NONE, has_disability: bool = False,
) -> Member:  # fmt: skip
    """This will add a person to a file (C1). `id_number` may be empty for a child without one: then `birth_date` is
    needed. `sex` ("m", "f" or empty) is only compared with the number and not kept.

    Raises FieldMissing, BadIdNumber, BirthDateDiffers, SexDiffers, UnlikelyAge, AlreadyMember.
    """
    household = lock_household(household.pk)
    authorize(policies.can_change_household, actor, household)
    today = civil_day(now)
    if not identity.folded(name):
        raise FieldMissing(field="name")
    if relation == Relation.HEAD or relation not in Relation.values:
        raise BadInput(_("请选择与户主的关系；一份档案只有一位户主。"), field="relation")
    number = identity.checked_id(id_number) if id_number.strip() else ""
    born = _born(number, birth_date, sex, today)
    head = household.members.select_related("household").get(relation=Relation.HEAD)
    _check_relation(relation, born, head, today)
    _check_schooling(schooling, identity.age_on(born, today))
    if number:
        digest = crypto.blind_index(PrivateField.ID_NUMBER, number)
        lock_digests(digest)
        if BlindIndex.objects.filter(
            household=household, name=PrivateField.ID_NUMBER, digest=digest
        ).exists():
            raise AlreadyMember()
    member = Member.objects.create(
        household=household,
        relation=relation,
        schooling=schooling,
        has_disability=has_disability,
        added_at=now,
    )
    values = {MemberField.NAME.value: name.strip(), MemberField.BIRTH_DATE.value: born.isoformat()}
    if number:
        values[MemberField.ID_NUMBER.value] = number
    seal(household, values, member)
    if number:
        compare(household, digest, now)
    household.people = max(household.people, household.members.filter(left_at__isnull=True).count())
    household.save(update_fields=["people"])
    return member


@transaction.atomic
def change_member(
    *, actor: Actor, member: Member, schooling: str, has_disability: bool, now: dt.datetime
) -> Member:
    """This will correct a member's stage of schooling and disability; a change of the latter leaves a row. Raises
    UnlikelyAge, MemberLeft."""
    household = lock_household(member.household_id)
    authorize(policies.can_change_household, actor, household)
    member = household.members.select_related("household").get(pk=member.pk)
    if member.left_at is not None:
        raise MemberLeft()
    _check_schooling(schooling, age_of(member, civil_day(now)))
    changed = member.has_disability != has_disability
    member.schooling, member.has_disability = schooling, has_disability
    member.save(update_fields=["schooling", "has_disability"])
    if changed:
        note_disability_seen(member, actor.person_id, now)
    return member


@transaction.atomic
def remove_member(*, actor: Actor, member: Member, now: dt.datetime) -> Member:
    """This will note that a member has left the household; their values stay sealed until erasure. Raises HeadStays."""
    household = lock_household(member.household_id)
    authorize(policies.can_change_household, actor, household)
    member = household.members.get(pk=member.pk)
    if member.relation == Relation.HEAD:
        raise HeadStays()
    if member.left_at is None:
        member.left_at = now
        member.save(update_fields=["left_at"])
    return member


def compare(household: Household, digest: str, now: dt.datetime) -> None:
    """This will compare a person just added (by the hash of their number) with the other files and the live lists."""
    note_duplicates(household, digest, now)
    note_matches([household.pk], now)
    note_disabilities([household.pk], now)
    household.refresh_from_db(fields=["income_tier"])


def check_born(born: dt.date, today: dt.date, *, field: str = "birth_date") -> None:
    """This will refuse a birth date after today or more than 120 years ago. Raises BadBirthDate."""
    if born > today or identity.age_on(born, today) > identity.OLDEST:
        raise BadBirthDate(field=field)


def _born(number: str, birth_date: dt.date | None, sex: str, today: dt.date) -> dt.date:
    if not number:
        if birth_date is None:
            raise FieldMissing(_("没有身份证号时要填出生日期。"), field="birth_date")
        check_born(birth_date, today)
        return birth_date
    born = identity.born_on(number)
    check_born(born, today, field="id_number")
    if birth_date is not None and birth_date != born:
        raise BirthDateDiffers()
    if sex and (sex == "m") != identity.is_male(number):
        raise SexDiffers()
    return born


def _check_relation(relation: str, born: dt.date, head: Member, today: dt.date) -> None:
    values = unseal_member(head, [MemberField.BIRTH_DATE])
    years = identity.age_on(dt.date.fromisoformat(values[MemberField.BIRTH_DATE]), today) - identity.age_on(
        born, today
    )
    least, most, words = _GAP.get(relation, (None, None, ""))
    if (least is not None and years < least) or (most is not None and years > most):
        raise UnlikelyAge(words)
    if relation == Relation.SPOUSE and identity.age_on(born, today) < MARRIED_FROM:
        raise UnlikelyAge(_("登记为配偶，但不满18岁。请核对关系和出生日期。"))


def _check_schooling(schooling: str, age: int) -> None:
    least, most = _AT_SCHOOL.get(schooling, (0, identity.OLDEST))
    if not least <= age <= most:
        raise UnlikelyAge(_("就学阶段和年龄对不上。请核对出生日期和就学阶段。"), field="schooling")
