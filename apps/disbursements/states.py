"""States of a payment to a family or a supplier (P1).

applied ──> verified ──> approved ──> paying ──> paid ──> confirmed
   │            │  ^────────┤ (bank account changed)  │
   └─> rejected <───────────┘          └──> returned <┘   returned ──> paying | verified | rejected
                                       paid, confirmed ──> reversed (clawed back whole, two people;
                                                                               in part: the rest stays paid)
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
    REVERSED = "reversed", _("已追回")


_S = Status
FORWARD: Forward = {
    _S.APPLIED: frozenset({_S.VERIFIED, _S.REJECTED}),
    _S.VERIFIED: frozenset({_S.APPROVED, _S.REJECTED}),
    _S.APPROVED: frozenset({_S.PAYING, _S.VERIFIED, _S.REJECTED}),
    _S.PAYING: frozenset({_S.PAID, _S.RETURNED}),
    _S.PAID: frozenset({_S.CONFIRMED, _S.RETURNED, _S.REVERSED}),
    _S.CONFIRMED: frozenset({_S.RETURNED, _S.REVERSED}),
    _S.RETURNED: frozenset({_S.PAYING, _S.VERIFIED, _S.REJECTED}),
}


class LineResult(models.TextChoices):
    WAITING = "", _("等待银行结果")
    PAID = "paid", _("已付")
    RETURNED = "returned", _("退回")


class Layout(models.TextChoices):
    """The bank's file layouts (P4)."""

    GENERAL = "general", _("通用对公转账")
    PAYROLL = "payroll", _("批量代发")


class ConfirmedHow(models.TextChoices):
    """How a family's confirmation came (P5)."""

    CODE = "code", _("一次性验证码")
    SLIP = "slip", _("签收单和照片")


class UndoKind(models.TextChoices):
    """Why a paid disbursement is taken back: both need two people."""

    RETURNED = "returned", _("银行退回")
    CLAW_BACK = "clawback", _("追回")


class FlagKind(models.TextChoices):
    """What a verifier and an approver must look at and answer (P6)."""

    SAME_ACCOUNT = "account", _("同一收款账户出现在几份档案里")
    SAME_ATTACHMENT = "attachment", _("同一份材料用过不止一次")
    FIRST_PAYMENT = "first", _("第一次付到这个账户")
    ABOVE_USUAL = "above", _("金额高于这一家以往")
    STAFF_RELATION = "staff", _("申报了与工作人员的关系")
    DONOR_IS_FAMILY = "donor", _("捐赠人和受助人可能是同一人")
    DUPLICATE_AID = "duplicate", _("十二个月内另有救助")


class AidKind(models.TextChoices):
    """The assistance centres (C6)."""

    ILLNESS = "illness", _("大病救助")
    HOUSING = "housing", _("危房救助")
    EDUCATION = "education", _("教育救助")
    TEMPORARY = "temporary", _("临时救助")


KIND_OF_CATEGORY = {
    "illness": AidKind.ILLNESS,
    "housing": AidKind.HOUSING,
    "education": AidKind.EDUCATION,
    "emergency": AidKind.TEMPORARY,
}
"""Which centre's rules decide aid of a project's category; other categories have no table."""


class RowKind(models.TextChoices):
    """What a row of a rule table says."""

    LEVEL = "level", _("学段金额")
    BAND = "band", _("自付分段")
    CAP = "cap", _("每户每年上限")
    GRADE = "grade", _("危房等级")
    STAGE = "stage", _("分期")
    TIER = "tier", _("类别上限")


class RuleStatus(models.TextChoices):
    DRAFT = "draft", _("草稿")
    PUBLISHED = "published", _("已发布")
