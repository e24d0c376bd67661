"""One payment: its steps, its explanation, its risks, and the buttons this very person may press."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.casework.models import Attachment
from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import DomainError, NotFound
from apps.core.http import Request
from apps.core.money import Money
from apps.core.policies import allowed
from apps.core.workbench import attempt, typed
from apps.disbursements import operations, policies, queries
from apps.disbursements.models import ConfirmationCode, Disbursement, Undo
from apps.disbursements.operations.deciding import took_another_step
from apps.disbursements.risks import current_risks
from apps.disbursements.ruling import evidence_needed
from apps.disbursements.states import Kind, Status, UndoKind
from apps.disbursements.views.workbench import can, one_of
from apps.disbursements.wording import line_words, risk_words

STEP_OF = {Status.APPLIED: "verifier", Status.VERIFIED: "approver"}


@never_cache
@require_http_methods(["GET", "POST"])
def disbursement(request: Request, number: str) -> HttpResponse:
    """This will show one payment; a POST is one button and one operation. Refused, what was typed is still there."""
    found = one_of(request, number)
    if request.method == "POST" and _act(request, found):
        return redirect("disbursements_one", found.number)
    actor: Actor = request.actor
    step = STEP_OF.get(Status(found.status), "")
    undos = list(
        Undo.objects.filter(disbursement=found).select_related("asked_by", "decided_by").order_by("id")
    )
    asked = next((each for each in undos if each.decided_at is None), None)
    context = {
        "item": found, "steps": _steps(found), "changes": found.changes.order_by("-id")[:20],
        "risks": _risks(request, found, step), "flags": _answered(found), "undo": asked,
        "undone": [each for each in undos if each.agreed], "kept": Money(found.kept, found.currency).major,
        "code": ConfirmationCode.objects.filter(disbursement=found).order_by("-id").first(),
        "slips": _slips(found), "typed": request.POST, "person": actor.person_id, **_explained(found),
        **_buttons(actor, found, step), **can(actor),
    }  # fmt: skip
    return render(request, "disbursements/one.html", context, status=422 if request.method == "POST" else 200)


def _buttons(actor: Actor, found: Disbursement, step: str) -> dict[str, Any]:
    """Which buttons this very person has; the operations ask again."""
    mine = actor.person_id or 0
    free = not took_another_step(found.pk, mine, step or "payer")
    organization = found.project.fund.organization_id
    next_stage = found.application is not None and found.status in (Status.PAID, Status.CONFIRMED) and (
        found.stage < len(found.application.stages)
        and not found.application.disbursements.filter(stage=found.stage + 1).exclude(status=Status.REJECTED).exists()
    )  # fmt: skip
    return {
        "can_verify": found.status == Status.APPLIED and free and allowed(policies.can_verify, actor, found),
        "can_approve": found.status == Status.VERIFIED and free and allowed(policies.can_approve, actor, found),
        "can_reject": found.status in (Status.APPLIED, Status.VERIFIED, Status.APPROVED, Status.RETURNED)
        and mine != found.applicant_id
        and allowed(policies.can_verify if found.status == Status.APPLIED else policies.can_approve, actor, found),
        "can_reopen": found.status in (Status.APPROVED, Status.RETURNED)
        and allowed(policies.can_release, actor, organization),
        "can_undo": found.status in (Status.PAID, Status.CONFIRMED) and allowed(policies.can_ask_undo, actor, found),
        "can_confirm": found.kind == Kind.AID and found.status == Status.PAID
        and allowed(policies.can_confirm, actor, found),
        "can_stage": next_stage and found.household is not None
        and allowed(policies.can_apply_for_aid, actor, found.household),
        "handled": took_another_step(found.pk, mine, ""),
    }  # fmt: skip


def _act(request: Request, found: Disbursement) -> bool:
    """One button, one operation; True when done."""
    act = request.POST.get("act", "")
    chosen = _deciding(request, found).get(act) or _after_paying(request, found).get(act)
    return bool(chosen) and attempt(request, *chosen)  # type: ignore[misc]


Act = tuple[Callable[[], object], str]


def _deciding(request: Request, found: Disbursement) -> dict[str, Act]:
    reason = typed(request, "reason")
    answers = {
        name.removeprefix("flag-"): typed(request, name) for name in request.POST if name.startswith("flag-")
    }
    common: dict[str, Any] = {"actor": request.actor, "disbursement": found, "now": clock.now()}
    return {
        "verify": (
            lambda: operations.verify_disbursement(note=reason, answers=answers, **common),
            _("已审核。等机构负责人批准。"),
        ),
        "approve": (
            lambda: operations.approve_disbursement(answers=answers, **common),
            _("已批准，资金已占用。等出纳付款。"),
        ),
        "reject": (lambda: operations.reject_disbursement(reason=reason, **common), _("已记为未通过。")),
        "reopen": (
            lambda: operations.reopen_approval(reason=reason, **common),
            _("已退回待批准，占用已释放。"),
        ),
    }


def _after_paying(request: Request, found: Disbursement) -> dict[str, Act]:
    actor, now, reason = request.actor, clock.now(), typed(request, "reason")
    common: dict[str, Any] = {"actor": actor, "disbursement": found, "now": now}
    undo = Undo.objects.filter(disbursement=found, decided_at=None).first()
    photo = Attachment.objects.filter(
        public_id=request.POST.get("photo", "")[:16], household=found.household_id
    ).first()
    acts: dict[str, Act] = {
        "returned": (
            lambda: operations.ask_undo(kind=UndoKind.RETURNED, reason=reason, **common),
            _("已提出记为银行退回。等另一人确认后入账。"),
        ),
        "clawback": (
            lambda: operations.ask_undo(
                kind=UndoKind.CLAW_BACK,
                reason=reason,
                **common,
                amount=Money.parse(typed(request, "amount", 24), found.currency).minor,
            ),
            _("已提出追回。钱收回之后，由另一人确认入账。"),
        ),
        "slip": (
            lambda: operations.confirm_disbursement(slip=reason, photo=photo, **common),
            _("已记下家庭签收。"),
        ),
        "send": (lambda: operations.ask_code(**common), _("验证码正在发到家庭的手机。")),
        "code": (
            lambda: operations.confirm_at_desk(digits=typed(request, "code", 12), **common),
            _("家庭已确认收到。"),
        ),
    }
    if undo is not None:
        acts["agree"] = (
            lambda: operations.agree_undo(actor=actor, undo=undo, effective_at=now, now=now),
            _("已入账：钱回到了这笔资金。"),
        )
        acts["refuse"] = (
            lambda: operations.refuse_undo(actor=actor, undo=undo, now=now),
            _("没有入账，请求已撤下。"),
        )
    return acts


def _risks(request: Request, found: Disbursement, step: str) -> list[dict[str, Any]]:
    """The present risks, for who has to answer them."""
    if not step:
        return []
    return [
        {"label": risk.label, "words": risk_words(risk.kind, risk.evidence), "name": f"flag-{risk.fingerprint}",
         "typed": typed(request, f"flag-{risk.fingerprint}")}
        for risk in current_risks(found)
    ]  # fmt: skip


def _answered(found: Disbursement) -> list[dict[str, Any]]:
    return [
        {"label": view.flag.get_kind_display(), "words": risk_words(view.flag.kind, view.flag.evidence),
         "answers": view.answers}
        for view in queries.flags_with_answers(found)
    ]  # fmt: skip


def _explained(found: Disbursement) -> dict[str, Any]:
    application = found.application
    if application is None:
        return {"application": None}
    labels = queries.row_labels(application.rule, (get_language() or "").startswith("en"))
    lines = [(line_words(line, labels), line["amount"]) for line in queries.lines_of(application)]
    return {"application": application, "lines": lines}


def _slips(found: Disbursement) -> list[Attachment]:
    if found.household_id is None or found.status != Status.PAID:
        return []
    rows = Attachment.objects.filter(
        household=found.household_id, kind=Attachment.Kind.RECEIPT_SLIP, erased_at=None
    )
    return list(rows.order_by("-id")[:20])


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
    if found.kind == Kind.AID:
        note = found.confirmed_by_slip or (found.get_confirmed_how_display() if found.confirmed_how else "")
        steps.append(
            {
                "label": _("家庭确认"),
                "note": note,
                "state": "" if found.status == Status.CONFIRMED else "todo",
            }
        )
    return steps


@never_cache
@require_http_methods(["GET", "POST"])
def next_stage(request: Request, number: str) -> HttpResponse:
    """This will apply for the next instalment of an application, with its photos."""
    found = one_of(request, number)
    application = found.application
    household = found.household
    if application is None or household is None:
        raise NotFound()
    stage = found.stage + 1
    rows = Attachment.objects.filter(household=household, erased_at=None).order_by("-id")
    if request.method == "POST":
        ids = [pk for pk, public_id in rows.values_list("pk", "public_id")
               if public_id in request.POST.getlist("attachments")]  # fmt: skip
        try:
            made = operations.apply_for_stage(
                actor=request.actor, application=application, attachments=ids, need=typed(request, "need", 2000),
                now=clock.now(),
            )  # fmt: skip
        except DomainError as error:
            messages.error(request, str(error.message))
        else:
            return redirect("disbursements_one", made.number)
    needed = [Attachment.Kind(kind).label for kind in evidence_needed(application.rule, stage)]
    return render(
        request, "disbursements/stage.html",
        {"item": found, "stage": stage, "attachments": rows, "needed": needed,
         "chosen": request.POST.getlist("attachments"), "need": typed(request, "need", 2000),
         "part": application.stages[stage - 1] if stage <= len(application.stages) else None, **can(request.actor)},
        status=422 if request.method == "POST" else 200,
    )  # fmt: skip
