"""Sales, write-offs and stock counts at the workbench: asked by one person, decided by another."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, typed
from apps.inventory import operations, policies, work_queries
from apps.inventory.models import Location, Lot, StockCount, Warehouse
from apps.inventory.states import Asked, CountStatus, Place
from apps.inventory.views.goods import menu, only_goods_people, paged, words_of
from apps.inventory.views.sending import quantity


@never_cache
@require_http_methods(["GET", "POST"])
def removals(request: Request) -> HttpResponse:
    """This will list sales and write-offs; a manager decides on others' requests."""
    only_goods_people(request)
    rows = work_queries.removals(request.actor)
    if request.method == "POST":
        found = get_object_or_404(rows, public_id=request.POST.get("removal", "")[:16])
        approve = request.POST.get("act") == "approve"
        attempt(
            request,
            lambda: operations.decide_removal(
                actor=request.actor, removal=found, approve=approve, answer=typed(request, "answer"), now=clock.now()
            ),
            _("已执行。") if approve else _("已记为未批准。"),
        )  # fmt: skip
        return redirect("inventory_removals")
    status, cursor = words_of(request, "status", "after")
    if status in Asked.values:
        rows = rows.filter(status=status)
    page, more = paged(rows, cursor, "public_id")
    shown = [
        (row, row.status == Asked.ASKED and row.asked_by_id != request.actor.person_id
         and allowed(policies.can_decide, request.actor, row.location.warehouse))
        for row in page
    ]  # fmt: skip
    return render(
        request, "inventory/removals.html",
        {"rows": shown, "more": more, "after": cursor, "status": status, "statuses": Asked.choices,
         "kept": f"status={status}", **menu(request)},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def counts(request: Request) -> HttpResponse:
    """This will list stock counts, and begin one."""
    only_goods_people(request)
    mine = Warehouse.objects.filter(pk__in=request.actor.scopes("storekeeper")).order_by("pk")
    if request.method == "POST":
        warehouse = get_object_or_404(mine, public_id=request.POST.get("warehouse", "")[:16])
        made: list[StockCount] = []
        attempt(
            request,
            lambda: made.append(
                operations.open_count(actor=request.actor, warehouse=warehouse, now=clock.now())
            ),
            _("盘点已开始。"),
        )
        return redirect("inventory_count", made[0].number) if made else redirect("inventory_counts")
    (cursor,) = words_of(request, "after")
    page, more = paged(work_queries.counts(request.actor), cursor, "number")
    return render(
        request, "inventory/counts.html",
        {"rows": page, "more": more, "after": cursor, "mine": mine, **menu(request)},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def count(request: Request, number: str) -> HttpResponse:
    """This will show a count: what is on the shelves to count, the differences, and who may decide."""
    only_goods_people(request)
    found = get_object_or_404(
        work_queries.counts(request.actor).select_related("warehouse__organization"), number=number
    )
    actor = request.actor
    if request.method == "POST":
        _act(request, found)
        return redirect("inventory_count", number)
    (words,) = words_of(request, "q")
    keeps = found.status == CountStatus.COUNTING and allowed(policies.can_keep_goods, actor, found.warehouse)
    lines = list(found.lines.select_related("lot__unit", "location").order_by("location__name", "lot_id"))
    done = {(line.lot_id, line.location_id) for line in lines}
    left = [
        row for row in (work_queries.on_shelves(found.warehouse, words) if keeps else [])
        if (row.lot_id, row.location_id) not in done
    ]  # fmt: skip
    return render(
        request, "inventory/count.html",
        {"count": found, "lines": [(line, line.counted - line.expected) for line in lines], "left": left[:60],
         "left_more": max(len(left) - 60, 0), "q": words, "keeps_here": keeps,
         "decides": found.status == CountStatus.ASKED and actor.person_id != found.counted_by_id
         and allowed(policies.can_decide, actor, found.warehouse), **menu(request)},
    )  # fmt: skip


def _act(request: Request, found: StockCount) -> None:
    act = request.POST.get("act", "")
    common: dict[str, Any] = {"actor": request.actor, "count": found, "now": clock.now()}
    if act.startswith("line:"):
        lot, _sep, location = act.removeprefix("line:").partition(":")
        attempt(
            request,
            lambda: operations.record_count(
                **common, lot=get_object_or_404(Lot, public_id=lot),
                location=get_object_or_404(Location, pk=int(location) if location.isdecimal() else 0, kind=Place.SHELF),
                counted=quantity(typed(request, f"counted-{lot}-{location}", 30)),
                note=typed(request, f"note-{lot}-{location}", 200),
            ),
            _("已记下盘点数。"),
        )  # fmt: skip
    elif act == "submit":
        attempt(request, lambda: operations.submit_count(**common), _("已提交，等另一个人审批。"))
    elif act in ("approve", "refuse"):
        attempt(
            request,
            lambda: operations.decide_count(**common, approve=act == "approve", answer=typed(request, "answer")),
            _("差异已调整。") if act == "approve" else _("已退回重盘。"),
        )  # fmt: skip
