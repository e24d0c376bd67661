from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput, Conflict, PermissionRefused


class NoDuty(Conflict):
    code = "no_duty"
    message = _("这个项目现在没有要写的报告。第一笔付款或开始执行之后，系统会自动排出报告和期限。")


class PeriodWrong(BadInput):
    code = "report_period_wrong"
    message = _("报告期截止日不对：不能早于报告期的第一天，也不能晚于今天。")
    field = "until"


class DifferenceUnexplained(BadInput):
    code = "difference_unexplained"

    def __init__(self, labels: list[str]) -> None:
        said = str(_("没有提交。这些数和账面数不一致，请逐项写明原因，或改回账面数：%(labels)s。"))
        super().__init__(said % {"labels": "、".join(labels)}, field="lines")
        self.labels = labels


class FiguresMissing(BadInput):
    code = "figures_missing"
    message = _("提交的数字和报告的栏目对不上。请刷新页面后再填。")
    field = "lines"


class NarrativeMissing(BadInput):
    code = "narrative_missing"
    message = _("请写出这一期做了什么、帮了谁、遇到什么问题，至少20个字。")
    field = "narrative"


class NoIndependentAuditor(Conflict):
    code = "no_independent_auditor"
    message = _("没有独立的审计机构可以抽取。请民政局登记更多审计机构，或核对关联关系。")


class NotTheAuditor(PermissionRefused):
    code = "not_the_auditor"
    message = _("这份报告抽到的不是您。只有抽中的审计师本人能办理。")


class FindingMissing(BadInput):
    code = "finding_missing"
    message = _("保留、否定和无法表示意见，都要至少写明一条影响意见的审计发现。")
    field = "opinion"


class OpinionMissing(BadInput):
    code = "opinion_missing"
    message = _("请选择意见类型，并写出意见全文。")
    field = "opinion"


class ReasonMissing(BadInput):
    code = "reason_missing"
    message = _("请写明理由。")
    field = "reason"


class SameHands(PermissionRefused):
    code = "report_same_hands"
    message = _("报告是您起草的，要由另一位负责人公布。")


class ExtensionWrong(BadInput):
    code = "extension_wrong"
    message = _("新的期限要晚于原来的期限，并写明公开的理由。")
    field = "until"
