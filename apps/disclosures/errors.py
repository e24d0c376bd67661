from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import BadInput, Conflict, PermissionRefused


class NoDuty(Conflict):
    code = "no_duty"
    message = _(
        "这项义务现在没有要起草的报告：已经起草过，或由另一份报告覆盖。请从“要公布的报告”里重新打开。"
    )


class PeriodWrong(BadInput):
    code = "report_period_wrong"
    message = _("报告期截止日不对：不能早于报告期的第一天，也不能晚于今天。")
    field = "until"


class KindFromWrong(BadInput):
    code = "duty_kind_from_wrong"
    message = _("新的一行最早从明天起，并且要晚于现在这一行的开始日期。已经排出的期限不会变。")
    field = "effective_from"


class KindUnchanged(BadInput):
    code = "duty_kind_unchanged"
    message = _("和现在这一行没有区别。请改期限、是否审计、名称或依据。")


class KindDateWrong(BadInput):
    code = "duty_kind_date_wrong"
    message = _("期限不对：数字要大于零；年度报告要写次年的月和日。")


class KindEnded(Conflict):
    code = "duty_kind_ended"
    message = _("这种报告已经写明最后一天。请刷新页面再看。")


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


class OccurrenceWrong(BadInput):
    code = "occurrence_wrong"
    message = _("请写明是什么事，并填发生的日期（不能晚于今天）；金额不能是负数。")
    field = "title"


class NotDeclarable(BadInput):
    code = "not_declarable"
    message = _("这一天还没有这类事项的公开要求，请核对类型和日期。")
    field = "code"


class DraftChanged(Conflict):
    """Somebody else saved the draft in the meantime; what was typed is kept on the page."""

    code = "draft_changed"

    def __init__(self, who: str, at: str) -> None:
        said = str(
            _("没有保存：%(who)s在%(at)s改过这份草稿。您填的内容还在页面上，请对照后再保存，会以您的为准。")
        )
        super().__init__(said % {"who": who, "at": at})


class CorrectionOpen(Conflict):
    code = "correction_open"
    message = _("这份报告已经有一份更正在办，或已被更正。请打开那一份继续。")


class CorrectionEmpty(BadInput):
    code = "correction_empty"
    message = _("更正和原文没有不同。请先改动要更正的数字或文字。")
    field = "lines"


class FindingKept(Conflict):
    code = "finding_kept"
    message = _("这条发现已有往来记录，不能删去。问题解决了的，请标为已解决。")


class BadAttachment(BadInput):
    code = "bad_attachment"
    message = _("附件没有保存。请上传PDF或照片（JPEG、PNG），每个不超过15MB，一份报告最多20个。")
    field = "file"


class NotWithoutAudit(Conflict):
    code = "not_without_audit"
    message = _("这类报告要先经审计才能公布。")
