"""Queues and records of payments for the four people who handle each one."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.casework.queries import files_of, same_value
from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, attempt_form, typed
from apps.disbursements import operations, policies, queries
from apps.disbursements.forms import AidForm, ExpenseForm
from apps.disbursements.models import Disbursement
from apps.disbursements.states import Kind, Status
from apps.funds.models import Project
from apps.funds.states import SPENDABLE

PAGE = 50


@never_cache
@require_safe
def home(request: Request) -> HttpResponse:
    """This will show what waits for this person."""
    actor: Actor = request.actor
    waiting = list(queries.waiting_for(actor)[:PAGE])
    return render(
        request, "disbursements/home.html",
        {"waiting": waiting, "total": sum(row.amount for row in waiting), "now": clock.now(), **_can(actor)},
    )  # fmt: skip


@never_cache
@require_safe
def disbursements(request: Request) -> HttpResponse:
    """This will list payments by state and number, 50 a page, paged by key."""
    rows = queries.visible(request.actor)
    status, number, after = (request.GET.get(name, "").strip()[:60] for name in ("status", "q", "after"))
    if status in Status.values:
        rows = rows.filter(status=status)
    if number:
        rows = rows.filter(number__icontains=number)
    if after:
        last = Disbursement.objects.filter(number=after).values_list("pk", flat=True).first()
        rows = rows.filter(pk__lt=last or 0)
    page = list(rows[: PAGE + 1])
    more = page[PAGE - 1].number if len(page) > PAGE else ""
    return render(
        request, "disbursements/list.html",
        {"rows": page[:PAGE], "status": status, "q": number, "more": more, "after": after, "statuses": Status.choices,
         **_can(request.actor)},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def disbursement(request: Request, number: str) -> HttpResponse:
    """This will show one payment's four steps, its risks and the buttons this very person may press."""
    found = get_object_or_404(queries.visible(request.actor), number=number)
    if request.method == "POST":
        _act(request, found)
        return redirect("disbursements_one", found.number)
    actor: Actor = request.actor
    people = {name: getattr(found, f"{name}_id") for name in ("applicant", "verifier", "approver", "payer")}
    free = actor.person_id not in people.values()
    context = {
        "item": found, "steps": _steps(found), "changes": found.changes.order_by("-id")[:20],
        "can_verify": found.status == Status.APPLIED and free and allowed(policies.can_verify, actor, found),
        "can_approve": found.status == Status.VERIFIED and free and allowed(policies.can_approve, actor, found),
        "can_reject": found.status in (Status.APPLIED, Status.VERIFIED, Status.APPROVED)
        and actor.person_id != found.applicant_id
        and allowed(policies.can_verify if found.status == Status.APPLIED else policies.can_approve, actor, found),
        "can_reopen": found.status in (Status.APPROVED, Status.RETURNED)
        and allowed(policies.can_release, actor, found.project.fund.organization_id),
        "can_return": found.status in (Status.PAID, Status.CONFIRMED)
        and allowed(policies.can_release, actor, found.project.fund.organization_id),
        "can_confirm": found.status == Status.PAID and allowed(policies.can_confirm, actor, found),
        "handled": not free,
        "same_account": len(same_value(found.household, "bank_account")) if found.household else 0,
        **_can(actor),
    }  # fmt: skip
    return render(request, "disbursements/one.html", context)


def _act(request: Request, found: Disbursement) -> None:
    """One button, one operation."""
    actor, now, reason = request.actor, clock.now(), typed(request, "reason")
    common: dict[str, Any] = {"actor": actor, "disbursement": found, "now": now}
    acts = {
        "verify": (
            lambda: operations.verify_disbursement(note=reason, **common),
            _("已审核。等机构负责人批准。"),
        ),
        "approve": (lambda: operations.approve_disbursement(**common), _("已批准，资金已占用。等出纳付款。")),
        "reject": (lambda: operations.reject_disbursement(reason=reason, **common), _("已记为未通过。")),
        "reopen": (
            lambda: operations.reopen_approval(reason=reason, **common),
            _("已退回待批准，占用已释放。"),
        ),
        "return": (
            lambda: operations.return_disbursement(reason=reason, effective_at=now, **common),
            _("已记为银行退回，资金重新占用。"),
        ),
        "confirm": (lambda: operations.confirm_disbursement(slip=reason, **common), _("已记下家庭签收。")),
    }
    chosen = acts.get(request.POST.get("act", ""))
    if chosen:
        attempt(request, *chosen)


@never_cache
@require_http_methods(["GET", "POST"])
def new_aid(request: Request) -> HttpResponse:
    """This will apply for a family's aid: the first of four steps. Refused to who isn't a caseworker."""
    if not request.actor.scopes("caseworker"):
        raise PermissionRefused()
    form = AidForm(
        request.POST or None,
        households=files_of(request.actor),
        initial={"household": request.GET.get("household", "")},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        made = attempt_form(
            form,
            lambda: operations.apply_for_aid(
                actor=request.actor, project=data["project"], household=data["household"],
                budget_line=form.budget_line(), money=data["amount"], purpose=data["purpose"], need=data["need"],
                now=clock.now(),
            ),
        )  # fmt: skip
        if made:
            return redirect("disbursements_one", made.number)
    return render(request, "disbursements/new.html", {"form": form, "kind": Kind.AID, **_can(request.actor)},
                  status=422 if form.errors else 200)  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def new_expense(request: Request) -> HttpResponse:
    """This will apply for a project expense with its invoice (P8). Refused to who isn't a project officer."""
    if not request.actor.scopes("project_officer"):
        raise PermissionRefused()
    form = ExpenseForm(request.POST or None, projects=_own_projects(request.actor))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        made = attempt_form(
            form,
            lambda: operations.apply_for_expense(
                actor=request.actor, project=data["project"], budget_line=data["budget_line"], money=data["amount"],
                purpose=data["purpose"], payee_name=data["payee_name"], payee_bank=data["payee_bank"],
                payee_account=data["payee_account"], invoice_number=data["invoice_number"], now=clock.now(),
            ),
        )  # fmt: skip
        if made:
            return redirect("disbursements_one", made.number)
    return render(request, "disbursements/new.html", {"form": form, "kind": Kind.EXPENSE, **_can(request.actor)},
                  status=422 if form.errors else 200)  # fmt: skip


def _own_projects(actor: Actor) -> Any:
    organizations = actor.scopes("project_officer")
    rows = Project.objects.filter(status__in=SPENDABLE)
    return (
        rows.filter(fund__organization__in=organizations) | rows.filter(partner__in=organizations)
    ).order_by("name")


def _can(actor: Actor) -> dict[str, bool]:
    """Which entries of the workbench this person has."""
    return {
        "can_apply_aid": bool(actor.scopes("caseworker")),
        "can_apply_expense": bool(actor.scopes("project_officer")),
        "can_pay": bool(actor.scopes("cashier")),
    }


def _steps(found: Disbursement) -> list[dict[str, Any]]:
    """The four steps and the family's confirmation, as the steps component draws them."""
    done = [
        (_("申请"), found.applicant, found.applied_at), (_("审核"), found.verifier, found.verified_at),
        (_("批准"), found.approver, found.approved_at), (_("付款"), found.payer, found.paid_at),
    ]  # fmt: skip
    steps: list[dict[str, Any]] = []
    now_at = next(
        (i for i, (_label, person, at) in enumerate(done) if person is None or at is None), len(done)
    )
    for i, (label, person, at) in enumerate(done):
        note = ""
        if person is not None:
            note = f"{person.display_name}" + (f"，{clock.civil_day(at):%Y-%m-%d}" if at else "")
        state = "" if i < now_at else ("now" if i == now_at and found.status != Status.REJECTED else "todo")
        steps.append({"label": label, "note": note, "state": state})
    confirmed = found.status == Status.CONFIRMED
    if found.kind == Kind.AID:
        steps.append(
            {"label": _("家庭确认"), "note": found.confirmed_by_slip, "state": "" if confirmed else "todo"}
        )
    return steps
