"""Opening a family's file, and changing what it says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework import identity, policies
from apps.casework.events import BankDetailsChanged
from apps.casework.models import (
    BlindIndex,
    Consent,
    Household,
    IncomeTier,
    Member,
    PrivateField,
    Purpose,
    Relation,
    Schooling,
    TierRow,
)
from apps.casework.operations.consenting import GuardianNeeded, give_consent
from apps.casework.operations.members import check_born, compare
from apps.casework.operations.sealing import FieldMissing, lock_digests, lock_household, owner_of, seal
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput
from apps.core.events import publish
from apps.core.policies import authorize
from apps.places.models import Town


class AlreadyRegistered(BadInput):
    code = "already_registered"
    message = _("这个身份证号在本镇街已有档案。请用原档案申请。")
    field = "id_number"


@transaction.atomic
def register_household(
    *, actor: Actor, town: Town, income_tier: str, people: int, private: Mapping[str, str], consented_at: dt.datetime,
    now: dt.datetime, schooling: str = Schooling.NONE, has_disability: bool = False,
    consent_by: str = Consent.GivenBy.SELF,
) -> Household:  # fmt: skip
    """This will open a family's file (C1) with its private values sealed under a key of its own, its head as first
    member, the consent to registration and the first row of its income tier. A live list of another department that
    names the head fills the tier; the same number in another file alerts both towns (C3).

    `private` has a value for every PrivateField. `schooling` and `has_disability` are the head's, `consent_by` says who
    agreed for them ("self" or "office"). Raises BadIdNumber, BadPhone, BadAccount, FieldMissing, GuardianNeeded,
    AlreadyRegistered (same town).
    """
    authorize(policies.can_register_household, actor, town.pk)
    values = checked_values(private)
    check_born(identity.born_on(values[PrivateField.ID_NUMBER]), civil_day(now), field=PrivateField.ID_NUMBER)
    digest = crypto.blind_index(PrivateField.ID_NUMBER, values[PrivateField.ID_NUMBER])
    lock_digests(digest)
    if BlindIndex.objects.filter(
        name=PrivateField.ID_NUMBER, digest=digest, household__town=town, member__isnull=True
    ).exists():
        raise AlreadyRegistered()
    assert actor.person_id is not None
    household = Household(
        town=town, income_tier=income_tier, people=people, registered_by_id=actor.person_id, registered_at=now,
        consented_at=consented_at,
    )  # fmt: skip
    household.data_key = crypto.new_data_key(owner_of(household))
    household.file_number = f"H-{household.key_name[:10]}"
    household.save()
    seal(household, values)
    head = Member.objects.create(
        household=household,
        relation=Relation.HEAD,
        schooling=schooling,
        has_disability=has_disability,
        added_at=now,
    )
    if income_tier != IncomeTier.NONE:
        TierRow.objects.create(
            household=household, tier=income_tier, source=TierRow.Source.CASEWORKER, valid_from=civil_day(now),
            recorded_by=actor.person_id, recorded_at=now,
        )  # fmt: skip
    try:
        give_consent(
            actor=actor, member=head, purpose=Purpose.REGISTRATION, given_by=consent_by, now=consented_at
        )
    except GuardianNeeded as error:
        raise GuardianNeeded(field="consent_by") from error
    compare(household, digest, now)
    return household


def checked_values(private: Mapping[str, str]) -> dict[str, str]:
    """This will bring the private values of a household into their one form. Raises FieldMissing, BadIdNumber,
    BadPhone, BadAccount."""
    values = {name: private.get(name, "").strip() for name in PrivateField.values}
    for name, value in values.items():
        if not value:
            raise FieldMissing(field=name)
    values[PrivateField.ID_NUMBER] = identity.checked_id(values[PrivateField.ID_NUMBER])
    values[PrivateField.PHONE] = identity.checked_phone(values[PrivateField.PHONE])
    values[PrivateField.BANK_ACCOUNT] = identity.checked_account(values[PrivateField.BANK_ACCOUNT])
    return values


@transaction.atomic
def change_bank_account(
    *, actor: Actor, household: Household, bank_name: str, bank_account: str, now: dt.datetime
) -> Household:
    """This will replace a family's bank details; payments approved for the old ones go back to be approved again, by
    the event (P3)."""
    household = lock_household(household.pk)
    authorize(policies.can_change_household, actor, household)
    seal(
        household,
        {
            PrivateField.BANK_NAME: bank_name.strip(),
            PrivateField.BANK_ACCOUNT: identity.checked_account(bank_account),
        },
    )
    household.bank_changed_at = now
    household.save(update_fields=["bank_changed_at"])
    publish(BankDetailsChanged(household_id=household.pk))
    return household


def hold_bank_details(household_ids: Iterable[int]) -> None:
    """This will keep the bank details of families as they are until the running transaction ends, rows in id order."""
    rows = Household.objects.select_for_update(no_key=True).filter(pk__in=set(household_ids)).order_by("id")
    list(rows.values_list("pk", flat=True))
