"""A payment that is taken back after it was booked: sent back by the bank days later, or clawed back from the family,
whole or in part. One person asks, another books it (P1)."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput, Conflict, WrongState
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.transitions import check_move, move
from apps.disbursements import policies
from apps.disbursements.errors import FourEyes
from apps.disbursements.events import DisbursementReturned, DisbursementReversed
from apps.disbursements.models import Disbursement, DisbursementStatusChange, Undo
from apps.disbursements.operations.deciding import lock_disbursement, purpose_of
from apps.disbursements.operations.paying import show_payment
from apps.disbursements.states import FORWARD, Status, UndoKind
from apps.funds.operations import commit_budget
from apps.ledger.models import Entry
from apps.ledger.operations import give_back_part, return_payment


class UndoOpen(Conflict):
    code = "undo_open"
    message = _("这一件已有人提出退回或追回，等另一人确认。")


class WrongClawBack(BadInput):
    code = "wrong_claw_back"
    message = _("追回的金额要大于零，并且不超过还没追回的部分。")
    field = "amount"


@transaction.atomic
def ask_undo(
    *, actor: Actor, disbursement: Disbursement, kind: str, reason: str, now: dt.datetime, amount: int | None = None
) -> Undo:  # fmt: skip
    """This will ask to book a paid disbursement as returned by the bank, or as clawed back; a second person decides.

    `amount` in minor units is what of it was clawed back; without it all that is still out. The bank returns a payment
    whole. Raises WrongState where nothing is paid, WrongClawBack, UndoOpen where somebody asked already.
    """
    locked = lock_disbursement(disbursement.pk)
    authorize(policies.can_ask_undo, actor, locked)
    if not reason.strip() or kind not in UndoKind.values:
        raise BadInput(_("请写明退回或追回的原因。"), field="reason")
    check_move(locked, _target(kind), FORWARD)
    if locked.entry is None:
        raise WrongState(_("这一件还没有付款记录。请在批次结果里记为退回。"))
    wanted = locked.kept if amount is None else amount
    _check_amount(locked, kind, wanted)
    assert actor.person_id is not None
    try:
        with transaction.atomic():
            return Undo.objects.create(
                disbursement=locked,
                kind=kind,
                amount=wanted,
                reason=reason.strip()[:300],
                asked_by_id=actor.person_id,
                asked_at=now,
            )
    except IntegrityError as error:
        raise UndoOpen() from error


@transaction.atomic
def agree_undo(*, actor: Actor, undo: Undo, effective_at: dt.datetime, now: dt.datetime) -> Disbursement:
    """This will book what another person asked for. Returned by the bank: the reversal with negative allocations to the
    same lots and the money reserved again, for it is still owed. Clawed back: the money is available to its earmark
    again; of a part, the rest stays paid with its entry, its lots and its confirmation.

    `effective_at` is when the bank had the money back. Raises FourEyes, WrongState, WrongClawBack.
    """
    locked, undo = _lock(actor, undo)
    if actor.person_id == undo.asked_by_id:
        raise FourEyes(_("提出和确认必须是两个人。请让另一位同事确认。"))
    check_move(locked, _target(undo.kind), FORWARD)
    if (
        locked.entry is None
        or (locked.paid_at is not None and effective_at < locked.paid_at)
        or effective_at > now
    ):
        raise BadInput(_("退回的时间不能早于付款，也不能在将来。"), field="effective_at")
    _check_amount(locked, undo.kind, undo.amount)
    entry = Entry.objects.get(pk=locked.entry)
    if undo.kind == UndoKind.RETURNED:
        back = _return(actor, locked, undo, entry, effective_at, now)
    else:
        back = _claw_back(actor, locked, undo, entry, effective_at, now)
    _decide(undo, actor, now, agreed=True, entry=back.pk)
    show_payment(locked, back.pk, -undo.amount, effective_at)
    return locked


def _return(
    actor: Actor, locked: Disbursement, undo: Undo, entry: Entry, effective_at: dt.datetime, now: dt.datetime
) -> Entry:
    back = return_payment(
        actor=actor,
        entry=entry,
        purpose=purpose_of(locked),
        key=_key(locked),
        now=now,
        effective_at=effective_at,
    )
    move(locked, Status.RETURNED, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
         reason=undo.reason, entry=None, paid_at=None, confirmed_at=None, confirmed_by_slip="", confirmed_how="",
         slip_photo=None)  # fmt: skip
    publish(DisbursementReturned(disbursement_id=locked.pk))
    return back


def _claw_back(
    actor: Actor, locked: Disbursement, undo: Undo, entry: Entry, effective_at: dt.datetime, now: dt.datetime
) -> Entry:
    commit_budget(line=locked.budget_line, amount=-undo.amount)
    if undo.amount == locked.amount:
        back = return_payment(
            actor=actor, entry=entry, purpose=purpose_of(locked), key=_key(locked), now=now, effective_at=effective_at,
            reserve_again=False,
        )  # fmt: skip
    else:
        back = give_back_part(
            actor=actor,
            entry=entry,
            amount=undo.amount,
            key=f"{_key(locked)}:{undo.pk}",
            effective_at=effective_at,
        )
    locked.clawed_back += undo.amount
    if locked.kept:
        locked.save(update_fields=["clawed_back"])
    else:
        move(locked, Status.REVERSED, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
             reason=undo.reason, clawed_back=locked.clawed_back)  # fmt: skip
    publish(DisbursementReversed(disbursement_id=locked.pk))
    return back


def _check_amount(locked: Disbursement, kind: str, amount: int) -> None:
    if kind == UndoKind.RETURNED and amount != locked.amount:
        raise WrongClawBack(_("银行退回的总是整笔。这一件已追回一部分，余下的请也记为追回。"))
    if not 0 < amount <= locked.kept:
        raise WrongClawBack()


@transaction.atomic
def refuse_undo(*, actor: Actor, undo: Undo, now: dt.datetime) -> Undo:
    """This will drop a request to undo: by whoever asked, or by a second person. Nothing is booked."""
    _locked, undo = _lock(actor, undo)
    _decide(undo, actor, now, agreed=False, entry=None)
    return undo


def _lock(actor: Actor, undo: Undo) -> tuple[Disbursement, Undo]:
    locked = lock_disbursement(undo.disbursement_id)
    authorize(policies.can_decide_undo, actor, locked)
    undo = Undo.objects.select_for_update(of=("self",)).get(pk=undo.pk)
    if undo.decided_at is not None:
        raise WrongState()
    return locked, undo


def _decide(undo: Undo, actor: Actor, now: dt.datetime, *, agreed: bool, entry: int | None) -> None:
    undo.decided_by_id, undo.decided_at, undo.agreed, undo.entry = actor.person_id, now, agreed, entry
    undo.save(update_fields=["decided_by", "decided_at", "agreed", "entry"])


def _key(locked: Disbursement) -> str:
    return f"disbursement:{locked.pk}:return:{locked.attempts}"


def _target(kind: str) -> str:
    return Status.RETURNED if kind == UndoKind.RETURNED else Status.REVERSED
