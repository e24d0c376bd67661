"""Reads of disclosures: what a project's page shows, and what waits on the workbench."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.disbursements.models import Disbursement
from apps.disclosures.models import Audit, Duty, DutyKind, DutyLateness, Report, SampleItem
from apps.disclosures.operations.duties import due_of, is_late
from apps.disclosures.states import EDITABLE, FINAL, Opinion, Rule, Status
from apps.funds.models import Project


def published_reports() -> QuerySet[Report]:
    """This will give published reports, newest first, without their frozen bytes."""
    rows = Report.objects.filter(status__in=FINAL).select_related(
        "kind", "duty__kind", "duty__project", "duty__organization", "project__fund__organization", "organization",
        "corrects",
    )  # fmt: skip
    return rows.defer("corrects__frozen").defer("frozen").order_by("-published_at", "-id")


def project_stops(project: Project, now: dt.datetime) -> list[dict[str, Any]]:
    """This will list a project's duties and reports for components/thread.html, newest first: what is ahead with its
    days, what is overdue with its days, what was published with its opinion. One statement."""
    return [_stop(duty, now) for duty in _duties().filter(project=project).order_by("-due_on", "-n", "-id")]


def organization_stops(organization_id: int, now: dt.datetime) -> list[dict[str, Any]]:
    """This will list what an organization owes the public now, the latest date first, each with what it is about."""
    made = []
    rows = _duties().filter(organization=organization_id, fulfilled_on=None)
    for duty in rows.order_by("-due_on", "-id"):
        stop = _stop(duty, now)
        if duty.project is None:
            made.append(stop)
        else:
            href = reverse("cms_project", args=[duty.project.slug])
            made.append({**stop, "title": f"{duty.project} · {stop['title']}", "href": href})
    return made


def late_history(organization_id: int) -> list[DutyLateness]:
    """This will list every date an organization ever passed, for ever, newest first (D2)."""
    rows = DutyLateness.objects.filter(duty__organization=organization_id)
    rows = rows.select_related("duty__kind", "duty__project", "duty__organization")
    return list(rows.order_by("-due_on", "-id")[:60])


STATES = ("late", "open", "done")


@dataclass(frozen=True, slots=True)
class DutyFilter:
    """What /duties/ is asked for; empty means all. `q` is part of a name; `days`: due within so many days."""

    state: str = ""
    kind: str = ""
    organization: str = ""
    q: str = ""
    cursor: str = ""


def find_duties(wanted: DutyFilter, now: dt.datetime) -> QuerySet[Any]:
    """This will give the duties that a filter asks for, the latest date first, with what is public of their reports."""
    today = civil_day(now)
    rows = _duties().annotate(due=Coalesce("extended_due_on", "due_on"))
    if wanted.state == "late":
        rows = rows.filter(fulfilled_on=None, lapsed_on=None, due__lt=today)
    elif wanted.state == "open":
        rows = rows.filter(fulfilled_on=None, lapsed_on=None, due__gte=today)
    elif wanted.state == "done":
        rows = rows.filter(fulfilled_on__isnull=False)
    elif wanted.state == "was_late":
        rows = rows.filter(was_late=True)
    if wanted.kind:
        rows = rows.filter(code=wanted.kind)
    if wanted.organization:
        rows = rows.filter(organization__uscc=wanted.organization)
    if wanted.q:
        names = Q(project__name__icontains=wanted.q) | Q(project__name_en__icontains=wanted.q)
        names |= Q(organization__name__icontains=wanted.q) | Q(organization__name_en__icontains=wanted.q)
        rows = rows.filter(names)
    if wanted.cursor:
        last = Duty.objects.filter(public_id=wanted.cursor).annotate(
            due=Coalesce("extended_due_on", "due_on")
        )
        for due, pk in last.values_list("due", "pk"):
            rows = rows.filter(Q(due__lt=due) | Q(due=due, pk__lt=pk))
    found: QuerySet[Any] = rows.order_by("-due", "-id")
    return found


def duty_counts(now: dt.datetime) -> dict[str, int]:
    """This will count duties by state: late now, open, done, and how many dates were ever passed."""
    today = civil_day(now)
    live = Q(fulfilled_on=None, lapsed_on=None)
    found = Duty.objects.annotate(due=Coalesce("extended_due_on", "due_on")).aggregate(
        late=Count("pk", filter=live & Q(due__lt=today)),
        open=Count("pk", filter=live & Q(due__gte=today)),
        done=Count("pk", filter=Q(fulfilled_on__isnull=False)),
    )
    return {**found, "was_late": Duty.objects.filter(lateness__isnull=False).distinct().count()}


def kinds_table() -> list[DutyKind]:
    """This will list every row of the table of kinds, in its order."""
    return list(DutyKind.objects.order_by("position", "-effective_from"))


def kinds_with_ends() -> list[DutyKind]:
    """This will list every row of the table, each code's newest first, with `until`: the last day it counts, None while
    nothing ends it."""
    rows, newer = kinds_table(), dict[str, DutyKind]()
    for row in sorted(rows, key=lambda each: each.effective_from, reverse=True):
        until = row.effective_until
        if row.code in newer:
            before = newer[row.code].effective_from - dt.timedelta(days=1)
            until = min(until, before) if until else before
        row.until = until  # type: ignore[attr-defined]
        newer[row.code] = row
    first = {row.code: row.position for row in reversed(rows)}
    return sorted(rows, key=lambda each: (first[each.code], each.code, -each.effective_from.toordinal()))


def _duties() -> QuerySet[Any]:
    """Duties with what is public of their reports: address, day, opinion, and whether lateness was ever noted. The
    newest version of a corrected report counts; the day is that of the first."""
    reports = Report.objects.filter(duty=OuterRef("pk"), status__in=FINAL)
    signed = Audit.objects.filter(
        report__duty=OuterRef("pk"), report__status=Status.PUBLISHED, declined_at=None
    ).exclude(opinion="")
    return Duty.objects.select_related("kind", "project", "organization").annotate(
        report_id=Subquery(reports.order_by("-version").values("public_id")[:1]),
        published_at=Subquery(reports.order_by("version").values("published_at")[:1]),
        version=Subquery(reports.order_by("-version").values("version")[:1]),
        opinion=Subquery(signed.values("opinion")[:1]),
        was_late=Exists(DutyLateness.objects.filter(duty=OuterRef("pk"))),
    )  # fmt: skip


def duty_title(duty: Duty) -> str:
    """This will name a duty without what it is about: its kind, and which of them."""
    if not duty.which:
        return str(duty.kind)
    if duty.kind.rule == Rule.YEARLY_BY:
        return _("%(year)s年%(kind)s") % {"kind": duty.kind, "year": duty.which}
    return _("%(kind)s（第%(n)s期）") % {"kind": duty.kind, "n": duty.which}


def report_title(report: Report) -> str:
    """This will name a report: what it is about, its kind, which of them, and whether it is a correction."""
    title = f"{report.title}：{duty_title(report.duty)}"
    return title + (str(_("（更正）")) if report.corrects_id else "")


def _stop(duty: Any, now: dt.datetime) -> dict[str, Any]:
    title, due = duty_title(duty), due_of(duty)
    if duty.published_at is not None:
        published = civil_day(duty.published_at)
        late = (published - due).days
        if late > 0:
            said = ngettext("逾期%(n)d天公布", "逾期%(n)d天公布", late) % {"n": late}
        else:
            said = _("逾期后获准延期") if duty.was_late else _("按时公布")
        if duty.version > 1:
            said += "；" + _("后有更正")
        text = f"{Opinion(duty.opinion).label} · {said}" if duty.opinion else said
        href = reverse("disclosures_report", args=[duty.report_id])
        return {"time": published, "title": title, "text": text, "href": href, "state": ""}
    if duty.fulfilled_on is not None:
        return {"time": duty.fulfilled_on, "title": title, "text": _("已更正"), "href": "", "state": ""}
    if duty.lapsed_on is not None:
        text = _("期限到来前已结束，由结项或结果报告一并说明")
        return {"time": duty.lapsed_on, "title": title, "text": text, "href": "", "state": ""}
    if is_late(duty, now):
        days = (civil_day(now) - due).days
        text = ngettext("已逾期%(n)d天，还没有公布", "已逾期%(n)d天，还没有公布", days) % {"n": days}
        return {"time": due, "title": title, "text": text, "href": "", "state": "late"}
    days = (due - civil_day(now)).days
    text = ngettext("还有%(n)d天到期", "还有%(n)d天到期", days) % {"n": days}
    if duty.extended_due_on:
        text += "；" + _("已由民政部门延期：%(reason)s") % {"reason": duty.extension_reason}
    if duty.was_late:
        text += "；" + _("延期前曾逾期")
    return {"time": due, "title": title, "text": text, "href": "", "state": "todo"}


def stop_of(duty: Any, now: dt.datetime) -> dict[str, Any]:
    """This will say how a duty of find_duties stands, as a row of the public list."""
    return {**_stop(duty, now), "duty": duty, "due": due_of(duty), "about": duty.title}


# The workbench


def visible_reports(actor: Actor) -> QuerySet[Report]:
    """This will list the reports of an actor's organizations, all for the supervisor, and those drawn for them."""
    rows = Report.objects.select_related(
        "kind", "duty__kind", "duty__project__fund", "duty__organization", "project__fund__organization",
        "organization", "drafted_by", "edited_by", "corrects",
    )  # fmt: skip
    rows = rows.defer("frozen", "corrects__frozen").prefetch_related("audits__firm").order_by("-id")
    if actor.has("supervisor"):
        return rows
    own = actor.scopes("project_officer") | actor.scopes("manager")
    drawn = Audit.objects.filter(
        auditor=actor.person_id or 0, declined_at=None, firm__in=actor.scopes("auditor")
    )
    return rows.filter(_of_organizations(own) | Q(pk__in=drawn.values("report")))


def open_duties(actor: Actor) -> QuerySet[Any]:
    """This will list the duties without a published report that concern an actor, the nearest date first."""
    rows = Duty.objects.filter(fulfilled_on=None, lapsed_on=None).select_related(
        "kind", "project__fund", "organization"
    )
    rows = rows.prefetch_related(Prefetch("reports", Report.objects.defer("frozen").order_by("version")))
    if not actor.has("supervisor"):
        rows = rows.filter(_of_organizations(actor.scopes("project_officer") | actor.scopes("manager")))
    return rows.annotate(due=Coalesce("extended_due_on", "due_on")).order_by("due", "id")


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A drawn payment as the auditor sees it: what the file and the voucher say, never whose family it was (C4)."""

    item: SampleItem
    number: str
    kind: str
    purpose: str
    town: str
    paid_at: dt.datetime | None
    invoice: str
    delivery: str
    payee: str
    confirmed: bool
    line: str


def vouchers_in_sample(report: Report) -> list[SampleRow]:
    """This will give the drawn payments of a report's audit. A family's name, file and account are left out; a
    supplier's name and invoice are shown. Two statements."""
    items = list(SampleItem.objects.filter(audit__report=report, audit__declined_at=None))
    paid = Disbursement.objects.select_related("town", "budget_line").in_bulk(
        [item.disbursement for item in items]
    )
    made = []
    for item in items:
        one = paid[item.disbursement]
        aid = one.household_id is not None
        made.append(
            SampleRow(
                item=item, number=one.number, kind=one.get_kind_display(), purpose="" if aid else one.purpose,
                town=str(one.town or ""), paid_at=one.paid_at, invoice=one.invoice_number,
                delivery="" if aid else one.delivery_note, payee="" if aid else one.payee_name,
                confirmed=one.confirmed_at is not None, line=str(one.budget_line),
            )
        )  # fmt: skip
    return made


def _of_organizations(own: Iterable[int]) -> Q:
    """Of duties or reports: those of an organization itself, of its projects, and of projects it carries out."""
    own = list(own)
    return (
        Q(project__fund__organization__in=own)
        | Q(project__partner__in=own)
        | Q(project__isnull=True, organization__in=own)
    )


def reports_of(organization_id: int) -> QuerySet[Report]:
    """This will list what an organization published, or had published for its own money, newest first."""
    rows = published_reports()
    return rows.filter(Q(organization=organization_id) | Q(project__fund__organization=organization_id))


def may_be_joined(keep: int, other: int) -> bool:
    """This will tell whether two people may be made one: not when both had a hand in one report, and not when records
    of `other` stand still for ever (submitted reports, draws): then it is `other` that must be kept."""
    pair = {keep, other}
    for report in Report.objects.filter(
        Q(drafted_by__in=pair) | Q(audits__auditor__in=pair) | Q(published_by__in=pair)
    ):
        hands = [
            report.drafted_by_id,
            report.published_by_id,
            *report.audits.values_list("auditor", flat=True),
        ]
        if pair <= set(hands):
            return False
    stands = Report.objects.exclude(status__in=EDITABLE).filter(Q(drafted_by=other) | Q(published_by=other))
    return not stands.exists() and not Audit.objects.filter(auditor=other).exists()
