from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.casework import operations, policies, queries
from apps.casework.forms import BankForm, HouseholdForm, ReasonForm
from apps.casework.models import Household, PrivateField
from apps.core import clock
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt_form

PAGE = 50


@never_cache
@require_safe
def households(request: Request) -> HttpResponse:
    """This will list the family files of one's towns by file number; no name stands in a list."""
    rows = queries.files_of(request.actor)
    number = request.GET.get("q", "").strip()
    if number:
        rows = rows.filter(file_number__icontains=number)
    after = request.GET.get("after", "")
    if after:
        last = Household.objects.filter(file_number=after).values_list("pk", flat=True).first()
        rows = rows.filter(pk__lt=last or 0)
    page = list(rows[: PAGE + 1])
    more = page[PAGE - 1].file_number if len(page) > PAGE else ""
    can_register = bool(request.actor.scopes("caseworker"))
    return render(
        request, "casework/households.html",
        {"rows": page[:PAGE], "q": number, "more": more, "after": after, "can_register": can_register},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def new_household(request: Request) -> HttpResponse:
    """This will open a family's file. Refused to who isn't a caseworker."""
    if not request.actor.scopes("caseworker"):
        raise PermissionRefused()
    form = HouseholdForm(request.POST or None, towns=request.actor.scopes("caseworker"))
    if request.method == "POST" and form.is_valid():
        now = clock.now()
        made = attempt_form(
            form,
            lambda: operations.register_household(
                actor=request.actor, town=form.cleaned_data["town"], income_tier=form.cleaned_data["income_tier"],
                people=form.cleaned_data["people"], private=form.private(), consented_at=now, now=now,
            ),
        )  # fmt: skip
        if made:
            messages.success(request, _("档案已建立。"))
            return redirect("casework_household", made.file_number)
    return render(request, "casework/household_new.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def household(request: Request, file_number: str) -> HttpResponse:
    """This will show a file without its private fields; opening those takes a reason and leaves a row (C2)."""
    found = get_object_or_404(queries.files_of(request.actor), file_number=file_number)
    form, bank, private = ReasonForm(), BankForm(), None
    act = request.POST.get("act")
    if act == "open":
        form = ReasonForm(request.POST)
        if form.is_valid():
            private = attempt_form(
                form,
                lambda: operations.open_file(
                    actor=request.actor, household=found, fields=PrivateField.values,
                    reason=form.cleaned_data["reason"], now=clock.now(),
                ),
            )  # fmt: skip
    elif act == "bank":
        bank = BankForm(request.POST)
        changed = None
        if bank.is_valid():
            changed = attempt_form(
                bank,
                lambda: operations.change_bank_account(
                    actor=request.actor, household=found, now=clock.now(), **bank.cleaned_data
                ),
            )
        if changed is not None:
            messages.success(request, _("收款账户已更换。已批准、未付款的事项要重新批准。"))
            return redirect("casework_household", found.file_number)
    rows = [(PrivateField(name).label, value) for name, value in (private or {}).items()]
    context = {
        "household": found, "form": form, "bank": bank, "private": rows,
        "can_change": allowed(policies.can_change_household, request.actor, found),
    }  # fmt: skip
    return render(
        request, "casework/household.html", context, status=422 if form.errors or bank.errors else 200
    )
