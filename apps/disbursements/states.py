"""States of a payment to a family or a supplier (P1).

applied ──> verified ──> approved ──> paying ──> paid ──> confirmed
   │            │  ^────────┤ (bank account changed)  │
   └─> rejected <───────────┘          └──> returned <┘   returned ──> paying | verified | rejected
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.transitions import Forward


class Kind(models.TextChoices):
    AID = "aid", _("救助金")
    EXPENSE = "expense", _("项目支出")


class Status(models.TextChoices):
    APPLIED = "applied", _("已申请")
    VERIFIED = "verified", _("已审核")
    APPROVED = "approved", _("已批准")
    PAYING = "paying", _("付款中")
    PAID = "paid", _("已付款")
    CONFIRMED = "confirmed", _("已确认")
    RETURNED = "returned", _("银行退回")
    REJECTED = "rejected", _("未通过")


_S = Status
FORWARD: Forward = {
    _S.APPLIED: frozenset({_S.VERIFIED, _S.REJECTED}),
    _S.VERIFIED: frozenset({_S.APPROVED, _S.REJECTED}),
    _S.APPROVED: frozenset({_S.PAYING, _S.VERIFIED, _S.REJECTED}),
    _S.PAYING: frozenset({_S.PAID, _S.RETURNED}),
    _S.PAID: frozenset({_S.CONFIRMED, _S.RETURNED}),
    _S.CONFIRMED: frozenset({_S.RETURNED}),
    _S.RETURNED: frozenset({_S.PAYING, _S.VERIFIED, _S.REJECTED}),
}


class LineResult(models.TextChoices):
    WAITING = "", _("等待银行结果")
    PAID = "paid", _("已付")
    RETURNED = "returned", _("退回")
