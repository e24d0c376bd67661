"""The workbench's pages of imports, as a project officer's browser asks for them."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from apps.core.models import ExportRecord
from apps.donations.models import Gift, GiftImport, ListFault
from apps.donations.operations import lists
from apps.donations.operations.lists import starting
from apps.donations.operations.lists.staging import list_head
from tests import world as w
from tests.accounts.signing import account_of, with_session
from tests.donations.lists import SLICE, city_of_2020, start

pytestmark = pytest.mark.django_db


def officer(city: w.World, who: str = "officer") -> Client:
    return with_session(account_of(city.people[who], f"{who}@example.org"), second=True)


def bring(client: Client, content: str, **typed: str) -> str:
    answer = client.post(
        "/workbench/gifts/imports/new/",
        {"file": SimpleUploadedFile("list.csv", content.encode()), "target": "project:dabing", "source": "红会",
         "paid_by": "bank", **typed},
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def work() -> None:
    for pk in GiftImport.objects.values_list("pk", flat=True):
        lists.work_import(pk=pk, now=w.NOW)


def test_three_wrong_rows_are_said_mended_and_recorded() -> None:
    city = city_of_2020()
    client = officer(city)
    wrong = SLICE.replace("甲\t,100", "=甲\t,-100").replace(",0.5,", ",0.505,")
    where = bring(client, wrong)
    waiting = client.get(where)
    assert waiting["Refresh"] == "2" and "正在读名单" in waiting.content.decode()
    work()
    page = client.get(where).content.decode()
    assert "3处要改" in page and "小数位数多于" in page and "是负数" in page
    assert 'act="record"' not in page and 'value="record"' not in page
    copy = b"".join(client.get(f"{where}faults.csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "要改的地方" in copy and "'=甲" in copy and "'-100" in copy and "D 金额“-100”是负数" in copy
    book = b"".join(client.get(f"{where}faults.xlsx").streaming_content)  # type: ignore[attr-defined]
    rows = (
        CalamineWorkbook.from_filelike(io.BytesIO(book))
        .get_sheet_by_index(0)
        .to_python(skip_empty_area=False)
    )
    assert rows[3][-1].startswith("D ") and rows[3][2].strip() == "=甲"
    assert [each.what for each in ExportRecord.objects.order_by("pk")] == [
        f"list-{GiftImport.objects.get().public_id}"
    ] * 2
    mended = copy.replace("'-100", "100").replace("0.505", "0.5")
    again = bring(client, mended)
    work()
    page = client.get(again).content.decode()
    assert "记入4笔，¥10,101.00" in page and "与各行相符" in page
    client.post(again, {"act": "record"})
    assert "正在记入" in client.get(again).content.decode()
    work()
    assert "已记入4笔" in client.get(again).content.decode()
    assert Gift.objects.filter(payer="=甲").count() == 1
    assert client.get(f"{again}faults.csv").status_code == 404, "the file is gone"


def test_a_list_without_dates_or_header_asks_and_keeps_what_was_typed() -> None:
    client = officer(city_of_2020())
    where = bring(client, "甲,1\n乙,2\n")
    assert "没有认出表头" in client.get(where).content.decode()
    typed = {
        "act": "columns",
        "amount": "1",
        "name": "1",
        "header_row": "0",
        "date_order": "ymd",
        "decimal": ".",
        "unit": "1",
    }
    answer = client.post(where, typed)
    assert answer.status_code == 422 and "同一列选了两次" in answer.content.decode()
    answer = client.post(where, {**typed, "name": "0"})
    assert answer.status_code == 422 and "哪一天收到" in answer.content.decode()
    assert client.post(where, {**typed, "name": "0", "day": "2020-01-24"}).status_code == 302
    work()
    assert "记入2笔，¥3.00" in client.get(where).content.decode()


def test_known_rows_wait_for_a_decision() -> None:
    client = officer(city_of_2020())
    for content in (SLICE, "捐赠日期,姓名,金额,备注\n2020.01.24,乙,0.5,\n2020.01.25,丙,7,\n"):
        where = bring(client, content)
        work()
        answer = client.post(where, {"act": "record"}, follow=True)
        work()
    assert "有1行" in answer.content.decode() and Gift.objects.count() == 4
    client.post(where, {"act": "record", "known": "skip"})
    work()
    assert Gift.objects.count() == 5


def test_an_unreadable_file_is_said_on_the_form_and_nothing_is_lost() -> None:
    client = officer(city_of_2020())
    answer = client.post(
        "/workbench/gifts/imports/new/",
        {"file": SimpleUploadedFile("x.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 50), "target": "project:dabing",
         "source": "红会", "paid_by": "cash"},
    )  # fmt: skip
    page = answer.content.decode()
    assert answer.status_code == 422 and "不是CSV" in page and 'value="红会"' in page
    assert not GiftImport.objects.exists()


def test_others_see_nothing_and_exports_are_logged() -> None:
    city = city_of_2020()
    client = officer(city)
    where = bring(client, SLICE)
    stranger = with_session(
        account_of(
            w.person("far", ("cashier", "organization", city.organization.pk + 77)), "far@example.org"
        ),
        second=True,
    )
    assert (
        stranger.get(where).status_code == 404 and stranger.post(where, {"act": "cancel"}).status_code == 404
    )
    assert officer(city, "manager").get("/workbench/gifts/imports/").status_code == 403
    answer = client.get("/workbench/gifts/imports/export/?q=%E7%BA%A2")
    assert "红会" in b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    record = ExportRecord.objects.get()
    assert (
        record.query == {"q": "红", "status": ""} and record.actor_person == city.people["officer"].person_id
    )
    assert client.get("/workbench/gifts/receipt-ranges/export/").status_code == 403
    ranges = officer(city, "cashier").get("/workbench/gifts/receipt-ranges/export/")
    assert "44990126" in b"".join(ranges.streaming_content).decode()  # type: ignore[attr-defined]
    assert client.get("/workbench/gifts/imports/export/?as=exe").status_code == 404
    assert client.get("/workbench/gifts/imports/template/?as=xlsx").status_code == 200


def test_pages_take_few_statements(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    client = officer(city_of_2020())
    where = bring(client, SLICE)
    work()
    for address in ("/workbench/gifts/imports/", where):
        with django_assert_max_num_queries(16):
            assert client.get(address).status_code == 200


def test_errors_speak_english() -> None:
    client = officer(city_of_2020())
    where = bring(client, SLICE.replace("甲\t,100", "甲\t,-100"))
    work()
    page = client.get("/en" + where).content.decode()
    assert ListFault.objects.count() == 1 and "negative" in page and "是负数" not in page


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_long_lists_head_needs_its_first_part_only(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setattr(starting, "PART", 301)
    city = city_of_2020()
    rows = "".join(f"2020-01-23,捐赠人{n},1,\n" for n in range(100))
    listing = start(city, ("日期,捐赠人,金额,备注\n" + rows).encode(encoding))
    assert listing.parts.count() > 3
    head = list_head(listing)
    assert head[0][1] == "捐赠人" and 3 < len(head) < 60
    lists.work_import(pk=listing.pk, now=w.NOW)
    listing.refresh_from_db()
    assert (listing.gifts, listing.total) == (100, 10_000)
