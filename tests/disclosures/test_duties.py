"""Duties by calendar months, lateness that stays, and what it blocks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from django.db import DatabaseError, transaction

from apps.core.clock import SHANGHAI
from apps.core.errors import DomainError, PermissionRefused
from apps.disclosures import operations as op
from apps.disclosures.models import Duty, DutyLateness
from apps.disclosures.queries import project_stops
from apps.disclosures.tasks import keep_duties
from apps.disclosures.timetable import recurring
from apps.funds import operations as funds
from apps.funds.models import Project
from apps.funds.operations import ReportOverdue
from tests import world as w
from tests.disclosures import scene

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("began", "n", "starts", "due"),
    [
        ("2026-01-31", 1, "2026-01-31", "2026-04-30"),
        ("2026-01-31", 2, "2026-04-30", "2026-07-31"),
        ("2027-11-30", 1, "2027-11-30", "2028-02-29"),
        ("2026-11-30", 1, "2026-11-30", "2027-02-28"),
        ("2026-11-30", 2, "2027-02-28", "2027-05-30"),
        ("2028-02-29", 4, "2028-11-29", "2029-02-28"),
        ("2028-02-29", 5, "2029-02-28", "2029-05-29"),
        ("2026-05-18", 1, "2026-05-18", "2026-08-18"),
    ],
)
def test_windows_are_calendar_months_from_the_first_day(began: str, n: int, starts: str, due: str) -> None:
    day = dt.date.fromisoformat
    [*windows] = recurring(day(began), [Kind()], day("2030-01-01"))
    found = windows[n - 1]
    assert (found.n, found.starts_on, found.due_on) == (n, day(starts), day(due))


@dataclass
class Kind:
    """A row of the table of kinds, as arithmetic sees it."""

    rule: str = "every_months"
    number: int | None = 3
    due_month: int | None = None
    due_day: int | None = None
    effective_from: dt.date = dt.date(2024, 9, 5)
    effective_until: dt.date | None = None


def publish_the_others(city: w.World) -> None:
    """This will publish what the campaign owes, so that only the work's progress is left."""
    for code in ("fundraising_plan", "fundraising_progress"):
        scene.published_plainly(city, code)


def the_duty() -> Duty:
    return Duty.objects.get(code=scene.PROGRESS)


def test_a_duty_begins_once_whatever_comes_first_and_how_often() -> None:
    city = scene.helped(families=1)
    funds.close_raising(actor=city.people["officer"], project=city.project, now=w.NOW)
    later = w.NOW + dt.timedelta(days=40)
    funds.start_executing(actor=city.people["officer"], project=city.project, now=later)
    w.work()
    assert op.open_project_duties(project_id=city.project.pk, event="again", now=later) == 0
    duty = the_duty()
    assert (duty.began_on, duty.created_by_event) == (dt.date(2026, 11, 23), "disbursements.paid")


def test_executing_begins_a_duty_where_nothing_was_paid() -> None:
    city = w.build()
    funds.close_raising(actor=city.people["officer"], project=city.project, now=w.NOW)
    funds.start_executing(actor=city.people["officer"], project=city.project, now=w.NOW)
    w.work()
    duty = the_duty()
    assert (duty.began_on, duty.created_by_event) == (dt.date(2026, 11, 23), "funds.project_status_changed")


def test_the_day_is_shanghais() -> None:
    city = w.build()
    funds.close_raising(actor=city.people["officer"], project=city.project, now=w.NOW)
    midnight = dt.datetime(2026, 11, 30, 16, 30, tzinfo=dt.UTC)
    funds.start_executing(actor=city.people["officer"], project=city.project, now=midnight)
    w.work()
    assert the_duty().began_on == dt.date(2026, 12, 1)


def test_windows_open_with_time_and_lateness_stays() -> None:
    city = scene.helped(families=1)
    assert op.advance_duties(now=w.NOW) == 0
    publish_the_others(city)
    due = dt.datetime(2027, 2, 23, 23, 59, tzinfo=SHANGHAI)
    assert op.note_lateness(now=due) == 0, "the due date itself is in time"
    late = due + dt.timedelta(minutes=2)
    assert op.advance_duties(now=late) == 4, "the next windows of both, and the year's two reports"
    assert (op.note_lateness(now=late), op.note_lateness(now=late)) == (1, 0)
    city.project.refresh_from_db()
    assert (city.project.overdue_since, city.project.overdue_count) == (dt.date(2027, 2, 23), 1)
    assert [duty.n for duty in Duty.objects.filter(code=scene.PROGRESS).order_by("n")] == [1, 2]
    stops = project_stops(city.project, late + dt.timedelta(days=5))
    assert [stop["state"] for stop in stops] == ["todo", "todo", "late", "", ""]
    assert "6" in stops[2]["text"]

    other = w.make_project(city, slug="weifang", raising=False)
    with pytest.raises(ReportOverdue):
        funds.start_raising(actor=city.people["officer"], project=other, now=w.NOW)

    row = DutyLateness.objects.get()
    for act in (row.delete, lambda: DutyLateness.objects.update(due_on=dt.date(2030, 1, 1))):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_the_supervisor_extends_with_a_public_reason() -> None:
    city = scene.helped(families=1)
    duty = the_duty()
    publish_the_others(city)
    late = dt.datetime(2027, 2, 25, 9, tzinfo=SHANGHAI)
    op.note_lateness(now=late)
    common = {"duty": duty, "now": late}
    with pytest.raises(PermissionRefused):
        op.extend_duty(actor=city.people["manager"], until=dt.date(2027, 3, 9), reason="台风", **common)
    with pytest.raises(DomainError):
        op.extend_duty(actor=city.people["supervisor"], until=dt.date(2027, 3, 9), reason=" ", **common)
    op.extend_duty(actor=city.people["supervisor"], until=dt.date(2027, 3, 9), reason="台风停工", **common)
    assert Project.objects.get(pk=city.project.pk).overdue_since is None
    assert DutyLateness.objects.count() == 1
    op.note_lateness(now=dt.datetime(2027, 3, 10, 0, 1, tzinfo=SHANGHAI))
    assert Project.objects.get(pk=city.project.pk).overdue_since == dt.date(2027, 3, 9)


def test_a_duty_is_never_moved_or_removed() -> None:
    scene.helped(families=1)
    duty = the_duty()
    for act in (
        duty.delete, lambda: Duty.objects.update(due_on=dt.date(2030, 1, 1)),
        lambda: Duty.objects.create(
            kind=duty.kind, code=duty.code, project=duty.project,
            organization=duty.organization, n=1, began_on=duty.began_on,
            starts_on=duty.starts_on, due_on=duty.due_on, created_by_event="twice",
        ),
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_the_clocks_task_is_safe_to_repeat() -> None:
    scene.helped(families=1)
    keep_duties()
    assert keep_duties() == 0
