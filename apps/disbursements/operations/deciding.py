from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.core.errors import BadInput
from apps.core.policies import Policy, authorize
from apps.core.transitions import check_move, move
from apps.disbursements import policies
from apps.disbursements.errors import FourEyes
from apps.disbursements.models import FOUR, Disbursement, DisbursementStatusChange
from apps.disbursements.states import FORWARD, Status
from apps.funds.models import Project
from apps.funds.operations import check_spendable, commit_budget
from apps.ledger.operations import reserve, void_reservation


@transaction.atomic
def verify_disbursement(
    *, actor: Actor, disbursement: Disbursement, note: str = "", now: dt.datetime
) -> Disbursement:
    """This will verify an application: need and duplicates, or delivery against the invoice. The second of
    four steps."""
    locked = lock_disbursement(disbursement.pk)
    authorize(policies.can_verify, actor, locked)
    check_four_eyes(locked, actor, "verifier")
    _move(locked, Status.VERIFIED, actor, now, note, verifier_id=actor.person_id, verified_at=now,
          delivery_note=note[:200])  # fmt: skip
    return locked


@transaction.atomic
def approve_disbursement(*, actor: Actor, disbursement: Disbursement, now: dt.datetime) -> Disbursement:
    """This will approve a verified application: the budget line is committed and the money reserved (P3).

    The third of four steps. Raises NotSpendable, BudgetExceeded, NotEnoughMoney, FourEyes.
    """
    locked = lock_disbursement(disbursement.pk)
    authorize(policies.can_approve, actor, locked)
    check_move(locked, Status.APPROVED, FORWARD)
    check_four_eyes(locked, actor, "approver")
    # Read under a shared lock, so that a suspension and an approval can't pass each other.
    check_spendable(Project.objects.select_for_update(of=("self",), no_key=True).get(pk=locked.project_id))
    commit_budget(line=locked.budget_line, amount=locked.amount)
    reserve(earmark=locked.earmark_id, amount=locked.amount, purpose=purpose_of(locked), now=now)
    crash_point("disbursements.reserved")
    _move(locked, Status.APPROVED, actor, now, approver_id=actor.person_id, approved_at=now)
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
    check_move(locked, Status.VERIFIED, FORWARD)
    _release(locked, now)
    _move(locked, Status.VERIFIED, actor, now, reason, approver_id=None, approved_at=None, payer_id=None)
    return locked


def lock_disbursement(pk: int) -> Disbursement:
    """This will lock a disbursement's row for the rest of the transaction."""
    return (
        Disbursement.objects.select_for_update(of=("self",))
        .select_related("project__fund", "budget_line", "household")
        .get(pk=pk)
    )


def check_four_eyes(disbursement: Disbursement, actor: Actor, step: str) -> None:
    """This will refuse a person who did another of the four steps (P2); the constraints stand behind it."""
    others = {getattr(disbursement, f"{name}_id") for name in FOUR if name != step}
    if actor.person_id is None or actor.person_id in others:
        raise FourEyes()


def purpose_of(disbursement: Disbursement) -> str:
    """This will give the name under which the ledger keeps a disbursement's reservation."""
    return f"disbursement:{disbursement.pk}"


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
