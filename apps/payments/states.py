"""States of a payment.

    created ──> open ──> pending ──> paid
       │          ├────────────────────^  (late: money that arrives after expiry is still paid)
       └──> failed└──> expired ────────┘

Nothing leaves `paid`: what happens to the money later is a fact of its own (fee, refund, dispute).
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


class FactKind(models.TextChoices):
    SETTLED = "settled", _("到账")
    FEE = "fee", _("手续费")


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
