"""The workbench's pages of receipts, and receipts as one ZIP (G10)."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client
from pypdf import PdfReader

from apps.core.errors import PermissionRefused, WrongState
from apps.core.models import ExportRecord
from apps.core.money import Money
from apps.donations import operations
from apps.donations.models import Gift, Receipt, ReceiptBundle, ReceiptRange
from apps.donations.operations import bundling
from tests import world as w
from tests.accounts.signing import account_of, with_session
from tests.donations import lists
from tests.tools import needs

pytestmark = [pytest.mark.django_db, needs("pango"), needs("chinese font")]
HOME = "/workbench/receipts/"
LINE = {"item": "棉被", "unit": "床", "quantity": "12.5", "unit_value": "88.50", "basis": "market",
        "basis_source": "供货商报价单3号"}  # fmt: skip


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: object) -> None:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]


def staff(city: w.World, who: str = "cashier") -> Client:
    return with_session(account_of(city.people[who], f"{who}@example.org"), second=True)


def typed(n: int, **changed: str) -> dict[str, str]:
    return {f"line{n}-{name}": value for name, value in {**LINE, **changed}.items()}


def work(bundle: ReceiptBundle, times: int = 100) -> ReceiptBundle:
    while times and bundling.work_bundle(pk=bundle.pk, now=w.NOW):
        times -= 1
    bundle.refresh_from_db()
    return bundle


def test_the_list_is_filtered_paged_and_says_when_numbers_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    city = w.build()
    for n in range(3):
        w.give(city, 10_000 + n, payer=f"石桥第{n}厂")
    monkeypatch.setattr("apps.donations.views.receipts.PAGE", 2)
    client = staff(city)
    first = client.get(HOME).content.decode()
    assert "0000000003" in first and "0000000001" not in first and "只剩" not in first
    assert "0000000001" in client.get(HOME, {"after": "449901260000000002"}).content.decode()
    found = client.get(HOME, {"payer": "第1厂"}).content.decode()
    assert "0000000002" in found and "0000000003" not in found
    assert "0000000001" in client.get(HOME, {"q": "1"}).content.decode()
    assert "没有符合条件的票据" in client.get(HOME, {"kind": "red"}).content.decode()
    assert "没有符合条件的票据" in client.get(HOME, {"until": "2026-11-22"}).content.decode()
    assert client.get(HOME, {"since": "soon"}).status_code == 422
    ReceiptRange.objects.update(next=999_500)
    assert "票据号码只剩500个" not in client.get(HOME).content.decode()
    ReceiptRange.objects.update(next=999_501)
    assert "票据号码只剩499个" in client.get(HOME).content.decode()
    pdf = client.get(HOME + "449901260000000002/receipt.pdf")
    assert "石桥第1厂" in PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text().replace("\n", "")


def test_a_list_of_any_length_takes_a_bounded_number_of_statements(
    django_assert_max_num_queries: object,
) -> None:
    city = w.build()
    client = staff(city)
    for n in range(3):
        w.give(city, 10_000 + n)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        assert client.get(HOME).status_code == 200


def test_a_range_is_entered_and_mistakes_are_said() -> None:
    city = w.build()
    client = staff(city)
    page = HOME + "ranges/"
    wrong = client.post(page, {"code": "4499012", "first": "5", "last": "4"})
    assert wrong.status_code == 422 and "8位数字" in wrong.content.decode()
    assert "止号不能小于起号" in wrong.content.decode() and 'value="4499012"' in wrong.content.decode()
    meets = client.post(page, {"code": "44990126", "first": "5", "last": "9"})
    assert meets.status_code == 422 and "已经录入过" in meets.content.decode()
    assert client.post(page, {"code": "44990127", "first": "1", "last": "9"}).status_code == 302
    assert "44990127" in client.get(page).content.decode()
    assert (
        staff(city, "supervisor").post(page, {"code": "44990128", "first": "1", "last": "9"}).status_code
        == 403
    )
    assert "录入号段" not in staff(city, "officer").get(page).content.decode()


def test_goods_are_typed_line_by_line_and_nothing_is_lost() -> None:
    city = w.build()
    client = staff(city)
    page = HOME + "in-kind/"
    assert 'name="line1-item"' in client.get(page).content.decode()
    head = {
        "payer": "石桥织布厂",
        "payer_code": "",
        "received_on": "2026-11-20",
        "total": "1",
        "remark": "",
        "key": "abc",
    }
    more = client.post(page, {**head, **typed(1), "rows": "1", "act": "more"}).content.decode()
    assert 'name="line2-item"' in more and 'value="供货商报价单3号"' in more and 'value="石桥织布厂"' in more
    assert 'value="abc"' in more, "the form keeps its key, so that it is the same form"
    full = client.post(page, {**head, "rows": "20", "act": "more"}).content.decode()
    assert 'name="line20-item"' in full and 'name="line21-item"' not in full
    wrong = client.post(page, {**head, **typed(1), **typed(2, quantity="1e3"), "rows": "2", "act": "issue"})
    assert wrong.status_code == 422 and 'value="1e3"' in wrong.content.decode()
    differs = client.post(page, {**head, **typed(1), "rows": "3", "act": "issue"})
    assert differs.status_code == 422 and "合计和各行加起来不一样" in differs.content.decode()
    assert "各行加起来是¥1,106.25" in differs.content.decode() and not Receipt.objects.exists()
    done = client.post(
        page, {**head, **typed(1), "total": "1106.25", "rows": "3", "act": "issue"}, follow=True
    )
    shown = done.content.decode()
    assert (
        "12.5 床" in shown and "市场价：供货商报价单3号" in shown and "人民币壹仟壹佰零陆元贰角伍分" in shown
    )
    again = client.post(page, {**head, **typed(1), "total": "1106.25", "rows": "1", "act": "issue"})
    assert again.status_code == 422 and "已经提交过" in again.content.decode()
    receipt = Receipt.objects.get()
    pdf = PdfReader(io.BytesIO(client.get(f"{HOME}{receipt.full_number}/receipt.pdf").content))
    text = "".join(page.extract_text() for page in pdf.pages).replace("\n", "")
    assert "棉被" in text and "市场价：供货商报价单3号" in text and "12.5" in text
    client.post(f"{HOME}{receipt.full_number}/", {"reason": "数量写错"})
    assert Receipt.objects.get(answers=receipt).amount == -110_625
    assert "已冲红" in client.get(f"{HOME}{receipt.full_number}/").content.decode()


def test_the_public_check_knows_a_receipt_of_goods_and_mails_nobody() -> None:
    city = w.build()
    receipt = operations.issue_in_kind_receipt(
        actor=city.people["cashier"], key="k", payer="石桥织布厂", received_on=w.NOW.date(), now=w.NOW,
        lines=[operations.GoodsLine("米", "袋", Decimal(2), Money(50), "invoice")],
        total=Money(100),
    )  # fmt: skip
    query = {"number": receipt.number, "check": receipt.check_code}
    assert "是本站开出的" in Client().get("/receipts/check/", query).content.decode()
    asked = Client().post(f"/receipts/check/?number={receipt.number}&check={receipt.check_code}")
    assert asked.status_code < 500 and "没法寄出" in asked.content.decode()


def test_offline_gifts_are_ticked_or_taken_all() -> None:
    city = lists.city_of_2020()
    listing = lists.load(city, lists.SLICE)
    client = staff(city)
    assert listing.public_id in client.get(HOME + "offline/").content.decode()
    page = f"{HOME}offline/{listing.public_id}/"
    key = Gift.objects.get(payer="甲").offline_key
    assert "某公司" in client.get(page).content.decode()
    assert client.post(page, {"act": "some", "gift": [key, "x"]}).status_code == 302
    assert Receipt.objects.get().payer == "甲"
    client.post(page, {"act": "some"})
    assert Receipt.objects.count() == 1
    client.post(page, {"act": "all"})
    assert Receipt.objects.count() == 4
    assert "写了名字的捐赠都已有票据" in client.get(page).content.decode()
    assert staff(city, "officer").get(page).status_code == 403


def test_a_bundle_holds_every_receipt_of_the_filter_with_a_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    city = w.build()
    for n in range(5):
        w.give(city, 10_000 + n, payer=f"=石桥第{n}厂")
    monkeypatch.setattr(bundling, "PART", 2)
    client = staff(city)
    where = client.post(HOME, {"payer": "石桥"})["Location"]
    assert client.post(HOME, {"payer": "石桥"})["Location"] == where, "a second click is the same bundle"
    bundle = ReceiptBundle.objects.get()
    w.give(city, 9_999, payer="石桥以后")  # later: not in the set
    assert bundling.work_bundle(pk=bundle.pk, now=w.NOW)
    page = client.get(where)
    assert page["Refresh"] == "2" and "正在打包，2 / 5张" in page.content.decode()
    assert client.get(where + "receipts.zip").status_code == 404
    work(bundle)
    assert bundle.status == "done" and "5张票据已打好" in client.get(where).content.decode()
    answer = client.get(where + "receipts.zip")
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert hashlib.sha256(content).hexdigest() == bundle.sha256 and len(content) == bundle.size
    assert "no-store" in answer["Cache-Control"]
    taken = ExportRecord.objects.get()
    assert taken.kind == "zip" and taken.query == {"payer": "石桥"}
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        rows = list(csv.reader(io.StringIO(file.read("manifest.csv").decode("utf-8-sig"))))
        assert len(rows) == 6 and rows[1][4] == "'=石桥第0厂"
        for row in rows[1:]:
            assert (
                hashlib.sha256(file.read(row[0])).hexdigest() == row[-1] and file.read(row[0])[:4] == b"%PDF"
            )
        assert json.loads(file.read("manifest.json"))["totals"] == [{"amount": 50_010, "currency": "CNY"}]
        assert {info.compress_type for info in file.infolist()} == {zipfile.ZIP_STORED}
    assert sorted(path.name for path in bundling.folder_of(bundle).iterdir()) == ["receipts.zip"]
    assert bundling.file_of(bundle).stat().st_mode & 0o077 == 0
    for who in ("cashier2", "officer", "supervisor"):
        assert staff(city, who).get(where + "receipts.zip").status_code == 404
    assert staff(city, "manager").get(where + "receipts.zip").status_code == 403
    assert not bundling.delete_old_bundles(now=w.NOW + dt.timedelta(days=7))
    assert bundling.delete_old_bundles(now=w.NOW + dt.timedelta(days=7, seconds=1)) == 1
    assert not bundling.folder_of(bundle).exists() and client.get(where + "receipts.zip").status_code == 404
    assert "只保留7天" in client.get(where).content.decode()


def test_a_worker_killed_midway_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it writes a part, before it says so, and while it joins: the file is whole all the same."""
    city = w.build()
    for n in range(4):
        w.give(city, 10_000 + n)
    monkeypatch.setattr(bundling, "PART", 2)
    cashier = city.people["cashier"]
    bundle = operations.start_bundle(actor=cashier, query={}, now=w.NOW)
    made: list[int] = []

    def dying(receipt: Receipt) -> bytes:
        made.append(receipt.pk)
        if len(made) in (2, 6):
            raise SystemExit(137)
        return b"%PDF " + receipt.number.encode()

    monkeypatch.setattr(bundling, "receipt_pdf", dying)
    for _ in range(2):
        with pytest.raises(SystemExit):
            work(bundle)
    monkeypatch.setattr(bundling, "_end", lambda *a, **k: (_ for _ in ()).throw(SystemExit(137)))
    with pytest.raises(SystemExit):
        work(bundle)
    monkeypatch.undo()
    work(bundle)
    assert bundle.status == "done"


def test_a_lost_disk_makes_the_parts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    city = w.build()
    for n in range(3):
        w.give(city, 10_000 + n)
    monkeypatch.setattr(bundling, "PART", 2)
    bundle = operations.start_bundle(actor=city.people["cashier"], query={}, now=w.NOW)
    bundling.work_bundle(pk=bundle.pk, now=w.NOW)
    bundling._part(bundle, 0).unlink()
    work(bundle)
    with zipfile.ZipFile(bundling.file_of(bundle)) as file:
        assert len(file.namelist()) == 5


def test_a_bundle_is_cancelled_by_who_asked_and_leaves_nothing() -> None:
    city = w.build()
    w.give(city, 10_000)
    client = staff(city)
    where = client.post(HOME, {})["Location"]
    bundle = ReceiptBundle.objects.get()
    bundling.work_bundle(pk=bundle.pk, now=w.NOW)
    assert bundling.folder_of(bundle).exists()
    with pytest.raises(WrongState):
        operations.cancel_bundle(actor=city.people["cashier2"], bundle=bundle, now=w.NOW)
    assert client.post(where).status_code == 302
    assert not bundling.work_bundle(pk=bundle.pk, now=w.NOW)
    bundle.refresh_from_db()
    assert bundle.status == "cancelled" and not bundling.folder_of(bundle).exists()
    assert "没有留下文件" in client.get(where).content.decode()
    assert [change.to_status for change in bundle.changes.all()] == ["making", "cancelled"]


def test_who_may_not_read_may_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    city = w.build()
    with pytest.raises(PermissionRefused):
        operations.start_bundle(actor=city.people["manager"], query={}, now=w.NOW)
    client = staff(city)
    assert "没有符合条件的票据" in client.post(HOME, {}).content.decode()
    w.give(city, 10_000)
    monkeypatch.setattr(bundling, "MOST", 0)
    assert "20,000" in client.post(HOME, {}).content.decode()
    assert not ReceiptBundle.objects.exists()
