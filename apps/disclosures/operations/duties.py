"""Duties come by themselves and lateness is written down for ever (D1, D2)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Max, Q

from apps.core.actors import Actor
from apps.core.clock import add_months, civil_day
from apps.core.events import publish
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.disbursements.models import Disbursement
from apps.disclosures import policies
from apps.disclosures.errors import ExtensionWrong
from apps.disclosures.events import DutyOverdue
from apps.disclosures.models import Duty, DutyKind, DutyLateness, Report
from apps.disclosures.states import FINAL
from apps.funds.models import Project
from apps.funds.operations import lock_project, note_reports
from apps.funds.states import ProjectStatus

PROGRESS = "implementation_progress"
LASTS_LONGER_THAN = 6
"""Months above which progress must be reported (CL79, Order 81 art. 10)."""


@transaction.atomic
def begin_duties(*, project_id: int, event: str) -> Duty | None:
    """This will open a project's first progress duty once its implementation has begun: with the first payment or with
    `executing`, whichever is first, when its plan lasts over 6 months (D1). Safe to repeat, in any order of events.

    Windows are counted in calendar months of Asia/Shanghai from the first day, each from that day itself, so that 31
    January is followed by 30 April and 31 July. The report is due when its window ends: CL79 asks for one at least
    every three months, so the strict reading is that three months never pass without one.
    """
    project = lock_project(project_id)
    began = began_on(project)
    if began is None or not _plan_is_long(project):
        return None
    return _open_window(project, kind_of(began), began, 1, event)


@transaction.atomic
def advance_duties(*, now: dt.datetime) -> int:
    """This will open every duty whose window has begun (the clock's task); returns how many were new.

    A project whose plan is shorter gets its first duty when its work has in fact lasted 6 months.
    """
    today, made = civil_day(now), 0
    for project_id in _due_for_a_window(today):
        project = lock_project(project_id)
        began = began_on(project)
        if began is None:
            continue
        kind = kind_of(began)
        first = 1 if _plan_is_long(project) else LASTS_LONGER_THAN // kind.months + 1
        known = set(Duty.objects.filter(project=project, kind=kind).values_list("n", flat=True))
        n = first
        while add_months(began, kind.months * (n - 1)) <= today:
            if n not in known:
                made += _open_window(project, kind, began, n, "disclosures.clock") is not None
            n += 1
    return made


@transaction.atomic
def note_lateness(*, now: dt.datetime) -> int:
    """This will write down every duty that passed its date without its report, once, for ever (the clock's task), and
    tell funds, so that the give page shows it (F6) and no new campaign opens (F7). Returns how many were new."""
    late = [
        duty
        for duty in Duty.objects.filter(fulfilled_on=None, due_on__lt=civil_day(now))
        if is_late(duty, now)
    ]
    known = set(DutyLateness.objects.filter(duty__in=late).values_list("duty", "due_on"))
    fresh = [duty for duty in late if (duty.pk, due_of(duty)) not in known]
    for duty in sorted(fresh, key=lambda each: (each.project_id, each.n)):
        write_lateness(duty, now)
        tell_funds(duty.project_id, now)
        publish(DutyOverdue(duty_id=duty.pk))
    return len(fresh)


@transaction.atomic
def extend_duty(*, actor: Actor, duty: Duty, until: dt.date, reason: str, now: dt.datetime) -> Duty:
    """This will give a duty a later date with a public reason (the supervisor). Lateness noted before stays noted."""
    authorize(policies.can_extend, actor, duty)
    duty = Duty.objects.select_for_update().get(pk=duty.pk)
    if duty.fulfilled_on is not None or until <= due_of(duty) or not reason.strip():
        raise ExtensionWrong()
    duty.extended_due_on, duty.extension_reason, duty.extended_by = (
        until,
        reason.strip()[:300],
        actor.person_id,
    )
    duty.save(update_fields=["extended_due_on", "extension_reason", "extended_by"])
    tell_funds(duty.project_id, now)
    return duty


def write_lateness(duty: Duty, now: dt.datetime) -> None:
    """This will append the row that says that a duty passed its date; safe to repeat."""
    DutyLateness.objects.get_or_create(duty=duty, due_on=due_of(duty), defaults={"noted_at": now})


def tell_funds(project_id: int, now: dt.datetime) -> None:
    """This will write down at the project what its page and the give page show of its reports, and renew the pages."""
    late = [due_of(d) for d in Duty.objects.filter(project=project_id, fulfilled_on=None) if is_late(d, now)]
    last = Report.objects.filter(project=project_id, status__in=FINAL).order_by("-published_at").first()
    note_reports(
        project_id=project_id, last_report_on=civil_day(last.published_at) if last and last.published_at else None,
        overdue_since=min(late, default=None), overdue_count=len(late),
    )  # fmt: skip
    bump_epoch()


def due_of(duty: Duty) -> dt.date:
    """This will give the date that counts: the supervisor's, where there is one."""
    return duty.extended_due_on or duty.due_on


def is_late(duty: Duty, now: dt.datetime) -> bool:
    """This will tell whether a duty's date has passed without its report; the due date itself is still in time."""
    return duty.fulfilled_on is None and due_of(duty) < civil_day(now)


def began_on(project: Project) -> dt.date | None:
    """This will give the day a project's implementation began: known once, it stays (the duties keep it)."""
    known = Duty.objects.filter(project=project).order_by("n").values_list("began_on", flat=True).first()
    if known is not None:
        return known
    paid = Disbursement.objects.filter(project=project, paid_at__isnull=False).order_by("paid_at")
    first = paid.values_list("paid_at", flat=True).first()
    return min((civil_day(at) for at in (first, project.executing_at) if at is not None), default=None)


def kind_of(day: dt.date) -> DutyKind:
    """This will give the kind as it is in force on a day."""
    rows = DutyKind.objects.filter(code=PROGRESS)
    return (
        rows.filter(effective_from__lte=day).order_by("-effective_from").first()
        or rows.order_by("effective_from")[0]
    )


def window(began: dt.date, months: int, n: int) -> tuple[dt.date, dt.date]:
    """This will give the first day of the n-th window and the day it ends on, which is when its report is due."""
    return add_months(began, months * (n - 1)), add_months(began, months * n)


def _due_for_a_window(today: dt.date) -> list[int]:
    """Projects at work whose last window is over, or that have none yet."""
    paid = Disbursement.objects.filter(paid_at__isnull=False).values("project")
    rows = Project.objects.filter(Q(executing_at__isnull=False) | Q(pk__in=paid), completed_at__isnull=True)
    rows = rows.annotate(last=Max("duties__due_on")).filter(Q(last__lte=today) | Q(last__isnull=True))
    return list(rows.order_by("id").values_list("pk", flat=True))


def _open_window(project: Project, kind: DutyKind, began: dt.date, n: int, event: str) -> Duty | None:
    starts_on, due_on = window(began, kind.months, n)
    duty, created = Duty.objects.get_or_create(
        project=project, kind=kind, n=n,
        defaults={
            "organization_id": project.partner_id or project.fund.organization_id, "began_on": began,
            "starts_on": starts_on, "due_on": due_on, "created_by_event": event,
        },
    )  # fmt: skip
    if created:
        bump_epoch()
    return duty if created else None


def _plan_is_long(project: Project) -> bool:
    return project.status not in _DRAFTS and project.ends_on > add_months(
        project.starts_on, LASTS_LONGER_THAN
    )


_DRAFTS = frozenset({ProjectStatus.DRAFT, ProjectStatus.IN_REVIEW, ProjectStatus.REJECTED})
