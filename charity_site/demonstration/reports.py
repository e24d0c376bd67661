"""The reports of the story: most published in time, one qualified because of a changed figure, one left overdue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from apps.core.actors import Actor, system
from apps.core.clock import SHANGHAI
from apps.disclosures import operations as op
from apps.disclosures.models import Duty, Report
from apps.disclosures.operations import LineInput
from apps.disclosures.states import Section
from apps.funds.models import Project
from charity_site.demonstration.story import City

ACTOR = system("demo")
PROGRESS = "implementation_progress"
QUALIFIED = ("shiqiao-homes", 1)
"""The report whose figure is changed, explained, and qualified by its auditor."""

OVERDUE = ("autumn-tuition", 1)
"""The report that nobody wrote, also after it was given more time, with all later ones of its project."""
MORE_TIME = "学校开学后才能取得在读证明，经核实同意延期三十天。"

WORDS = {
    "child-illness": "本期按申请先后发放大病救助金。社工两次入户核实医保报销后的自费部分，审核、批准和付款"
    "由不同的人办理。人数少的镇街并到全市公布。",
    "shiqiao-homes": "本期完成屋面更换和墙体加固，材料和人工都凭发票付款，镇里的工匠施工，验收合格后才付尾款。"
    "雨季停工九天，工期已顺延。",
    "autumn-tuition": "本期按大学、高中、初中三档标准发放助学金，名单由社工核实在读情况后提交，"
    "学费凭缴费通知发放。",
    "elder-meals": "本期为独居老人每天送一顿热饭，送餐员顺路查看老人情况，"
    "有异常当天报给社区。食材按周采购，凭发票付款。",
    "hengxi-flood": "本期为受灾家庭购置被褥和灶具，发放临时生活安置款，物资按登记名单当面签收。",
}
IN_ENGLISH = {
    "child-illness": "Aid for serious illness was paid in the order of application, after two visits to each family.",
    "shiqiao-homes": "Roofs were replaced and walls braced; every payment followed its invoice and inspection.",
    "autumn-tuition": "Tuition aid was paid at three fixed rates after enrolment was checked.",
    "elder-meals": "One warm meal a day was brought to elders living alone, with a look at how they are.",
    "hengxi-flood": "Bedding and stoves were bought for flooded families, and shelter was paid for.",
}
UNQUALIFIED_TEXT = "我们认为，本报告在所有重大方面公允反映了项目在报告期内的收入、支出和结余。"
QUALIFIED_TEXT = (
    "除“运输费截止期”一项外，我们认为本报告在所有重大方面公允反映了项目在报告期内的收入、支出和结余。"
)
SHIFTED = 48_000
"""Fen that the qualified report puts into another period."""


def publish_reports(city: City, projects: Mapping[str, Project]) -> None:
    """This will write, audit and publish the story's reports in the story's past, through the operations."""
    op.advance_duties(now=city.now)
    auditors = {city.staff[name].person_id: city.staff[name] for name in ("auditor1", "auditor2")}
    for slug in sorted(projects):
        duties = Duty.objects.filter(project=projects[slug], code=PROGRESS).order_by("n")
        for duty in duties:
            if (slug, duty.n) == OVERDUE:
                op.extend_duty(
                    actor=city.staff["supervisor"], duty=duty, until=duty.due_on + dt.timedelta(days=30),
                    reason=MORE_TIME, now=at(duty.due_on, -3, 10),
                )  # fmt: skip
            if (slug, duty.n) == OVERDUE or at(duty.due_on, -2, 17) >= city.now:
                break
            _publish(city, slug, duty, auditors)


def _publish(city: City, slug: str, duty: Duty, auditors: Mapping[int | None, Actor]) -> Report:
    written, until = at(duty.due_on, -9, 10), duty.due_on - dt.timedelta(days=10)
    qualified = (slug, duty.n) == QUALIFIED
    assert duty.project is not None
    partner = duty.project.partner_id
    officer = city.staff[f"officer1.partner{partner}" if partner else "officer1"]
    report = op.start_report(actor=officer, duty=duty, until=until, now=written)
    op.submit_report(
        actor=officer, report=report, narrative=WORDS[slug], narrative_en=IN_ENGLISH[slug],
        lines=_lines(report, qualified), now=at(duty.due_on, -8, 16),
    )  # fmt: skip
    audit = op.draw_auditor(actor=ACTOR, report=report, now=at(duty.due_on, -8, 17))
    who = auditors[audit.auditor_id]
    op.accept_audit(actor=who, report=report, now=at(duty.due_on, -7, 9))
    findings = []
    if qualified:
        findings.append(
            op.add_finding(
                actor=who,
                report=report,
                severity="material",
                title="运输费截止期",
                text="一笔¥480.00的吊装和短途运输费在报告期内付款，机构列入了下一期。应按付款日计入。",
                now=at(duty.due_on, -5, 15),
            )
        )
    op.give_opinion(
        actor=who, report=report, opinion="qualified" if qualified else "unqualified",
        text=QUALIFIED_TEXT if qualified else UNQUALIFIED_TEXT, now=at(duty.due_on, -4, 16),
    )  # fmt: skip
    for finding in findings:
        op.reply_finding(
            actor=officer,
            finding=finding,
            reply="同意。以后按付款日列报，下一期不再重复计入。",
            now=at(duty.due_on, -3, 10),
        )
    return op.publish_report(actor=city.staff["manager1"], report=report, now=at(duty.due_on, -2, 17))


def _lines(report: Report, changed: bool) -> dict[tuple[str, str], LineInput]:
    lines = {
        (line.section, line.key): LineInput(line.computed)
        for line in report.lines.exclude(section=Section.AUDIT)
    }
    first = report.lines.filter(section=Section.SPENDING, key="line:labour", computed__gt=SHIFTED).first()
    if changed and first:
        lines[first.section, first.key] = LineInput(
            first.computed - SHIFTED, "一笔吊装和短途运输费¥480.00，凭证月底才收到，机构列入下一期。"
        )
    return lines


def at(day: dt.date, days: int, hour: int) -> dt.datetime:
    """This will give an hour of the day that lies `days` from a day."""
    return dt.datetime.combine(day + dt.timedelta(days=days), dt.time(hour), tzinfo=SHANGHAI)
