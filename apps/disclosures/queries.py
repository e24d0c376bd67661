"""Reads of disclosures: what a project's page shows, and what waits on the workbench."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.disclosures.models import Audit, Duty, DutyLateness, Report
from apps.disclosures.operations.duties import due_of, is_late
from apps.disclosures.states import EDITABLE, FINAL, Opinion
from apps.funds.models import Project


def published_reports() -> QuerySet[Report]:
    """This will give published reports, newest first, without their frozen bytes."""
    rows = Report.objects.filter(status__in=FINAL).select_related(
        "kind", "duty", "project__fund__organization", "organization"
    )
    return rows.defer("frozen").order_by("-published_at", "-id")


def project_stops(project: Project, now: dt.datetime) -> list[dict[str, Any]]:
    """This will list a project's duties and reports for components/thread.html, newest first: what is ahead with its
    days, what is overdue with its days, what was published with its opinion. One statement."""
    return [_stop(duty, now) for duty in _duties().filter(project=project).order_by("-n")]


def organization_stops(organization_id: int, now: dt.datetime) -> list[dict[str, Any]]:
    """This will list what an organization owes the public now, the latest date first, each with its project."""
    made = []
    rows = _duties().filter(organization=organization_id, fulfilled_on=None).select_related("project")
    for duty in rows.order_by("-due_on", "-id"):
        stop, href = _stop(duty, now), reverse("cms_project", args=[duty.project.slug])
        made.append({**stop, "title": f"{duty.project} · {stop['title']}", "href": href})
    return made


def _duties() -> QuerySet[Duty]:
    """Duties with what is public of their reports: address, day, opinion, and whether lateness was ever noted."""
    report = Report.objects.filter(duty=OuterRef("pk"), status__in=FINAL)
    signed = Audit.objects.filter(report__duty=OuterRef("pk"), declined_at=None).exclude(opinion="")
    return Duty.objects.select_related("kind").annotate(
        public_id=Subquery(report.values("public_id")[:1]), published_at=Subquery(report.values("published_at")[:1]),
        opinion=Subquery(signed.values("opinion")[:1]),
        was_late=Exists(DutyLateness.objects.filter(duty=OuterRef("pk"))),
    )  # fmt: skip


def _stop(duty: Any, now: dt.datetime) -> dict[str, Any]:
    title = _("%(kind)s（第%(n)d期）") % {"kind": duty.kind, "n": duty.n}
    due = due_of(duty)
    if duty.published_at is not None:
        published = civil_day(duty.published_at)
        late = (published - due).days
        if late > 0:
            said = ngettext("逾期%(n)d天公布", "逾期%(n)d天公布", late) % {"n": late}
        else:
            said = _("逾期后获准延期") if duty.was_late else _("按时公布")
        text = f"{Opinion(duty.opinion).label} · {said}" if duty.opinion else said
        href = reverse("disclosures_report", args=[duty.public_id])
        return {"time": published, "title": title, "text": text, "href": href, "state": ""}
    if is_late(duty, now):
        days = (civil_day(now) - due).days
        text = ngettext("已逾期%(n)d天，还没有公布", "已逾期%(n)d天，还没有公布", days) % {"n": days}
        return {"time": due, "title": title, "text": text, "href": "", "state": "late"}
    days = (due - civil_day(now)).days
    text = ngettext("还有%(n)d天到期", "还有%(n)d天到期", days) % {"n": days}
    if duty.extended_due_on:
        text += "；" + _("已由民政部门延期：%(reason)s") % {"reason": duty.extension_reason}
    return {"time": due, "title": title, "text": text, "href": "", "state": "todo"}


# The workbench


def visible_reports(actor: Actor) -> QuerySet[Report]:
    """This will list the reports of an actor's organizations, all for the supervisor, and those drawn for them."""
    rows = Report.objects.select_related(
        "kind", "duty", "project__fund__organization", "organization", "drafted_by"
    )
    rows = rows.defer("frozen").prefetch_related("audits__firm").order_by("-id")
    if actor.has("supervisor"):
        return rows
    own = actor.scopes("project_officer") | actor.scopes("manager")
    drawn = Audit.objects.filter(
        auditor=actor.person_id or 0, declined_at=None, firm__in=actor.scopes("auditor")
    )
    return rows.filter(
        Q(project__fund__organization__in=own)
        | Q(project__partner__in=own)
        | Q(pk__in=drawn.values("report"))
    )


def open_duties(actor: Actor) -> QuerySet[Duty]:
    """This will list the duties without a published report that concern an actor, the nearest date first."""
    rows = Duty.objects.filter(fulfilled_on=None).select_related(
        "kind", "project__fund", "organization", "report"
    )
    if not actor.has("supervisor"):
        own = actor.scopes("project_officer") | actor.scopes("manager")
        rows = rows.filter(Q(project__fund__organization__in=own) | Q(project__partner__in=own))
    return rows.order_by("due_on", "id")


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
