"""The donor's own refund page: the gift's address is the permission (G2, G8)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.actors import PUBLIC
from apps.core.pages import private_page
from apps.core.workbench import attempt, attempt_form
from apps.donations import operations, queries
from apps.donations.forms import RefundForm
from apps.donations.models import Gift
from apps.donations.states import GiftStatus


@private_page
@require_http_methods(["GET", "POST"])
def refund(request: HttpRequest, token: str) -> HttpResponse:
    """This will show what of a gift can be given back, to the fen, take a request, and tell how earlier ones stand."""
    gift = queries.gift_of_token(token)
    now = clock.now()
    refunds = queries.refunds_of_gift(gift)
    offer = queries.refund_offer(gift, now, refunds=refunds)
    form = RefundForm(None, offer=offer, currency=gift.currency)
    if request.method == "POST" and request.POST.get("act") == "withdraw":
        for each in refunds:
            if each.number == request.POST.get("number"):
                act = lambda each=each: operations.withdraw_refund(actor=PUBLIC, refund=each, now=now)  # noqa: E731
                attempt(request, act, _("申请已撤回。这笔捐赠照旧。"))
        return redirect("donations_refund", gift.token)
    if request.method == "POST":
        form = RefundForm(request.POST, offer=offer, currency=gift.currency)
        if form.is_valid() and _ask(form, gift):
            messages.success(request, _("申请已收到。由另一位负责人审核，结果在这里，留了邮箱的也会发邮件。"))
            return redirect("donations_refund", gift.token)
    response = render(
        request, "donations/refund.html",
        {"gift": gift, "offer": offer, "form": form, "refunds": refunds, "now": now,
         "received": gift.status == GiftStatus.RECEIVED},
        status=422 if form.errors else 200,
    )  # fmt: skip
    # Not "no-referrer": the form's own Origin would be null and be refused. Nothing leaves this site.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _ask(form: RefundForm, gift: Gift) -> bool:
    made = attempt_form(
        form,
        lambda: operations.ask_refund(
            actor=PUBLIC, gift=gift, money=form.cleaned_data["amount"], reason=form.cleaned_data["reason"],
            bank=form.bank_details(), now=clock.now(),
        ),
    )  # fmt: skip
    return made is not None
