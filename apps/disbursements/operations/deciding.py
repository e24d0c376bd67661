from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.core.errors import BadInput, WrongState
from apps.core.policies import Policy, authorize
from apps.core.transitions import check_move, move
from apps.disbursements import policies
from apps.disbursements.accounts_held import hold_accounts
from apps.disbursements.errors import FourEyes
from apps.disbursements.models import (
    FOUR,
    AidedPerson,
    AidPeriod,
    Disbursement,
    DisbursementStatusChange,
    StepTaker,
)
from apps.disbursements.operations.flagging import answer_flags
from apps.disbursements.states import FORWARD, Status
from apps.funds.models import Project
from apps.funds.operations import check_spendable, commit_budget
from apps.ledger.operations import reserve, void_reservation

NO_ANSWERS: Mapping[str, str] = MappingProxyType({})


@transaction.atomic
def verify_disbursement(
    *, actor: Actor, disbursement: Disbursement, note: str = "", answers: Mapping[str, str] = NO_ANSWERS,
    now: dt.datetime,
) -> Disbursement:  # fmt: skip
    """This will verify an application: need and duplicates, or delivery against the invoice. The second of four steps.

    `answers` to the risk flags, by fingerprint or kind. Raises FourEyes, FlagsUnanswered (P6).
    """
    locked = lock_disbursement(disbursement.pk)
    authorize(policies.can_verify, actor, locked)
    check_move(locked, Status.VERIFIED, FORWARD)
    if locked.status != Status.APPLIED:
        # `verified` is also where a re-opened approval goes back to; that is not this step.
        raise WrongState()
    check_four_eyes(locked, actor, "verifier")
    answer_flags(locked, "verifier", answers, actor, now)
    _move(locked, Status.VERIFIED, actor, now, note, verifier_id=actor.person_id, verified_at=now,
          delivery_note=note[:200])  # fmt: skip
    return locked


@transaction.atomic
def approve_disbursement(
    *, actor: Actor, disbursement: Disbursement, answers: Mapping[str, str] = NO_ANSWERS, now: dt.datetime
) -> Disbursement:
    """This will approve a verified application: the budget line is committed, the money reserved, and the very bank
    details it was approved for are noted under their lock (P3).

    The third of four steps. Raises NotSpendable, BudgetExceeded, NotEnoughMoney, FourEyes, FlagsUnanswered (P6).
    """
    locked = lock_disbursement(disbursement.pk)
    authorize(policies.can_approve, actor, locked)
    check_move(locked, Status.APPROVED, FORWARD)
    check_four_eyes(locked, actor, "approver")
    account = hold_accounts([locked.household_id]).get(locked.household_id or 0, "")
    answer_flags(locked, "approver", answers, actor, now)
    # Read under a shared lock, so that a suspension and an approval can't pass each other.
    check_spendable(Project.objects.select_for_update(of=("self",), no_key=True).get(pk=locked.project_id))
    commit_budget(line=locked.budget_line, amount=locked.amount)
    reserve(earmark=locked.earmark_id, amount=locked.amount, purpose=purpose_of(locked), now=now)
    crash_point("disbursements.reserved")
    _move(
        locked,
        Status.APPROVED,
        actor,
        now,
        approver_id=actor.person_id,
        approved_at=now,
        approved_account=account,
    )
    return locked


@transaction.atomic
def reject_disbursement(
    *, actor: Actor, disbursement: Disbursement, reason: str, now: dt.datetime
) -> Disbursement:
    """This will turn an application down with a reason; what was reserved goes back."""
    locked = lock_disbursement(disbursement.pk)
    rule: Policy = policies.can_verify if locked.status == Status.APPLIED else policies.can_approve
    authorize(rule, actor, locked)
    if actor.person_id == locked.applicant_id:
        raise FourEyes()
    if not reason.strip():
        raise BadInput(_("请写明理由，申请人才知道缺什么。"), field="reason")
    check_move(locked, Status.REJECTED, FORWARD)
    if locked.status in (Status.APPROVED, Status.RETURNED):
        _release(locked, now)
    free_application(locked)
    locked.reason = reason.strip()[:300]
    locked.save(update_fields=["reason"])
    _move(locked, Status.REJECTED, actor, now, reason.strip())
    return locked


@transaction.atomic
def reopen_approval(
    *, actor: Actor, disbursement: Disbursement, reason: str, now: dt.datetime
) -> Disbursement:
    """This will put an approved or returned payment back to `verified`, because its bank account changed (P3)."""
    locked = lock_disbursement(disbursement.pk)
    authorize(policies.can_release, actor, locked.project.fund.organization_id)
    _reopen(locked, actor, reason, now)
    return locked


@transaction.atomic
def reopen_changed_accounts(*, actor: Actor, household_id: int, now: dt.datetime) -> list[Disbursement]:
    """This will put a family's approved or returned payments back to `verified` when they were approved for another
    bank account than its present one (P3). What is `paying` went out with the account approved; its answer decides.
    Safe to repeat."""
    authorize(policies.can_reopen_changed, actor)
    rows = (
        Disbursement.objects.select_for_update(of=("self",))
        .select_related("project__fund", "budget_line")
        .filter(household=household_id, status__in=(Status.APPROVED, Status.RETURNED))
        .order_by("id")
    )
    found = list(rows)
    present = hold_accounts([household_id]).get(household_id, "")
    changed = [row for row in found if row.approved_account != present]
    for row in changed:
        _reopen(row, actor, str(_("收款账户已更换，要重新批准。")), now)
    return changed


@transaction.atomic
def forget_aided_persons(*, household_id: int) -> None:
    """This will delete the hashes that say whom a family's applications helped in which year; part of erasure, which
    has been decided by two people."""
    AidedPerson.objects.filter(application__household=household_id).delete()


def _reopen(locked: Disbursement, actor: Actor, reason: str, now: dt.datetime) -> None:
    check_move(locked, Status.VERIFIED, FORWARD)
    _release(locked, now)
    _move(locked, Status.VERIFIED, actor, now, reason, approver_id=None, approved_at=None, approved_account="",
          payer_id=None)  # fmt: skip


def lock_disbursement(pk: int) -> Disbursement:
    """This will lock a disbursement's row for the rest of the transaction."""
    return (
        Disbursement.objects.select_for_update(of=("self",))
        .select_related("project__fund", "budget_line", "household", "application")
        .get(pk=pk)
    )


def check_four_eyes(disbursement: Disbursement, actor: Actor, step: str) -> None:
    """This will refuse a person who ever did another of the four steps, also for an approval that was re-opened since
    (P2); the constraints and the table of step takers stand behind it."""
    others = {getattr(disbursement, f"{name}_id") for name in FOUR if name != step}
    if actor.person_id is None or actor.person_id in others:
        raise FourEyes()
    if disbursement.pk and took_another_step(disbursement.pk, actor.person_id, step):
        raise FourEyes()


def check_payer(rows: Sequence[Disbursement], actor: Actor) -> None:
    """This will refuse a person as payer who ever did another step of any of the rows, in one statement (P2)."""
    if actor.person_id is None:
        raise FourEyes()
    for row in rows:
        if actor.person_id in (row.applicant_id, row.verifier_id, row.approver_id):
            raise FourEyes()
    mine = StepTaker.objects.filter(person=actor.person_id, disbursement__in=[row.pk for row in rows])
    if mine.exclude(step="payer").exists():
        raise FourEyes()


def took_another_step(disbursement_id: int, person_id: int, step: str) -> bool:
    """This will tell whether a person ever did another step of a disbursement than this one."""
    rows = StepTaker.objects.filter(disbursement=disbursement_id, person=person_id)
    return rows.exclude(step=step).exists()


def purpose_of(disbursement: Disbursement) -> str:
    """This will give the name under which the ledger keeps a disbursement's reservation."""
    return f"disbursement:{disbursement.pk}"


def free_application(locked: Disbursement) -> None:
    """This will let an application's period and person go when its last live payment is turned down (C6)."""
    if locked.application_id is None:
        return
    others = Disbursement.objects.filter(application=locked.application_id).exclude(pk=locked.pk)
    if others.exclude(status=Status.REJECTED).exists():
        return
    AidPeriod.objects.filter(application=locked.application_id).delete()
    AidedPerson.objects.filter(application=locked.application_id).delete()


def _release(locked: Disbursement, now: dt.datetime) -> None:
    commit_budget(line=locked.budget_line, amount=-locked.amount)
    void_reservation(purpose=purpose_of(locked), now=now)


def _move(
    locked: Disbursement, to: str, actor: Actor, now: dt.datetime, note: str = "", **fields: object
) -> None:
    move(
        locked,
        to,
        forward=FORWARD,
        history=DisbursementStatusChange,
        actor=actor,
        now=now,
        reason=note,
        **fields,
    )
