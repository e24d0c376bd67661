"""The workbench's pages of casework: nothing private without a reason, numbers in no address, downloads that stay
downloads, a bounded number of statements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.casework import operations
from apps.casework.models import AccessRow, Attachment, Consent, ErasureRequest, Household, Member
from tests import world as w
from tests.accounts.signing import account_of, with_session
from tests.casework.people import number

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\ntrailer<<>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def client(city: w.World, who: str) -> Client:
    return with_session(account_of(city.people[who], f"{who}@example.org"), second=True)


def file_page(family: Household) -> str:
    return f"/workbench/households/{family.file_number}/"


def test_an_attachment_goes_up_as_what_it_is_and_down_as_a_download() -> None:
    city = w.build()
    family = w.household(city, 1)
    page = client(city, "caseworker_shiqiao")
    wrong = SimpleUploadedFile("病历.pdf", b"MZ not a document", "application/pdf")
    answer = page.post(f"{file_page(family)}add/attachment/", {"kind": "diagnosis", "file": wrong})
    assert answer.status_code == 422 and "文件内容不是其中之一" in answer.content.decode()
    right = SimpleUploadedFile("photo.jpg", PDF, "image/jpeg")
    answer = page.post(f"{file_page(family)}add/attachment/", {"kind": "diagnosis", "file": right})
    assert answer.status_code == 302
    kept = Attachment.objects.get()
    asked = {"act": "open", "what": f"attachment:{kept.public_id}", "reason": ""}
    assert page.post(file_page(family), asked).status_code == 422 and not AccessRow.objects.exists()
    answer = page.post(file_page(family), asked | {"reason": "审核材料"})
    assert answer.content == PDF and AccessRow.objects.count() == 1
    assert (
        answer["Content-Disposition"].startswith("attachment;")
        and answer["X-Content-Type-Options"] == "nosniff"
    )
    assert "no-store" in answer["Cache-Control"]


def test_a_mistyped_member_keeps_what_was_typed() -> None:
    city = w.build()
    family = w.household(city, 1)
    page = client(city, "caseworker_shiqiao")
    typed = {"relation": "child", "name": "石小满", "id_number": "110101201605040019", "schooling": "primary"}
    answer = page.post(f"{file_page(family)}add/member/", typed)
    words = answer.content.decode()
    assert answer.status_code == 422 and "石小满" in words and "校验位" in words
    assert Member.objects.filter(household=family).count() == 1
    good = typed | {"id_number": number(w.dt.date(2016, 5, 4))}
    assert page.post(f"{file_page(family)}add/member/", good).status_code == 302
    shown = page.get(file_page(family)).content.decode()
    assert "石小满" not in shown and "子女" in shown


def test_visit_tier_consent_and_erasure_by_their_pages() -> None:
    city = w.build()
    family = w.household(city, 1)
    page, second = client(city, "caseworker_shiqiao"), client(city, "caseworker2_shiqiao")
    form = operations.newest_form(w.NOW.date())
    day = w.dt.datetime.now(w.dt.UTC).date().isoformat()
    answers = {f"q_{question['key']}": question["answers"][0]["key"] for question in form.questions}
    assert page.post(f"{file_page(family)}add/visit/", {"visited_on": day, **answers}).status_code == 302
    visit = family.assessments.get()
    page.post(file_page(family), {"act": f"confirm:{visit.pk}"})
    visit.refresh_from_db()
    assert visit.second_visitor is None, "the first visitor can't sign"
    second.post(file_page(family), {"act": f"confirm:{visit.pk}"})
    visit.refresh_from_db()
    assert visit.second_visitor is not None
    assert (
        page.post(f"{file_page(family)}add/tier/", {"tier": "tekun", "valid_from": "2026-01-01"}).status_code
        == 302
    )
    family.refresh_from_db()
    assert family.income_tier == "tekun"
    head = family.members.get()
    asked = {"member": head.pk, "purpose": "story", "given_by": "self"}
    assert page.post(f"{file_page(family)}add/consent/", asked).status_code == 302
    code = Consent.objects.get(purpose="story").code
    page.post(file_page(family), {"act": f"withdraw:{code}"})
    assert Consent.objects.filter(purpose="story", withdrawal__isnull=False).exists()
    page.post(file_page(family), {"act": "erase", "ground": "asked"})
    wanted = ErasureRequest.objects.get()
    page.post("/workbench/erasures/", {"request": wanted.pk, "act": "approve"})
    wanted.refresh_from_db()
    assert wanted.status == "asked"
    client(city, "reviewer_shiqiao").post("/workbench/erasures/", {"request": wanted.pk, "act": "approve"})
    wanted.refresh_from_db()
    assert wanted.status == "done"
    assert "资料已销毁" in page.get(file_page(family)).content.decode()
    assert "已销毁" in page.get("/workbench/households/?state=erased").content.decode()


def test_found_by_number_in_ones_own_towns_only() -> None:
    city = w.build()
    family = w.household(city, 1)
    asked = {"kind": "phone", "value": "138 0000 0001"}
    words = client(city, "reviewer_shiqiao").post("/workbench/households/", asked).content.decode()
    assert family.file_number in words and "户主1" not in words
    words = client(city, "reviewer_hengxi").post("/workbench/households/", asked).content.decode()
    assert family.file_number not in words and "没有这个号码的档案" in words
    bad = client(city, "caseworker_shiqiao").post(
        "/workbench/households/", {"kind": "id_number", "value": "12"}
    )
    assert bad.status_code == 422 and "校验位" in bad.content.decode()


def test_lists_filter_and_cost_the_same_however_long() -> None:
    city = w.build()
    page = client(city, "caseworker_shiqiao")
    costs = []
    for n in (1, 12):
        for m in range(n):
            w.household(city, n * 20 + m)
        with CaptureQueriesContext(connection) as asked:
            page.get("/workbench/households/")
        costs.append(len(asked))
    assert costs[0] == costs[1]
    for query, count in (
        ("tier=dibao", 13),
        ("tier=tekun", 0),
        ("waiting=visit", 13),
        ("waiting=signature", 0),
    ):
        assert (
            page.get(f"/workbench/households/?{query}").content.decode().count('data-label="人数"') == count
        )


def test_a_list_of_a_department_by_its_page() -> None:
    city = w.build()
    city.people["city_reviewer"] = w.person("city_reviewer", ("city_reviewer", "city", 0))
    family = w.household(city, 1)
    page = client(city, "city_reviewer")
    content = f"姓名,身份证号\n某某,{w.id_number(1)}\n某某,12345\n".encode("gb18030")
    answer = page.post(
        "/workbench/registry/",
        {
            "kind": "tekun",
            "source": "市民政局",
            "as_of": "2026-01-01",
            "file": SimpleUploadedFile("名单.csv", content),
        },
    )
    where = answer["Location"]
    operations.work_registry_lists(now=w.NOW)
    words = page.get(where).content.decode()
    assert "1行不能用" in words and "校验位" in words and w.id_number(1) not in words
    page.post(where, {"act": "confirm"})
    operations.work_registry_lists(now=w.NOW)
    family.refresh_from_db()
    assert family.income_tier == "tekun"
    assert client(city, "manager").get("/workbench/registry/").status_code == 403
