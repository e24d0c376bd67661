"""The list of family files, a file's page, and a new file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.casework import operations, policies, queries
from apps.casework.forms import REASONS, BankForm, ErasureForm, FindForm, HouseholdForm, OpenForm
from apps.casework.models import ErasureRequest, Household, IncomeTier, MemberField, PrivateField
from apps.core import clock
from apps.core.errors import DomainError, PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, attempt_form
from apps.places.models import Town

PAGE = 50


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def households(request: Request) -> HttpResponse:
    """This will list the family files of one's towns by file number, with filters; a POST finds files by a whole ID
    number, phone or account through the blind index. No name stands in a list."""
    chosen = {
        name: request.GET.get(name, "").replace("\x00", "").strip()[:40]
        for name in ("q", "town", "tier", "state", "waiting")
    }
    rows = queries.filtered(
        queries.files_of(request.actor), number=chosen["q"], town=chosen["town"], tier=chosen["tier"],
        state=chosen["state"] or "live", waiting=chosen["waiting"],
    )  # fmt: skip
    find, found = FindForm(request.POST or None), None
    if request.method == "POST" and find.is_valid():
        found = attempt_form(
            find,
            lambda: list(
                queries.find_files(request.actor, find.cleaned_data["kind"], find.cleaned_data["value"])[
                    :PAGE
                ]
            ),
        )
    after = request.GET.get("after", "")
    if after:
        last = Household.objects.filter(file_number=after).values_list("pk", flat=True).first()
        rows = rows.filter(pk__lt=last or 0)
    page = list(rows[: PAGE + 1])
    more = page[PAGE - 1].file_number if len(page) > PAGE else ""
    towns = request.actor.scopes("caseworker") | request.actor.scopes("town_reviewer")
    query = request.GET.copy()
    query.pop("after", None)
    context = {
        "rows": page[:PAGE] if found is None else found, "found": found is not None, "chosen": chosen, "find": find,
        "more": more if found is None else "", "after": after, "query": query.urlencode(),
        "can_register": bool(request.actor.scopes("caseworker")), "tiers": IncomeTier.choices,
        "towns": Town.objects.filter(pk__in=towns), "counts": queries.counts(request.actor),
        "alerts": queries.open_alerts(request.actor),
    }  # fmt: skip
    return render(request, "casework/households.html", context, status=422 if find.errors else 200)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def new_household(request: Request) -> HttpResponse:
    """This will open a family's file. Refused to who isn't a caseworker."""
    if not request.actor.scopes("caseworker"):
        raise PermissionRefused()
    form = HouseholdForm(request.POST or None, towns=request.actor.scopes("caseworker"))
    if request.method == "POST" and form.is_valid():
        now, data = clock.now(), form.cleaned_data
        made = attempt_form(
            form,
            lambda: operations.register_household(
                actor=request.actor, town=data["town"], income_tier=data["income_tier"], people=data["people"],
                private=form.private(), consented_at=now, now=now, schooling=data["schooling"] or "none",
                has_disability=data["has_disability"], consent_by=data["consent_by"] or "self",
            ),
        )  # fmt: skip
        if made:
            messages.success(request, _("档案已建立。"))
            if queries.files_of_same_people(made):
                messages.warning(request, _("这个人在另一份档案里也有登记。请看“重复提醒”，双方都已收到。"))
            return redirect("casework_household", made.file_number)
    return render(request, "casework/household_new.html", {"form": form}, status=422 if form.errors else 200)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def household(request: Request, file_number: str) -> HttpResponse:
    """This will show a file in sections without its private values; opening those takes a reason and leaves a row
    (C2)."""
    found = get_object_or_404(queries.files_of(request.actor), file_number=file_number)
    form, bank, erase = OpenForm(household=found), BankForm(), ErasureForm()
    shown: list[tuple[Any, Any]] = []
    act = request.POST.get("act", "")
    if act == "open":
        form = OpenForm(request.POST, household=found)
        if form.is_valid():
            opened = attempt_form(form, lambda: _open(request, found, form.cleaned_data))
            if isinstance(opened, HttpResponse):
                return opened
            shown = opened or []
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
    elif act:
        _button(request, found, act)
        return redirect("casework_household", found.file_number)
    failed = bool(form.errors or bank.errors)
    context = _sections(request, found) | {"form": form, "bank": bank, "erase": erase, "private": shown}
    return render(request, "casework/household.html", context, status=422 if failed else 200)


def _sections(request: Request, found: Household) -> dict[str, Any]:
    asked = found.erasures.filter(status=ErasureRequest.Status.ASKED).select_related("asked_by").first()
    seen = queries.alerts_of(request.actor).filter(pk__in=queries.alert_ids(found))
    visits = found.assessments.select_related("first_visitor", "second_visitor", "form").order_by("-id")
    mine = request.actor.person_id
    return {
        "household": found, "reasons": REASONS, "members": found.members.order_by("left_at", "id"),
        "visits": [(one, one.second_visitor_id is None and one.first_visitor_id != mine) for one in visits],
        "tiers": found.tiers.order_by("-id"), "consents": found.consents.select_related(
            "text", "member", "withdrawal", "guardian").order_by("-id"),
        "attachments": found.attachments.select_related("member", "uploaded_by").order_by("-id"),
        "alerts": [one for one in queries.seen_by(request.actor, list(seen)) if one.own.pk == found.pk],
        "asked": asked, "can_change": found.erased_at is None
        and allowed(policies.can_change_household, request.actor, found),
        "can_ask": found.erased_at is None and asked is None
        and allowed(policies.can_ask_erasure, request.actor, found),
    }  # fmt: skip


def _open(request: Request, found: Household, data: dict[str, str]) -> HttpResponse | list[tuple[Any, Any]]:
    """One reading: its operation authorizes and writes the row. An attachment comes as a download."""
    kind, _sign, key = data["what"].partition(":")
    common: dict[str, Any] = {"actor": request.actor, "reason": data["reason"], "now": clock.now()}
    if kind == "member":
        member = get_object_or_404(found.members.select_related("household"), pk=key)
        values = operations.open_member(member=member, **common)
        return [(MemberField(name).label, value) for name, value in values.items()]
    if kind == "visit":
        visit = get_object_or_404(found.assessments, pk=key)
        lines = operations.open_assessment(assessment=visit, **common)
        return [(line.question, f"{line.answer} · {line.points}") for line in lines] + [
            (_("得分"), visit.score)
        ]
    if kind == "attachment":
        kept = get_object_or_404(found.attachments, public_id=key)
        opened = operations.open_attachment(attachment=kept, **common)
        answer = HttpResponse(opened.content, content_type=opened.content_type)
        answer["Content-Disposition"] = f'attachment; filename="{opened.file_name}"'
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return answer
    values = operations.open_file(household=found, fields=PrivateField.values, **common)
    return [(PrivateField(name).label, value) for name, value in values.items()]


def _button(request: Request, found: Household, act: str) -> None:
    """One button of the file page, one operation."""
    verb, _sign, key = act.partition(":")
    now = clock.now()
    if verb == "confirm":
        visit = get_object_or_404(found.assessments, pk=key if key.isdecimal() else 0)
        attempt(
            request,
            lambda: operations.confirm_assessment(actor=request.actor, assessment=visit, now=now),
            _("已签字。"),
        )
    elif verb == "withdraw":
        consent = get_object_or_404(found.consents, code=key)
        attempt(
            request,
            lambda: operations.withdraw_consent(actor=request.actor, consent=consent, now=now),
            _("同意已撤回。依据它公布的内容会立即撤下。"),
        )
    elif verb == "leave":
        member = get_object_or_404(found.members, pk=key if key.isdecimal() else 0)
        attempt(
            request,
            lambda: operations.remove_member(actor=request.actor, member=member, now=now),
            _("已记为离开本户。"),
        )
    elif verb == "erase":
        ground = request.POST.get("ground", "")
        attempt(
            request,
            lambda: operations.ask_erasure(actor=request.actor, household=found, ground=ground, now=now),
            _("已申请销毁，等第二个人批准。"),
        )
    else:
        raise DomainError(_("没有这个操作。请刷新页面后再试。"))
