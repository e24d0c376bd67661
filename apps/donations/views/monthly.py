"""A donor's monthly gift: where it stands, what it gave so far, and how to change, pause or stop it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.actors import PUBLIC
from apps.core.errors import DomainError
from apps.core.money import Money
from apps.core.pages import private_page
from apps.core.workbench import attempt_form
from apps.donations import operations
from apps.donations.forms import MonthlyAmountForm
from apps.donations.models import MonthlyGift
from apps.donations.queries import monthly_of_token
from apps.donations.states import MonthlyStatus
from apps.payments.states import OrderKind, OrderStatus

SHOWN = 36


@private_page
@require_http_methods(["GET", "POST"])
def monthly(request: HttpRequest, token: str) -> HttpResponse:
    """This will show a monthly gift by its token (G2), and take its donor's changes."""
    gift = monthly_of_token(token)
    act = request.POST.get("act", "")
    form = MonthlyAmountForm(request.POST if act == OrderKind.AMOUNT else None, currency=gift.currency)
    if form.is_bound and form.is_valid():
        if attempt_form(form, lambda: _change(gift, OrderKind.AMOUNT, form.cleaned_data["amount"])):
            messages.success(request, _("已经去办，从下一次扣款起按新金额。"))
            return redirect("donations_monthly", token)
    elif request.method == "POST" and act in (OrderKind.PAUSE, OrderKind.RESUME, OrderKind.STOP):
        try:
            _change(gift, act, None)
            messages.success(request, _("已经去办，马上就好。"))
        except DomainError as error:
            messages.error(request, str(error.message))
        return redirect("donations_monthly", token)
    order = gift.subscription
    assert order is not None
    context = {
        "gift": gift, "order": order, "form": form, "now": clock.now(),
        "live": gift.status in (MonthlyStatus.ACTIVE, MonthlyStatus.PAST_DUE, MonthlyStatus.PAUSED),
        "waiting": order.orders.filter(status=OrderStatus.WAITING).first(),
        "failed": order.failed_charges.order_by("-id").first() if gift.status == MonthlyStatus.PAST_DUE else None,
        "months": gift.months.select_related("project", "fund").order_by("-opened_at", "-id")[:SHOWN],
    }  # fmt: skip
    response = render(request, "donations/monthly.html", context, status=422 if form.errors else 200)
    response["Referrer-Policy"] = "same-origin"  # no-referrer would make the form's own Origin null
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _change(gift: MonthlyGift, kind: str, money: Money | None) -> bool:
    operations.change_monthly_gift(actor=PUBLIC, gift=gift, kind=kind, money=money, now=clock.now())
    return True
