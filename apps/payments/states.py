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

A standing order (月捐); whatever the provider says last is so, until it has ended:

    created ──> open ──> active <──> past_due
       └──────────└──> expired ──> active   └──> ended
                         active <──> paused ──> ended
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


class BalancePart(models.TextChoices):
    GROSS = "gross", _("金额")
    FEE = "fee", _("手续费")


class BalanceKind(models.TextChoices):
    CHARGE = "charge", _("收款")
    REFUND = "refund", _("退款")
    DISPUTE = "dispute", _("拒付")
    PAYOUT = "payout", _("结算到银行")
    FEE = "fee", _("手续费")
    OTHER = "other", _("其他")


class PayoutStatus(models.TextChoices):
    PENDING = "pending", _("在路上")
    PAID = "paid", _("已到账")
    FAILED = "failed", _("被退回")


class Side(models.TextChoices):
    BANK = "bank", _("银行")
    PROVIDER = "provider", _("支付机构")


class DifferenceKind(models.TextChoices):
    THEIRS = "theirs", _("对方有，我们没有")
    OURS = "ours", _("我们有，对方没有")
    AMOUNT = "amount", _("金额不同")


class MatchedBy(models.TextChoices):
    KEY = "key", _("按编号")
    DAY = "day", _("按日期和金额")
    NEAR = "near", _("按金额和相近日期")
    HAND = "hand", _("出纳配对")


NEXT_STEP = {
    ("bank", "theirs"): _("银行有这一笔：是捐赠就导入名单，是结算或付款就与账上配对，否则说明原因。"),
    ("bank", "ours"): _("银行还没有这一笔：等下一份对账单；金额或日期记错就与银行那一笔配对，否则说明原因。"),
    ("bank", "amount"): _("两边金额不同：问银行或查原始凭证，说明原因；账错了由更正分录改，不改这里。"),
    ("provider", "theirs"): _("支付机构有这一笔：等通知入账（几分钟）；一直没有就查支付机构后台，说明原因。"),
    ("provider", "ours"): _("支付机构没有这一笔：查支付机构后台；确实没有就办更正，并说明原因。"),
    ("provider", "amount"): _("两边金额或币种不同：查支付机构后台的明细，说明原因。"),
}


class SubscriptionStatus(models.TextChoices):
    CREATED = "created", _("准备中")
    OPEN = "open", _("等待办理")
    ACTIVE = "active", _("每月捐赠中")
    PAST_DUE = "past_due", _("上次扣款未成功")
    PAUSED = "paused", _("已暂停")
    ENDED = "ended", _("已停止")
    EXPIRED = "expired", _("未办成")


_S = SubscriptionStatus
_LIVE = frozenset({_S.ACTIVE, _S.PAST_DUE, _S.PAUSED, _S.ENDED})
SUBSCRIPTION_FORWARD: Forward = {
    _S.CREATED: frozenset({_S.OPEN, _S.EXPIRED}) | _LIVE,
    _S.OPEN: frozenset({_S.EXPIRED}) | _LIVE,
    _S.EXPIRED: _LIVE,
    _S.ACTIVE: _LIVE - {_S.ACTIVE},
    _S.PAST_DUE: _LIVE - {_S.PAST_DUE},
    _S.PAUSED: _LIVE - {_S.PAUSED},
}


class OrderKind(models.TextChoices):
    AMOUNT = "amount", _("改金额")
    PAUSE = "pause", _("暂停")
    RESUME = "resume", _("恢复")
    STOP = "stop", _("停止")


class OrderStatus(models.TextChoices):
    WAITING = "waiting", _("办理中")
    DONE = "done", _("已办好")
    REFUSED = "refused", _("未办成")


class ChargeStatus(models.TextChoices):
    OPEN = "open", _("等待扣款")
    PAID = "paid", _("已扣款")
    FAILED = "failed", _("扣款失败")
