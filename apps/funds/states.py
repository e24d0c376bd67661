"""States of a project (F3).

    draft ──> in_review ──> filed ──> raising ──> closed ──> executing ──> completed
      ^           │            └──────────┴──────────┴───────────┤
      └─ rejected ┘                   suspended <──> (back to where it was)

Only `raising` accepts gifts; aid and expenses are possible in raising, closed and executing. The page
exists from filed.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.transitions import Forward


class Category(models.TextChoices):
    ILLNESS = "illness", _("大病")
    EDUCATION = "education", _("教育")
    HOUSING = "housing", _("危房")
    ELDERLY = "elderly", _("助老")
    CHILDREN = "children", _("儿童")
    DISABILITY = "disability", _("助残")
    EMERGENCY = "emergency", _("应急")
    COMMUNITY = "community", _("社区")


class ProjectStatus(models.TextChoices):
    DRAFT = "draft", _("草稿")
    IN_REVIEW = "in_review", _("审核中")
    REJECTED = "rejected", _("已退回")
    FILED = "filed", _("已备案")
    RAISING = "raising", _("募捐中")
    CLOSED = "closed", _("募捐结束")
    EXECUTING = "executing", _("执行中")
    COMPLETED = "completed", _("已完成")
    SUSPENDED = "suspended", _("已暂停")


class CostKind(models.TextChoices):
    PROGRAMME = "programme", _("业务活动成本")
    MANAGEMENT = "management", _("管理费用")
    FUNDRAISING = "fundraising", _("筹资费用")


_S = ProjectStatus
LIVE = frozenset({_S.FILED, _S.RAISING, _S.CLOSED, _S.EXECUTING})
SPENDABLE = frozenset({_S.RAISING, _S.CLOSED, _S.EXECUTING})
PUBLIC = LIVE | {_S.COMPLETED, _S.SUSPENDED}

FORWARD: Forward = {
    _S.DRAFT: frozenset({_S.IN_REVIEW}),
    _S.IN_REVIEW: frozenset({_S.FILED, _S.REJECTED}),
    _S.REJECTED: frozenset({_S.DRAFT}),
    _S.FILED: frozenset({_S.RAISING, _S.SUSPENDED}),
    _S.RAISING: frozenset({_S.CLOSED, _S.SUSPENDED}),
    _S.CLOSED: frozenset({_S.EXECUTING, _S.SUSPENDED}),
    _S.EXECUTING: frozenset({_S.COMPLETED, _S.SUSPENDED}),
    _S.SUSPENDED: LIVE,
}
