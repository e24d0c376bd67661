"""Mail and in-site notices of reports: what is near, late, extended, returned, drawn and signed (D2, D4).

Each is written once for a person and a reason; a delivery that is repeated after a crash sends nothing twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from apps.accounts.models import Account, Person
from apps.accounts.queries import people_with
from apps.disclosures.events import (
    AuditorDrawn,
    DutyExtended,
    DutyOverdue,
    DutyReminded,
    OpinionGiven,
    ReportReturned,
)
from apps.disclosures.models import Duty, Report
from apps.disclosures.operations.duties import due_of
from apps.disclosures.policies import organizations_of
from apps.disclosures.queries import duty_title, report_title
from apps.notifications.models import Notice
from apps.notifications.operations import send_mail_once, write_notice

LANGUAGE = "zh-hans"


def tell_of_near_duty(event: DutyReminded, *, now: dt.datetime) -> None:
    """This will remind everybody who writes or signs an organization's reports that a date is near."""
    duty = _duty(event.duty_id)
    if (
        duty.fulfilled_on is not None
        or duty.lapsed_on is not None
        or due_of(duty).isoformat() != event.due_on
    ):
        return
    _tell(_people(duty), f"duty_near:{duty.pk}:{event.due_on}:{event.days}", Notice.What.DUTY_NEAR, duty, now,
          days=event.days)  # fmt: skip


def tell_of_late_duty(event: DutyOverdue, *, now: dt.datetime) -> None:
    """This will tell them that a date has passed, and that the page says so."""
    duty = _duty(event.duty_id)
    _tell(_people(duty), f"duty_late:{duty.pk}:{due_of(duty)}", Notice.What.DUTY_LATE, duty, now)


def tell_of_extension(event: DutyExtended, *, now: dt.datetime) -> None:
    """This will tell them of a later date."""
    duty = _duty(event.duty_id)
    _tell(_people(duty), f"duty_extended:{duty.pk}:{due_of(duty)}", Notice.What.DUTY_EXTENDED, duty, now)


def tell_of_return(event: ReportReturned, *, now: dt.datetime) -> None:
    """This will tell the writers that a report came back with a reason."""
    report = _report(event.report_id)
    count = report.changes.filter(to_status="returned").count()
    _tell_of_report(
        _people(report.duty), f"returned:{report.pk}:{count}", Notice.What.REPORT_RETURNED, report, now
    )


def tell_of_draw(event: AuditorDrawn, *, now: dt.datetime) -> None:
    """This will tell an auditor that a report was drawn for them."""
    report = _report(event.report_id)
    _tell_of_report([event.person_id], f"drawn:{report.pk}", Notice.What.AUDIT_DRAWN, report, now)


def tell_of_opinion(event: OpinionGiven, *, now: dt.datetime) -> None:
    """This will tell those who publish that an opinion is signed."""
    report = _report(event.report_id)
    _tell_of_report(_people(report.duty), f"opinion:{report.pk}", Notice.What.OPINION_GIVEN, report, now)


def _duty(pk: int) -> Duty:
    return Duty.objects.select_related("kind", "project__fund", "organization").get(pk=pk)


def _report(pk: int) -> Report:
    rows = Report.objects.select_related(
        "kind", "project__fund", "organization", "duty__kind", "duty__project__fund", "duty__organization"
    )
    return rows.defer("frozen").get(pk=pk)


def _people(duty: Duty) -> list[int]:
    """Officers and managers of whoever answers for a duty."""
    owners = organizations_of(duty)
    found = {person for role in ("project_officer", "manager") for person, _ in people_with(role, owners)}
    return sorted(found)


def _tell(
    people: Iterable[int], key: str, what: Notice.What, duty: Duty, now: dt.datetime, days: int = 0
) -> None:
    with translation.override(LANGUAGE):
        about = f"{duty.title}：{duty_title(duty)}"
        path = reverse("disclosures_workbench")
    _write(people, key, what, about, path, now, due=due_of(duty), days=days)


def _tell_of_report(
    people: Iterable[int], key: str, what: Notice.What, report: Report, now: dt.datetime
) -> None:
    name = "disclosures_audit" if what == Notice.What.AUDIT_DRAWN else "disclosures_report_edit"
    with translation.override(LANGUAGE):
        about, path = report_title(report), reverse(name, args=[report.public_id])
    _write(people, key, what, about, path, now, due=due_of(report.duty))


def _write(
    people: Iterable[int], key: str, what: Notice.What, about: str, path: str, now: dt.datetime, *, due: dt.date,
    days: int = 0,
) -> None:  # fmt: skip
    """The notice first, then the mail: each once for its key, so a repeated delivery goes on where it broke off."""
    people = list(people)
    known = set(Person.objects.filter(pk__in=people).values_list("pk", flat=True))
    mails: dict[int, str] = {}
    for pk, address in Account.objects.filter(person__in=people, is_active=True).values_list(
        "person", "email"
    ):
        mails.setdefault(pk, address)
    for person in people:
        if person not in known:
            continue
        write_notice(person_id=person, key=key, what=what, about=about, path=path, due_on=due, now=now)
        if mails.get(person):
            send_mail_once(
                key=f"{key}:{person}", to=mails[person], template="notifications/report.txt", language=LANGUAGE,
                context={"what": what.value, "about": about, "due": due, "days": days,
                         "link": settings.SITE_URL.rstrip("/") + path},
            )  # fmt: skip
