"""Applying: the first of four steps. Where a centre's table decides, the amount is explained before it is sent (C6)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.casework.models import Attachment, Household
from apps.casework.queries import files_of
from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import DomainError, PermissionRefused, add_to_form
from apps.core.http import Request
from apps.core.workbench import attempt_form
from apps.disbursements import operations, queries
from apps.disbursements.forms import AidForm, ChooseForm, ExpenseForm, RuleForm
from apps.disbursements.models import RuleVersion
from apps.disbursements.ruling import evidence_needed, explain_aid, rule_for
from apps.disbursements.states import Kind
from apps.disbursements.views.workbench import can
from apps.disbursements.wording import line_words
from apps.funds.models import BudgetLine, Project
from apps.funds.states import SPENDABLE


@never_cache
@require_http_methods(["GET", "POST"])
def new_aid(request: Request) -> HttpResponse:
    """This will begin a family's aid: by a centre's table where one is in force for the project, else of an amount that
    the caseworker judged. Refused to who isn't a caseworker."""
    if not request.actor.scopes("caseworker"):
        raise PermissionRefused()
    families = files_of(request.actor)
    by_rule, free = _projects()
    chosen = ChooseForm(request.GET if "choose" in request.GET else None, households=families, projects=by_rule,
                        initial={"household": request.GET.get("household", "")})  # fmt: skip
    if chosen.is_bound and chosen.is_valid():
        data = chosen.cleaned_data
        return redirect("disbursements_new_by_rule", data["project"].slug, data["household"].file_number)
    form = AidForm(request.POST or None, households=families, projects=free,
                   initial={"household": request.GET.get("household", "")})  # fmt: skip
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        made = attempt_form(
            form,
            lambda: operations.apply_for_aid(
                actor=request.actor, project=data["project"], household=data["household"],
                budget_line=form.budget_line(), money=data["amount"], purpose=data["purpose"], need=data["need"],
                staff_relation=data["staff_relation"], now=clock.now(),
            ),
        )  # fmt: skip
        if made:
            return redirect("disbursements_one", made.number)
    return render(request, "disbursements/new.html",
                  {"form": form, "chosen": chosen, "by_rule": bool(by_rule), "kind": Kind.AID, **can(request.actor)},
                  status=422 if form.errors or chosen.errors else 200)  # fmt: skip


def _projects() -> tuple[Any, Any]:
    """Projects that pay aid: those a table decides, and the others."""
    rows = Project.objects.filter(status__in=SPENDABLE, budget_lines__is_aid_line=True).select_related("fund")
    today = clock.civil_day(clock.now())
    ruled = [row.pk for row in rows if rule_for(row, today) is not None]
    return rows.filter(pk__in=ruled).order_by("name"), rows.exclude(pk__in=ruled).order_by("name")


@never_cache
@require_http_methods(["GET", "POST"])
def new_by_rule(request: Request, slug: str, file_number: str) -> HttpResponse:
    """This will take a family's facts, show the amount line by line, and send the application once the evidence is
    chosen. Nothing is written before it is sent."""
    if not request.actor.scopes("caseworker"):
        raise PermissionRefused()
    household = get_object_or_404(files_of(request.actor).filter(erased_at=None), file_number=file_number)
    project = get_object_or_404(_projects()[0], slug=slug)
    rule = rule_for(project, clock.civil_day(clock.now()))
    assert rule is not None
    form = RuleForm(request.POST or None, rule=rule, household=household)
    shown: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        if request.POST.get("act") == "send":
            made = attempt_form(form, lambda: _send(request.actor, form, project, household))
            if made:
                return redirect("disbursements_one", made.number)
        shown = _preview(form, rule, household)
    needed = [Attachment.Kind(kind).label for kind in evidence_needed(rule, 1)]
    return render(
        request, "disbursements/by_rule.html",
        {"form": form, "rule": rule, "project": project, "household": household, "needed": needed, **shown,
         **can(request.actor)},
        status=422 if form.errors else 200,
    )  # fmt: skip


def _send(actor: Actor, form: RuleForm, project: Project, household: Household) -> Any:
    data = form.cleaned_data
    return operations.apply_by_rule(
        actor=actor, project=project, household=household,
        budget_line=BudgetLine.objects.get(project=project, is_aid_line=True), facts=form.facts(),
        member=data.get("member"), starts_on=data["starts_on"], ends_on=data["ends_on"],
        attachments=[each.pk for each in data["attachments"]], purpose=data["purpose"], need=data["need"],
        staff_relation=data["staff_relation"], now=clock.now(),
    )  # fmt: skip


def _preview(form: RuleForm, rule: RuleVersion, household: Household) -> dict[str, Any]:
    try:
        made = explain_aid(rule, household, form.facts(), clock.civil_day(clock.now()))
    except DomainError as error:
        add_to_form(form, error)
        return {}
    labels = queries.row_labels(rule, (get_language() or "").startswith("en"))
    lines = [(line_words(line, labels), line["amount"]) for line in made.frozen()]
    return {"lines": lines, "amount": made.amount, "stages": made.stages}


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
    return render(request, "disbursements/new.html", {"form": form, "kind": Kind.EXPENSE, **can(request.actor)},
                  status=422 if form.errors else 200)  # fmt: skip


def _own_projects(actor: Actor) -> Any:
    organizations = actor.scopes("project_officer")
    rows = Project.objects.filter(status__in=SPENDABLE)
    return (
        rows.filter(fund__organization__in=organizations) | rows.filter(partner__in=organizations)
    ).order_by("name")
