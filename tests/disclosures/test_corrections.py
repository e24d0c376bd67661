"""What was published stays, and a correction takes its place: both versions linked, the search showing one (D5)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from apps.core.errors import PermissionRefused, WrongState
from apps.core.invariants import ordered
from apps.disclosures import operations as op
from apps.disclosures.errors import CorrectionEmpty, CorrectionOpen, NotWithoutAudit, ReasonMissing, SameHands
from apps.disclosures.models import Duty, Report, ReportUse
from apps.disclosures.operations import LineInput
from apps.publication.models import PublicRowText
from search.contract import SearchRequest
from search.engines import engine
from tests import world as w
from tests.disclosures import scene

pytestmark = pytest.mark.django_db
LATER = w.NOW + dt.timedelta(hours=1)
AFTER = w.NOW + dt.timedelta(days=3)


def broken() -> list[str]:
    return [f"{one.name}: {each}" for one in ordered() for each in one.check().broken]


def wrong_report(city: w.World) -> Report:
    """A published report that says 100 yuan less than the books, with a wrong explanation."""
    report = scene.drafted(city)
    lines = {**scene.as_computed(report), ("spending", "aid"): LineInput(490_015, "一户计入下一期。")}
    given = {"actor": city.people["officer"], "report": report, "now": LATER}
    op.save_draft(narrative=scene.NARRATIVE, lines=lines, **given)
    return scene.published(city, Report.objects.get(pk=report.pk), opinion="qualified")


def corrected(city: w.World, old: Report) -> Report:
    made = op.start_correction(
        actor=city.people["officer"], report=old, reason="一户的100元漏列。", now=AFTER
    )
    lines = {**scene.as_reported(made), ("spending", "aid"): LineInput(500_015)}
    op.save_draft(actor=city.people["officer"], report=made, narrative=made.narrative, lines=lines, now=AFTER)
    return made


def test_a_correction_takes_the_place_and_both_stay() -> None:
    city = scene.helped()
    old = wrong_report(city)
    bytes_before = bytes(Report.objects.get(pk=old.pk).frozen or b"")
    made = corrected(city, old)
    assert (made.version, made.root_id, made.period_end) == (2, old.pk, old.period_end)
    assert Report.objects.get(pk=old.pk).status == "published", (
        "until the correction is public, the old one stands"
    )
    assert PublicRowText.objects.filter(batch=old.public_id, row__alive=True).count() == 2

    made = scene.published(city, made, now=AFTER)
    old.refresh_from_db()
    assert (old.status, made.status) == ("superseded", "published")
    assert bytes(old.frozen or b"") == bytes_before and hashlib.sha256(bytes_before).hexdigest() == old.sha256
    said = json.loads(bytes(made.frozen or b""))
    assert said["corrects"]["public_id"] == old.public_id and said["corrects"]["sha256"] == old.sha256
    assert said["corrects"]["reason"] == "一户的100元漏列。" and said["corrects"]["by"] == "officer"
    changes = {
        (one["field"], one.get("key")): (one["old"], one["new"]) for one in said["corrects"]["changes"]
    }
    assert changes["reported", "aid"] == (490_015, 500_015)
    assert changes["explanation", "aid"] == ("一户计入下一期。", "一户计入下一期。") or (
        "explanation", "aid") not in changes or changes["explanation", "aid"][1] == ""  # fmt: skip
    assert len(said["uses"]) == 1 and ReportUse.objects.get().report == old, (
        "the use stays with the first version"
    )

    assert [row.batch for row in PublicRowText.objects.filter(row__alive=True)] == [made.public_id] * 2
    for view in ("use", "report"):
        found = engine().search(SearchRequest(view=view, query="大病"))  # type: ignore[arg-type]
        assert found.count == 1 and found.totals[0].minor == 500_015
    assert broken() == []

    for prefix in ("", "/en"):
        page = Client().get(f"{prefix}/disclosures/{old.public_id}/")
        assertContains(page, f"{prefix}/disclosures/{made.public_id}/")
        assertContains(page, "¥4,900.15")
        page = Client().get(f"{prefix}/disclosures/{made.public_id}/")
        assertContains(page, f"{prefix}/disclosures/{old.public_id}/")
        for text in ("¥4,900.15", "¥5,000.15", "一户的100元漏列。", old.sha256):
            assertContains(page, text)
    for each in (old, made):
        raw = Client().get(f"/disclosures/{each.public_id}/original.json")
        assert hashlib.sha256(raw.content).hexdigest() == each.sha256
    duty = Duty.objects.get(pk=old.duty_id)
    assert duty.fulfilled_on == LATER.date(), "the day of the first publication counts"


def test_a_corrections_correction() -> None:
    city = scene.helped()
    second = scene.published(city, corrected(city, wrong_report(city)), now=AFTER)
    third = op.start_correction(actor=city.people["officer"], report=second, reason="文字有误", now=AFTER)
    op.save_draft(actor=city.people["officer"], report=third, narrative=scene.NARRATIVE + "更正一处文字。",
                  lines={}, now=AFTER)  # fmt: skip
    third = scene.published(city, Report.objects.get(pk=third.pk), now=AFTER)
    assert third.version == 3 and json.loads(bytes(third.frozen or b""))["uses"]
    assert list(Report.objects.order_by("version").values_list("status", flat=True)) == [
        "superseded", "superseded", "published"
    ]  # fmt: skip
    assert PublicRowText.objects.filter(row__alive=True).count() == 2 and broken() == []


def test_what_a_correction_refuses() -> None:
    city = scene.helped()
    old = wrong_report(city)
    officer = city.people["officer"]
    with pytest.raises(PermissionRefused):
        op.start_correction(actor=city.people["supervisor"], report=old, reason="x", now=AFTER)
    draft = scene.published_plainly(city, "fundraising_plan")
    Report.objects.filter(pk=draft.pk)
    made = op.start_correction(actor=officer, report=old, reason=" ", now=AFTER)
    with pytest.raises(CorrectionOpen):
        op.start_correction(actor=officer, report=old, reason="again", now=AFTER)
    with pytest.raises(WrongState):
        op.start_correction(actor=officer, report=made, reason="a draft", now=AFTER)
    given = {"actor": officer, "report": made, "narrative": made.narrative, "now": AFTER}
    with pytest.raises(ReasonMissing):
        op.submit_report(lines=scene.as_reported(made), **given)
    with pytest.raises(CorrectionEmpty):
        op.submit_report(lines=scene.as_reported(made), correction_reason="没有改", **given)
    with pytest.raises(DatabaseError, match="correction_has_reason"), transaction.atomic():
        Report.objects.filter(pk=made.pk).update(
            status="submitted", submitted_at=AFTER, cutoff_at=AFTER, draw_seed="x"
        )
    with pytest.raises(DatabaseError, match="what a report is about"), transaction.atomic():
        Report.objects.filter(pk=made.pk).update(version=7)
    with pytest.raises(DatabaseError, match="report_correction_has_root"), transaction.atomic():
        Report.objects.create(
            kind=old.kind, project=old.project, organization=old.organization, duty=old.duty, corrects=made,
            period_start=old.period_start, period_end=old.period_end, currency="CNY", drafted_by_id=old.drafted_by_id,
            created_at=AFTER,
        )  # fmt: skip


def test_kinds_without_audit_are_published_by_the_manager_and_only_they() -> None:
    city = scene.helped()
    officer, manager = city.people["officer"], city.people["manager"]
    plan = op.start_report(actor=officer, duty=scene.next_duty(city, "fundraising_plan"), now=LATER)
    assert {line.key: line.computed for line in plan.lines.all()} == {
        "target": 50_000_000, "line:aid": 40_000_000, "line:materials": 5_000_000, "line:management": 2_500_000
    }  # fmt: skip
    given = {"actor": officer, "report": plan, "narrative": scene.NARRATIVE, "now": LATER}
    op.submit_report(lines=scene.as_computed(plan), **given)
    with pytest.raises(WrongState):
        op.draw_auditor(actor=w.SETUP, report=plan, now=LATER)
    with pytest.raises(PermissionRefused):
        op.send_back_report(actor=officer, report=plan, reason="x", now=LATER)
    op.send_back_report(actor=manager, report=plan, reason="请写明地区", now=LATER)
    op.submit_report(lines=scene.as_computed(plan), **given)
    with pytest.raises(SameHands):
        op.publish_report(actor=officer, report=plan, now=LATER)
    with pytest.raises(PermissionRefused):
        op.publish_report(actor=city.people["supervisor"], report=plan, now=LATER)
    plan = op.publish_report(actor=manager, report=plan, now=LATER)
    page = Client().get(f"/disclosures/{plan.public_id}/")
    assertContains(page, "募捐方案")
    assertNotContains(page, "审计意见：")
    assert Client().get("/api/v1/disclosures?kind=fundraising_plan").json()["count"] == 1

    audited = scene.drafted(city)
    op.submit_report(actor=officer, report=audited, narrative=scene.NARRATIVE, lines=scene.as_computed(audited),
                     now=LATER)  # fmt: skip
    with pytest.raises(NotWithoutAudit):
        op.publish_report(actor=manager, report=audited, now=LATER)
    with pytest.raises(WrongState):
        op.send_back_report(actor=manager, report=audited, reason="x", now=LATER)
    with pytest.raises(DatabaseError, match="report_audited_before_public"), transaction.atomic():
        Report.objects.filter(pk=audited.pk).update(
            status="published", published_at=LATER, published_by=manager.person_id, frozen=b"{}",
            sha256=hashlib.sha256(b"{}").hexdigest(),
        )  # fmt: skip
