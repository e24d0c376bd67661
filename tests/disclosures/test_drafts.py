"""Writing together, files, threads and samples: nothing typed is lost, nothing is chosen by hand (D3, D4)."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from PIL import Image
from pytest_django.asserts import assertContains

from apps.core.errors import PermissionRefused, WrongState
from apps.core.invariants import REGISTRY
from apps.disclosures import attachments
from apps.disclosures import operations as op
from apps.disclosures.errors import (
    BadAttachment,
    DraftChanged,
    FindingKept,
    FindingMissing,
    NotTheAuditor,
    ReasonMissing,
)
from apps.disclosures.models import Audit, Report, SampleItem
from apps.disclosures.operations.auditing import vouchers_of
from apps.disclosures.queries import vouchers_in_sample
from apps.disclosures.sampling import Voucher, digest_of, draw_sample, sample_size
from tests import world as w
from tests.disclosures import scene
from tests.disclosures.test_pages import sign_in

pytestmark = pytest.mark.django_db
LATER = w.NOW + dt.timedelta(hours=1)
PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"


@pytest.fixture(autouse=True)
def media(settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def photo() -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    Image.new("RGB", (40, 30), "red").save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_two_editors_are_told_and_nothing_is_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    city = scene.helped()
    report = scene.drafted(city)
    seen = report.revision
    first, second = city.people["officer"], city.people["officer2"]
    given = {"report": report, "lines": {}, "now": LATER}
    op.save_draft(
        actor=first, narrative="第一位写的，足够长的说明文字，二十个字以上。", revision=seen, **given
    )
    with pytest.raises(DraftChanged) as refused:
        op.save_draft(actor=second, narrative="第二位写的", revision=seen, **given)
    assert "officer" in str(refused.value.message)
    assert Report.objects.get(pk=report.pk).narrative.startswith("第一位")

    scene.staffed(second)
    client = sign_in(second, monkeypatch)
    page = client.get(f"/workbench/reports/{report.public_id}/")
    data = {"narrative": "第二位写的", "act": "save", "revision": str(seen)}
    for row in page.context["form"].rows:
        data[f"{row.name}-reported"], data[f"{row.name}-explanation"] = row.reported, ""
    refused_page = client.post(f"/workbench/reports/{report.public_id}/", data)
    assertContains(refused_page, "第二位写的", status_code=422)
    assertContains(refused_page, "改过这份草稿", status_code=422)
    assert Report.objects.get(pk=report.pk).narrative.startswith("第一位")
    data["revision"] = refused_page.context["form"]["revision"].value()
    assert client.post(f"/workbench/reports/{report.public_id}/", data).status_code == 302, "seen, and meant"
    assert Report.objects.get(pk=report.pk).narrative == "第二位写的"


def test_autosave_answers_for_the_page_and_keeps_what_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    city = scene.helped()
    report = scene.drafted(city)
    scene.staffed(city.people["officer"])
    client = sign_in(city.people["officer"], monkeypatch)
    address = f"/workbench/reports/{report.public_id}/"
    data = {"narrative": "写到一半", "act": "autosave", "revision": str(report.revision)}
    for row in client.get(address).context["form"].rows:
        data[f"{row.name}-reported"], data[f"{row.name}-explanation"] = row.reported, ""
    said = client.post(address, data).json()
    assert said["saved"] and said["revision"] == report.revision + 1
    assert Report.objects.get(pk=report.pk).narrative == "写到一半"
    name = next(iter(key for key in data if key.endswith("-reported")))
    answer = client.post(address, {**data, name: "12,3x"})
    assert answer.status_code == 422 and not answer.json()["saved"]


def test_files_are_told_by_their_content_and_a_changed_byte_is_found(media: Path) -> None:
    city = scene.helped()
    report = scene.drafted(city)
    officer = city.people["officer"]
    given = {"actor": officer, "report": report, "now": LATER}
    for bad in (
        b"",
        b"<svg onload=x>",
        b"MZ\x90",
        b"%PDF-1.7 cut off",
        b"PK\x03\x04",
        b"<html>%PDF-1.7 %%EOF",
    ):
        with pytest.raises(BadAttachment):
            op.add_attachment(name="x.pdf", content=bad, **given)
    with pytest.raises(PermissionRefused):
        op.add_attachment(actor=city.people["manager"], report=report, name="x.pdf", content=PDF, now=LATER)
    paper = op.add_attachment(name="../../验收单.exe", content=PDF, **given)
    assert (paper.name, paper.content_type) == ("验收单.pdf", "application/pdf")
    assert paper.sha256 == hashlib.sha256(PDF).hexdigest()
    assert op.add_attachment(name="again.pdf", content=PDF, **given).pk == paper.pk
    picture = op.add_attachment(name="现场.png", content=photo(), **given)
    kept = attachments.read(picture.sha256)
    assert picture.name == "现场.jpg" and b"secret place" not in kept
    gone = op.add_attachment(name="b.pdf", content=PDF + b"\n%%EOF", **given)
    op.remove_attachment(actor=officer, attachment=gone, now=LATER)
    report = scene.published(city, report)
    with pytest.raises(WrongState):
        op.remove_attachment(actor=officer, attachment=paper, now=LATER)
    for statement in ("UPDATE disclosures_reportattachment SET sha256 = repeat('0', 64)",
                      "DELETE FROM disclosures_reportattachment",
                      "INSERT INTO disclosures_reportattachment (report_id, public_id, name, content_type, size, "
                      "sha256, added_by, added_at) SELECT id, 'x', 'x', 'application/pdf', 1, repeat('1', 64), 1, now()"
                      " FROM disclosures_report"):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    page = Client().get(f"/disclosures/{report.public_id}/")
    assertContains(page, paper.sha256)
    answer = Client().get(f"/disclosures/{report.public_id}/files/{paper.public_id}/")
    assert answer.content == PDF and answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"

    hashes = REGISTRY["disclosures.hashes"]
    assert hashes.check().broken == []
    place = attachments.path_of(paper.sha256)
    os.chmod(place, 0o640)
    place.write_bytes(PDF.replace(b"1.7", b"1.6"))
    assert hashes.check().broken == [f"file {paper.sha256}"]
    assert Client().get(f"/disclosures/{report.public_id}/files/{paper.public_id}/").status_code == 404
    place.unlink()
    assert hashes.check().broken == [f"file {paper.sha256}"]


def test_threads_samples_and_settled_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    city = scene.helped(families=12)
    officer, report = city.people["officer"], scene.drafted(city)
    who, other = scene.auditor(scene.firm(1)), scene.auditor(scene.firm(2), "other")
    op.submit_report(
        actor=officer, report=report, narrative=scene.NARRATIVE, lines=scene.as_computed(report), now=LATER
    )
    audit = op.draw_auditor(actor=w.SETUP, report=report, now=LATER)
    mine, stranger = (who, other) if audit.auditor_id == who.person_id else (other, who)
    op.accept_audit(actor=mine, report=report, now=LATER)
    audit.refresh_from_db()
    vouchers = vouchers_of(report)
    items = list(SampleItem.objects.filter(audit=audit))
    assert audit.population == len(vouchers) == 12 and len(items) == sample_size(12) == 10
    assert audit.population_sha256 == digest_of(vouchers)
    report.refresh_from_db()
    assert [item.entry for item in items] == [
        v.entry for v in draw_sample(report.draw_seed, report.public_id, vouchers)
    ]
    shown = vouchers_in_sample(report)
    assert all(row.payee == row.purpose == "" and row.town for row in shown), (
        "no family behind a payment of aid"
    )

    given = {"report": report, "now": LATER}
    with pytest.raises(NotTheAuditor):
        op.check_sample(actor=stranger, item=items[0], result="fine", now=LATER)
    with pytest.raises(ReasonMissing):
        op.check_sample(actor=mine, item=items[0], result="fault", now=LATER)
    op.check_sample(actor=mine, item=items[0], result="fault", note="签收单缺一页", now=LATER)
    for statement in ("DELETE FROM disclosures_sampleitem", "UPDATE disclosures_sampleitem SET entry = entry + 1000",
                      "DELETE FROM disclosures_findingmessage"):  # fmt: skip
        if "message" not in statement:
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
    finding = op.add_finding(actor=mine, severity="material", title="签收单", text="缺一页。", **given)
    for actor in (stranger, city.people["supervisor"], city.people["cashier"]):
        with pytest.raises(PermissionRefused):
            op.say_about_finding(actor=actor, finding=finding, text="x", now=LATER)
    op.say_about_finding(actor=mine, finding=finding, text="请补。", now=LATER)
    op.return_report(actor=mine, report=report, reason="请补签收单", now=LATER)
    op.say_about_finding(actor=officer, finding=finding, text="已补上。", now=LATER)
    assert [one.by_auditor for one in finding.messages.all()] == [True, False]
    op.submit_report(
        actor=officer, report=report, narrative=scene.NARRATIVE, lines=scene.as_computed(report), now=LATER
    )
    op.accept_audit(actor=mine, report=report, now=LATER)
    assert SampleItem.objects.filter(audit=audit).count() == 10, "the same draw, not a second one"
    with pytest.raises(FindingKept):
        op.remove_finding(actor=mine, finding=finding, now=LATER)
    op.resolve_finding(actor=mine, finding=finding, now=LATER)
    with pytest.raises(FindingMissing):
        op.give_opinion(actor=mine, opinion="qualified", text="除一项外。", **given)
    op.give_opinion(actor=mine, opinion="unqualified", text="公允反映。", **given)
    report = op.publish_report(actor=city.people["manager"], report=report, now=LATER)
    page = Client().get(f"/disclosures/{report.public_id}/")
    assertContains(page, "审计期间已解决")
    assertContains(page, "12笔里抽10笔，1笔有问题")
    assert "请补。" not in page.content.decode(), "the thread stays inside"
    with pytest.raises(WrongState):
        op.say_about_finding(actor=officer, finding=finding, text="x", now=LATER)
    assert Audit.objects.count() == 1


def test_the_draw_of_the_sample_is_a_pure_function_of_the_seed() -> None:
    vouchers = [Voucher(entry, entry, 100) for entry in range(1, 700)]
    first = draw_sample("seed", "report", vouchers)
    assert first == draw_sample("seed", "report", list(reversed(vouchers))) and len(first) == 60
    assert draw_sample("another", "report", vouchers) != first
    assert [sample_size(n) for n in (0, 4, 10, 101, 350, 9_999)] == [0, 4, 10, 11, 35, 60]


def test_uploads_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    city = scene.helped()
    report = scene.drafted(city)
    scene.staffed(city.people["officer"])
    client = sign_in(city.people["officer"], monkeypatch)
    address = f"/workbench/reports/{report.public_id}/"
    client.post(address, {"act": "attach", "file": SimpleUploadedFile("a.pdf", PDF)})
    row = report.attachments.get()
    assertContains(client.get(address), row.sha256)
    said = client.post(address, {"act": "attach", "file": SimpleUploadedFile("a.pdf", b"x")}, follow=True)
    assertContains(said, "附件没有保存")
    client.post(address, {"act": "detach", "attachment": row.pk})
    assert not report.attachments.exists()
