"""What is published can't be changed by anybody in SQL, the owner included."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest
from django.db import DatabaseError, transaction

from apps.core.errors import PermissionRefused, WrongState
from apps.disclosures import operations as op
from apps.disclosures.errors import NoDuty, NoIndependentAuditor, PeriodWrong
from apps.disclosures.invariants import reports_hash
from apps.disclosures.models import Audit, Report, ReportLine
from apps.disclosures.operations import LineInput
from apps.disclosures.queries import may_be_joined
from apps.publication.models import PublicRowText
from apps.publication.privacy import NotPublishable
from charity_site.stack.addresses import APPLICATION, OWNER
from tests import world as w
from tests.disclosures import scene
from tests.disclosures.test_drafts import PDF

LATER = w.NOW + dt.timedelta(hours=1)
TAMPERING = [
    "UPDATE disclosures_report SET narrative = 'x'",
    "UPDATE disclosures_report SET status = 'draft'",
    "UPDATE disclosures_report SET frozen = '\\x00', sha256 = encode(sha256('\\x00'), 'hex')",
    "UPDATE disclosures_report SET published_at = now()",
    "UPDATE disclosures_report SET status = 'superseded', narrative = 'x'",
    "DELETE FROM disclosures_report",
    "TRUNCATE disclosures_report CASCADE",
    "UPDATE disclosures_reportline SET reported = reported + 1, explanation = 'x'",
    "UPDATE disclosures_reportline SET label_zh = 'x'",
    "DELETE FROM disclosures_reportline",
    "INSERT INTO disclosures_reportline (report_id, section, key, position, label_zh, label_en, unit, reported, "
    "computed, explanation) SELECT id, 'income', 'x', 99, '', '', 'fen', 1, 1, '' FROM disclosures_report",
    "TRUNCATE disclosures_reportline",
    "UPDATE disclosures_reportattachment SET sha256 = repeat('0', 64)",
    "UPDATE disclosures_reportattachment SET name = 'x'",
    "DELETE FROM disclosures_reportattachment",
    "TRUNCATE disclosures_reportattachment",
    "UPDATE disclosures_reportuse SET amount = 1",
    "DELETE FROM disclosures_reportuse",
    "UPDATE disclosures_finding SET text = 'x'",
    "UPDATE disclosures_finding SET reply = 'x'",
    "DELETE FROM disclosures_finding",
    "INSERT INTO disclosures_finding (report_id, severity, title, text, reply, written_at) "
    "SELECT id, 'note', 'x', 'x', '', now() FROM disclosures_report",
    "UPDATE disclosures_audit SET opinion = 'unqualified'",
    "UPDATE disclosures_audit SET signed_name = 'x'",
    "DELETE FROM disclosures_audit",
    "UPDATE disclosures_report SET corrects_id = id",
    "UPDATE disclosures_report SET version = 2",
    "UPDATE disclosures_reportline SET computed = reported + 1",
    "UPDATE disclosures_sampleitem SET result = 'fine', checked_at = now()",
    "DELETE FROM disclosures_sampleitem",
    "UPDATE disclosures_duty SET lapsed_on = due_on",
    "UPDATE disclosures_reportstatuschange SET reason = 'x'",
    "DELETE FROM disclosures_reportstatuschange",
    "UPDATE disclosures_duty SET fulfilled_on = NULL",
    "DELETE FROM disclosures_duty",
]


def published(city: w.World, attached: bool = False) -> Report:
    who = scene.auditor(scene.firm(1))
    report = scene.drafted(city)
    if attached:
        op.add_attachment(
            actor=city.people["officer"], report=report, name="验收.pdf", content=PDF, now=LATER
        )
    op.submit_report(actor=city.people["officer"], report=report, narrative=scene.NARRATIVE,
                     lines=scene.as_computed(report), now=LATER)  # fmt: skip
    scene.audited(city, report, {who.person_id: who}, opinion="qualified")
    return op.publish_report(actor=city.people["manager"], report=report, now=LATER)


def test_no_role_changes_what_is_published(committed_db, database_server) -> None:
    report = published(scene.helped(), attached=True)
    before = bytes(report.frozen or b"")
    for role in (APPLICATION, OWNER):
        with database_server.connect(committed_db.name, role) as line:
            for statement in TAMPERING:
                with pytest.raises(psycopg.Error):
                    line.execute(statement.encode())
    again = Report.objects.get(pk=report.pk)
    assert bytes(again.frozen or b"") == before and again.status == "published"
    with database_server.connect(committed_db.name, OWNER) as line:
        line.execute(b"UPDATE disclosures_report SET status = 'superseded'")


GUARDS = [
    ("disclosures_report", "UPDATE disclosures_report SET narrative = 'x'"),
    ("disclosures_reportline", "UPDATE disclosures_reportline SET label_zh = 'x'"),
    ("disclosures_reportuse", "DELETE FROM disclosures_reportuse"),
    ("disclosures_reportattachment", "UPDATE disclosures_reportattachment SET sha256 = repeat('0', 64)"),
    ("disclosures_finding", "UPDATE disclosures_finding SET text = 'x'"),
    ("disclosures_audit", "UPDATE disclosures_audit SET signed_name = 'x'"),
    ("disclosures_sampleitem", "UPDATE disclosures_sampleitem SET note = 'x'"),
]


def test_each_guard_stands_for_itself(committed_db, database_server) -> None:
    """Each table's own trigger refuses: with that one taken off in a transaction, the same statement goes through.
    Were one of them missing, its statement would go through with it standing."""
    report = published(scene.helped(), attached=True)
    with database_server.connect(committed_db.name, OWNER, autocommit=False) as line:
        for table, statement in GUARDS:
            with pytest.raises(psycopg.errors.RaiseException):
                line.execute(statement.encode())
            line.rollback()
            line.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
            assert line.execute(statement.encode()).rowcount > 0, table
            line.rollback()
    assert reports_hash().broken == [] and report.status == "published"


@pytest.mark.django_db
def test_the_database_refuses_a_difference_without_explanation() -> None:
    city = scene.helped()
    report = scene.drafted(city)
    ReportLine.objects.filter(report=report, key="aid").update(reported=1)
    with pytest.raises(DatabaseError, match="report_difference_explained"), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(
            status="submitted", submitted_at=LATER, cutoff_at=LATER, draw_seed="x"
        )


@pytest.mark.django_db
def test_the_database_refuses_the_drafter_as_auditor() -> None:
    city = scene.helped()
    report = scene.drafted(city)
    with pytest.raises(DatabaseError, match="audit_not_by_the_drafter"), transaction.atomic():
        Audit.objects.create(report=report, firm=scene.firm(1), auditor_id=report.drafted_by_id, drawn_at=LATER,
                             seed_sha256="x", eligible=[], place=0)  # fmt: skip


@pytest.mark.django_db
def test_a_submitted_report_stands_still() -> None:
    city = scene.helped()
    report = scene.drafted(city)
    given = {"actor": city.people["officer"], "report": report, "narrative": scene.NARRATIVE, "now": LATER}
    op.submit_report(lines=scene.as_computed(report), **given)
    with pytest.raises(WrongState):
        op.save_draft(lines={}, **given)
    for act in (
        lambda: ReportLine.objects.filter(report=report).update(reported=1, explanation="x"),
        lambda: Report.objects.filter(pk=report.pk).update(narrative="x"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    with pytest.raises(NoIndependentAuditor):
        op.draw_auditor(actor=w.SETUP, report=report, now=LATER)


@pytest.mark.django_db
def test_returned_reports_come_back_to_the_same_auditor() -> None:
    city = scene.helped()
    people = [scene.auditor(scene.firm(n), f"auditor{n}") for n in (1, 2, 3)]
    by = {each.person_id: each for each in people}
    report = scene.drafted(city)
    given = {"actor": city.people["officer"], "report": report, "narrative": scene.NARRATIVE, "now": LATER}
    op.submit_report(lines=scene.as_computed(report), **given)
    first = by[op.draw_auditor(actor=w.SETUP, report=report, now=LATER).auditor_id]
    op.decline_audit(actor=first, report=report, reason="亲属在机构任职", now=LATER)
    second = by[op.draw_auditor(actor=w.SETUP, report=report, now=LATER).auditor_id]
    assert second is not first
    op.accept_audit(actor=second, report=report, now=LATER)
    op.return_report(actor=second, report=report, reason="请附验收单编号。", now=LATER)
    op.submit_report(
        lines={**scene.as_computed(report), ("spending", "line:materials"): LineInput(0)}, **given
    )
    report.refresh_from_db()
    assert report.status == "assigned" and Audit.objects.get(declined_at=None).auditor_id == second.person_id


@pytest.mark.django_db
def test_who_may_not() -> None:
    city = scene.helped()
    stranger = w.person("stranger", ("project_officer", "organization", city.organization.pk + 1))
    given = {"duty": scene.next_duty(city), "now": LATER}
    for actor in (
        stranger,
        city.people["manager"],
        city.people["supervisor"],
        city.people["caseworker_shiqiao"],
    ):
        with pytest.raises(PermissionRefused):
            op.start_report(actor=actor, until=LATER.date(), **given)
    with pytest.raises(PeriodWrong):
        op.start_report(actor=city.people["officer"], until=LATER.date() + dt.timedelta(days=1), **given)
    report = scene.drafted(city)
    with pytest.raises(NoDuty):
        scene.drafted(city)
    with pytest.raises(PermissionRefused):
        op.submit_report(actor=stranger, report=report, narrative=scene.NARRATIVE, lines={}, now=LATER)


@pytest.mark.django_db
def test_personal_details_stop_publication() -> None:
    city = scene.helped()
    who = scene.auditor(scene.firm(1))
    report = scene.drafted(city)
    op.submit_report(actor=city.people["officer"], report=report, narrative=scene.NARRATIVE + "联系人13800001234。",
                     lines=scene.as_computed(report), now=LATER)  # fmt: skip
    scene.audited(city, report, {who.person_id: who})
    with pytest.raises(NotPublishable):
        op.publish_report(actor=city.people["manager"], report=report, now=LATER)
    assert PublicRowText.objects.count() == 0


@pytest.mark.django_db
def test_the_next_report_takes_up_where_the_last_ended() -> None:
    """A fifth family makes the release only after the first report; the sums close through both."""
    city = scene.helped(families=4)
    who = scene.auditor(scene.firm(1))
    first = scene.drafted(city)
    lines = {line.key: line.computed for line in first.lines.all()}
    assert (lines["aid"], lines["households"]) == (0, 0)
    assert lines["not_shown"] == lines["paid"] == 400_010
    op.submit_report(actor=city.people["officer"], report=first, narrative=scene.NARRATIVE,
                     lines=scene.as_computed(first), now=LATER)  # fmt: skip
    scene.audited(city, first, {who.person_id: who})
    op.publish_report(actor=city.people["manager"], report=first, now=LATER)

    next_day = w.NOW + dt.timedelta(days=1)
    w.help_family(city, 5, 100_005, now=next_day)
    scene.release_due(now=next_day)
    after = dt.datetime(2027, 2, 24, 9, tzinfo=w.NOW.tzinfo)
    op.advance_duties(now=after)
    second = scene.drafted(city, now=after)
    assert second.period_start == first.period_end == next_day.date()
    lines = {line.key: line.computed for line in second.lines.all()}
    assert lines["aid"] == 500_015 and lines["households"] == 5
    assert (lines["paid"], lines["shown_earlier"], lines["not_shown"]) == (100_005, 400_010, 0)
    assert lines["late_recorded"] == 0
    assert lines["opening"] == 2_000_000 - 12_000
    assert lines["opening"] - lines["fees"] - lines["aid"] == lines["ledger_closing"]


@pytest.mark.django_db
def test_people_of_one_report_are_never_made_one() -> None:
    city = scene.helped()
    who = scene.auditor(scene.firm(1))
    report = scene.drafted(city)
    officer, other = city.people["officer"].person_id, city.people["officer2"].person_id
    assert officer and other and who.person_id
    assert may_be_joined(officer, other) and may_be_joined(other, officer)
    op.submit_report(actor=city.people["officer"], report=report, narrative=scene.NARRATIVE,
                     lines=scene.as_computed(report), now=LATER)  # fmt: skip
    scene.audited(city, report, {who.person_id: who})
    assert not may_be_joined(officer, who.person_id)
    assert may_be_joined(officer, other), "the one whose records stand still is kept"
    assert not may_be_joined(other, officer)
