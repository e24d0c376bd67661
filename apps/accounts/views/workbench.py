"""People and roles, for administrators: every change needs a second one of them, and leaves a row of history."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ResetPasswordForm
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import operations, policies
from apps.accounts.forms import GrantForm, InviteForm, JoinForm, ResetForm
from apps.accounts.models import AccessChange, Grant, Person, SecondFactorReset
from apps.accounts.operations import scope_choices, scope_label
from apps.core import clock
from apps.core.http import Request
from apps.core.policies import authorize
from apps.core.workbench import attempt, attempt_form

PAGE = 50


@never_cache
@require_safe
def people(request: Request) -> HttpResponse:
    """This will list staff and what waits for a second administrator; with `q`, anybody by name or e-mail."""
    authorize(policies.can_see_people, request.actor)
    typed, after = request.GET.get("q", "").strip()[:100], request.GET.get("after", "")
    rows = Person.objects.prefetch_related("accounts", "grants").order_by("-pk")
    if typed:
        rows = rows.filter(Q(display_name__icontains=typed) | Q(accounts__email__icontains=typed)).distinct()
    else:
        rows = rows.filter(Q(grants__isnull=False) | Q(accounts__password__startswith="!")).distinct()  # noqa: S106  (invited, none set)
    if after:
        last = Person.objects.filter(public_id=after).values_list("pk", flat=True).first()
        rows = rows.filter(pk__lt=last or 0)
    page = list(rows[: PAGE + 1])
    known = scope_choices()
    pending = Grant.objects.filter(revoked_at__isnull=True, confirmed_by__isnull=True).select_related(
        "person"
    )
    context = {
        "rows": [(one, _held(one, known)) for one in page[:PAGE]], "q": typed,
        "more": page[PAGE - 1].public_id if len(page) > PAGE else "",
        "pending": [(grant, scope_label(grant.scope_kind, grant.scope_id, known)) for grant in pending[:PAGE]],
        "resets": SecondFactorReset.objects.filter(confirmed_at__isnull=True).select_related("account__person")[:PAGE],
    }  # fmt: skip
    return render(request, "accounts/people.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def invite(request: Request) -> HttpResponse:
    """This will invite a member of staff: an account, and the mail by which they set its password."""
    authorize(policies.can_invite_staff, request.actor)
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        account = attempt_form(
            form, lambda: operations.invite_staff(actor=request.actor, now=clock.now(), **typed)
        )
        if account is not None:
            mail = ResetPasswordForm({"email": account.email})
            if mail.is_valid():
                mail.save(request)
            messages.success(request, _("已邀请。设置密码的链接已寄出，请接着申请角色。"))
            return redirect("accounts_person", account.person.public_id)
    return render(request, "accounts/invite.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def person(request: Request, public_id: str) -> HttpResponse:
    """This will show a person's accounts, roles and access history, and take an administrator's changes to them."""
    authorize(policies.can_see_people, request.actor)
    found = get_object_or_404(Person, public_id=public_id)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    forms = {
        "ask": GrantForm(request.POST if act == "ask" else None, prefix="ask"),
        "reset": ResetForm(request.POST if act == "reset" else None, prefix="reset", person=found),
        "join": JoinForm(request.POST if act == "join" else None, prefix="join"),
    }
    if act and _do(request, found, act, forms):
        return redirect("accounts_person", found.public_id)
    known = scope_choices()
    context = {
        "person": found, "accounts": found.accounts.order_by("pk"), "forms": forms, "grants": _held(found, known),
        "resets": SecondFactorReset.objects.filter(account__person=found, confirmed_at__isnull=True),
        "history": [(row, scope_label(row.scope_kind, row.scope_id, known) if row.role else "")
                    for row in AccessChange.objects.filter(person=found.pk).order_by("-id")[:PAGE]],
        "oneself": request.actor.person_id == found.pk,
    }  # fmt: skip
    return render(request, "accounts/person.html", context, status=422 if act else 200)


def _held(one: Person, known: dict[str, list[tuple[int, str]]]) -> list[tuple[Grant, str]]:
    live = [grant for grant in one.grants.all() if grant.revoked_at is None]
    return [(grant, scope_label(grant.scope_kind, grant.scope_id, known)) for grant in live]


def _do(request: Request, found: Person, act: str, forms: dict[str, Any]) -> bool:
    """One operation for one form or button. True when the page should be opened anew."""
    common: dict[str, Any] = {"actor": request.actor, "now": clock.now()}
    form = forms.get(act)
    if form is not None:
        if not form.is_valid():
            return False
        done = attempt_form(form, lambda: _form_operation(act, found, form, common))
        if done is not None:
            messages.success(
                request, _("已记下。授权和重置要等另一位管理员确认。") if act != "join" else _("已合并。")
            )
        return done is not None
    key = request.POST.get("id", "")
    number = int(key) if key.isdecimal() and len(key) < 19 else 0
    if act == "confirm_reset":
        reset = get_object_or_404(SecondFactorReset, pk=number, account__person=found)
        attempt(request, lambda: operations.confirm_reset(reset=reset, **common), _("第二步验证已重置。"))
    elif act in ("confirm", "revoke"):
        grant = get_object_or_404(Grant, pk=number, person=found)
        if act == "confirm":
            attempt(request, lambda: operations.confirm_grant(grant=grant, **common), _("授权已生效。"))
        else:
            attempt(request, lambda: operations.revoke_grant(grant=grant, **common), _("授权已收回。"))
    return True


def _form_operation(act: str, found: Person, form: Any, common: dict[str, Any]) -> object:
    if act == "ask":
        return operations.ask_grant(
            person=found, role=form.cleaned_data["role"], scope_id=form.scope_id, **common
        )
    if act == "reset":
        return operations.ask_reset(**form.cleaned_data, **common)
    return operations.join_accounts(keep=found, **form.cleaned_data, **common)
