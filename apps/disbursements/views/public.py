"""Where a family types its one-time code. The page names nobody and no amount before the code is right (P5)."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.actors import PUBLIC
from apps.core.http import Request, client_address
from apps.core.limits import TooMany, count_use
from apps.core.pages import private_page
from apps.core.workbench import attempt_form
from apps.disbursements import operations
from apps.disbursements.forms import CodeForm

TRIES_AN_HOUR = 20


@private_page
@require_http_methods(["GET", "POST"])
def confirm(request: Request, token: str) -> HttpResponse:
    """This will take the family's code. An unknown link looks like any other until a code is sent with it."""
    form = CodeForm(request.POST or None)
    done = None
    if request.method == "POST" and form.is_valid():
        if count_use("confirm", client_address(request), seconds=3600) > TRIES_AN_HOUR:
            raise TooMany()
        done = attempt_form(
            form,
            lambda: operations.confirm_by_code(
                actor=PUBLIC, token=token[:64], digits=form.cleaned_data["code"], now=clock.now()
            ),
        )
    response = render(request, "disbursements/confirm.html", {"form": form, "done": done},
                      status=422 if form.errors else 200)  # fmt: skip
    # Not "no-referrer": a browser would then send Origin: null with the form, which the CSRF check refuses.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
