"""What happens after the money went out: the family confirms, or the bank sends it back days later."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.transitions import check_move, move
from apps.disbursements import policies
from apps.disbursements.events import DisbursementReturned
from apps.disbursements.models import Disbursement, DisbursementStatusChange
from apps.disbursements.operations.deciding import lock_disbursement, purpose_of
from apps.disbursements.operations.paying import show_payment
from apps.disbursements.states import FORWARD, Kind, Status
from apps.ledger.models import Entry
from apps.ledger.operations import return_payment
from apps.publication.releases import note_confirmed


@transaction.atomic
def return_disbursement(
    *, actor: Actor, disbursement: Disbursement, reason: str, effective_at: dt.datetime, now: dt.datetime
) -> Disbursement:
    """This will book a paid disbursement that the bank sent back: reversal, negative allocations, reservation again."""
    locked = lock_disbursement(disbursement.pk)
    authorize(policies.can_release, actor, locked.project.fund.organization_id)
    if not reason.strip():
        raise BadInput(_("请写明银行退回的原因。"), field="reason")
    check_move(locked, Status.RETURNED, FORWARD)
    if locked.entry is None:
        raise BadInput(_("这一件还没有付款记录。请在批次结果里记为退回。"))
    reversal = return_payment(
        actor=actor, entry=Entry.objects.get(pk=locked.entry), purpose=purpose_of(locked),
        key=f"disbursement:{locked.pk}:return:{locked.attempts}", now=now, effective_at=effective_at,
    )  # fmt: skip
    move(locked, Status.RETURNED, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
         reason=reason.strip(), entry=None, paid_at=None, confirmed_at=None, confirmed_by_slip="")  # fmt: skip
    show_payment(locked, reversal.pk, -locked.amount, effective_at)
    publish(DisbursementReturned(disbursement_id=locked.pk))
    return locked


@transaction.atomic
def confirm_disbursement(
    *, actor: Actor, disbursement: Disbursement, slip: str, now: dt.datetime
) -> Disbursement:
    """This will record the family's signed slip for a payment that arrived (P5)."""
    locked = lock_disbursement(disbursement.pk)
    authorize(policies.can_confirm, actor, locked)
    if not slip.strip():
        raise BadInput(_("请填写家庭签字单的编号。"), field="slip")
    move(locked, Status.CONFIRMED, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
         confirmed_at=now, confirmed_by_slip=slip.strip()[:60])  # fmt: skip
    if locked.kind == Kind.AID:
        note_confirmed(disbursement=locked.pk)
    return locked
