"""What tests of reports start from: a project that helped five families, a duty, firms and auditors."""

from __future__ import annotations

import datetime as dt

from apps.accounts.models import Grant, Person
from apps.accounts.queries import roles_of
from apps.core.actors import Actor
from apps.core.actors import Grant as Held
from apps.core.clock import civil_day
from apps.disclosures import operations as op
from apps.disclosures.models import Duty, Report
from apps.disclosures.operations import LineInput
from apps.disclosures.states import Section
from apps.organizations.models import AuditFirm
from apps.organizations.operations import register_audit_firm
from apps.publication.releases import release_due
from tests import world as w

PROGRESS = "implementation_progress"
NARRATIVE = "本期向石桥镇五户困难家庭发放大病救助金，社工两次入户核实，材料齐全才付款。"


def staffed(actor: Actor) -> Actor:
    """This will write a person's roles down, as an administrator would have."""
    for grant in actor.grants:
        Grant.objects.create(
            person_id=actor.person_id, role=grant.role, scope_kind=grant.scope_kind, scope_id=grant.scope_id,
            confirmed_by=Person.objects.get_or_create(display_name="administrator")[0],
        )  # fmt: skip
    return actor


def firm(n: int) -> AuditFirm:
    body = f"91449900MAK6140{n:02d}"
    return register_audit_firm(
        actor=w.SETUP,
        name=f"澜江第{n}会计师事务所",
        uscc=body + w._check(body),
        licence=f"证{n:03d}",
        is_fictional=True,
    )


def auditor(of: AuditFirm, label: str = "auditor") -> Actor:
    return staffed(w.person(label, ("auditor", "audit_firm", of.pk)))


def helped(*, families: int = 5, at: dt.datetime = w.NOW) -> w.World:
    """This will build the city, with a gift and helped families; the release of five exists."""
    city = w.build()
    w.give(city, 2_000_000)
    for n in range(1, families + 1):
        w.help_family(city, n, 100_000 + n)
    release_due(now=at)
    w.work()
    return city


class Auditors(dict[int, Actor]):
    """Whoever was drawn, with the roles they hold."""

    def __missing__(self, person_id: int) -> Actor:
        held = frozenset(Held(*row) for row in roles_of(person_id))
        return Actor("person", "auditor", person_id, None, True, held)


def drafted(city: w.World, *, now: dt.datetime | None = None, kind: str = PROGRESS) -> Report:
    at = now or city.now + dt.timedelta(hours=1)
    duty = next_duty(city, kind)
    return op.start_report(actor=city.people["officer"], duty=duty, until=civil_day(at), now=at)


def next_duty(city: w.World, kind: str = PROGRESS) -> Duty:
    """This will give the oldest duty of a kind without a report; when all have one, the last."""
    rows = Duty.objects.filter(project=city.project, code=kind).order_by("n")
    return rows.filter(reports=None).first() or rows.last()


def as_computed(report: Report) -> dict[tuple[str, str], LineInput]:
    """This will report every figure as the books have it."""
    return {
        (line.section, line.key): LineInput(line.computed)
        for line in report.lines.exclude(section=Section.AUDIT)
    }


def audited(city: w.World, report: Report, by: dict[int, Actor], *, opinion: str = "unqualified",
            now: dt.datetime | None = None) -> Report:  # fmt: skip
    """This will take a submitted report through its audit; `by` holds actors by person id."""
    at = now or city.now + dt.timedelta(hours=2)
    audit = op.draw_auditor(actor=w.SETUP, report=report, now=at)
    who = by[audit.auditor_id]
    op.accept_audit(actor=who, report=report, now=at)
    if opinion != "unqualified":
        op.add_finding(
            actor=who,
            report=report,
            severity="material",
            title="运输费截止期",
            text="一笔运费没有计入本期。",
            now=at,
        )
    op.give_opinion(
        actor=who, report=report, opinion=opinion, text="本报告公允反映了收入、支出和结余。", now=at
    )
    report.refresh_from_db()
    return report


def published_plainly(city: w.World, code: str, *, now: dt.datetime | None = None) -> Report:
    """This will write and publish a report of a kind that needs no audit, as the books have it."""
    at = now or city.now + dt.timedelta(hours=1)
    duty = next_duty(city, code)
    report = op.start_report(actor=city.people["officer"], duty=duty, now=at)
    op.submit_report(
        actor=city.people["officer"], report=report, narrative=NARRATIVE, lines=as_computed(report), now=at
    )
    return op.publish_report(actor=city.people["manager"], report=report, now=at)


def published(
    city: w.World, report: Report, *, opinion: str = "unqualified", now: dt.datetime | None = None
) -> Report:
    """This will hand a draft in as the books have it, audit it by a new firm's auditor and publish it."""
    at = now or city.now + dt.timedelta(hours=1)
    auditor(firm(70 + AuditFirm.objects.count()))
    op.submit_report(actor=city.people["officer"], report=report, narrative=report.narrative or NARRATIVE,
                     lines=as_reported(report), now=at, narrative_en=report.narrative_en)  # fmt: skip
    audited(city, report, Auditors(), opinion=opinion, now=at)
    return op.publish_report(actor=city.people["manager"], report=report, now=at)


def as_reported(report: Report) -> dict[tuple[str, str], LineInput]:
    """This will report what the draft holds."""
    return {
        (line.section, line.key): LineInput(line.reported, line.explanation)
        for line in report.lines.exclude(section=Section.AUDIT)
    }
