"""Consents: given one purpose at a time under the newest text, by a guardian below 14, and withdrawn at any time."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework import policies
from apps.casework.events import ConsentWithdrawn
from apps.casework.models import (
    Attachment,
    Consent,
    ConsentText,
    ConsentWithdrawal,
    Household,
    Member,
    Purpose,
)
from apps.casework.operations.sealing import Erased, age_of, lock_household
from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput, Conflict
from apps.core.events import publish
from apps.core.policies import authorize

GUARDIAN_BELOW = 14
ADULT = 18


class GuardianNeeded(BadInput):
    code = "guardian_needed"
    message = _("不满14周岁，本人的同意不算数。请由监护人同意，并选择监护人。")
    field = "given_by"


class BadGuardian(BadInput):
    code = "bad_guardian"
    message = _("监护人要是同一份档案里年满18周岁的另一位成员；没有的话，选居（村）委会或民政部门。")
    field = "guardian"


class ConsentStands(Conflict):
    code = "consent_stands"
    message = _("这位成员对这件事的同意还有效，不用再登记。")


class ConsentEnded(Conflict):
    code = "consent_ended"
    message = _("这份同意已经撤回。需要的话请重新登记一份。")


@transaction.atomic
def give_consent(
    *, actor: Actor, member: Member, purpose: str, given_by: str, now: dt.datetime, guardian: Member | None = None,
    attachment: Attachment | None = None,
) -> Consent:  # fmt: skip
    """This will record that a person (or their guardian) agrees to one purpose, under the newest text. Below 14 years
    on the day of giving only a guardian's word counts (C4); the database refuses anything else.

    Raises GuardianNeeded, BadGuardian, ConsentStands.
    """
    household = lock_household(member.household_id)
    authorize(policies.can_change_household, actor, household)
    if purpose not in Purpose.values or given_by not in Consent.GivenBy.values:
        raise BadInput(_("请选择同意的事项和由谁同意。"), field="purpose")
    today = civil_day(now)
    member = household.members.select_related("household").get(pk=member.pk)
    under_14 = age_of(member, today) < GUARDIAN_BELOW
    if under_14 and given_by == Consent.GivenBy.SELF:
        raise GuardianNeeded()
    if given_by == Consent.GivenBy.GUARDIAN:
        guardian = _guardian(member, guardian, today)
    else:
        guardian = None
    if attachment is not None and attachment.household_id != household.pk:
        raise BadInput(_("这个附件不在这份档案里。"), field="attachment")
    if Consent.objects.filter(member=member, purpose=purpose, withdrawal__isnull=True).exists():
        raise ConsentStands()
    assert actor.person_id is not None
    return Consent.objects.create(
        household=household, member=member, purpose=purpose, text=newest_text(purpose, today), given_by=given_by,
        guardian=guardian, under_14=under_14, attachment=attachment, given_at=now, recorded_by_id=actor.person_id,
    )  # fmt: skip


@transaction.atomic
def withdraw_consent(*, actor: Actor, consent: Consent, now: dt.datetime) -> ConsentWithdrawal:
    """This will end a consent for ever and tell the rooms above, which take down what stood on it. Raises
    ConsentEnded."""
    household = lock_household(consent.household_id)
    authorize(policies.can_change_household, actor, household)
    consent = Consent.objects.get(pk=consent.pk)
    if ConsentWithdrawal.objects.filter(consent=consent).exists():
        raise ConsentEnded()
    return end_consent(consent, actor.person_id, now)


class NoConsent(Conflict):
    code = "no_consent"
    message = _("这一家没有有效的建档同意，不能申请救助。请先在档案里登记同意（户主已撤回的，要重新签）。")


def hold_for_aid(household: Household) -> Household:
    """This will lock a file that aid is about to be asked for, in the running transaction, and refuse one that was
    destroyed or whose consent to registration ended. Raises Erased, NoConsent."""
    household = Household.objects.select_for_update(no_key=True, of=("self",)).get(pk=household.pk)
    if household.data_key is None:
        raise Erased()
    if not Consent.objects.filter(
        household=household, purpose=Purpose.REGISTRATION, withdrawal__isnull=True
    ).exists():
        raise NoConsent()
    return household


class NotOneConsent(Conflict):
    code = "not_one_consent"
    message = _("这一家有几份有效的同意。请选这次用的是哪一份。")
    field = "consent"


def hold_consent(
    *, household: Household, purpose: str, code: str = "", by_guardian: bool = False, member_id: int | None = None
) -> Consent | None:  # fmt: skip
    """This will give a family's standing consent to a purpose, its file locked in the running transaction so that
    nobody withdraws it meanwhile; None where there is none. `code` names one of several, `by_guardian` asks for one by
    a guardian or the office that is one, `member_id` for whom it is about. Raises NotOneConsent, Erased."""
    lock_household(household.pk)
    rows = Consent.objects.filter(household=household, purpose=purpose, withdrawal__isnull=True)
    if by_guardian:
        rows = rows.exclude(given_by=Consent.GivenBy.SELF)
    if member_id is not None:
        rows = rows.filter(member=member_id)
    if code:
        return rows.filter(code=code).first()
    found = list(rows.order_by("-id")[:2])
    if len(found) > 1:
        raise NotOneConsent()
    return found[0] if found else None


def end_consent(consent: Consent, person_id: int | None, now: dt.datetime) -> ConsentWithdrawal:
    """This will append a withdrawal with its event; the caller holds the household's lock."""
    ended = ConsentWithdrawal.objects.create(consent=consent, withdrawn_at=now, recorded_by_id=person_id)
    publish(ConsentWithdrawn(consent_id=consent.pk, code=consent.code, purpose=consent.purpose))
    return ended


def newest_text(purpose: str, day: dt.date) -> ConsentText:
    """This will give the words in force on a civil date."""
    return ConsentText.objects.filter(purpose=purpose, effective_from__lte=day).latest("version")


def _guardian(member: Member, guardian: Member | None, today: dt.date) -> Member:
    found = (
        None
        if guardian is None
        else Member.objects.select_related("household")
        .filter(pk=guardian.pk, household_id=member.household_id, left_at__isnull=True)
        .exclude(pk=member.pk)
        .first()
    )
    if found is None or age_of(found, today) < ADULT:
        raise BadGuardian()
    return found
