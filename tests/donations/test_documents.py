"""Receipts as PDF, certificates as pictures, and the public check of both (G10, G2)."""

from __future__ import annotations

import io
import re

import pytest
import zxingcpp
from django.core import mail
from django.test import Client
from PIL import Image
from pypdf import PdfReader

from apps.core import documents
from apps.core.documents import DocumentsUnavailable, render_pdf
from apps.core.templatetags.core import civil_date
from apps.donations.documents import check_address, receipt_pdf
from apps.donations.models import Receipt
from tests import world as w
from tests.tools import ROOT, needs

pytestmark = [pytest.mark.django_db, needs("pango"), needs("chinese font")]


@pytest.fixture
def world() -> w.World:
    return w.build()


def _text(pdf: bytes) -> str:
    return re.sub(r"\s+", "", "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def test_the_pdf_carries_every_field_of_the_receipt(world: w.World, client: Client) -> None:
    gift = w.give(world, 20_001, payer="石桥织布厂", payer_code=world.organization.uscc)
    receipt = gift.receipt
    answer = client.get(f"/gifts/{gift.token}/receipt.pdf")
    assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"] and answer["Referrer-Policy"] == "no-referrer"
    text = _text(answer.content)
    for field in (receipt.code, receipt.number, receipt.check_code, "石桥织布厂", world.organization.uscc,
                  "大病救助dabing", "人民币贰佰元零壹分", "¥200.01", civil_date(receipt.issued_at),
                  world.organization.name, "演示票据"):  # fmt: skip
        assert field in text, field
    fonts = PdfReader(io.BytesIO(answer.content)).pages[0]["/Resources"]["/Font"]
    assert all("/FontFile" in str(font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object())
               for font in fonts.values())  # fmt: skip
    assert len(PdfReader(io.BytesIO(answer.content)).pages) == 1


def test_a_payer_of_any_length_and_script_stays_on_one_page(world: w.World) -> None:
    gift = w.give(world, 49_999_999, payer="<script>alert(1)</script>龘 & " + "长" * 90)
    pdf = receipt_pdf(gift.receipt)
    assert len(PdfReader(io.BytesIO(pdf)).pages) == 1
    assert "<script>alert(1)</script>" in _text(pdf)


def test_a_document_fetches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a file of the server nor an address: what a page names is left out."""
    secret = ROOT / "pyproject.toml"
    body = f"<p>甲</p><img src='file://{secret}'><link rel='attachment' href='file://{secret}'><img src='http://127.0.0.1:9/'>"
    monkeypatch.setattr(documents, "render_to_string", lambda *_: body)
    opened: list[object] = []
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda *a, **_: opened.append(a) or None)
    pdf = render_pdf("any", "donations/receipt_pdf.css", {})
    assert _text(pdf) == "甲" and not opened
    assert "/EmbeddedFiles" not in str(PdfReader(io.BytesIO(pdf)).trailer["/Root"])


def test_the_certificate_shows_the_chosen_name_and_a_code_that_checks(world: w.World, client: Client) -> None:
    gift = w.give(world, 20_000, payer="真名某某", shown_as="alias", shown_name="山里的风")
    answer = client.get(f"/gifts/{gift.token}/certificate.png")
    assert answer.status_code == 200 and answer["Content-Type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.size == (1200, 850)
    codes = zxingcpp.read_barcodes(picture)
    assert [code.text for code in codes] == [check_address(gift.receipt)]
    path = codes[0].text.removeprefix("http://testserver")
    page = client.get(path).content.decode()
    assert "真实" in page and gift.receipt.number in page and "真名某某" not in page


def test_without_a_font_the_page_says_what_to_do_instead(
    world: w.World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    gift = w.give(world, 20_000)
    monkeypatch.setattr(documents, "missing_parts", lambda: ("a Chinese font",))
    monkeypatch.setattr("apps.core.documents.chinese_font", lambda: None)
    with pytest.raises(DocumentsUnavailable):
        receipt_pdf(gift.receipt)
    for name in ("receipt.pdf", "certificate.png"):
        answer = client.get(f"/gifts/{gift.token}/{name}")
        assert answer.status_code == 503 and "网页版打印" in answer.content.decode()


def test_no_document_before_the_money(world: w.World, client: Client) -> None:
    gift = w.open_gift(world, 20_000)
    for name in ("receipt.pdf", "certificate.png"):
        assert client.get(f"/gifts/{gift.token}/{name}").status_code == 404
        assert client.get(f"/gifts/{'x' * 43}/{name}").status_code == 404


def _check(client: Client, receipt: Receipt, check: str = "", **more: str):  # type: ignore[no-untyped-def]
    query = {"number": receipt.number, "check": check or receipt.check_code}
    return client.get("/receipts/check/", query, **more)


def test_the_check_tells_genuine_from_false(world: w.World, client: Client) -> None:
    receipt = w.give(world, 20_000, payer="石桥织布厂").receipt
    page = _check(client, receipt).content.decode()
    assert ">真实<" in page and "石***" in page and "石桥织布厂" not in page and "¥200.00" in page
    wrong = "000000" if receipt.check_code != "000000" else "000001"
    answer = _check(client, receipt, wrong)
    assert answer.status_code == 404 and "没有这张票据" in answer.content.decode()
    short = client.get(
        "/receipts/check/", {"number": receipt.number.lstrip("0"), "check": receipt.check_code.upper()}
    )
    assert ">真实<" in short.content.decode()
    for query in (
        {"number": "１２３", "check": "x"},
        {"number": "abc", "check": "\u4e2d"},
        {"number": "", "check": "1"},
    ):
        assert client.get("/receipts/check/", query).status_code in (200, 404)


def test_guessing_check_codes_ends(world: w.World, client: Client) -> None:
    receipt = w.give(world, 20_000).receipt
    codes = [f"{n:06x}" for n in range(30) if f"{n:06x}" != receipt.check_code]
    answers = [_check(client, receipt, code).status_code for code in codes]
    assert answers[:20] == [404] * 20 and set(answers[20:]) == {429}
    assert _check(client, receipt).status_code == 429, "also the right one, until the window is over"
    assert _check(client, receipt, REMOTE_ADDR="203.0.113.9").status_code == 200, (
        "somebody else may still check"
    )


def test_a_lost_link_goes_only_to_the_donors_own_address(world: w.World, client: Client) -> None:
    gift = w.give(world, 20_000, email="donor@example.org")
    mail.outbox.clear()
    path = f"/receipts/check/?number={gift.receipt.number}&check={gift.receipt.check_code}"
    assert gift.token not in client.get(path).content.decode()
    page = client.post(path).content.decode()
    assert "网址已寄到" in page and gift.token not in page and "donor@" not in page
    client.post(path)
    w.work()
    assert [m.to for m in mail.outbox] == [["donor@example.org"]], "once a day"
    assert gift.token in mail.outbox[0].body


def test_a_gift_without_an_address_says_so(world: w.World, client: Client) -> None:
    gift = w.give(world, 20_000)
    answer = client.post(f"/receipts/check/?number={gift.receipt.number}&check={gift.receipt.check_code}")
    assert answer.status_code == 422 and "没有填邮箱" in answer.content.decode()


def test_a_company_code_with_a_wrong_check_digit_is_told(world: w.World, client: Client) -> None:
    form = {"preset": "10000", "method": "card", "shown_as": "anonymous", "key": "k" * 20, "payer": "石桥织布厂",
            "payer_code": "91440000MA00000000"}  # fmt: skip
    answer = client.post(f"/projects/{world.project.slug}/give/", form)
    page = answer.content.decode()
    assert answer.status_code == 422 and "校验位不对" in page and "91440000MA00000000" in page
