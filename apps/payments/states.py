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
