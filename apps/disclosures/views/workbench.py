"""The workbench of reports: what is due, the editor with the books beside it, the auditor's desk."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import DomainError, add_to_form
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, attempt_form
from apps.disclosures import operations, policies, queries
from apps.disclosures.content import closing_of, section_total
from apps.disclosures.forms import ExtensionForm, FindingForm, OpinionForm, ReportForm, StartForm
from apps.disclosures.models import Duty, Report
from apps.disclosures.operations.duties import due_of, is_late
from apps.disclosures.states import EDITABLE, FINAL, Section, Status
from apps.funds.models import Project

PAGE = 60


@never_cache
@require_http_methods(["GET", "POST"])
def reports(request: Request) -> HttpResponse:
    """This will list what is due with its days, reports by state, and start a draft."""
    actor: Actor = request.actor
    now = clock.now()
    duties = list(queries.open_duties(actor)[:PAGE])
    free = {duty.project_id for duty in duties if not hasattr(duty, "report")}
    own = [duty.project_id for duty in duties if allowed(policies.can_write, actor, duty.project)]
    projects = Project.objects.filter(pk__in=free & set(own)).order_by("name")
    form = StartForm(
        request.POST or None,
        projects=projects,
        today=civil_day(now),
        initial={"project": request.GET.get("project", "")},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        made = attempt_form(
            form,
            lambda: operations.start_report(
                actor=actor, project=data["project"], until=data["until"], now=now
            ),
        )
        if made:
            return redirect("disclosures_report_edit", made.public_id)
    rows = queries.visible_reports(actor)
    status = request.GET.get("status", "")
    if status in Status.values:
        rows = rows.filter(status=status)
    context = {
        "duties": [_countdown(duty, now) for duty in duties], "reports": list(rows[:PAGE]), "form": form,
        "can_start": bool(projects), "status": status, "statuses": Status.choices, "now": now,
        "mine": [row for row in rows[:PAGE] if row.status in (Status.ASSIGNED, Status.UNDER_AUDIT)
                 and allowed(policies.can_audit, actor, row)],
    }  # fmt: skip
    return render(request, "disclosures/workbench.html", context, status=422 if form.errors else 200)


def _countdown(duty: Duty, now: Any) -> dict[str, Any]:
    due = due_of(duty)
    days = (due - civil_day(now)).days
    return {"duty": duty, "due": due, "days": abs(days), "late": is_late(duty, now), "soon": 0 <= days <= 14,
            "report": getattr(duty, "report", None)}  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def edit(request: Request, public_id: str) -> HttpResponse:
    """This will show a report to those who write and publish it: figures beside the books', and the next button."""
    actor: Actor = request.actor
    found = _find(request, public_id)
    if request.method == "POST" and found.status not in EDITABLE:
        _act(request, found)
        return redirect("disclosures_report_edit", found.public_id)
    form = ReportForm(
        request.POST or None, lines=list(found.lines.all()), currency=found.currency,
        initial={"narrative": found.narrative, "narrative_en": found.narrative_en},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid() and _keep(request, form, found):
        return redirect("disclosures_report_edit", found.public_id)
    context = {
        **_context(found), "form": form,
        "editable": found.status in EDITABLE and allowed(policies.can_write, actor, found.project),
        "can_publish": found.status == Status.AUDITED and allowed(policies.can_publish, actor, found),
        "can_draw": found.status == Status.SUBMITTED and allowed(policies.can_draw, actor, found),
        "can_reply": found.status == Status.AUDITED and allowed(policies.can_reply, actor, found),
        "can_extend": found.status not in FINAL and allowed(policies.can_extend, actor, found.duty),
    }  # fmt: skip
    return render(request, "disclosures/edit.html", context, status=422 if form.errors else 200)


def _keep(request: Request, form: ReportForm, found: Report) -> bool:
    """Save or submit; a refusal goes onto the form, and what was typed is saved all the same. True when done."""
    given: dict[str, Any] = {
        "actor": request.actor, "report": found, "narrative": form.cleaned_data["narrative"],
        "narrative_en": form.cleaned_data["narrative_en"], "lines": form.inputs(), "now": clock.now(),
    }  # fmt: skip
    try:
        if request.POST.get("act") == "submit":
            operations.submit_report(**given)
            messages.success(request, _("已提交。系统会随机抽取一位独立的审计师。"))
        else:
            operations.save_draft(**given)
            messages.success(request, _("草稿已保存，账面数已更新。"))
    except DomainError as error:
        add_to_form(form, error)
        attempt_form(form, lambda: operations.save_draft(**given))
        stored = {(line.section, line.key): line for line in found.lines.all()}
        for row in form.rows:
            row.line = stored.get((row.line.section, row.line.key), row.line)
        return False
    return True


def _act(request: Request, found: Report) -> None:
    """One button, one operation."""
    actor, now = request.actor, clock.now()
    said = request.POST.get("reply", "")
    finding = found.findings.filter(pk=request.POST.get("finding") or 0).first()
    acts: dict[str, Any] = {
        "publish": (
            lambda: operations.publish_report(actor=actor, report=found, now=now),
            _("已公布并封存。地址和内容从此不变。"),
        ),
        "draw": (lambda: operations.draw_auditor(actor=actor, report=found, now=now), _("已抽取审计师。")),
    }
    if finding:
        acts["reply"] = (
            lambda: operations.reply_finding(actor=actor, finding=finding, reply=said, now=now),
            _("已记下答复，会和报告一起公布。"),
        )
    chosen = acts.get(request.POST.get("act", ""))
    if chosen:
        attempt(request, *chosen)


@never_cache
@require_http_methods(["GET", "POST"])
def audit(request: Request, public_id: str) -> HttpResponse:
    """This will show the auditor's desk: figures with their differences, how they close with the ledger, findings and
    the opinion."""
    actor: Actor = request.actor
    found = _find(request, public_id)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    finding = FindingForm(request.POST if act == "finding" else None, prefix="finding")
    opinion = OpinionForm(request.POST if act == "opinion" else None, prefix="opinion")
    if act and _audit_act(request, found, act, finding, opinion):
        return redirect("disclosures_audit", found.public_id)
    mine = allowed(policies.can_audit, actor, found)
    context = {
        **_context(found), "finding": finding, "opinion": opinion, "mine": mine,
        "can_accept": mine and found.status == Status.ASSIGNED, "auditing": mine and found.status == Status.UNDER_AUDIT,
    }  # fmt: skip
    return render(request, "disclosures/audit.html", context,
                  status=422 if finding.errors or opinion.errors else 200)  # fmt: skip


def _audit_act(request: Request, found: Report, act: str, finding: FindingForm, opinion: OpinionForm) -> bool:
    actor, now, reason = request.actor, clock.now(), request.POST.get("reason", "")
    common: dict[str, Any] = {"actor": actor, "report": found, "now": now}
    if act == "finding":
        return finding.is_valid() and (
            attempt_form(finding, lambda: operations.add_finding(**finding.cleaned_data, **common))
            is not None
        )
    if act == "opinion":
        data = opinion.cleaned_data if opinion.is_valid() else {}
        done = (
            bool(data)
            and attempt_form(opinion, lambda: operations.give_opinion(**data, **common)) is not None
        )
        if done:
            messages.success(request, _("意见已签署。机构负责人可以公布了。"))
        return done
    one = found.findings.filter(pk=request.POST.get("id") or 0).first()
    acts: dict[str, Any] = {
        "accept": (lambda: operations.accept_audit(**common), _("已接受，可以开始审计。")),
        "decline": (lambda: operations.decline_audit(reason=reason, **common), _("已退出，会另抽一位。")),
        "return": (
            lambda: operations.return_report(reason=reason, **common),
            _("已退回修改，改好后还会回到您这里。"),
        ),
    }
    if one:
        acts["remove"] = (
            lambda: operations.remove_finding(actor=actor, finding=one, now=now),
            _("已删去这条发现。"),
        )
    if act in acts:
        attempt(request, *acts[act])
    return True


@never_cache
@require_http_methods(["GET", "POST"])
def extend(request: Request, slug: str, n: int) -> HttpResponse:
    """This will let the supervisor extend a duty, with a public reason."""
    duty = get_object_or_404(queries.open_duties(request.actor), project__slug=slug, n=n)
    form = ExtensionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = attempt_form(
            form,
            lambda: operations.extend_duty(
                actor=request.actor, duty=duty, now=clock.now(), **form.cleaned_data
            ),
        )
        if done:
            return redirect("disclosures_workbench")
    return render(request, "disclosures/extend.html", {"form": form, "duty": duty, "due": due_of(duty)},
                  status=422 if form.errors else 200)  # fmt: skip


def _find(request: Request, public_id: str) -> Report:
    return get_object_or_404(queries.visible_reports(request.actor), public_id=public_id)


def _context(found: Report) -> dict[str, Any]:
    live = next((each for each in found.audits.all() if each.declined_at is None), None)
    lines = list(found.lines.all())
    totals = {
        which: {"income": section_total(found, Section.INCOME, which),
                "spending": section_total(found, Section.SPENDING, which), "closing": closing_of(found, which)}
        for which in ("reported", "computed")
    }  # fmt: skip
    return {
        "report": found, "live": live, "lines": [line for line in lines if line.section != Section.AUDIT],
        "audit_lines": [line for line in lines if line.section == Section.AUDIT], "totals": totals,
        "findings": found.findings.all(), "changes": found.changes.order_by("-id")[:30], "due": due_of(found.duty),
        "steps": _steps(found),
    }  # fmt: skip


def _steps(found: Report) -> list[dict[str, str]]:
    order = [Status.DRAFT, Status.SUBMITTED, Status.UNDER_AUDIT, Status.AUDITED, Status.PUBLISHED]
    labels = [_("起草"), _("提交"), _("审计"), _("签署意见"), _("公布")]
    at = {Status.RETURNED: 0, Status.ASSIGNED: 1, Status.SUPERSEDED: 4}.get(
        Status(found.status), order.index(Status(found.status)) if found.status in order else 0
    )
    done = found.status in FINAL
    return [
        {"label": label, "note": "", "state": "" if i < at or done else ("now" if i == at else "todo")}
        for i, label in enumerate(labels)
    ]
