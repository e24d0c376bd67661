"""States of a report (D4).

    draft ──> submitted ──> assigned ──> under_audit ──> audited ──> published ──> superseded
                  ^  ^─(declined)┘            │
                  └──────── returned <────────┘

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
    AUDIT = "audit", _("与总账的衔接")


class Unit(models.TextChoices):
    FEN = "fen", _("分")
    HOUSEHOLDS = "households", _("户次")


class Opinion(models.TextChoices):
    UNQUALIFIED = "unqualified", _("无保留意见")
    QUALIFIED = "qualified", _("保留意见")
    ADVERSE = "adverse", _("否定意见")
    DISCLAIMER = "disclaimer", _("无法表示意见")


class Severity(models.TextChoices):
    MATERIAL = "material", _("影响意见")
    NOTE = "note", _("提醒")


_S = Status
EDITABLE = frozenset({_S.DRAFT, _S.RETURNED})
FINAL = frozenset({_S.PUBLISHED, _S.SUPERSEDED})
FORWARD: Forward = {
    _S.DRAFT: frozenset({_S.SUBMITTED}),
    _S.SUBMITTED: frozenset({_S.ASSIGNED}),
    _S.ASSIGNED: frozenset({_S.UNDER_AUDIT, _S.SUBMITTED}),
    _S.UNDER_AUDIT: frozenset({_S.RETURNED, _S.AUDITED}),
    _S.RETURNED: frozenset({_S.SUBMITTED}),
    _S.AUDITED: frozenset({_S.PUBLISHED}),
    _S.PUBLISHED: frozenset({_S.SUPERSEDED}),
}
