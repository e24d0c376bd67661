"""Queues and records of payments for the four people who handle each one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.actors import Actor
from apps.core.http import Request
from apps.core.workbench import typed
from apps.disbursements import operations, queries
from apps.disbursements.models import Disbursement
from apps.disbursements.queries import STEPS, QueueFilter
from apps.disbursements.states import FlagKind, Kind, Status
from apps.places.models import Town

PAGE = 50
STEP_LABELS = {
    "verify": gettext_lazy("待审核"), "approve": gettext_lazy("待批准"), "pay": gettext_lazy("待付款"),
    "confirm": gettext_lazy("待家庭确认"),
}  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def home(request: Request) -> HttpResponse:
    """This will show what waits for this person, step by step, with filters; a POST verifies or approves many, each row
    judged alone."""
    actor: Actor = request.actor
    counts = queries.queue_counts(actor)
    step = request.GET.get("step", "")
    if step not in STEPS:
        step = next((each for each in STEPS if counts[each]), "verify")
    if request.method == "POST":
        return _many(request, step)
    wanted = _filter(request)
    page = list(queries.queue(actor, step, wanted)[: PAGE + 1])
    rows = page[:PAGE]
    flags = queries.flag_counts([row.pk for row in rows])
    return render(
        request, "disbursements/home.html",
        {"step": step, "rows": [(row, flags.get(row.pk, 0)) for row in rows], "now": clock.now(), "wanted": wanted,
         "tabs": [(each, STEP_LABELS[each], counts[each]) for each in STEPS], "can_bulk": step in ("verify", "approve"),
         "more": rows[-1].pk if len(page) > PAGE else 0, "kinds": Kind.choices, "flag_kinds": FlagKind.choices,
         "towns": Town.objects.order_by("position"), "alerts": queries.alerts_of(actor)[:10],
         "unconfirmed": queries.unconfirmed(actor, now=clock.now()).count(),
         "sum": sum(row.amount for row in rows), **can(actor)},
    )  # fmt: skip


def _filter(request: Request) -> QueueFilter:
    words = {name: request.GET.get(name, "").strip()[:60] for name in ("kind", "town", "project", "flag")}
    after = request.GET.get("after", "")
    return QueueFilter(
        **words, number=request.GET.get("q", "").strip()[:60],
        after=int(after) if after.isascii() and after.isdecimal() and len(after) < 18 else 0,
    )  # fmt: skip


def _many(request: Request, step: str) -> HttpResponse:
    numbers = request.POST.getlist("number")[:200]
    answers = {kind: typed(request, f"answer-{kind}") for kind in FlagKind.values}
    common: dict[str, Any] = {
        "actor": request.actor,
        "numbers": numbers,
        "answers": answers,
        "now": clock.now(),
    }
    if step == "verify":
        done = operations.verify_many(note=typed(request, "note"), **common)
    else:
        done = operations.approve_many(**common) if step == "approve" else []
    good = sum(one.refused is None for one in done)
    if good:
        said = ngettext("%(n)s件已办。", "%(n)s件已办。", good) % {"n": good}
        messages.success(request, said)
    for one in done:
        if one.refused is not None:
            messages.error(request, f"{one.number}：{one.refused}")
    if not done:
        messages.error(request, _("没有选中任何一件。"))
    return redirect(request.get_full_path())


@never_cache
@require_safe
def disbursements(request: Request) -> HttpResponse:
    """This will list payments by state and number, 50 a page, paged by key; or those no family confirmed in 30 days."""
    late = request.GET.get("late") == "1"
    rows = queries.unconfirmed(request.actor, now=clock.now()) if late else queries.visible(request.actor)
    status, number, after = (request.GET.get(name, "").strip()[:60] for name in ("status", "q", "after"))
    if status in Status.values:
        rows = rows.filter(status=status)
    if number:
        rows = rows.filter(number__icontains=number)
    if after:
        last = Disbursement.objects.filter(number=after).values_list("pk", "paid_at").first()
        rows = _after(rows, last, late)
    page = list(rows[: PAGE + 1])
    more = page[PAGE - 1].number if len(page) > PAGE else ""
    return render(
        request, "disbursements/list.html",
        {"rows": page[:PAGE], "status": status, "q": number, "more": more, "after": after, "statuses": Status.choices,
         "late": late, **can(request.actor)},
    )  # fmt: skip


def _after(rows: Any, last: tuple[int, Any] | None, late: bool) -> Any:
    if last is None:
        return rows.none()
    if late:
        return rows.filter(Q(paid_at__gt=last[1]) | Q(paid_at=last[1], pk__gt=last[0]))
    return rows.filter(pk__lt=last[0])


def can(actor: Actor) -> dict[str, bool]:
    """This will tell which entries of the workbench a person has."""
    return {
        "can_apply_aid": bool(actor.scopes("caseworker")),
        "can_apply_expense": bool(actor.scopes("project_officer")),
        "can_pay": bool(actor.scopes("cashier")),
    }


def one_of(request: Request, number: str) -> Disbursement:
    """This will find a payment this person may see, or answer 404."""
    return get_object_or_404(queries.visible(request.actor), number=number)
