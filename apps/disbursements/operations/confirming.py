"""The family says that the money arrived (P5): by a one-time code of its own, or on a slip it signed, with a photo."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework.models import Attachment
from apps.casework.operations import open_phone
from apps.core import crypto
from apps.core.actors import Actor
from apps.core.errors import BadInput, Conflict, NotFound
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.transitions import check_move, move
from apps.disbursements import policies
from apps.disbursements.events import ConfirmationCodeAsked
from apps.disbursements.models import TRIES, ConfirmationCode, Disbursement, DisbursementStatusChange
from apps.disbursements.operations.deciding import lock_disbursement
from apps.disbursements.states import FORWARD, ConfirmedHow, Kind, Status
from apps.publication.releases import note_confirmed

LASTS = dt.timedelta(hours=72)
CODES_A_DAY = 3


class WrongCode(BadInput):
    code = "wrong_code"
    field = "code"

    def __init__(self, left: int) -> None:
        super().__init__(str(_("验证码不对。还可以试%(n)s次。")) % {"n": left})


class CodeOver(Conflict):
    code = "code_over"
    message = _("这个验证码已失效：用过、过期或试错太多次。请让社工重新发一个。")
    field = "code"


class TooManyCodes(Conflict):
    code = "too_many_codes"
    message = _("一天最多发三次验证码。请明天再发，或用签收单。")


class SlipNeedsPhoto(BadInput):
    code = "slip_needs_photo"
    message = _("签收单要附照片。请先把签收单拍照，传到这一家的档案里，再选它。")
    field = "photo"


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """What goes to the family's phone; it is nowhere kept."""

    phone: str
    digits: str
    token: str


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
    recent = ConfirmationCode.objects.filter(disbursement=locked, asked_at__gt=now - dt.timedelta(days=1))
    if recent.count() >= CODES_A_DAY:
        raise TooManyCodes()
    ConfirmationCode.objects.filter(disbursement=locked, used_at=None, expires_at__gt=now).update(
        expires_at=now
    )
    made = ConfirmationCode.objects.create(
        disbursement=locked, attempt=locked.attempts, asked_at=now, expires_at=now + LASTS
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
    phone = open_phone(
        actor=actor, household=item.household, reason=f"confirmation code {item.number}", now=now
    )
    digits = f"{secrets.randbelow(1_000_000):06d}"
    code.code_hash, code.sent_at, code.tries = _hash(code.token, digits), now, 0
    code.save(update_fields=["code_hash", "sent_at", "tries"])
    return CodeMessage(phone, digits, code.token)


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
        open_ = (
            code.sent_at is not None and code.used_at is None and code.expires_at > now and code.tries < TRIES
        )
        if not open_ or code.attempt != item.attempts or item.status != Status.PAID:
            raise CodeOver()
        code.tries += 1
        typed = "".join(digits.split())
        right = len(typed) == 6 and hmac.compare_digest(code.code_hash, _hash(code.token, typed))
        if right:
            code.used_at = now
            _move(item, actor, now, how=ConfirmedHow.CODE)
        code.save(update_fields=["tries", "used_at"])
    if not right:
        raise WrongCode(TRIES - code.tries) if code.tries < TRIES else CodeOver()
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


def _hash(token: str, digits: str) -> str:
    return crypto.blind_index("confirmation_code", f"{token}:{digits}")
