"""Logged reads: the row and the reading are one transaction (C2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from apps.casework import policies
from apps.casework.models import Household, Member, MemberField, PrivateField
from apps.casework.operations.sealing import age_of, note_access, unseal, unseal_member
from apps.core.actors import Actor

BANK = (PrivateField.NAME, PrivateField.BANK_NAME, PrivateField.BANK_ACCOUNT)


@transaction.atomic
def open_file(
    *, actor: Actor, household: Household, fields: Sequence[str], reason: str, now: dt.datetime
) -> dict[str, str]:
    """This will read private fields of a file and, in the same transaction, append who, which, and why (C2).

    Raises ReasonMissing; if the row can't be written, nothing is read.
    """
    note_access(policies.can_read_household, actor, household, household, fields, reason, now)
    return unseal(household, fields)


@transaction.atomic
def open_bank_details(
    *, actor: Actor, household: Household, organization_id: int, reason: str, now: dt.datetime
) -> dict[str, str]:
    """This will read the payee and account for a payment batch, leaving the same row as any other read (C2)."""
    note_access(policies.can_read_bank_details, actor, organization_id, household, BANK, reason, now)
    return unseal(household, BANK)


@transaction.atomic
def open_phone(*, actor: Actor, household: Household, reason: str, now: dt.datetime) -> str:
    """This will read the number a one-time code goes to, leaving the same row as any other read (C2)."""
    fields = [PrivateField.PHONE]
    note_access(policies.can_read_phone_for_code, actor, household, household, fields, reason, now)
    return unseal(household, fields)[PrivateField.PHONE]


@transaction.atomic
def open_member(*, actor: Actor, member: Member, reason: str, now: dt.datetime) -> dict[str, str]:
    """This will read a member's name, ID number and birth date (ISO), leaving a row that names the member (C2)."""
    household = member.household
    fields = [f"member.{member.pk}.{name}" for name in MemberField.values]
    note_access(policies.can_read_household, actor, household, household, fields, reason, now)
    return unseal_member(member, MemberField.values)


@transaction.atomic
def reckon_age(*, actor: Actor, member: Member, on: dt.date, reason: str, now: dt.datetime) -> int:
    """This will tell a member's age in full years on a civil date; a row says that it was asked (C2)."""
    household = member.household
    note_access(
        policies.can_read_household, actor, household, household, [f"member.{member.pk}.age"], reason, now
    )
    return age_of(member, on)
