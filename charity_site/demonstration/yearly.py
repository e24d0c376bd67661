"""The story's other reports: plans, campaigns, emergency lists, each charity's yearly ones: one late, one extended, one
published days after its date, one corrected.

Everything that needs no story of its own is written as the books have it and published two days before its date.
"""

from __future__ import annotations

import datetime as dt

from apps.core.actors import Actor
from apps.disclosures import operations as op
from apps.disclosures.models import Duty, Report
from apps.disclosures.operations import LineInput
from apps.disclosures.states import Section, Status
from apps.organizations.models import Organization
from charity_site.demonstration.reports import ACTOR, PROGRESS, UNQUALIFIED_TEXT, at
from charity_site.demonstration.story import City

LATE = ("anju", "annual_accounts_unlicensed")
EXTENDED = ("qihang", "annual_accounts_unlicensed")
EXTENSION_REASON = "会计师事务所更换，审计底稿移交需要时间，经核实同意延期。"
MENDED = ("elder-meals", "fundraising_result")
"""The report that came days after its date: its lateness stays written down."""
MENDED_AFTER = 6
CORRECTED = "child-illness"
"""The project whose first progress report is corrected."""
CORRECTION_REASON = "原文把入户核实写成一次，实际每户两次，经社工记录核对后更正。"

WORDS = {
    "fundraising_plan": "本方案已向民政部门备案，目标、预算、期限、受益人和剩余财产处理照备案公布。",
    "fundraising_progress": "本期募捐按备案方案进行，捐款全部进入总会账户，各渠道收入和手续费按总账列示。",
    "emergency_receipts": "本期应急募捐收到的款项和已公布的使用按总账列示，被褥、灶具和安置款按登记名单发放签收。",
    "fundraising_result": "募捐已经结束，收入和已公布的使用按总账列示，未使用的款项按方案继续用于本项目。",
    "partner_evaluation": "合作方按合同执行，预算科目没有超支，签收和发票齐全；对方按期提交了报告。",
    "annual_work_report": "本年度按章程和备案方案开展活动，理事会召开四次会议，接受了民政部门的年度检查。",
    "annual_accounts": "本年度财务会计报告由总账生成，经独立会计师事务所审计，报表附注见附件。",
    "annual_accounts_unlicensed": "本机构的会计报表由自己的账套编制，在本站没有账套，金额见附件。",
    "major_projects": "上年度没有达到重大项目标准的项目，合作执行的项目由总会的项目页公开。",
}
ENGLISH = "Written as the books have it; figures and sources stand in the table below."


def publish_other_reports(city: City) -> None:
    """This will publish what else the story owes: one stays late, one is extended, one corrected."""
    # Last year's reports are owed only now: earlier the clock would have found them late (F7).
    Organization.objects.update(first_report_year=city.now.year - 1)
    op.advance_duties(now=city.now)
    codes = {partner.pk: code for code, partner in city.partners.items()}
    rows = Duty.objects.exclude(code=PROGRESS).filter(fulfilled_on=None, lapsed_on=None)
    for duty in rows.select_related("kind", "project", "organization").order_by("due_on", "id"):
        if at(duty.due_on, -2, 17) >= city.now or duty.code not in WORDS:
            continue
        story = (codes.get(duty.organization_id, ""), duty.code)
        if story == EXTENDED:
            op.extend_duty(
                actor=city.staff["supervisor"], duty=duty, until=city.now.date() + dt.timedelta(days=37),
                reason=EXTENSION_REASON, now=at(duty.due_on, -5, 10),
            )  # fmt: skip
        elif story != LATE:
            mended = duty.project is not None and (duty.project.slug, duty.code) == MENDED
            _publish(city, duty, days=MENDED_AFTER if mended else -2)
    _correct(city)
    op.note_lateness(now=city.now)


def _publish(city: City, duty: Duty, *, days: int) -> Report:
    """Write a report two days before it is published, `days` from its date."""
    written = at(duty.due_on, days - 2, 10)
    officer, manager = _people(city, duty)
    report = op.start_report(actor=officer, duty=duty, now=written)
    op.submit_report(
        actor=officer, report=report, narrative=WORDS[duty.code], narrative_en=ENGLISH,
        lines=_as_computed(report), now=written,
    )  # fmt: skip
    if duty.kind.audited:
        _audit(city, report, at(duty.due_on, days - 1, 9))
    return op.publish_report(actor=manager, report=report, now=at(duty.due_on, days, 17))


def _people(city: City, duty: Duty) -> tuple[Actor, Actor]:
    owner = duty.organization_id
    partner = owner if any(owner == each.pk for each in city.partners.values()) else None
    officer = city.staff[f"officer1.partner{partner}" if partner else "officer1"]
    own = duty.project_id is None and partner
    return officer, city.staff[f"manager1.partner{partner}" if own else "manager1"]


def _audit(city: City, report: Report, now: dt.datetime) -> None:
    auditors = {city.staff[name].person_id: city.staff[name] for name in ("auditor1", "auditor2")}
    audit = op.draw_auditor(actor=ACTOR, report=report, now=now)
    who = auditors[audit.auditor_id]
    op.accept_audit(actor=who, report=report, now=now)
    for item in audit.sample.all():
        op.check_sample(actor=who, item=item, result="fine", now=now)
    op.give_opinion(actor=who, report=report, opinion="unqualified", text=UNQUALIFIED_TEXT, now=now)


def _correct(city: City) -> None:
    """A word in a published report was wrong: the correction goes the same way, and both versions stay."""
    rows = Report.objects.filter(project__slug=CORRECTED, kind__code=PROGRESS, status=Status.PUBLISHED)
    old = rows.order_by("published_at").first()
    if old is None or old.published_at is None:
        return
    officer, now = city.staff["officer1"], old.published_at + dt.timedelta(days=9)
    if now >= city.now:
        return
    made = op.start_correction(actor=officer, report=old, reason=CORRECTION_REASON, now=now)
    said = old.narrative.replace("社工两次入户核实", "社工对每户两次入户核实")
    op.submit_report(
        actor=officer, report=made, narrative=said, narrative_en=old.narrative_en, lines=_as_computed(made), now=now,
    )  # fmt: skip
    _audit(city, made, now + dt.timedelta(days=1))
    op.publish_report(actor=city.staff["manager1"], report=made, now=now + dt.timedelta(days=2))


def _as_computed(report: Report) -> dict[tuple[str, str], LineInput]:
    return {
        (line.section, line.key): LineInput(line.computed)
        for line in report.lines.exclude(section=Section.AUDIT)
    }
