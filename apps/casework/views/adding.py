"""One form, one operation: members, visits, tiers, consents and attachments of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.casework import operations, policies, queries
from apps.casework.forms import AttachmentForm, ConsentForm, MemberChangeForm, MemberForm, TierForm, VisitForm
from apps.casework.models import Household
from apps.core import clock
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt_form


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def add(request: Request, file_number: str, what: str) -> HttpResponse:
    """This will add a member, visit, tier, consent or attachment to a file. Refused to who isn't the town's
    caseworker."""
    found = get_object_or_404(queries.files_of(request.actor), file_number=file_number)
    if what not in _KINDS:
        raise Http404
    if not allowed(policies.can_change_household, request.actor, found):
        raise PermissionRefused()
    title, make, act, said = _KINDS[what]
    form = make(request, found)
    if request.method == "POST" and form.is_valid():
        made = attempt_form(form, lambda: act(request, found, form))
        if made:
            messages.success(request, str(said()))
            return redirect("casework_household", found.file_number)
    context = {"household": found, "form": form, "title": title(), "what": what}
    return render(request, "casework/add.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def change_member(request: Request, file_number: str, pk: int) -> HttpResponse:
    """This will correct a member's schooling and disability. Refused to who isn't the town's caseworker."""
    found = get_object_or_404(queries.files_of(request.actor), file_number=file_number, erased_at=None)
    if not allowed(policies.can_change_household, request.actor, found):
        raise PermissionRefused()
    member = get_object_or_404(found.members.filter(left_at=None), pk=pk)
    now = {"schooling": member.schooling, "has_disability": member.has_disability}
    form = MemberChangeForm(request.POST if request.method == "POST" else None, initial=now)
    if request.method == "POST" and form.is_valid():
        act = lambda: operations.change_member(  # noqa: E731
            actor=request.actor, member=member, now=clock.now(), **form.cleaned_data
        )
        if attempt_form(form, act):
            messages.success(request, _("成员资料已更正。"))
            return redirect("casework_household", found.file_number)
    title = _("更正成员：%(who)s") % {"who": f"{member.get_relation_display()} {member.pk}"}
    context = {"household": found, "form": form, "title": title, "what": "change", "button": _("保存更正")}
    return render(request, "casework/add.html", context, status=422 if form.errors else 200)


def _bound(kind: type[forms.Form], request: Request, **more: Any) -> forms.Form:
    post = request.method == "POST"
    return kind(request.POST if post else None, request.FILES if post else None, **more)


def _visit(request: Request, found: Household) -> forms.Form:
    return _bound(VisitForm, request, asked=operations.newest_form(clock.civil_day(clock.now())))


def _add_member(request: Request, found: Household, form: forms.Form) -> object:
    return operations.add_member(actor=request.actor, household=found, now=clock.now(), **form.cleaned_data)


def _add_visit(request: Request, found: Household, form: Any) -> object:
    return operations.record_assessment(
        actor=request.actor, household=found, visited_on=form.cleaned_data["visited_on"], answers=form.answers(),
        now=clock.now(),
    )  # fmt: skip


def _add_tier(request: Request, found: Household, form: forms.Form) -> object:
    return operations.set_income_tier(
        actor=request.actor, household=found, now=clock.now(), **form.cleaned_data
    )


def _add_consent(request: Request, found: Household, form: forms.Form) -> object:
    return operations.give_consent(actor=request.actor, now=clock.now(), **form.cleaned_data)


def _add_attachment(request: Request, found: Household, form: forms.Form) -> object:
    data = form.cleaned_data
    return operations.add_attachment(
        actor=request.actor, household=found, kind=data["kind"], member=data["member"], content=data["file"].read(),
        now=clock.now(),
    )  # fmt: skip


Make = Callable[[Request, Household], forms.Form]
Act = Callable[[Request, Household, Any], object]
_KINDS: dict[str, tuple[Callable[[], str], Make, Act, Callable[[], str]]] = {
    "member": (lambda: _("加一位成员"), lambda r, h: _bound(MemberForm, r), _add_member, lambda: _("成员已登记。")),
    "visit": (
        lambda: _("记录入户评估"), _visit, _add_visit,
        lambda: _("评估已记录。请同去的同事登录后签字，签字后才算数。"),
    ),
    "tier": (
        lambda: _("登记收入类别"), lambda r, h: _bound(TierForm, r, household=h), _add_tier,
        lambda: _("收入类别已登记。"),
    ),
    "consent": (
        lambda: _("登记同意"), lambda r, h: _bound(ConsentForm, r, household=h), _add_consent,
        lambda: _("同意已登记。"),
    ),
    "attachment": (
        lambda: _("上传附件"), lambda r, h: _bound(AttachmentForm, r, household=h), _add_attachment,
        lambda: _("附件已加密保存。"),
    ),
}  # fmt: skip
