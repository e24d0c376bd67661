"""The public check of receipts and certificates by number and check code, and the way back to a lost link (G2, G10)."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.actors import PUBLIC
from apps.core.errors import DomainError, add_to_form
from apps.core.http import client_address
from apps.core.limits import TooMany, count_use, used
from apps.core.pages import private_page
from apps.donations.models import Receipt
from apps.donations.operations import ask_for_lost_link
from apps.donations.queries import masked, receipt_by_number

MISSES, WINDOW = 20, 600
"""So many wrong tries an address has in so many seconds: a check code has 16.7 million values."""


class CheckForm(forms.Form):
    number = forms.CharField(
        label=_("票据号码或证书编号"), max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    check = forms.CharField(
        label=_("校验码"), max_length=12, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


@private_page
@require_http_methods(["GET", "POST"])
def check_receipt(request: HttpRequest) -> HttpResponse:
    """This will tell whether a receipt is genuine and what became of it; POST mails its gift's link to the donor."""
    asked = bool(request.GET.get("number") or request.GET.get("check"))
    form = CheckForm(request.GET if asked else None)
    found: Receipt | None = None
    status, sent = 200, False
    if asked and form.is_valid():
        who = client_address(request)
        if used("check_receipt", who) >= MISSES:
            raise TooMany()
        found = receipt_by_number(
            form.cleaned_data["number"].strip(), form.cleaned_data["check"].strip().lower()
        )
        if found is None:
            count_use("check_receipt", who, seconds=WINDOW)
            status = 404
    if found is not None and request.method == "POST":
        try:
            ask_for_lost_link(actor=PUBLIC, receipt=found, now=clock.now())
            sent = True
        except DomainError as error:
            add_to_form(form, error)
            status = error.status
    answers = list(found.answered_by.order_by("id")) if found else []
    context = {
        "net": found.amount + sum(row.amount for row in answers) if found else 0, "answers": answers,
        "form": form, "asked": asked, "receipt": found, "sent": sent, "payer": masked(found.payer) if found else "",
    }  # fmt: skip
    response = render(request, "donations/check_receipt.html", context, status=status)
    response["Referrer-Policy"] = "same-origin"  # no-referrer would make the form's own Origin null
    return response
