"""The page with the code that a wallet scans, and the way on once it is paid or its time is over."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.documents import qr_svg
from apps.core.money import Money
from apps.core.pages import private_page
from apps.payments.models import WalletCode
from apps.payments.states import PaymentStatus


@private_page
@require_safe
def scan(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """This will show a payment's code while it can be paid, and go to its own page once it is not waiting any more."""
    code = get_object_or_404(WalletCode.objects.select_related("payment"), payment__uuid=uuid)
    payment, now = code.payment, clock.now()
    if payment.status not in (PaymentStatus.CREATED, PaymentStatus.OPEN):
        return HttpResponseRedirect(code.return_url)
    left = max(int((payment.expires_at - now).total_seconds()), 0)
    context = {
        "code": code, "money": Money(payment.amount, payment.currency), "open": left > 0,
        "minutes": (left + 59) // 60, "until": payment.expires_at, "method": payment.get_method_display(),
        # Between the marks is segno's own drawing of what the provider signed.
        "qr": mark_safe(qr_svg(code.code, scale=6)),  # noqa: S308
    }  # fmt: skip
    response = render(request, "payments/scan.html", context)
    response["Referrer-Policy"] = "no-referrer"
    return response
