"""Dispatches at the workbench: picking list, sending, handing over, confirming, bringing back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.casework.models import Household
from apps.casework.queries import files_of
from apps.core import clock
from apps.core.documents import qr_data, render_pdf
from apps.core.errors import BadInput, PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed, authorize
from apps.core.workbench import attempt, attempt_form, typed
from apps.inventory import forms, operations, policies, work_queries
from apps.inventory.errors import BadQuantity
from apps.inventory.models import Dispatch, Handover, Location, Stock, Warehouse
from apps.inventory.operations import Pick
from apps.inventory.states import DispatchStatus, Kind, Place, Receiver
from apps.inventory.views.goods import menu, only_goods_people, paged, words_of


@never_cache
@require_safe
def dispatches(request: Request) -> HttpResponse:
    """This will list dispatches of one's warehouses, and those to one's towns."""
    only_goods_people(request)
    words, status, cursor = words_of(request, "q", "status", "after")
    rows = work_queries.dispatches(
        request.actor, words=words, status=status if status in DispatchStatus.values else ""
    )
    page, more = paged(rows, cursor, "number")
    return render(
        request, "inventory/dispatches.html",
        {"rows": page, "more": more, "after": cursor, "q": words, "status": status, "statuses": DispatchStatus.choices,
         "kept": urlencode({"q": words, "status": status}), **menu(request)},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def new_dispatch(request: Request) -> HttpResponse:
    """This will write a picking list from what stands on the shelves, earliest expiry first."""
    keeps = request.actor.scopes("storekeeper")
    if not keeps:
        raise PermissionRefused()
    places = Warehouse.objects.filter(pk__in=keeps).order_by("pk")
    asked = request.GET.get("warehouse") or request.POST.get("warehouse") or ""
    warehouse = places.filter(public_id=asked[:16]).first() or places.first()
    if warehouse is None:
        raise Http404
    (words,) = words_of(request, "q")
    form = forms.DispatchForm(request.POST or None, warehouse=warehouse)
    shelves = work_queries.on_shelves(warehouse, words)
    given = {row.pk: request.POST.get(f"s{row.pk}", "") for row in shelves}
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data

        def plan() -> Dispatch:
            return operations.plan_dispatch(
                actor=request.actor, warehouse=warehouse, picks=_picks(shelves, given), town=data["town"],
                receiver_name=data["receiver_name"], to_warehouse=data.get("to_warehouse"), purpose=data["purpose"],
                now=clock.now(),
            )  # fmt: skip

        made = attempt_form(form, plan)
        if made:
            return redirect("inventory_dispatch", made.number)
    return render(
        request, "inventory/dispatch_new.html",
        {"form": form, "warehouse": warehouse, "warehouses": places, "q": words,
         "shelves": [(row, given[row.pk]) for row in shelves], "today": clock.civil_day(clock.now()), **menu(request)},
        status=422 if form.errors else 200,
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def dispatch(request: Request, number: str) -> HttpResponse:
    """This will show a dispatch, and the step that this very person may do next."""
    found = _dispatch(request, number)
    lines = work_queries.open_lines(found)
    actor = request.actor
    keeps = allowed(policies.can_keep_goods, actor, found.warehouse)
    hands = found.status == DispatchStatus.ON_ROAD and allowed(policies.can_hand_over, actor, found)
    act = request.POST.get("act", "")
    send = forms.SendForm(request.POST if act == "send" else None)
    hand = forms.HandoverForm(request.POST if act == "hand" else None)
    to, arrive = found.to_warehouse, None
    if (
        to is not None
        and found.status == DispatchStatus.ON_ROAD
        and allowed(policies.can_receive, actor, found)
    ):
        arrive = forms.ArrivalForm(request.POST if act == "arrive" else None, warehouse=to)
    quantities = {line.n: request.POST.get(f"q{line.n}", "") for line in lines}
    missing = {line.n: request.POST.get(f"m{line.n}", "") for line in lines}
    tried: Any = {"send": send, "hand": hand, "arrive": arrive}.get(act)
    if tried is not None:
        if tried.is_valid() and attempt_form(
            tried, lambda: _go(request, found, act, tried.cleaned_data, quantities, missing)
        ):
            messages.success(request, _("已记下。"))
            return redirect("inventory_dispatch", number)
    elif request.method == "POST":
        _press(request, found, act, quantities)
        return redirect("inventory_dispatch", number)
    return render(
        request, "inventory/dispatch.html",
        {"dispatch": found, "send": send, "hand": hand, "arrive": arrive,
         "lines": [(line, quantities.get(line.n, ""), missing.get(line.n, "")) for line in lines],
         "keeps_here": keeps, "hands": hands, "takes_back": keeps and (
             found.status == DispatchStatus.ON_ROAD or (found.status == DispatchStatus.CLOSED and to is None)),
         "tried": act, "for_families": found.receiver == Receiver.FAMILIES,
         "may_confirm": allowed(policies.can_hand_over, actor, found),
         "handovers": found.handovers.select_related("household", "handed_by").order_by("-id")[:100],
         "changes": found.changes.order_by("-id")[:20], **menu(request)},
        status=422 if tried is not None else 200,
    )  # fmt: skip


@never_cache
@require_safe
def picking(request: Request, number: str) -> HttpResponse:
    """This will give the picking list as a PDF, with the dispatch's QR code."""
    found = _dispatch(request, number)
    site = str(settings.SITE_URL or "").rstrip("/")
    pdf = render_pdf(
        "inventory/picking_pdf.html", "inventory/labels_pdf.css",
        {"dispatch": found, "lines": work_queries.open_lines(found),
         "qr": qr_data(site + reverse("inventory_dispatch", args=[found.number]))},
    )  # fmt: skip
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{found.number}.pdf"'
    return response


def _dispatch(request: Request, number: str) -> Dispatch:
    found = (
        Dispatch.objects.filter(number=number)
        .select_related("warehouse__organization", "town", "to_warehouse")
        .first()
    )
    if found is None:
        raise Http404
    authorize(policies.can_see_dispatch, request.actor, found)
    return found


def _picks(shelves: list[Stock], given: dict[int, str]) -> list[Pick]:
    return [Pick(row.lot, row.location, quantity(given[row.pk])) for row in shelves if given[row.pk].strip()]


def quantity(words: str) -> Decimal:
    """This will read a quantity of a table's row. Raises BadQuantity."""
    try:
        found = forms.QuantityField().clean(words)
    except ValidationError as error:
        raise BadQuantity() from error
    return Decimal(found)


def _numbers(given: dict[int, str]) -> dict[int, Decimal]:
    return {n: quantity(words) for n, words in given.items() if words.strip()}


def _go(
    request: Request, found: Dispatch, act: str, said: dict[str, Any], given: dict[int, str], missing: dict[int, str]
) -> object:  # fmt: skip
    """Sends, receives in another warehouse, or hands over: one operation."""
    if act == "arrive":
        return operations.receive_transfer(
            actor=request.actor, dispatch=found, quantities=_numbers(given), missing=_numbers(missing),
            shelf=said["shelf"], reason=said["reason"], signer=said["signer"], now=clock.now(),
        )  # fmt: skip
    if act == "send":
        return operations.send_dispatch(
            actor=request.actor, dispatch=found, picked=_numbers(given), carrier=said["carrier"],
            driver=said["driver"], now=clock.now(),
        )  # fmt: skip
    household: Household | None = None
    if said["file_number"]:
        household = files_of(request.actor).filter(file_number=said["file_number"].strip()).first()
        if household is None:
            raise BadInput(_("没有找到这个档案编号，或不是您镇街的。"), field="file_number")
    return operations.record_handover(
        actor=request.actor, dispatch=found, quantities=_numbers(given), household=household,
        households=said["households"] or 1, signer=said["signer"], slip=said["slip"], now=clock.now(),
    )  # fmt: skip


def _ask_lost(request: Request, found: Dispatch, given: dict[int, Decimal], reason: str) -> object:
    if len(given) != 1:
        raise BadInput(_("途中损失一次申请一行。请只在一行里写数量。"))
    ((n, quantity),) = given.items()
    line = get_object_or_404(found.lines.select_related("lot__warehouse", "lot__unit"), n=n)
    return operations.ask_removal(
        actor=request.actor, lot=line.lot, quantity=quantity, kind=Kind.WRITE_OFF, reason=reason, line=line,
        location=Location.objects.get(warehouse=found.warehouse, kind=Place.TRANSIT), now=clock.now(),
    )  # fmt: skip


def _press(request: Request, found: Dispatch, act: str, given: dict[int, str]) -> None:
    """Plain buttons; a refusal becomes a message."""
    common: dict[str, Any] = {"actor": request.actor, "dispatch": found, "now": clock.now()}
    reason = typed(request, "reason")
    name, _sep, which = act.partition(":")
    if name == "cancel":
        attempt(
            request,
            lambda: operations.cancel_dispatch(**common, reason=reason),
            _("已取消，物资还在库位上。"),
        )
    elif name == "back":
        attempt(
            request,
            lambda: operations.bring_back(**common, quantities=_numbers(given), reason=reason),
            _("已带回库位。"),
        )
    elif name == "lost":
        attempt(
            request, lambda: _ask_lost(request, found, _numbers(given), reason), _("已申请核销，等机构负责人批准。")
        )  # fmt: skip
    elif name == "take_back":
        attempt(
            request,
            lambda: operations.take_back(**common, quantities=_numbers(given), reason=reason),
            _("已收回库位。"),
        )
    elif name == "confirm":
        handover = Handover.objects.filter(dispatch=found, public_id=which).first()
        if handover is not None:
            attempt(
                request,
                lambda: operations.confirm_handover(
                    actor=request.actor, handover=handover, reference=typed(request, "slip", 60), now=clock.now()
                ),
                _("已记下受助方的确认。"),
            )  # fmt: skip
