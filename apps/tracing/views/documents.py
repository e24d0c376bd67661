"""A gift's documents: receipt as PDF, certificate as a picture. The address is the permission, as for its page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.http import require_safe

from apps.core.pages import private_page
from apps.donations.documents import certificate_png, receipt_pdf
from apps.donations.queries import receipts_of_gift
from apps.tracing.views.public import issued_receipt


@private_page
@require_safe
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """This will give a gift's receipt as PDF, or the one of its receipts that `number` names (red-letter ones too); in
    Chinese, as the law's form is. 404 until it is issued."""
    gift, issued = issued_receipt(token)
    number = request.GET.get("number", "")
    if number:
        issued = next((each for each in receipts_of_gift(gift) if each.number == number), issued)
    with translation.override("zh-hans"):
        body = receipt_pdf(issued)
    return _document(body, "application/pdf", f"receipt-{issued.code}-{issued.number}.pdf")


@private_page
@require_safe
def certificate(request: HttpRequest, token: str) -> HttpResponse:
    """This will give a gift's certificate as a PNG with the name the donor chose to show."""
    gift, issued = issued_receipt(token)
    with translation.override("zh-hans"):
        body = certificate_png(gift, issued)
    return _document(body, "image/png", f"certificate-{issued.number}.png")


def _document(body: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type=kind)
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
