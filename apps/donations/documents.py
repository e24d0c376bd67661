"""A donor's documents: the receipt (票据) as PDF and the certificate (捐赠证书) as a picture (G10)."""

from __future__ import annotations

import io
from typing import Any

import segno
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw

from apps.core.capitals import in_capitals
from apps.core.clock import civil_day
from apps.core.documents import chinese_face, qr_data, render_pdf
from apps.core.money import Money, format_money
from apps.donations.models import Gift, Receipt
from apps.donations.queries import given_now
from apps.donations.states import ReceiptKind, ShownAs
from apps.organizations.queries import federation

INK, SOFT, LINE, ACCENT = "#1f1d1a", "#5d5850", "#d9d3c7", "#b8412c"
SIZE = (1200, 850)
MINUS = "\u2212"


def check_address(receipt: Receipt) -> str:
    """This will give the address of the public check page with a receipt's number and check code filled in."""
    query = f"?number={receipt.number}&check={receipt.check_code}"
    return settings.SITE_URL.rstrip("/") + reverse("donations_check_receipt") + query


def receipt_context(receipt: Receipt) -> dict[str, Any]:
    """This will give what a receipt's page and PDF print, in the fields of 财综〔2024〕1号."""
    money = Money(abs(receipt.amount), receipt.currency)
    return {
        "receipt": receipt,
        "federation": federation(),
        "lines": _goods(receipt)
        if receipt.kind == ReceiptKind.IN_KIND
        else [
            {
                "item": receipt.item,
                "unit": _("元"),
                "quantity": 1,
                "amount": receipt.amount,
                "standard": format_money(money if receipt.amount > 0 else -money),
            }
        ],
        "capitals": ("（负数）" if receipt.is_red else "") + in_capitals(money)
        if receipt.currency == "CNY"
        else "",
        "demonstration": settings.MODE == "demonstration",
        "check_address": check_address(receipt),
    }


def _goods(receipt: Receipt) -> list[dict[str, Any]]:
    """The lines of a receipt for goods, each with how its value was found."""
    return [
        {
            "item": line.item, "unit": line.unit, "quantity": f"{line.quantity:,.{line.places}f}".replace("-", MINUS),
            "standard": format_money(Money(line.unit_value, receipt.currency)), "amount": line.amount,
            "basis": f"{line.get_basis_display()}：{line.basis_source}" if line.basis_source
            else line.get_basis_display(),
        }
        for line in receipt.lines.all()
    ]  # fmt: skip


def receipt_pdf(receipt: Receipt) -> bytes:
    """This will make the PDF of a receipt. Raises DocumentsUnavailable."""
    qr = qr_data(check_address(receipt))
    return render_pdf(
        "donations/receipt_pdf.html", "donations/receipt_pdf.css", {**receipt_context(receipt), "qr": qr}
    )


def certificate_png(gift: Gift, receipt: Receipt) -> bytes:
    """This will draw a gift's certificate to be shared: the name the donor chose to show, never the payer's (G1).

    Raises DocumentsUnavailable without a Chinese font.
    """
    picture = Image.new("RGB", SIZE, "#fffdf8")
    draw = ImageDraw.Draw(picture)

    def middle(y: int, text: str, size: int, fill: str = INK, width: int = SIZE[0] - 200) -> None:
        while size > 14 and draw.textlength(text, font=chinese_face(size)) > width:
            size -= 2
        draw.text((SIZE[0] / 2, y), text, font=chinese_face(size), fill=fill, anchor="ma")

    draw.rectangle((28, 28, SIZE[0] - 28, SIZE[1] - 28), outline=LINE, width=2)
    draw.rectangle((40, 40, SIZE[0] - 40, SIZE[1] - 40), outline=ACCENT, width=3)
    name = gift.shown_name if gift.shown_as != ShownAs.ANONYMOUS else _("爱心人士")
    target = gift.project.name if gift.project and not gift.late else gift.fund.name
    middle(110, _("捐赠证书"), 72, ACCENT)
    middle(250, name, 52)
    middle(340, _("您捐赠的"), 30, SOFT)
    middle(390, format_money(Money(gift.amount, gift.currency)), 64)
    middle(490, _("已经收到，用于“%(target)s”。谢谢您。") % {"target": target}, 32)
    draw.line((120, 590, SIZE[0] - 120, 590), fill=LINE, width=2)
    day = civil_day(receipt.issued_at)
    rows = [
        federation().name,
        f"{day.year}.{day.month:02d}.{day.day:02d}",
        _("证书编号 %(number)s　校验码 %(check)s") % {"number": receipt.number, "check": receipt.check_code},
        _("扫码核对真伪，查看项目去向"),
    ]
    for n, text in enumerate(rows):
        draw.text(
            (120, 620 + n * 40), text, font=chinese_face(28 if n == 0 else 24), fill=INK if n == 0 else SOFT
        )
    if settings.MODE == "demonstration":
        middle(60, _("演示证书，机构与项目均为虚构"), 22, SOFT)
    code = io.BytesIO()
    segno.make(check_address(receipt), error="m").save(code, kind="png", scale=4, border=2)
    with Image.open(code) as qr:
        picture.paste(qr.convert("RGB"), (SIZE[0] - 120 - qr.width, 618))
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def summary_context(gifts: list[Gift], year: int) -> dict[str, Any]:
    """This will give what a donor's yearly summary prints: each gift with its receipt and what of it still stands."""
    still = given_now(gifts)
    rows = [
        {
            "gift": gift, "receipt": getattr(gift, "receipt", None), "still": still[gift.pk],
            "target": gift.project if gift.project and not gift.late else gift.fund,
        }
        for gift in gifts
    ]  # fmt: skip
    totals: dict[str, dict[str, Any]] = {}
    for gift in gifts:
        total = totals.setdefault(gift.currency, {"amount": 0, "still": 0, "currency": gift.currency})
        total["amount"] += gift.amount
        total["still"] += still[gift.pk]
    return {
        "rows": rows, "totals": list(totals.values()), "year": year, "federation": federation(),
        "demonstration": settings.MODE == "demonstration",
    }  # fmt: skip
