"""States of a payment.

    created ──> open ──> pending ──> paid
       │          ├────────────────────^  (late: money that arrives after expiry is still paid)
       └──> failed└──> expired ────────┘

Nothing leaves `paid`: what happens to the money later is a fact of its own (fee, refund, dispute).

A refund as its provider has it (the provider may still report a paid one as failed: the money came back):

    created ──> sent ──> succeeded ──> failed
       └────────┴─────────────────────────^

A dispute (an inquiry moves no money):

    inquiry ──> open ──> won | lost
       └──────────────── closed
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.transitions import Forward


class PaymentStatus(models.TextChoices):
    CREATED = "created", _("准备中")
    OPEN = "open", _("等待付款")
    PENDING = "pending", _("等待到账")
    PAID = "paid", _("已到账")
    EXPIRED = "expired", _("已过期")
    FAILED = "failed", _("未成功")


_P = PaymentStatus
FORWARD: Forward = {
    _P.CREATED: frozenset({_P.OPEN, _P.FAILED, _P.EXPIRED, _P.PAID, _P.PENDING}),
    _P.OPEN: frozenset({_P.PENDING, _P.PAID, _P.EXPIRED, _P.FAILED}),
    _P.PENDING: frozenset({_P.PAID, _P.FAILED, _P.EXPIRED}),
    _P.EXPIRED: frozenset({_P.PAID}),
    _P.FAILED: frozenset({_P.PAID}),
}
WAITING = frozenset({_P.CREATED, _P.OPEN, _P.PENDING})


class RefundStatus(models.TextChoices):
    CREATED = "created", _("准备发送")
    SENT = "sent", _("支付渠道办理中")
    SUCCEEDED = "succeeded", _("已退回")
    FAILED = "failed", _("未退成")


_R = RefundStatus
REFUND_FORWARD: Forward = {
    _R.CREATED: frozenset({_R.SENT, _R.SUCCEEDED, _R.FAILED}),
    _R.SENT: frozenset({_R.SUCCEEDED, _R.FAILED}),
    _R.SUCCEEDED: frozenset({_R.FAILED}),
}


class RefundSource(models.TextChoices):
    OWN = "own", _("本站发起")
    PROVIDER = "provider", _("在支付渠道后台发起")


class DisputeStatus(models.TextChoices):
    INQUIRY = "inquiry", _("银行询问，未扣款")
    OPEN = "open", _("争议处理中")
    WON = "won", _("胜诉")
    LOST = "lost", _("败诉")
    CLOSED = "closed", _("询问已结束")


_D = DisputeStatus
DISPUTE_FORWARD: Forward = {
    _D.INQUIRY: frozenset({_D.OPEN, _D.WON, _D.LOST, _D.CLOSED}),
    _D.OPEN: frozenset({_D.WON, _D.LOST, _D.CLOSED}),
    _D.CLOSED: frozenset({_D.OPEN, _D.WON, _D.LOST}),
    _D.LOST: frozenset({_D.WON}),
}
"""A lost dispute may still be won in arbitration; a closed inquiry may become a dispute. Nothing leaves `won`."""


class Subject(models.TextChoices):
    """What a provider's event speaks of; each subject has its route (operations/routing.py). `` is ignored."""

    PAYMENT = "payment", _("付款")
    REFUND = "refund", _("退款")
    DISPUTE = "dispute", _("争议")
    SUBSCRIPTION = "subscription", _("月捐")
    PAYOUT = "payout", _("结算")


class FactKind(models.TextChoices):
    SETTLED = "settled", _("到账")
    FEE = "fee", _("手续费")
    FEE_BACK = "fee_back", _("手续费返还")
    REFUND = "refund", _("退款")
    REFUND_BACK = "refund_back", _("退款被退回")
    DISPUTE = "dispute", _("争议扣款")
    DISPUTE_BACK = "dispute_back", _("争议返还")


class Method(models.TextChoices):
    CARD = "card", _("银行卡")
    ALIPAY = "alipay", _("支付宝")
    WECHAT_PAY = "wechat_pay", _("微信支付")
