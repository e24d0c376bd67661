"""Reports on pages: the public page and its bytes, deadlines, and the desks of those who write and audit."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from django.test import Client
from pytest_django.asserts import assertContains

from apps.accounts.models import Account
from apps.core.actors import Actor
from apps.disclosures import operations as op
from apps.disclosures.models import Report
from apps.disclosures.operations import LineInput
from tests import world as w
from tests.disclosures import scene

pytestmark = pytest.mark.django_db
LATER = w.NOW + dt.timedelta(hours=1)


def sign_in(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> Client:
    """This will sign a person in as if the second factor were passed; the doors have tests of their own."""
    account = Account.objects.create_user(f"p{actor.person_id}@example.org", "x", person_id=actor.person_id)
    monkeypatch.setattr("apps.accounts.middleware.passed_mfa", lambda request: True)
    monkeypatch.setattr("apps.accounts.middleware.has_mfa", lambda account: True)
    client = Client()
    client.force_login(account)
    return client


@pytest.fixture
def city() -> w.World:
    made = scene.helped()
    for name in ("officer", "manager"):
        scene.staffed(made.people[name])
    return made


def published(city: w.World) -> Report:
    who = scene.auditor(scene.firm(1))
    report = scene.drafted(city)
    lines = {**scene.as_computed(report), ("spending", "aid"): LineInput(490_015, "一户计入下一期。")}
    op.submit_report(
        actor=city.people["officer"], report=report, narrative=scene.NARRATIVE, lines=lines, now=LATER
    )
    scene.audited(city, report, {who.person_id: who}, opinion="qualified")
    return op.publish_report(actor=city.people["manager"], report=report, now=LATER)


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_the_public_page_and_the_frozen_bytes(city: w.World, prefix: str) -> None:
    report = published(city)
    page = Client().get(f"{prefix}/disclosures/{report.public_id}/")
    for text in (report.sha256, "¥5,000.15", "¥4,900.15", "\u2212¥100.00", "一户计入下一期。", "运输费截止期",
                 report.draw_seed):  # fmt: skip
        assertContains(page, text)
    assert "户主" not in page.content.decode()
    raw = Client().get(f"/disclosures/{report.public_id}/original.json")
    assert hashlib.sha256(raw.content).hexdigest() == report.sha256
    project = Client().get(f"{prefix}/projects/{city.project.slug}/")
    assertContains(project, f"{prefix}/disclosures/{report.public_id}/")
    found = Client().get(f"{prefix}/disclosures/?view=reports&q=截止期")
    assertContains(found, f"{prefix}/disclosures/{report.public_id}/")
    uses = Client().get(
        f"{prefix}/disclosures/?q=石桥镇&amount_min=5000.15&amount_max=5000.15&category=illness"
    )
    assertContains(uses, "¥5,000.15")
    assertContains(Client().get(f"{prefix}/organizations/{city.organization.uscc}/"), report.public_id)


def test_drafts_are_not_public(city: w.World) -> None:
    report = scene.drafted(city)
    assert Client().get(f"/disclosures/{report.public_id}/").status_code == 404
    assert Client().get(f"/disclosures/{report.public_id}/original.json").status_code == 404


def test_written_and_audited_on_the_workbench(city: w.World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.core.clock.now", lambda: LATER)
    officer = sign_in(city.people["officer"], monkeypatch)
    assertContains(officer.get("/workbench/reports/"), "起草报告")
    made = officer.post(
        "/workbench/reports/", {"duty": scene.next_duty(city).public_id, "until": LATER.date().isoformat()}
    )
    report = Report.objects.get()
    address = f"/workbench/reports/{report.public_id}/"
    assert made["Location"] == address
    page = officer.get(address)
    data = {"narrative": scene.NARRATIVE, "act": "submit"}
    for row in page.context["form"].rows:
        data[f"{row.name}-reported"] = row.reported
        data[f"{row.name}-explanation"] = ""
        if row.line.key == "aid":
            aid = row.name
    data[f"{aid}-reported"] = "4,900.15"
    refused = officer.post(address, data)
    assertContains(refused, "医疗救助", status_code=422)
    assertContains(refused, "4,900.15", status_code=422)
    data[f"{aid}-explanation"] = "一户计入下一期。"
    assert officer.post(address, data).status_code == 302
    report.refresh_from_db()
    assert report.status == "submitted"

    who = scene.auditor(scene.firm(1))
    w.work()
    auditor = sign_in(who, monkeypatch)
    desk = f"{address}audit/"
    assertContains(auditor.get("/workbench/reports/"), desk)
    auditor.post(desk, {"act": "accept"})
    assertContains(
        auditor.post(desk, {"act": "opinion", "opinion-opinion": "qualified", "opinion-text": "除一项外。"}),
        "至少写明一条", status_code=422,
    )  # fmt: skip
    auditor.post(
        desk,
        {
            "act": "finding",
            "finding-severity": "material",
            "finding-title": "截止期",
            "finding-text": "计错了期。",
        },
    )
    assertContains(auditor.get(desk), "与总账的衔接")
    auditor.post(desk, {"act": "opinion", "opinion-opinion": "qualified", "opinion-text": "除一项外，公允。"})
    report.refresh_from_db()
    assert report.status == "audited"

    finding = report.findings.get()
    officer.post(address, {"act": "reply", "finding": finding.pk, "reply": "同意。"})
    officer.post(address, {"act": "publish"})
    report.refresh_from_db()
    assert report.status == "audited", "the drafter can't publish"
    manager = sign_in(city.people["manager"], monkeypatch)
    manager.post(address, {"act": "publish"})
    report.refresh_from_db()
    assert report.status == "published" and "同意。" in bytes(report.frozen or b"").decode()


def test_others_reports_are_not_there(city: w.World, monkeypatch: pytest.MonkeyPatch) -> None:
    report = scene.drafted(city)
    stranger = scene.staffed(
        w.person("stranger", ("project_officer", "organization", city.organization.pk + 1))
    )
    client = sign_in(stranger, monkeypatch)
    for tail in ("", "audit/"):
        assert client.get(f"/workbench/reports/{report.public_id}/{tail}").status_code == 404


def test_pages_take_few_statements(city: w.World, django_assert_max_num_queries) -> None:
    report = published(city)
    for address, most in (
        (f"/disclosures/{report.public_id}/", 4), (f"/disclosures/{report.public_id}/original.json", 2),
        (f"/projects/{city.project.slug}/", 12), (f"/organizations/{city.organization.uscc}/", 7),
        ("/duties/", 8), ("/duties/kinds/", 2),
    ):  # fmt: skip
        with django_assert_max_num_queries(most):
            assert Client().get(address).status_code == 200


def test_open_data_finds_reports_and_uses(city: w.World) -> None:
    report = published(city)
    [shown] = Client().get("/api/v1/disclosures?opinion=qualified").json()["results"]
    assert (shown["report"], shown["amount"]["amount"], shown["opinion"]) == (
        report.public_id,
        500_015,
        "qualified",
    )
    uses = Client().get(f"/api/v1/uses?project={city.project.slug}&town=shiqiao").json()
    assert uses["totals"] == [{"amount": 500_015, "currency": "CNY"}] and uses["household_times"] == 5
    assert Client().get("/api/v1/disclosures?opinion=adverse").json()["count"] == 0
