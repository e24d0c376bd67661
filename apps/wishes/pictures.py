"""A wish as a picture to be shared in a chat: what the shop shows of it, and a code that leads there."""

from __future__ import annotations

import io

import segno
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw

from apps.core.documents import chinese_face
from apps.core.money import Money, format_money
from apps.wishes.models import Wish
from apps.wishes.states import WishStatus

SIZE = (900, 1200)
PAPER, INK, SOFT, LINE, ACCENT = "#fffdf8", "#1f1b16", "#6b645a", "#ded6c8", "#c8381f"


def wish_address(wish: Wish) -> str:
    """This will give the whole address of a wish's page."""
    return settings.SITE_URL.rstrip("/") + reverse("wishes_wish", args=[wish.public_id])


def card_png(wish: Wish) -> bytes:
    """This will draw a wish's card: its words, its price, its town, never a photo or an age to the year.

    Raises DocumentsUnavailable without a Chinese font.
    """
    picture = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(picture)

    def lines(text: str, size: int, width: int) -> list[str]:
        rows, row = [], ""
        for char in text:
            if row and draw.textlength(row + char, font=chinese_face(size)) > width:
                rows.append(row)
                row = ""
            row += char
        return [*rows, row] if row else rows

    left, width, y = 70, SIZE[0] - 140, 80
    draw.rectangle((24, 24, SIZE[0] - 24, SIZE[1] - 24), outline=LINE, width=2)
    draw.line((left, 150, SIZE[0] - left, 150), fill=ACCENT, width=4)
    draw.text((left, y), _("博爱商城 · 微心愿"), font=chinese_face(40), fill=ACCENT)
    y = 200
    for row in lines(str(wish), 58, width)[:3]:
        draw.text((left, y), row, font=chinese_face(58), fill=INK)
        y += 78
    y += 20
    for row in lines(f"{wish.item} · {wish.spec}", 34, width)[:3]:
        draw.text((left, y), row, font=chinese_face(34), fill=SOFT)
        y += 50
    y += 24
    price = format_money(Money(wish.cap, wish.currency))
    draw.text((left, y), price, font=chinese_face(72), fill=INK)
    y += 100
    said = (
        _("还差%(n)s件") % {"n": wish.free}
        if wish.status == WishStatus.OPEN
        else str(wish.get_status_display())
    )
    who = _("%(town)s，%(alias)s（化名），%(age)s") % {
        "town": wish.town, "alias": wish.alias, "age": wish.get_age_band_display(),
    }  # fmt: skip
    for text in (_("最高价（每件，含配送）。%(said)s") % {"said": said}, who):
        draw.text((left, y), text, font=chinese_face(30), fill=SOFT)
        y += 48
    code = io.BytesIO()
    segno.make(wish_address(wish), error="m").save(code, kind="png", scale=6, border=2)
    with Image.open(code) as qr:
        picture.paste(qr.convert("RGB"), (left, SIZE[1] - 90 - qr.height))
        x = left + qr.width + 30
    note = _("扫码看这个心愿。认领后不能再改，家人自己确认才算圆梦。")
    y = SIZE[1] - 280
    for row in lines(note, 28, SIZE[0] - left - x)[:5]:
        draw.text((x, y), row, font=chinese_face(28), fill=INK)
        y += 42
    if settings.MODE == "demonstration":
        draw.text((left, 36), _("演示，心愿与人物均为虚构"), font=chinese_face(22), fill=SOFT)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
