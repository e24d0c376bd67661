"""The supervisor's desk of the law's table: which kinds there are, and the next row of one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.clock import civil_day
from apps.core.http import Request
from apps.core.policies import authorize
from apps.core.workbench import attempt_form
from apps.disclosures import operations, policies, queries
from apps.disclosures.forms import KindEndForm, KindForm
from apps.disclosures.models import DutyKind


@never_cache
@require_safe
def kinds(request: Request) -> HttpResponse:
    """This will list the kinds as they count today, with what is coming."""
    authorize(policies.can_change_kind, request.actor)
    today = civil_day(clock.now())
    rows = queries.kinds_with_ends()
    made: dict[str, dict[str, DutyKind | None]] = {}
    for row in rows:
        one = made.setdefault(row.code, {"now": None, "next": None})
        if row.effective_from > today:
            one["next"] = row
        elif one["now"] is None:
            one["now"] = row
    return render(request, "disclosures/kinds_desk.html", {"kinds": made, "today": today})


@never_cache
@require_http_methods(["GET", "POST"])
def change(request: Request, code: str) -> HttpResponse:
    """This will take down a kind's next row, or its last day."""
    authorize(policies.can_change_kind, request.actor)
    rows = [row for row in queries.kinds_with_ends() if row.code == code]
    if not rows:
        raise Http404
    now, newest, act = clock.now(), rows[0], request.POST.get("act", "")
    form = KindForm(request.POST if act == "change" else None, kind=newest)
    ending = KindEndForm(request.POST if act == "end" else None)
    done: object = None
    if act == "change" and form.is_valid():
        done = attempt_form(
            form,
            lambda: operations.change_duty_kind(
                actor=request.actor, code=code, effective_from=form.cleaned_data["effective_from"],
                given=form.given(), now=now,
            ),
        )  # fmt: skip
    elif act == "end" and ending.is_valid():
        done = attempt_form(
            ending,
            lambda: operations.end_duty_kind(actor=request.actor, code=code, now=now, **ending.cleaned_data),
        )
    if done:
        messages.success(request, _("已记下，公开的表已经更新。已经排出的期限不变。"))
        return redirect("disclosures_kinds_desk")
    context = {"form": form, "ending": ending, "rows": rows, "kind": newest}
    return render(
        request, "disclosures/kind.html", context, status=422 if form.errors or ending.errors else 200
    )
