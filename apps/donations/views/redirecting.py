"""Giving a late gift another project, from the gift's own page."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.actors import PUBLIC
from apps.core.errors import DomainError, add_to_form
from apps.core.pages import private_page
from apps.donations.models import GiftRedirect
from apps.donations.operations import redirect_gift
from apps.donations.operations.redirecting import NotLate
from apps.donations.queries import gift_of_token, refunds_of_gift
from apps.donations.states import GiftStatus
from apps.donations.unspent import publicly_unspent
from apps.funds.models import Project
from apps.funds.queries import raising_projects


class RedirectForm(forms.Form):
    project = forms.ModelChoiceField(
        label=_("改给哪个项目"), queryset=Project.objects.none(), to_field_name="slug",
        widget=forms.RadioSelect, empty_label=None,
        error_messages={"required": _("请选一个项目。"), "invalid_choice": _("请选一个正在募捐的项目。")},
    )  # fmt: skip


@private_page
@require_http_methods(["GET", "POST"])
def redirect_late_gift(request: HttpRequest, token: str) -> HttpResponse:
    """This will let a donor give a late gift another project; those of its own micro-fund come first."""
    gift = gift_of_token(token)
    if gift.status != GiftStatus.RECEIVED or not gift.late or gift.earmark_id is None:
        raise NotLate()
    done = GiftRedirect.objects.select_related("project").filter(gift=gift).first()
    now = clock.now()
    form = RedirectForm(request.POST or None)
    form.fields["project"].queryset = raising_projects(now, first=gift.fund_id, currency=gift.currency)  # type: ignore[attr-defined]
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            redirect_gift(actor=PUBLIC, gift=gift, project=form.cleaned_data["project"], now=now)
            return redirect("tracing_gift", token)
        except DomainError as error:
            add_to_form(form, error)
            status = error.status
    elif request.method == "POST":
        status = 422
    context = {
        "gift": gift,
        "form": form,
        "done": done,
        "left": publicly_unspent(gift, refunds_of_gift(gift)),
    }
    response = render(request, "donations/redirect.html", context, status=status)
    response["Referrer-Policy"] = "same-origin"  # no-referrer would make the form's own Origin null
    return response
