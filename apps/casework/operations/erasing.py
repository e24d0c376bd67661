"""Crypto-erasure (C1): asked by one person, done by another; key, hashes, values and files go, ledgers stay valid."""

from __future__ import annotations

import datetime as dt

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from apps.casework import erasure, files, policies
from apps.casework.events import HouseholdErased
from apps.casework.models import (
    Attachment,
    BlindIndex,
    Consent,
    ErasureRequest,
    Household,
    IncomeTier,
    Member,
    PrivateTrace,
    Schooling,
    SealedField,
)
from apps.casework.operations.consenting import end_consent
from apps.casework.operations.sealing import lock_household
from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.core.errors import BadInput, Conflict, WrongState
from apps.core.events import publish
from apps.core.policies import authorize


class Ground(models.TextChoices):
    """Why a file is destroyed. A choice and no text, so that no name stays behind in the request."""

    ASKED = "asked", _("家庭要求删除")
    RETENTION = "retention", _("保存期限已满")
    MISTAKE = "mistake", _("登记错误")


class ErasureAsked(Conflict):
    code = "erasure_asked"
    message = _("这份档案已经有人申请销毁，等第二个人批准。")


class SamePerson(Conflict):
    code = "same_person"
    message = _("销毁要两个人：申请的人不能批准。请另一位有权限的同事来。")


class StillNeeded(Conflict):
    code = "still_needed"


@transaction.atomic
def ask_erasure(*, actor: Actor, household: Household, ground: str, now: dt.datetime) -> ErasureRequest:
    """This will ask that a family's file be destroyed. Raises ErasureAsked, StillNeeded (a payment is under way)."""
    household = lock_household(household.pk)
    authorize(policies.can_ask_erasure, actor, household)
    if ground not in Ground.values:
        raise BadInput(_("请选择销毁的理由。"), field="ground")
    if household.erasures.filter(status=ErasureRequest.Status.ASKED).exists():
        raise ErasureAsked()
    _refuse_while_needed(household)
    assert actor.person_id is not None
    return ErasureRequest.objects.create(
        household=household, ground=ground, asked_by_id=actor.person_id, asked_at=now
    )


@transaction.atomic
def refuse_erasure(*, actor: Actor, request: ErasureRequest, now: dt.datetime) -> ErasureRequest:
    """This will end a request without erasing. Raises SamePerson, WrongState."""
    request = _decidable(actor, request)
    return _decided(request, ErasureRequest.Status.REFUSED, actor, now)


@transaction.atomic
def approve_erasure(*, actor: Actor, request: ErasureRequest, now: dt.datetime) -> ErasureRequest:
    """This will destroy a family's key, hashes, sealed values and attachment files, for ever, and write the erasure
    into the journal outside the database. Consents end, so that what was published under them goes.

    Raises SamePerson, StillNeeded, WrongState.
    """
    request = _decidable(actor, request)
    household = request.household
    _refuse_while_needed(household)
    request = _decided(request, ErasureRequest.Status.DONE, actor, now)
    erase(household, actor.person_id, now)
    crash_point("casework.before_journal")
    erasure.write_entry(household.key_name, now)
    crash_point("casework.after_journal")
    return request


def erase(household: Household, person_id: int | None, now: dt.datetime) -> None:
    """This will destroy what makes a locked household readable or findable; the journal is the caller's."""
    for consent in Consent.objects.filter(household=household, withdrawal__isnull=True).order_by("id"):
        end_consent(consent, person_id, now)
    for model in (SealedField, BlindIndex, PrivateTrace):
        model._default_manager.filter(household=household).delete()
    erasure.wipe_elsewhere(household.pk)
    household.assessments.update(answers=None)
    Member.objects.filter(household=household).update(schooling=Schooling.NONE, has_disability=False)
    kept = Attachment.objects.filter(household=household, erased_at__isnull=True)
    names = list(kept.values_list("stored_name", flat=True))
    kept.update(erased_at=now, digest="")
    household.data_key, household.erased_at, household.income_tier = None, now, IncomeTier.NONE
    household.save(update_fields=["data_key", "erased_at", "income_tier"])
    publish(HouseholdErased(household_id=household.pk))
    # After the commit: a file without its row's consent must never be gone. What a crash leaves, `sweep_files` takes.
    transaction.on_commit(lambda: files.remove_all(names))


def replay_erasures(*, actor: Actor, now: dt.datetime) -> int:
    """This will erase again whatever the journal names and the database (restored from a backup) still holds; returns
    how many. Safe to repeat. Raises PermissionRefused (only the system), erasure.BrokenJournal before anything is
    changed."""
    authorize(policies.can_replay_erasures, actor)
    done = 0
    for entry in list(erasure.read_entries()):
        with transaction.atomic():
            household = (
                Household.objects.select_for_update()
                .filter(key_name=entry.key_name, data_key__isnull=False)
                .first()
            )
            if household is not None:
                erase(household, None, now)
                done += 1
    return done


def _refuse_while_needed(household: Household) -> None:
    words = erasure.holds_on(household.pk)
    if words:
        raise StillNeeded("；".join(str(each) for each in words))


def _decidable(actor: Actor, request: ErasureRequest) -> ErasureRequest:
    household = lock_household(request.household_id)
    authorize(policies.can_approve_erasure, actor, household)
    request = ErasureRequest.objects.select_for_update().get(pk=request.pk)
    request.household = household
    if request.status != ErasureRequest.Status.ASKED:
        raise WrongState()
    if request.asked_by_id == actor.person_id:
        raise SamePerson()
    return request


def _decided(request: ErasureRequest, status: str, actor: Actor, now: dt.datetime) -> ErasureRequest:
    request.status, request.decided_by_id, request.decided_at = status, actor.person_id, now
    request.save(update_fields=["status", "decided_by", "decided_at"])
    return request
