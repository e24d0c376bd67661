"""Asking for a gift back: by the donor through the gift's address, or by an officer or cashier (G8)."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.crypto import encrypt, new_data_key, unwrap_data_key
from apps.core.errors import BadInput, Conflict, DomainError, WrongState
from apps.core.events import publish
from apps.core.money import Money, format_money
from apps.core.policies import authorize
from apps.core.transitions import move, note_status
from apps.donations import policies
from apps.donations.events import RefundRequested
from apps.donations.models import Gift, Refund, RefundStatusChange
from apps.donations.queries import refund_offer
from apps.donations.states import REFUND_FORWARD, GiftStatus, RefundSource, RefundStatus, RefundWay


class PastRefundable(DomainError):
    """More than can be given back; `left` is what can, in minor units."""

    code = "past_refundable"
    field = "amount"

    def __init__(self, left: Money) -> None:
        self.left = left
        if left:
            text = _("现在最多能退%(left)s。已经使用的、手续费和正在退的不能再退。请改成不超过它的金额。")
        else:
            text = _("这笔捐赠已经没有能退的钱：它已经使用，或已经退回。去向在捐赠页上，算到分。")
        super().__init__(str(text) % {"left": format_money(left)} if left else text)


class RefundWaiting(Conflict):
    code = "refund_waiting"
    message = _("这笔捐赠已经有一个退款申请在等批准。请等它有结果，或先撤回它。")


class RefusedLately(Conflict):
    """A donor may not read from refusals what of the money is under way; staff can still ask for them."""

    code = "refund_refused_lately"
    message = _(
        "这笔捐赠的退款申请30天内被拒绝过，现在不能再提交。情况有变化的，请联系慈善总会，由工作人员代为申请；或30天后再试。"
    )


REFUSAL_STANDS = dt.timedelta(days=30)


class GiftDisputed(Conflict):
    code = "gift_disputed"
    message = _("付款人已经向银行提出争议，银行会处理这笔钱。争议结束之前不能退款，以免退两次。")


class WrongRefundWay(BadInput):
    code = "wrong_refund_way"
    field = "way"

    def __init__(self, *, to_bank: bool) -> None:
        if to_bank:
            super().__init__(_("不能再经原支付渠道退回。请填写收款账户，由出纳转账退款。"))
        else:
            super().__init__(_("还可以经原支付渠道退回，不用填写收款账户。请选“原路退回”。"))


@dataclass(frozen=True, slots=True)
class BankDetails:
    """Where a bank refund goes. Kept encrypted; nobody but the cashier who pays reads it."""

    holder: str
    bank: str
    account: str


@transaction.atomic
def ask_refund(
    *, actor: Actor, gift: Gift, money: Money, reason: str, now: dt.datetime, by_staff: bool = False,
    bank: BankDetails | None = None,
) -> Refund:  # fmt: skip
    """This will record a request to give a gift back, whole or in part; nothing is held and no money moves yet (G8).

    `money` in minor units of the gift's currency; `bank` only where the provider's way is closed. Staff can ask for
    what is neither spent nor held. A donor can ask for what the gift's page shows as unspent: where aid without a
    release has used part of it, a person decides, and no answer here depends on it (C4). Raises PastRefundable,
    WrongRefundWay, RefundWaiting, RefusedLately, GiftDisputed, WrongState.
    """
    if by_staff:
        authorize(policies.can_ask_refund, actor, gift)
    else:
        authorize(policies.can_ask_own_refund, actor)
    locked = Gift.objects.select_for_update(of=("self",)).select_related("payment", "earmark").get(pk=gift.pk)
    if locked.status != GiftStatus.RECEIVED:
        raise WrongState(_("这笔捐赠还没有到账，没有可以退的钱。"))
    waiting = Refund.objects.filter(gift=locked, status=RefundStatus.REQUESTED).first()
    if waiting:
        if (waiting.amount, waiting.source) == (money.minor, _source(by_staff)):
            return waiting  # a double click
        raise RefundWaiting()
    refused = Refund.objects.filter(
        gift=locked,
        source=RefundSource.DONOR,
        status=RefundStatus.REFUSED,
        decided_at__gt=now - REFUSAL_STANDS,
    )
    if not by_staff and refused.exists():
        raise RefusedLately()
    offer = refund_offer(locked, now, inside=by_staff)
    if offer.disputed:
        raise GiftDisputed()
    if (bank is None) is not offer.through_provider:
        raise WrongRefundWay(to_bank=not offer.through_provider)
    if money.currency != locked.currency or money.minor <= 0 or money.minor > offer.amount:
        raise PastRefundable(Money(max(offer.amount, 0), locked.currency))
    number = f"R-{civil_day(now):%y%m}-{secrets.token_hex(3)}"
    refund = Refund.objects.create(
        number=number, gift=locked, source=_source(by_staff), way=RefundWay.BANK if bank else RefundWay.PROVIDER,
        amount=money.minor, currency=money.currency, reason=reason.strip()[:300], asked_at=now,
        asked_by_id=actor.person_id if by_staff else None, **_sealed(number, bank),
    )  # fmt: skip
    note_status(refund, "", history=RefundStatusChange, actor=actor, now=now, reason=refund.reason)
    publish(RefundRequested(refund_id=refund.pk))
    return refund


@transaction.atomic
def withdraw_refund(*, actor: Actor, refund: Refund, now: dt.datetime) -> Refund:
    """This will take a request back before anybody decided; raises WrongState afterwards."""
    locked = Refund.objects.select_for_update(of=("self",)).select_related("gift__fund").get(pk=refund.pk)
    if locked.asked_by_id is None:
        authorize(policies.can_ask_own_refund, actor)
    else:
        authorize(policies.can_withdraw_refund, actor, locked)
    move(
        locked,
        RefundStatus.WITHDRAWN,
        forward=REFUND_FORWARD,
        history=RefundStatusChange,
        actor=actor,
        now=now,
    )
    return locked


def _source(by_staff: bool) -> str:
    return RefundSource.STAFF if by_staff else RefundSource.DONOR


def _sealed(number: str, bank: BankDetails | None) -> dict[str, bytes | str]:
    if bank is None:
        return {}
    account = "".join(bank.account.split()).replace("-", "")
    if not (account.isdigit() and 8 <= len(account) <= 30):
        raise BadInput(_("银行账号是8到30位数字，请核对。"), field="account")
    if not bank.holder.strip() or not bank.bank.strip():
        raise BadInput(_("请填写收款人户名和开户银行。"), field="holder")
    wrapped = new_data_key(f"refund:{number}")
    words = json.dumps(asdict(BankDetails(bank.holder.strip()[:60], bank.bank.strip()[:80], account)))
    sealed = encrypt(unwrap_data_key(wrapped, f"refund:{number}"), words, f"refund:{number}:bank")
    return {"bank_key": wrapped, "bank_details": sealed, "account_tail": account[-4:]}
