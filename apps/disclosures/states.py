"""States of a report (D4).

    draft ──> submitted ──> assigned ──> under_audit ──> audited ──> published ──> superseded
                ^  │ ^─(declined)┘            │                         ^
                │  ├──── returned <───────────┘                         │
                │  └──(kinds without audit: by the manager, opinion "none")┘
                └── returned, by the auditor or (without audit) by the manager

A correction is a report of its own with the same way to go: `corrects` names the one it takes the place of, which is
`superseded` from the correction's publication on and stays at its address.

A report that is returned goes back to the same auditor: nobody can shop for an opinion. From `submitted` on figures and
text stand still, and from `published` on nothing of it changes; the database refuses both (models.reports).
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.transitions import Forward


class Status(models.TextChoices):
    DRAFT = "draft", _("草稿")
    SUBMITTED = "submitted", _("已提交，待抽取审计")
    ASSIGNED = "assigned", _("已抽取审计")
    UNDER_AUDIT = "under_audit", _("审计中")
    RETURNED = "returned", _("退回修改")
    AUDITED = "audited", _("已审计，待公布")
    PUBLISHED = "published", _("已公布")
    SUPERSEDED = "superseded", _("已被更正")


class Section(models.TextChoices):
    """`balance` holds what is neither income nor spending; `audit` is for the auditor only (D3)."""

    INCOME = "income", _("收入")
    SPENDING = "spending", _("支出")
    BALANCE = "balance", _("结余")
    PEOPLE = "people", _("受益")
    PLAN = "plan", _("募捐方案")
    GOODS = "goods", _("物资")
    FACTS = "facts", _("申报事项")
    SHEET = "sheet", _("资产负债表")
    ACTIVITY = "activity", _("业务活动表")
    CASHFLOW = "cash", _("现金流量表")
    AUDIT = "audit", _("与总账的衔接")


class Unit(models.TextChoices):
    FEN = "fen", _("分")
    HOUSEHOLDS = "households", _("户次")
    COUNT = "count", _("个")
    QUANTITY = "quantity", _("计量单位的千分之一")
    """Goods: thousandths of the unit of measure that the line's label names."""


class Opinion(models.TextChoices):
    UNQUALIFIED = "unqualified", _("无保留意见")
    QUALIFIED = "qualified", _("保留意见")
    ADVERSE = "adverse", _("否定意见")
    DISCLAIMER = "disclaimer", _("无法表示意见")


class Severity(models.TextChoices):
    MATERIAL = "material", _("影响意见")
    MINOR = "minor", _("一般")
    NOTE = "note", _("提醒")


class SampleResult(models.TextChoices):
    """What the auditor found at a drawn payment."""

    FINE = "fine", _("凭证齐全")
    FAULT = "fault", _("有问题")


class Scope(models.TextChoices):
    """What a kind of report is about."""

    PROJECT = "project", _("项目")
    ORGANIZATION = "organization", _("机构")


class Trigger(models.TextChoices):
    """What begins a duty (D1)."""

    CAMPAIGN_FILED = "campaign_filed", _("募捐方案备案")
    CAMPAIGN_BEGAN = "campaign_began", _("开始募捐")
    CAMPAIGN_ENDED = "campaign_ended", _("募捐结束")
    IMPLEMENTATION_BEGAN = "implementation_began", _("项目开始实施（第一笔付款或开始执行）")
    PROJECT_COMPLETED = "project_completed", _("项目完成")
    YEAR_ENDED = "year_ended", _("年度结束")
    GOODS_RECEIVED = "goods_received", _("收到物资的年度结束")
    DECLARED = "declared", _("机构申报的事项发生")
    CORRECTION_ORDERED = "correction_ordered", _("发现已公布的内容有误")


class Applies(models.TextChoices):
    """For whom a kind counts."""

    EVERY = "every", _("全部")
    LONG = "long", _("期限超过6个月的")
    EMERGENCY = "emergency", _("应急募捐")
    PARTNER = "partner", _("有合作方的")
    SURPLUS = "surplus", _("有剩余财产的")
    LICENSED = "licensed", _("有公开募捐资格的机构")
    UNLICENSED = "unlicensed", _("没有公开募捐资格的机构")
    TRUST = "trust", _("设立了慈善信托的机构")


class Rule(models.TextChoices):
    """How the date is counted; months are calendar months of Asia/Shanghai."""

    EVERY_MONTHS = "every_months", _("每满几个月")
    EVERY_DAYS = "every_days", _("每满几天")
    MONTHS_AFTER = "months_after", _("之后几个月内")
    DAYS_AFTER = "days_after", _("之后几天内")
    WORKING_DAYS_AFTER = "working_days_after", _("之后几个工作日内")
    YEARLY_BY = "yearly_by", _("次年某日之前")


RECURRING = frozenset({Rule.EVERY_MONTHS, Rule.EVERY_DAYS})
REMIND_BEFORE = (30, 14, 7, 1)
"""Days before a date on which its organization is reminded (D2)."""


_S = Status
EDITABLE = frozenset({_S.DRAFT, _S.RETURNED})
FINAL = frozenset({_S.PUBLISHED, _S.SUPERSEDED})
FORWARD: Forward = {
    _S.DRAFT: frozenset({_S.SUBMITTED}),
    _S.SUBMITTED: frozenset({_S.ASSIGNED, _S.RETURNED, _S.PUBLISHED}),
    _S.ASSIGNED: frozenset({_S.UNDER_AUDIT, _S.SUBMITTED}),
    _S.UNDER_AUDIT: frozenset({_S.RETURNED, _S.AUDITED}),
    _S.RETURNED: frozenset({_S.SUBMITTED}),
    _S.AUDITED: frozenset({_S.PUBLISHED}),
    _S.PUBLISHED: frozenset({_S.SUPERSEDED}),
}

ATTACHMENT_TYPES = ("application/pdf", "image/jpeg")
STATEMENTS = (Section.SHEET, Section.ACTIVITY, Section.CASHFLOW)
