"""The family says that the money arrived (P5): by a one-time code of its own, or on a slip it signed, with a photo."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework.models import Attachment
from apps.core.actors import Actor
from apps.core.errors import BadInput, NotFound
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.transitions import check_move, move
from apps.disbursements import policies
from apps.disbursements.events import ConfirmationCodeAsked
from apps.disbursements.models import ConfirmationCode, Disbursement, DisbursementStatusChange
from apps.disbursements.operations.codes import (
    CodeMessage,
    CodeOver,
    end_codes,
    refuse_wrong,
    try_code,
    write_code,
)
from apps.disbursements.operations.deciding import lock_disbursement
from apps.disbursements.states import FORWARD, ConfirmedHow, Kind, Status
from apps.publication.releases import note_confirmed

CODE = "confirmation_code"
"""What the hashes of these codes are keyed for."""


class SlipNeedsPhoto(BadInput):
    code = "slip_needs_photo"
    message = _("签收单要附照片。请先把签收单拍照，传到这一家的档案里，再选它。")
    field = "photo"


@transaction.atomic
def ask_code(*, actor: Actor, disbursement: Disbursement, now: dt.datetime) -> ConfirmationCode:
    """This will ask for a one-time code to be sent to the family's phone; earlier ones end. The event names no number.

    Raises WrongState where nothing is paid, TooManyCodes.
    """
    locked = lock_disbursement(disbursement.pk)
    authorize(policies.can_send_code, actor, locked)
    check_move(locked, Status.CONFIRMED, FORWARD)
    if locked.kind != Kind.AID:
        raise NotFound()
    until = end_codes(ConfirmationCode.objects.filter(disbursement=locked), now)
    made = ConfirmationCode.objects.create(
        disbursement=locked, attempt=locked.attempts, asked_at=now, expires_at=until
    )
    publish(ConfirmationCodeAsked(code_id=made.pk))
    return made


@transaction.atomic
def issue_code(*, actor: Actor, code_id: int, now: dt.datetime) -> CodeMessage | None:
    """This will make the six digits of an asked code, keep their keyed hash, and give what is to be sent; None when the
    payment was confirmed or taken back meanwhile, or a newer code was asked for. Reading the phone leaves its row (C2).
    """
    code = ConfirmationCode.objects.select_for_update(of=("self",)).get(pk=code_id)
    item = Disbursement.objects.select_related("household").get(pk=code.disbursement_id)
    authorize(policies.can_send_code, actor, item)
    newest = (
        ConfirmationCode.objects.filter(disbursement=item)
        .order_by("-id")
        .values_list("pk", flat=True)
        .first()
    )
    if item.status != Status.PAID or code.used_at or code.expires_at <= now or newest != code.pk:
        return None
    assert item.household is not None
    return write_code(
        actor=actor, code=code, kind=CODE, household=item.household, reason=f"confirmation code {item.number}", now=now
    )  # fmt: skip


def confirm_by_code(*, actor: Actor, token: str, digits: str, now: dt.datetime) -> Disbursement:
    """This will record the family's own confirmation; the link and the code are its permission.

    Each wrong try counts and stays counted. Raises WrongCode with the tries left, CodeOver, NotFound.
    """
    authorize(policies.can_answer_code, actor)
    code = ConfirmationCode.objects.filter(token=token).first()
    if code is None:
        raise NotFound()
    return _confirm(actor, code, digits, now)


def confirm_at_desk(
    *, actor: Actor, disbursement: Disbursement, digits: str, now: dt.datetime
) -> Disbursement:
    """This will record the code that a family read out to its caseworker. Raises as `confirm_by_code`."""
    authorize(policies.can_confirm, actor, disbursement)
    code = ConfirmationCode.objects.filter(disbursement=disbursement).order_by("-id").first()
    if code is None:
        raise CodeOver()
    return _confirm(actor, code, digits, now)


def _confirm(actor: Actor, code: ConfirmationCode, digits: str, now: dt.datetime) -> Disbursement:
    # Two steps on purpose: the try is committed before anybody learns whether it was right.
    with transaction.atomic():
        item = lock_disbursement(code.disbursement_id)
        code = ConfirmationCode.objects.select_for_update(of=("self",)).get(pk=code.pk)
        if code.attempt != item.attempts or item.status != Status.PAID:
            raise CodeOver()
        right = try_code(code, CODE, digits, now)
        if right:
            _move(item, actor, now, how=ConfirmedHow.CODE)
    if not right:
        raise refuse_wrong(code)
    return item


@transaction.atomic
def confirm_disbursement(
    *, actor: Actor, disbursement: Disbursement, slip: str, photo: Attachment | None, now: dt.datetime
) -> Disbursement:
    """This will record the family's signed slip with its photo for a payment that arrived (P5).

    Raises SlipNeedsPhoto unless `photo` is a receipt slip in this family's own file that no other payment used.
    """
    locked = lock_disbursement(disbursement.pk)
    authorize(policies.can_confirm, actor, locked)
    if not slip.strip():
        raise BadInput(_("请填写家庭签字单的编号。"), field="slip")
    check_move(locked, Status.CONFIRMED, FORWARD)
    if (
        photo is None
        or photo.household_id != locked.household_id
        or photo.kind != Attachment.Kind.RECEIPT_SLIP
        or photo.erased_at is not None
        or Disbursement.objects.filter(slip_photo=photo).exists()
    ):
        raise SlipNeedsPhoto()
    _move(locked, actor, now, how=ConfirmedHow.SLIP, confirmed_by_slip=slip.strip()[:60], slip_photo=photo)
    return locked


def _move(item: Disbursement, actor: Actor, now: dt.datetime, *, how: str, **fields: Any) -> None:
    move(item, Status.CONFIRMED, forward=FORWARD, history=DisbursementStatusChange, actor=actor, now=now,
         confirmed_at=now, confirmed_how=how, **fields)  # fmt: skip
    note_confirmed(disbursement=item.pk)
