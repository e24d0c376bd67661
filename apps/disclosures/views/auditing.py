"""The auditor's desk: the report and the books side by side, the drawn payments, findings and the opinion."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.actors import Actor
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, attempt_form, typed
from apps.disclosures import operations, policies
from apps.disclosures.forms import FindingForm, OpinionForm, SampleForm
from apps.disclosures.models import Report
from apps.disclosures.queries import vouchers_in_sample
from apps.disclosures.states import SampleResult, Status
from apps.disclosures.views.desk import find_report, report_context


@never_cache
@require_http_methods(["GET", "POST"])
def audit(request: Request, public_id: str) -> HttpResponse:
    """This will show the auditor's desk: figures with their differences, how they close with the ledger, findings and
    the opinion."""
    actor: Actor = request.actor
    found = find_report(request, public_id)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    finding = FindingForm(request.POST if act == "finding" else None, prefix="finding")
    opinion = OpinionForm(request.POST if act == "opinion" else None, prefix="opinion")
    if act and _audit_act(request, found, act, finding, opinion):
        return redirect("disclosures_audit", found.public_id)
    mine = allowed(policies.can_audit, actor, found)
    context = {
        **report_context(found), "finding": finding, "opinion": opinion, "mine": mine,
        "sample": vouchers_in_sample(found) if allowed(policies.can_see_vouchers, actor, found) else [],
        "sample_results": SampleResult.choices, "can_say": mine and found.status == Status.UNDER_AUDIT,
        "can_accept": mine and found.status == Status.ASSIGNED, "auditing": mine and found.status == Status.UNDER_AUDIT,
    }  # fmt: skip
    return render(request, "disclosures/audit.html", context,
                  status=422 if finding.errors or opinion.errors else 200)  # fmt: skip


def _audit_act(request: Request, found: Report, act: str, finding: FindingForm, opinion: OpinionForm) -> bool:
    actor, now, reason = request.actor, clock.now(), typed(request, "reason")
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
    if act == "check":
        sample = SampleForm(request.POST)
        item = _item(found, sample)
        if item is not None:
            data = sample.cleaned_data
            attempt(
                request,
                lambda: operations.check_sample(
                    actor=actor, item=item, result=data["result"], note=data["note"], now=now
                ),
                _("已记下这笔付款的核对结果。"),
            )
        return True
    pk = request.POST.get("id", "")
    one = found.findings.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 18 else None
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
        acts["resolve"] = (
            lambda: operations.resolve_finding(actor=actor, finding=one, now=now),
            _("已标为解决，公布时会这样写。"),
        )
        said = typed(request, "text", 2000)
        acts["say"] = (
            lambda: operations.say_about_finding(actor=actor, finding=one, text=said, now=now),
            _("已发出。"),
        )
    if act in acts:
        attempt(request, *acts[act])
    return True


def _item(found: Report, form: SampleForm) -> Any:
    if not form.is_valid():
        return None
    audit = next((each for each in found.audits.all() if each.declined_at is None), None)
    return audit.sample.filter(pk=form.cleaned_data["item"]).first() if audit else None
