from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import DomainError, PermissionRefused, add_to_form
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, typed
from apps.funds import operations, policies
from apps.funds.forms import BudgetForms, PlanForm
from apps.funds.models import MicroFund, Project
from apps.funds.states import FORWARD, ProjectStatus


def _visible(actor: Actor) -> Any:
    rows = Project.objects.select_related("fund__organization", "partner").order_by("-id")
    if actor.has("supervisor"):
        return rows
    own = actor.scopes("project_officer") | actor.scopes("manager") | actor.scopes("cashier")
    return rows.filter(fund__organization__in=own) | rows.filter(partner__in=own)


@never_cache
@require_safe
def projects(request: Request) -> HttpResponse:
    """This will list the projects of one's organizations, and the micro-funds whose money one may move."""
    actor: Actor = request.actor
    rows = _visible(actor)
    status = request.GET.get("status", "")
    if status in ProjectStatus.values:
        rows = rows.filter(status=status)
    own = actor.scopes("project_officer") | actor.scopes("manager") | actor.scopes("cashier")
    return render(
        request, "funds/projects.html",
        {"rows": rows.distinct()[:200], "status": status, "statuses": ProjectStatus.choices,
         "funds": MicroFund.objects.filter(organization__in=own).order_by("name"),
         "can_draft": bool(actor.scopes("project_officer"))},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def new_project(request: Request) -> HttpResponse:
    """This will draft a project with its plan and budget; the target is the budget's sum."""
    own = request.actor.scopes("project_officer")
    if not own:
        raise PermissionRefused()
    form = PlanForm(request.POST or None, organizations=own)
    lines = BudgetForms(request.POST or None, prefix="budget")
    if request.method == "POST" and form.is_valid() and lines.is_valid():
        budget = [line.draft() for line in lines if line.cleaned_data]
        try:
            made = operations.draft_project(
                actor=request.actor, fund=form.cleaned_data["fund"], budget=budget, now=clock.now(),
                target=sum(line.planned for line in budget), **form.plan(),
            )  # fmt: skip
        except DomainError as error:
            add_to_form(form, error)
        except ValidationError as error:
            for name, problems in error.message_dict.items():
                form.add_error(name if name in form.fields else None, problems)
        else:
            return redirect("funds_project", made.slug)
    return render(request, "funds/project_new.html", {"form": form, "lines": lines},
                  status=422 if request.method == "POST" else 200)  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def project(request: Request, slug: str) -> HttpResponse:
    """This will show a project's plan and the moves this person may make."""
    found = get_object_or_404(_visible(request.actor).distinct(), slug=slug)
    if request.method == "POST":
        _act(request, found)
        return redirect("funds_project", found.slug)
    moves = _moves(request.actor, found)
    context = {
        "project": found, "moves": moves, "asks_filing": any(move["act"] == "file" for move in moves),
        "lines": found.budget_lines.all(), "changes": found.changes.order_by("-id")[:30],
    }  # fmt: skip
    return render(request, "funds/project.html", context)


MOVES = {
    "submit": (gettext_lazy("提交审核"), ProjectStatus.IN_REVIEW, policies.can_submit_project),
    "revise": (gettext_lazy("重新修改"), ProjectStatus.DRAFT, policies.can_submit_project),
    "file": (gettext_lazy("已备案"), ProjectStatus.FILED, policies.can_file_project),
    "reject": (gettext_lazy("退回"), ProjectStatus.REJECTED, policies.can_file_project),
    "raise": (gettext_lazy("开始募捐"), ProjectStatus.RAISING, policies.can_run_project),
    "close": (gettext_lazy("结束募捐"), ProjectStatus.CLOSED, policies.can_run_project),
    "execute": (gettext_lazy("开始执行"), ProjectStatus.EXECUTING, policies.can_run_project),
    "complete": (gettext_lazy("完成"), ProjectStatus.COMPLETED, policies.can_run_project),
    "suspend": (gettext_lazy("暂停"), ProjectStatus.SUSPENDED, policies.can_suspend_project),
}


def _moves(actor: Actor, found: Project) -> list[dict[str, Any]]:
    if found.status == ProjectStatus.SUSPENDED:
        may = allowed(policies.can_suspend_project, actor, found)
        return [{"act": "resume", "label": _("恢复"), "needs": True}] if may else []
    return [
        {"act": act, "label": label, "needs": act in ("file", "reject", "suspend")}
        for act, (label, to, rule) in MOVES.items()
        if to in FORWARD.get(found.status, frozenset()) and allowed(rule, actor, found)
    ]


def _act(request: Request, found: Project) -> None:
    said = typed(request, "reason")
    common: dict[str, Any] = {"actor": request.actor, "project": found, "now": clock.now()}
    acts = {
        "submit": lambda: operations.submit_project(**common),
        "revise": lambda: operations.revise_project(**common),
        "file": lambda: operations.file_project(filing_number=said, **common),
        "reject": lambda: operations.reject_project(reason=said, **common),
        "raise": lambda: operations.start_raising(**common),
        "close": lambda: operations.close_raising(reason=said, **common),
        "execute": lambda: operations.start_executing(**common),
        "complete": lambda: operations.complete_project(**common),
        "suspend": lambda: operations.suspend_project(reason=said, **common),
        "resume": lambda: operations.resume_project(reason=said, **common),
    }
    chosen = acts.get(request.POST.get("act", ""))
    if chosen:
        attempt(request, chosen, _("已更新项目状态。"))
