"""Every kind of duty begins by itself, lapses where another report covers it, and reminds once (D1, D2, F7)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction

from apps.core.clock import SHANGHAI
from apps.core.errors import PermissionRefused
from apps.disclosures import operations as op
from apps.disclosures.errors import NoDuty, NotDeclarable, OccurrenceWrong
from apps.disclosures.models import Duty, DutyExtension, DutyKind, DutyLateness, DutyReminder, Report
from apps.disclosures.states import Trigger
from apps.funds import operations as funds
from apps.funds.operations import ReportOverdue
from apps.notifications.models import Notice
from apps.organizations.models import Organization
from apps.organizations.operations import register_organization
from tests import world as w
from tests.accounts.signing import account_of
from tests.disclosures import scene

pytestmark = pytest.mark.django_db


def at(text: str, hour: int = 9) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(hour), tzinfo=SHANGHAI)


def charity(name: str, body: str) -> Organization:
    return register_organization(
        actor=w.SETUP, name=name, uscc=body + w._check(body), kind="service", address="x", phone="x"
    )


def dues(**of: object) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for duty in Duty.objects.filter(**of).order_by("code", "n"):
        found.setdefault(duty.code, []).append(duty.due_on.isoformat())
    return found


def test_a_projects_whole_life() -> None:
    city = w.build()
    officer, project = city.people["officer"], city.project
    w.work()
    assert dues() == {"fundraising_plan": ["2026-12-03"], "fundraising_progress": ["2027-02-23"]}
    w.give(city, 500_000)
    op.advance_duties(now=at("2027-03-01"))
    assert dues(project=project)["fundraising_progress"] == ["2027-02-23", "2027-05-23"]
    funds.close_raising(actor=officer, project=project, now=at("2027-03-10"))
    w.work()
    lapsed = Duty.objects.get(code="fundraising_progress", n=2)
    assert lapsed.lapsed_on == dt.date(2027, 3, 10), "the result covers what the open window would have"
    assert Duty.objects.get(code="fundraising_progress", n=1).lapsed_on is None, "what was late stays owed"
    assert dues(project=project)["fundraising_result"] == ["2027-06-10"]
    funds.start_executing(actor=officer, project=project, now=at("2027-03-11"))
    w.work()
    assert dues(project=project)["implementation_progress"] == ["2027-06-11"]
    funds.complete_project(actor=officer, project=project, now=at("2027-05-01"))
    w.work()
    found = dues(project=project)
    assert found["closing_report"] == found["surplus_treatment"] == ["2027-08-01"], (
        "money is left: its use is told"
    )
    assert Duty.objects.get(code="implementation_progress").lapsed_on == dt.date(2027, 5, 1)
    with pytest.raises(NoDuty):
        op.start_report(actor=officer, duty=lapsed, now=at("2027-05-02"))


def test_partners_emergencies_and_short_campaigns() -> None:
    city = w.build(raising=False)
    partner = charity("澜江市青禾社会工作服务中心", "51449900MJL000001")
    project = city.project
    type(project).objects.filter(pk=project.pk).update(
        is_emergency=True, partner=partner, ends_on=city.now.date() + dt.timedelta(days=60)
    )
    funds.start_raising(actor=city.people["officer"], project=project, now=city.now)
    w.work()
    op.advance_duties(now=city.now + dt.timedelta(days=11))
    found = dues(project=project)
    assert found["emergency_receipts"] == ["2026-11-28", "2026-12-03", "2026-12-08"]
    assert "fundraising_progress" not in found, "a campaign of two months"
    funds.close_raising(actor=city.people["officer"], project=project, now=at("2026-12-05"))
    w.work()
    assert dues(project=project)["partner_evaluation"] == ["2027-03-05"]


def test_short_work_that_lasts_is_counted_from_its_first_day() -> None:
    """A plan of four months owes progress once its work has in fact lasted six; later windows keep the first day."""
    city = w.build()
    project, officer = city.project, city.people["officer"]
    type(project).objects.filter(pk=project.pk).update(ends_on=city.now.date() + dt.timedelta(days=60))
    funds.close_raising(actor=officer, project=project, now=w.NOW)
    funds.start_executing(actor=officer, project=project, now=at("2026-11-30"))
    w.work()
    assert not Duty.objects.filter(code=scene.PROGRESS).exists()
    for day in ("2027-05-30", "2027-05-31", "2027-09-01", "2027-09-02"):
        op.advance_duties(now=at(day))
    rows = Duty.objects.filter(code=scene.PROGRESS).order_by("n")
    assert list(rows.values_list("n", "began_on", "starts_on", "due_on")) == [
        (3, dt.date(2026, 11, 30), dt.date(2027, 5, 30), dt.date(2027, 8, 30)),
        (4, dt.date(2026, 11, 30), dt.date(2027, 8, 30), dt.date(2027, 11, 30)),
    ]  # fmt: skip


def test_an_organizations_year_by_its_licence() -> None:
    city = w.build(raising=False)
    other = charity("澜江市晨光助学服务中心", "51449900MJL000002")
    op.advance_duties(now=at("2026-12-31"))
    assert not Duty.objects.filter(project=None).exists(), "the year isn't over"
    made = op.advance_duties(now=at("2027-01-01", 1))
    assert made == 5
    assert dues(organization=city.organization, project=None) == {
        "annual_accounts": ["2027-05-31"], "annual_work_report": ["2027-05-31"]
    }  # fmt: skip
    assert dues(organization=other) == {
        "annual_accounts_unlicensed": ["2027-05-31"], "annual_work_report": ["2027-05-31"],
        "major_projects": ["2027-05-31"],
    }  # fmt: skip
    assert op.advance_duties(now=at("2027-01-01", 2)) == 0


def test_a_late_yearly_report_stops_new_campaigns() -> None:
    city = w.build(raising=False)
    op.advance_duties(now=at("2027-01-02"))
    op.note_lateness(now=at("2027-06-01"))
    city.organization.refresh_from_db()
    assert (city.organization.overdue_since, city.organization.overdue_count) == (dt.date(2027, 5, 31), 2)
    with pytest.raises(ReportOverdue):
        funds.start_raising(actor=city.people["officer"], project=city.project, now=w.NOW)
    assert DutyLateness.objects.filter(duty__project=None).count() == 2


def test_declared_things_are_due_in_thirty_days_and_trusts_every_year() -> None:
    city = w.build(raising=False)
    manager = city.people["manager"]
    given = {"organization": city.organization, "title": "购买办公用房", "now": w.NOW}
    with pytest.raises(PermissionRefused):
        op.declare_occurrence(actor=city.people["cashier"], code="major_asset_change",
                              happened_on=w.NOW.date(), **given)  # fmt: skip
    with pytest.raises(OccurrenceWrong):
        op.declare_occurrence(actor=manager, code="major_asset_change",
                              happened_on=w.NOW.date() + dt.timedelta(days=1), **given)  # fmt: skip
    for code, day in (("annual_accounts", w.NOW.date()), ("major_asset_change", dt.date(2025, 6, 1))):
        with pytest.raises(NotDeclarable), transaction.atomic():
            op.declare_occurrence(actor=manager, code=code, happened_on=day, **given)
    duty = op.declare_occurrence(actor=manager, code="major_asset_change", amount=120_000_000,
                                 happened_on=dt.date(2026, 11, 20), **given)  # fmt: skip
    assert duty.due_on == dt.date(2026, 12, 20)
    report = op.start_report(actor=city.people["officer"], duty=duty, now=w.NOW)
    assert {line.key: line.computed for line in report.lines.all()} == {"amount": 120_000_000}
    op.declare_occurrence(actor=manager, code="trust_set_up", happened_on=w.NOW.date(), **given)
    op.advance_duties(now=at("2027-01-05"))
    assert dues(code="trust_affairs") == {"trust_affairs": ["2027-03-31"]}


def test_reminders_go_out_once_for_each_distance_and_survive_a_crash() -> None:
    city = w.build()
    w.work()
    account_of(city.people["officer"], "officer@example.org")
    scene.staffed(city.people["manager"])
    duty = Duty.objects.get(code="fundraising_plan")
    assert duty.due_on == dt.date(2026, 12, 3)
    sent = {
        day: op.remind_of_duties(now=at(day))
        for day in ("2026-11-23", "2026-11-24", "2026-11-26", "2026-12-02")
    }
    assert list(sent.values()) == [1, 0, 1, 1]
    assert op.remind_of_duties(now=at("2026-12-02", 20)) == 0
    assert list(DutyReminder.objects.order_by("id").values_list("days", flat=True)) == [14, 7, 1]
    w.work()
    assert len(mail.outbox) == 3 and "募捐方案" in mail.outbox[0].subject
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_outboxdelivery SET done_at = NULL, due_at = now() - interval '1 day'")
    w.work()
    assert len(mail.outbox) == 3, "a delivery that is repeated sends nothing twice"
    notices = Notice.objects.filter(what="duty_near")
    assert notices.count() == 6, "the officer and the manager, three times each"
    op.extend_duty(actor=city.people["supervisor"], duty=duty, until=dt.date(2026, 12, 20), reason="台风",
                   now=at("2026-12-02"))  # fmt: skip
    assert op.remind_of_duties(now=at("2026-12-06")) == 1, "a later date is announced anew"


def test_every_extension_is_kept_and_lateness_with_it() -> None:
    city = w.build()
    w.work()
    duty = Duty.objects.get(code="fundraising_plan")
    for until, day in (("2026-12-10", "2026-12-08"), ("2026-12-31", "2026-12-09")):
        op.extend_duty(actor=city.people["supervisor"], duty=duty, until=dt.date.fromisoformat(until),
                       reason=f"延到{until}", now=at(day))  # fmt: skip
    assert [row.was_due_on.isoformat() for row in DutyExtension.objects.all()] == ["2026-12-03", "2026-12-10"]
    assert DutyLateness.objects.get().due_on == dt.date(2026, 12, 3), (
        "late by five days before it was extended"
    )
    for statement in (
        "DELETE FROM disclosures_dutyextension", "UPDATE disclosures_dutyreminder SET days = 3",
        "UPDATE disclosures_duty SET lapsed_on = due_on + 40", "DELETE FROM disclosures_dutylateness",
        "UPDATE disclosures_duty SET code = 'x'",
    ):  # fmt: skip
        if statement.startswith("UPDATE disclosures_dutyreminder"):
            op.remind_of_duties(now=at("2026-12-20"))
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_correction_that_was_ordered_is_due_in_five_working_days() -> None:
    city = scene.helped()
    report = scene.published_plainly(city, "fundraising_plan")
    with pytest.raises(PermissionRefused):
        op.order_correction(
            actor=city.people["manager"], report=report, reason="数字有误", now=at("2026-11-27")
        )
    duty = op.order_correction(actor=city.people["supervisor"], report=report, reason="数字有误",
                               now=at("2026-11-27"))  # fmt: skip
    assert duty.due_on == dt.date(2026, 12, 4)
    with pytest.raises(NoDuty):
        op.start_report(actor=city.people["officer"], duty=duty, now=at("2026-11-28"))
    fixed = op.start_correction(
        actor=city.people["officer"], report=report, reason="写错了", now=at("2026-11-30")
    )
    op.submit_report(actor=city.people["officer"], report=fixed, narrative=scene.NARRATIVE + "已更正。",
                     lines=scene.as_reported(fixed), now=at("2026-11-30"))  # fmt: skip
    op.publish_report(actor=city.people["manager"], report=fixed, now=at("2026-12-01"))
    duty.refresh_from_db()
    assert duty.fulfilled_on == dt.date(2026, 12, 1)


def test_the_table_is_whole_and_readable() -> None:
    codes = set(DutyKind.objects.values_list("code", flat=True))
    assert codes >= {
        "fundraising_plan", "fundraising_progress", "fundraising_result", "implementation_progress", "closing_report",
        "surplus_treatment", "partner_evaluation", "emergency_receipts", "annual_work_report", "annual_accounts",
        "major_asset_change", "related_party_dealing", "trust_set_up", "trust_affairs", "major_projects", "goods_flow",
        "correction_notice",
    }  # fmt: skip
    for kind in DutyKind.objects.all():
        assert kind.legal_source and kind.name_en and kind.trigger in Trigger.values
    assert Report.objects.count() == 0
