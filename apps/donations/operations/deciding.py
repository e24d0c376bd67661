"""The second person's word on a refund, and a cashier's bank transfer (G8, P9)."""

from __future__ import annotations

import datetime as dt
import json

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.core.crypto import decrypt, unwrap_data_key
from apps.core.errors import BadInput, PermissionRefused
from apps.core.events import publish
from apps.core.money import Money
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.core.transitions import check_move, move
from apps.donations import policies
from apps.donations.events import RefundDecided, RefundFailed, RefundPaid
from apps.donations.models import BankDetailsRead, Gift, Refund, RefundStatusChange
from apps.donations.operations.asking import BankDetails
from apps.donations.states import REFUND_FORWARD, RefundStatus, RefundWay
from apps.ledger.models import Entry
from apps.ledger.operations import hold_refund, release_refund, reverse_entry, settle_refund
from apps.ledger.states import AccountRole
from apps.payments.operations import open_refund
from apps.payments.ringing import ring_refunds


class RefundFourEyes(PermissionRefused):
    code = "refund_four_eyes"
    message = _("退款的申请人、批准人必须是两个人，付款人不能是批准人。请让另一位同事来办。")


@transaction.atomic
def approve_refund(*, actor: Actor, refund: Refund, now: dt.datetime) -> Refund:
    """This will approve a refund by a second person: its money is held on the gift's own lot, and the provider's refund
    is recorded as an intent, in one transaction. The call itself follows outside (payments.send_refunds).

    Raises RefundFourEyes, NotRefundable when the money was spent meanwhile, RefundWayClosed, PaymentDisputed.
    """
    locked = _lock(refund)
    _two_people(actor, locked.asked_by_id)
    authorize(policies.can_decide_refund, actor, locked)
    check_move(locked, RefundStatus.APPROVED, REFUND_FORWARD)
    gift = locked.gift
    assert gift.earmark_id is not None
    hold_refund(
        earmark=gift.earmark_id, origin=gift.pk, amount=locked.amount, purpose=purpose_of(locked), now=now
    )
    crash_point("donations.refund_held")
    if locked.way == RefundWay.PROVIDER:
        assert gift.payment is not None
        locked.payment_refund = open_refund(
            actor=actor, payment=gift.payment, purpose=purpose_of(locked), money=Money(locked.amount, locked.currency),
            now=now,
        )  # fmt: skip
    move(locked, RefundStatus.APPROVED, forward=REFUND_FORWARD, history=RefundStatusChange, actor=actor, now=now,
         decided_by_id=actor.person_id, decided_at=now, payment_refund=locked.payment_refund)  # fmt: skip
    publish(RefundDecided(refund_id=locked.pk, status=str(locked.status)))
    ring_refunds()
    return locked


@transaction.atomic
def refuse_refund(*, actor: Actor, refund: Refund, reason: str, now: dt.datetime) -> Refund:
    """This will refuse a refund with a reason that the donor reads. Raises BadInput without one."""
    locked = _lock(refund)
    _two_people(actor, locked.asked_by_id)
    authorize(policies.can_decide_refund, actor, locked)
    if not reason.strip():
        raise BadInput(_("请写明为什么不能退，捐赠人会看到。"), field="reason")
    move(locked, RefundStatus.REFUSED, forward=REFUND_FORWARD, history=RefundStatusChange, actor=actor, now=now,
         reason=reason.strip()[:300], decided_by_id=actor.person_id, decided_at=now,
         answer=reason.strip()[:300])  # fmt: skip
    publish(RefundDecided(refund_id=locked.pk, status=str(locked.status)))
    return locked


@transaction.atomic
def pay_bank_refund(
    *, actor: Actor, refund: Refund, reference: str, paid_at: dt.datetime, now: dt.datetime
) -> Refund:
    """This will record a bank refund as paid, with the bank's reference, by another person than the approver, and book
    it: Dr gift income / Cr bank. Raises RefundFourEyes, BadInput, WrongState."""
    locked = _lock(refund)
    _two_people(actor, locked.decided_by_id)
    authorize(policies.can_pay_refund, actor, locked)
    if locked.way != RefundWay.BANK or not reference.strip():
        raise BadInput(_("请填写银行回单的流水号。"), field="reference")
    if paid_at > now or locked.decided_at is None or paid_at < locked.decided_at - dt.timedelta(days=1):
        raise BadInput(_("付款日期不能在批准之前，也不能在今天之后。"), field="paid_on")
    check_move(locked, RefundStatus.PAID, REFUND_FORWARD)
    settle_refund(actor=actor, purpose=purpose_of(locked), key=f"{purpose_of(locked)}:bank", now=now,
                  effective_at=paid_at, channel="bank", out_of=AccountRole.BANK)  # fmt: skip
    move(locked, RefundStatus.PAID, forward=REFUND_FORWARD, history=RefundStatusChange, actor=actor, now=now,
         reason=reference.strip()[:60], payer_id=actor.person_id, paid_at=paid_at,
         bank_reference=reference.strip()[:60])  # fmt: skip
    publish(RefundPaid(refund_id=locked.pk))
    bump_epoch()
    return locked


@transaction.atomic
def fail_bank_refund(*, actor: Actor, refund: Refund, reason: str, now: dt.datetime) -> Refund:
    """This will record that a bank refund could not be made, or that the bank sent it back: what was held is free
    again, what was booked is reversed. Raises BadInput without a reason, WrongState."""
    locked = _lock(refund)
    authorize(policies.can_pay_refund, actor, locked)
    if locked.way != RefundWay.BANK or not reason.strip():
        raise BadInput(_("请写明银行为什么没有退成，捐赠人会看到。"), field="reason")
    check_move(locked, RefundStatus.FAILED, REFUND_FORWARD)
    if locked.status == RefundStatus.PAID:
        entry = Entry.objects.get(idempotency_key=f"{purpose_of(locked)}:bank")
        reverse_entry(actor=actor, entry=entry, key=f"{purpose_of(locked)}:bank_back", effective_at=now)
    else:
        release_refund(purpose=purpose_of(locked), now=now)
    move(locked, RefundStatus.FAILED, forward=REFUND_FORWARD, history=RefundStatusChange, actor=actor, now=now,
         reason=reason.strip()[:300], answer=reason.strip()[:300])  # fmt: skip
    publish(RefundFailed(refund_id=locked.pk))
    bump_epoch()
    return locked


@transaction.atomic
def read_bank_details(*, actor: Actor, refund: Refund, now: dt.datetime) -> BankDetails:
    """This will decrypt a bank refund's account for the cashier who pays it; the read leaves a row of its own."""
    locked = _lock(refund)
    authorize(policies.can_pay_refund, actor, locked)
    if locked.bank_details is None or locked.bank_key is None:
        raise BadInput(_("这笔退款没有收款账户。"))
    BankDetailsRead.objects.create(refund=locked, person=actor.person_id or 0, at=now)
    owner = f"refund:{locked.number}"
    key = unwrap_data_key(bytes(locked.bank_key), owner)
    return BankDetails(**json.loads(decrypt(key, bytes(locked.bank_details), f"{owner}:bank")))


def purpose_of(refund: Refund) -> str:
    """This will name a refund for the ledger and for payments."""
    return f"refund:{refund.pk}"


def _lock(refund: Refund) -> Refund:
    """The gift first, then its refund: the order in which a gift's facts are posted."""
    Gift.objects.select_for_update(of=("self",)).get(pk=refund.gift_id)
    return (
        Refund.objects.select_for_update(of=("self",))
        .select_related("gift__fund", "gift__payment")
        .get(pk=refund.pk)
    )


def _two_people(actor: Actor, other: int | None) -> None:
    if other is not None and actor.person_id == other:
        raise RefundFourEyes()
