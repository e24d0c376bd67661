"""The workbench of reports: what is due, the editor with the books beside it, declarations and extensions."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import DomainError, add_to_form
from apps.core.http import Request
from apps.core.images import LARGEST_FILE
from apps.core.policies import allowed
from apps.core.workbench import attempt, attempt_form, typed
from apps.disclosures import operations, policies, queries
from apps.disclosures.errors import DraftChanged
from apps.disclosures.forms import AttachmentForm, DeclareForm, ExtensionForm, ReportForm, StartForm
from apps.disclosures.models import Duty, Report
from apps.disclosures.operations.duties import due_of, is_late
from apps.disclosures.states import EDITABLE, FINAL, Status, Trigger
from apps.disclosures.views.desk import find_report, report_context
from apps.organizations.models import Organization

PAGE = 60


@never_cache
@require_http_methods(["GET", "POST"])
def reports(request: Request) -> HttpResponse:
    """This will list what is due with its days, reports by state, and start a draft."""
    actor: Actor = request.actor
    now = clock.now()
    duties = list(_chosen(request, now)[:PAGE])
    free = [
        duty.pk for duty in queries.open_duties(actor).exclude(kind__trigger=Trigger.CORRECTION_ORDERED)
        if not duty.reports.all() and allowed(policies.can_write, actor, duty)
    ]  # fmt: skip
    form = StartForm(
        request.POST or None,
        duties=Duty.objects.filter(pk__in=free)
        .select_related("kind", "project", "organization")
        .order_by("due_on", "id"),
        today=civil_day(now),
        initial={"duty": request.GET.get("duty", "")},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        made = attempt_form(
            form,
            lambda: operations.start_report(actor=actor, duty=data["duty"], until=data["until"], now=now),
        )
        if made:
            return redirect("disclosures_report_edit", made.public_id)
    rows = queries.visible_reports(actor)
    status = request.GET.get("status", "")
    if status in Status.values:
        rows = rows.filter(status=status)
    context = {
        "duties": [_countdown(duty, now) for duty in duties], "reports": list(rows[:PAGE]), "form": form,
        "can_start": bool(free), "q": request.GET.get("q", ""), "late_only": request.GET.get("state") == "late",
        "can_declare": _declaring(actor).exists(), "can_change_kinds": allowed(policies.can_change_kind, actor),
        "status": status, "statuses": Status.choices, "now": now,
        "mine": [row for row in rows[:PAGE] if row.status in (Status.ASSIGNED, Status.UNDER_AUDIT)
                 and allowed(policies.can_audit, actor, row)],
    }  # fmt: skip
    return render(request, "disclosures/workbench.html", context, status=422 if form.errors else 200)


def _chosen(request: Request, now: Any) -> Any:
    """The open duties that the list's filters ask for."""
    rows = queries.open_duties(request.actor)
    said = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    if said:
        rows = rows.filter(
            Q(project__name__icontains=said)
            | Q(organization__name__icontains=said)
            | Q(kind__name_zh__icontains=said)
        )
    if request.GET.get("state") == "late":
        rows = rows.filter(due__lt=civil_day(now))
    return rows


def _declaring(actor: Actor) -> Any:
    own = actor.scopes("project_officer") | actor.scopes("manager")
    return Organization.objects.filter(pk__in=own).order_by("name")


def _countdown(duty: Duty, now: Any) -> dict[str, Any]:
    due = due_of(duty)
    days = (due - civil_day(now)).days
    return {"duty": duty, "due": due, "days": abs(days), "late": is_late(duty, now), "soon": 0 <= days <= 14,
            "title": queries.duty_title(duty), "report": next(iter(duty.reports.all()), None)}  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def edit(request: Request, public_id: str) -> HttpResponseBase:
    """This will show a report to those who write and publish it: figures beside the books', and the next button."""
    actor: Actor = request.actor
    found = find_report(request, public_id)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    if act and (found.status not in EDITABLE or act in ("attach", "detach", "say")):
        made = _act(request, found, act)
        return redirect("disclosures_report_edit", (made or found).public_id)
    form = ReportForm(
        request.POST or None, lines=list(found.lines.all()), currency=found.currency,
        initial={"narrative": found.narrative, "narrative_en": found.narrative_en, "revision": found.revision,
                 "correction_reason": found.correction_reason},
    )  # fmt: skip
    valid = request.method == "POST" and form.is_valid()
    if act == "autosave":
        return _autosave(request, form, found)
    if valid and _keep(request, form, found):
        return redirect("disclosures_report_edit", found.public_id)
    audited = found.kind.audited
    context = {
        **report_context(found), "form": form, "attachment_form": AttachmentForm(),
        "editable": found.status in EDITABLE and allowed(policies.can_write, actor, found.duty),
        "can_publish": found.status == (Status.AUDITED if audited else Status.SUBMITTED)
        and allowed(policies.can_publish, actor, found),
        "can_send_back": not audited and found.status == Status.SUBMITTED
        and allowed(policies.can_publish, actor, found),
        "can_draw": audited and found.status == Status.SUBMITTED and allowed(policies.can_draw, actor, found),
        "can_reply": found.status == Status.AUDITED and allowed(policies.can_reply, actor, found),
        "can_say": found.status == Status.UNDER_AUDIT and allowed(policies.can_discuss, actor, found),
        "can_correct": found.status == Status.PUBLISHED and allowed(policies.can_write, actor, found.duty),
        "can_order": found.status == Status.PUBLISHED and allowed(policies.can_order_correction, actor, found),
        "can_extend": found.status not in FINAL and allowed(policies.can_extend, actor, found.duty),
    }  # fmt: skip
    return render(request, "disclosures/edit.html", context, status=422 if form.errors else 200)


def _autosave(request: Request, form: ReportForm, found: Report) -> HttpResponseBase:
    """Keep what was typed so far, without leaving the page; the answer says what the page should show."""
    if not form.is_valid():
        return JsonResponse(
            {"saved": False, "message": _("有数字还没填完整，填好后会自动保存。")}, status=422
        )
    try:
        made = operations.save_draft(**_given(request, form, found))
    except DomainError as error:
        return JsonResponse(
            {"saved": False, "message": str(error.message), "code": error.code}, status=error.status
        )
    said = _("%(at)s已自动保存") % {"at": f"{clock.now().astimezone(clock.SHANGHAI):%H:%M:%S}"}
    return JsonResponse({"saved": True, "message": said, "revision": made.revision})


def _given(request: Request, form: ReportForm, found: Report) -> dict[str, Any]:
    data = form.cleaned_data
    return {
        "actor": request.actor, "report": found, "narrative": data["narrative"], "narrative_en": data["narrative_en"],
        "lines": form.inputs(), "revision": data["revision"], "correction_reason": data["correction_reason"],
        "now": clock.now(),
    }  # fmt: skip


def _keep(request: Request, form: ReportForm, found: Report) -> bool:
    """Save or submit; a refusal goes onto the form, and what was typed is saved all the same. True when done."""
    given = _given(request, form, found)
    try:
        if request.POST.get("act") == "submit":
            operations.submit_report(**given)
            audited = found.kind.audited
            messages.success(
                request,
                _("已提交。系统会随机抽取一位独立的审计师。") if audited else _("已提交，等机构负责人公布。"),
            )
        else:
            operations.save_draft(**given)
            messages.success(request, _("草稿已保存，账面数已更新。"))
    except DraftChanged as error:
        # Nothing is overwritten; the next save of this page is one that has seen the other's.
        add_to_form(form, error)
        form.data = data = request.POST.copy()
        data["revision"] = str(Report.objects.values_list("revision", flat=True).get(pk=found.pk))
        return False
    except DomainError as error:
        add_to_form(form, error)
        attempt_form(form, lambda: operations.save_draft(**given))
        stored = {(line.section, line.key): line for line in found.lines.all()}
        for row in form.rows:
            row.line = stored.get((row.line.section, row.line.key), row.line)
        return False
    return True


def _act(request: Request, found: Report, act: str) -> Report | None:
    """One button, one operation. A report that was made by it is given back."""
    actor, now = request.actor, clock.now()
    reason = typed(request, "reason")
    common: dict[str, Any] = {"actor": actor, "report": found, "now": now}
    if act == "correct":
        made: list[Report] = []
        attempt(request, lambda: made.append(operations.start_correction(reason=reason, **common)),
                _("已开出更正的草稿：改好后和原报告一样提交、审计、公布。"))  # fmt: skip
        return made[0] if made else None
    if act == "attach":
        _attach(request, found)
        return None
    acts: dict[str, Any] = {
        "publish": (lambda: operations.publish_report(**common), _("已公布并封存。地址和内容从此不变。")),
        "draw": (lambda: operations.draw_auditor(**common), _("已抽取审计师。")),
        "back": (lambda: operations.send_back_report(reason=reason, **common), _("已退回起草人修改。")),
        "order": (
            lambda: operations.order_correction(reason=reason, **common),
            _("已要求更正，期限和理由会公开。"),
        ),
    }
    finding = _one(found.findings, request, "finding")
    if finding is not None:
        said = typed(request, "reply", 2000)
        acts["reply"] = (
            lambda: operations.reply_finding(actor=actor, finding=finding, reply=said, now=now),
            _("已记下答复，会和报告一起公布。"),
        )
        acts["say"] = (
            lambda: operations.say_about_finding(actor=actor, finding=finding, text=said, now=now),
            _("已发给审计师。"),
        )
    attachment = _one(found.attachments, request, "attachment")
    if attachment is not None:
        acts["detach"] = (
            lambda: operations.remove_attachment(actor=actor, attachment=attachment, now=now),
            _("已去掉附件。"),
        )
    if act in acts:
        attempt(request, *acts[act])
    return None


def _attach(request: Request, found: Report) -> None:
    form = AttachmentForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("请先选择一个文件。"))
        return
    file = form.cleaned_data["file"]
    content = file.read() if file.size <= LARGEST_FILE else b""
    attempt(
        request,
        lambda: operations.add_attachment(
            actor=request.actor, report=found, name=file.name or "", content=content, now=clock.now()
        ),
        _("附件已保存。"),
    )


def _one(rows: Any, request: Request, name: str) -> Any:
    text = request.POST.get(name, "")
    return rows.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 18 else None


@never_cache
@require_http_methods(["GET", "POST"])
def declare(request: Request) -> HttpResponse:
    """This will take down something that must be disclosed within days, and open its duty."""
    today = civil_day(clock.now())
    kinds = {
        kind.code: str(kind) for kind in queries.kinds_table()
        if kind.trigger == Trigger.DECLARED and kind.effective_from <= today
    }  # fmt: skip
    form = DeclareForm(
        request.POST or None, organizations=_declaring(request.actor), kinds=list(kinds.items())
    )
    if request.method == "POST" and form.is_valid():
        made = attempt_form(
            form,
            lambda: operations.declare_occurrence(actor=request.actor, now=clock.now(), **form.cleaned_data),
        )
        if made:
            messages.success(request, _("已记下，请在期限前公布。"))
            return redirect("disclosures_workbench")
    return render(request, "disclosures/declare.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def extend(request: Request, public_id: str) -> HttpResponse:
    """This will let the supervisor extend a duty, with a public reason."""
    duty = get_object_or_404(queries.open_duties(request.actor), public_id=public_id)
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
    return render(request, "disclosures/extend.html", {"form": form, "duty": duty, "due": due_of(duty),
                   "title": queries.duty_title(duty)},
                  status=422 if form.errors else 200)  # fmt: skip
