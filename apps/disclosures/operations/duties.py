"""What the clock and the supervisor do to duties: lateness written down for ever, reminders, extensions (D2)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.crash import crash_point
from apps.core.errors import WrongState
from apps.core.events import publish
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.disclosures import policies
from apps.disclosures.errors import ExtensionWrong, NotDeclarable, OccurrenceWrong, ReasonMissing
from apps.disclosures.events import DutyExtended, DutyOverdue, DutyReminded
from apps.disclosures.models import (
    Duty,
    DutyExtension,
    DutyKind,
    DutyLateness,
    DutyReminder,
    Occurrence,
    Report,
)
from apps.disclosures.operations.opening import open_declared_duty
from apps.disclosures.states import FINAL, REMIND_BEFORE, Status, Trigger
from apps.funds.operations import note_reports
from apps.organizations.models import Organization
from apps.organizations.operations import note_reports as note_reports_of_organization

CORRECTION = "correction_notice"


@transaction.atomic
def note_lateness(*, now: dt.datetime) -> int:
    """This will write down every duty that passed its date without its report, once, for ever (the clock's task), and
    tell funds, so that the give page shows it (F6) and no new campaign opens (F7). Returns how many were new."""
    late = [duty for duty in open_duties().filter(due_on__lt=civil_day(now)) if is_late(duty, now)]
    known = set(DutyLateness.objects.filter(duty__in=late).values_list("duty", "due_on"))
    fresh = [duty for duty in late if (duty.pk, due_of(duty)) not in known]
    for duty in sorted(fresh, key=lambda each: (each.project_id or 0, each.organization_id, each.n, each.pk)):
        write_lateness(duty, now)
        tell_below(duty, now)
        publish(DutyOverdue(duty_id=duty.pk))
    return len(fresh)


def remind_of_duties(*, now: dt.datetime) -> int:
    """This will remind of duties 30, 14, 7 and 1 days before their date (the clock's task), each distance once for a
    date; a distance that was missed while nothing ran is made good by the nearest. Returns how many reminders.

    The row and the event stand in one transaction: after a crash a reminder was sent once, or is sent once.
    """
    today, made = civil_day(now), 0
    horizon = today + dt.timedelta(days=max(REMIND_BEFORE))
    waiting = [
        (duty.pk, due_of(duty)) for duty in open_duties().filter(due_on__lte=horizon) | _extended_to(horizon)
    ]
    sent = set(
        DutyReminder.objects.filter(duty__in=[pk for pk, _ in waiting]).values_list("duty", "due_on", "days")
    )
    for pk, due in waiting:
        days = next((each for each in sorted(REMIND_BEFORE) if (due - today).days <= each), None)
        if days is None or due < today or (pk, due, days) in sent:
            continue
        with transaction.atomic():
            _row, created = DutyReminder.objects.get_or_create(
                duty_id=pk, due_on=due, days=days, defaults={"at": now}
            )
            if created:
                publish(DutyReminded(duty_id=pk, due_on=due.isoformat(), days=days))
                crash_point("disclosures.reminded")
                made += 1
    return made


def _extended_to(horizon: dt.date) -> QuerySet[Duty]:
    return open_duties().filter(extended_due_on__lte=horizon)


@transaction.atomic
def extend_duty(*, actor: Actor, duty: Duty, until: dt.date, reason: str, now: dt.datetime) -> Duty:
    """This will give a duty a later date with a public reason (the supervisor). Lateness noted before stays noted, and
    so does every earlier extension. Raises ExtensionWrong."""
    authorize(policies.can_extend, actor, duty)
    duty = (
        Duty.objects.select_for_update(of=("self",)).select_related("project", "organization").get(pk=duty.pk)
    )
    was, said = due_of(duty), reason.strip()[:300]
    if duty.fulfilled_on or duty.lapsed_on or until <= was or not said:
        raise ExtensionWrong()
    if is_late(duty, now):
        write_lateness(duty, now)
    DutyExtension.objects.create(
        duty=duty, was_due_on=was, until=until, reason=said, person=actor.person_id or 0, at=now
    )
    duty.extended_due_on, duty.extension_reason, duty.extended_by = until, said, actor.person_id
    duty.save(update_fields=["extended_due_on", "extension_reason", "extended_by"])
    tell_below(duty, now)
    publish(DutyExtended(duty_id=duty.pk))
    return duty


@transaction.atomic
def declare_occurrence(
    *, actor: Actor, organization: Organization, code: str, happened_on: dt.date, title: str, now: dt.datetime,
    amount: int | None = None,
) -> Duty:  # fmt: skip
    """This will write down something that must be disclosed within days (D1): a major change of assets, a dealing with
    a related party, a trust set up, changed facts; and open its duty. `amount` in fen.

    Raises OccurrenceWrong (a future day, no title), NotDeclarable (no such kind in force on that day).
    """
    authorize(policies.can_declare, actor, organization.pk)
    if happened_on > civil_day(now) or not title.strip() or (amount is not None and amount < 0):
        raise OccurrenceWrong()
    if not DutyKind.objects.filter(code=code, trigger=Trigger.DECLARED).exists():
        raise NotDeclarable()
    row = Occurrence.objects.create(
        organization=organization, code=code, happened_on=happened_on, title=title.strip()[:120], amount=amount,
        declared_by=actor.person_id, declared_at=now,
    )  # fmt: skip
    duty = open_declared_duty(occurrence=row, event="disclosures.declared")
    if duty is None:
        raise NotDeclarable()
    return duty


@transaction.atomic
def order_correction(*, actor: Actor, report: Report, reason: str, now: dt.datetime) -> Duty:
    """This will order that a published report be corrected within the days the law's table gives (the supervisor). The
    reason is public; the duty is fulfilled when the correction is published (D1, D5)."""
    authorize(policies.can_order_correction, actor, report)
    if not reason.strip():
        raise ReasonMissing()
    report = Report.objects.select_for_update(of=("self",)).select_related("organization").get(pk=report.pk)
    if report.status != Status.PUBLISHED:
        raise WrongState()
    row = Occurrence.objects.create(
        organization=report.organization, code=CORRECTION, happened_on=civil_day(now), title=reason.strip()[:120],
        about=report.public_id, declared_by=actor.person_id, declared_at=now,
    )  # fmt: skip
    duty = open_declared_duty(occurrence=row, event="disclosures.correction_ordered")
    if duty is None:
        raise NotDeclarable()
    return duty


def open_duties() -> QuerySet[Duty]:
    """This will give the duties that still wait for their report."""
    return Duty.objects.filter(fulfilled_on=None, lapsed_on=None)


def write_lateness(duty: Duty, now: dt.datetime) -> None:
    """This will append the row that says that a duty passed its date; safe to repeat."""
    DutyLateness.objects.get_or_create(duty=duty, due_on=due_of(duty), defaults={"noted_at": now})


def tell_below(duty: Duty, now: dt.datetime) -> None:
    """This will write down at the project or organization what its pages show of its reports, and renew the pages."""
    if duty.project_id is None:
        mine = open_duties().filter(project=None, organization=duty.organization_id)
    else:
        mine = open_duties().filter(project=duty.project_id)
    late = [due_of(each) for each in mine if is_late(each, now)]
    if duty.project_id is None:
        note_reports_of_organization(
            organization_id=duty.organization_id,
            overdue_since=min(late, default=None),
            overdue_count=len(late),
        )
    else:
        last = (
            Report.objects.filter(project=duty.project_id, status__in=FINAL).order_by("-published_at").first()
        )
        note_reports(
            project_id=duty.project_id,
            last_report_on=civil_day(last.published_at) if last and last.published_at else None,
            overdue_since=min(late, default=None), overdue_count=len(late),
        )  # fmt: skip
    bump_epoch()


def due_of(duty: Duty) -> dt.date:
    """This will give the date that counts: the supervisor's, where there is one."""
    return duty.extended_due_on or duty.due_on


def is_late(duty: Duty, now: dt.datetime) -> bool:
    """This will tell whether a duty's date has passed without its report; the due date itself is still in time."""
    return duty.fulfilled_on is None and duty.lapsed_on is None and due_of(duty) < civil_day(now)
