"""Documents made on this site: PDF by WeasyPrint, pictures by Pillow, QR codes by segno.

Nothing is fetched from anywhere while a document is made: a template that names an address is a fault.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import segno
from django.conf import settings
from django.template.loader import get_template, render_to_string
from django.utils.translation import gettext_lazy as _
from PIL import ImageFont

from apps.core.errors import DomainError

FAMILY = "'WenQuanYi Micro Hei', 'Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', sans-serif"
"""Faces that hold Chinese, the small one of Debian's fonts-wqy-microhei first."""
MASK = 4
"""The pattern laid over a document's code: any of the eight can be read, trying all takes 5 ms each time."""


class DocumentsUnavailable(DomainError):
    """This machine lacks Pango or a Chinese font; `/status/` and the start say so."""

    code = "documents_unavailable"
    status = 503
    message = _("这台服务器现在做不了PDF和图片。请用网页版打印，内容相同；管理员会收到提示。")


@cache
def chinese_font() -> tuple[str, int] | None:
    """This will find a font file that holds Chinese: (path, face number), or None. DOCUMENT_FONT names one by hand."""
    given = settings.DOCUMENT_FONT
    if given:
        return (given, 0) if Path(given).is_file() else None
    if not shutil.which("fc-match"):
        return None
    asked = subprocess.run(
        ["fc-match", "-f", "%{file}\n%{index}\n%{lang}", ":lang=zh-cn"],
        capture_output=True,
        text=True,
        timeout=20,
    )
    lines = asked.stdout.split("\n")
    if asked.returncode or len(lines) < 3 or "zh-cn" not in lines[2].split("|"):
        return None
    return lines[0], int(lines[1] or 0)


def chinese_face(size: int) -> ImageFont.FreeTypeFont:
    """This will give the Chinese font in a size (pixels), to draw with. Raises DocumentsUnavailable without one."""
    font = chinese_font()
    if font is None:
        raise DocumentsUnavailable()
    return ImageFont.truetype(font[0], size, index=font[1])


@cache
def missing_parts() -> tuple[str, ...]:
    """This will name what this machine lacks for documents, with the command that brings it."""
    missing = []
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        missing.append("Pango (PDF): apt-get install libpango-1.0-0 libpangoft2-1.0-0")
    if chinese_font() is None:
        missing.append("a Chinese font: apt-get install fontconfig fonts-wqy-microhei, or set DOCUMENT_FONT")
    return tuple(missing)


def render_pdf(template: str, style: str, context: Mapping[str, Any]) -> bytes:
    """This will make a PDF of a template and its style sheet (a template's name too), text kept searchable.

    Raises DocumentsUnavailable where Pango or a Chinese font is missing.
    """
    if missing_parts():
        raise DocumentsUnavailable()
    import weasyprint
    from weasyprint.urls import URLFetcher

    page = weasyprint.HTML(
        string=render_to_string(template, dict(context)), url_fetcher=URLFetcher(allowed_protocols=("data",))
    )
    pdf: bytes = page.write_pdf(stylesheets=[_sheet(style)], font_config=_fonts(), pdf_tags=True)
    return pdf


@cache
def _sheet(name: str) -> Any:
    import weasyprint
    from weasyprint.urls import URLFetcher

    own = URLFetcher(allowed_protocols=("file",) if settings.DOCUMENT_FONT else ())
    return weasyprint.CSS(string=_style(name), font_config=_fonts(), url_fetcher=own)


def qr_data(text: str) -> str:
    """This will draw a QR code as the address of a picture that holds itself: cheaper to lay out than an SVG."""
    return str(segno.make_qr(text, error="m", mask=MASK, boost_error=False).png_data_uri(scale=4, border=2))


def qr_svg(text: str, scale: int = 4) -> str:
    """This will draw a QR code as an SVG element to be put into a page; on white, so that it can be scanned when the
    page is dark."""
    return str(segno.make(text, error="m").svg_inline(scale=scale, border=2, omitsize=False, light="#fff"))


def _style(name: str) -> str:
    face = f"@font-face {{font-family: 'Document'; src: url('file://{settings.DOCUMENT_FONT}')}}\n" if (
        settings.DOCUMENT_FONT
    ) else ""  # fmt: skip
    text = get_template(name).render({"family": f"'Document', {FAMILY}"})
    return face + text


@cache
def _fonts() -> Any:
    from weasyprint.text.fonts import FontConfiguration

    return FontConfiguration()
