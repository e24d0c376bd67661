"""What is needed and what isn't, by town; and the warehouses themselves."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, attempt_form, typed
from apps.inventory import forms, operations, policies, queries, work_queries
from apps.inventory.models import DontSend, Location, Need, Unit
from apps.inventory.states import Place
from apps.inventory.views.goods import menu, only_goods_people
from apps.organizations.models import Organization
from apps.places.models import Town

WHOLE_CITY = "city"


@never_cache
@require_http_methods(["GET", "POST"])
def wants(request: Request) -> HttpResponse:
    """This will list needs and requests not to send, and let a town's people state theirs (W6)."""
    only_goods_people(request)
    towns = _towns(request)
    act = request.POST.get("act", "")
    need = forms.NeedForm(request.POST if act == "need" else None, towns=towns, prefix="need")
    dont = forms.DontSendForm(request.POST if act == "dont" else None, towns=towns, prefix="dont")
    tried: Any = {"need": need, "dont": dont}.get(act)
    if tried is not None and tried.is_valid():
        said = dict(tried.cleaned_data)
        said["town"] = Town.objects.filter(code=said["town"]).first()
        act_on: Any = operations.state_need if act == "need" else operations.ask_not_to_send
        if attempt_form(tried, lambda: act_on(actor=request.actor, now=clock.now(), **said)):
            messages.success(request, _("已公布。"))
            return redirect("inventory_wants")
    elif act.startswith("end:"):
        kind, _sep, public_id = act.removeprefix("end:").partition(":")
        model: Any = Need if kind == "need" else DontSend
        want = get_object_or_404(model, public_id=public_id[:16])
        attempt(
            request,
            lambda: operations.end_want(actor=request.actor, want=want, now=clock.now()),
            _("已结束。"),
        )
        return redirect("inventory_wants")
    today = clock.civil_day(clock.now())

    def with_right(rows: list[Any]) -> list[tuple[Any, bool]]:
        return [(row, allowed(policies.can_state_wants, request.actor, row.town_id or 0)) for row in rows]

    return render(
        request, "inventory/wants.html",
        {"needs": with_right(queries.needs(today)), "dont_send": with_right(queries.dont_send(today)), "need": need,
         "dont": dont, "may": bool(towns), "tried": act, **menu(request)},
        status=422 if tried is not None else 200,
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def warehouses(request: Request) -> HttpResponse:
    """This will list warehouses with their shelves and the units, and add to them."""
    only_goods_people(request)
    own = Organization.objects.filter(pk__in=request.actor.scopes("manager")).first()
    if own is None and not request.actor.has("storekeeper"):
        raise PermissionRefused()
    act = request.POST.get("act", "")
    form = forms.WarehouseForm(request.POST if act == "warehouse" else None)
    if act == "warehouse" and own is not None and form.is_valid():
        said = dict(form.cleaned_data)
        said["shelves"] = tuple(said["shelves"].split())
        if attempt_form(
            form, lambda: operations.add_warehouse(actor=request.actor, organization=own, **said)
        ):
            messages.success(request, _("仓库已开。请系统管理员给仓管授权。"))
            return redirect("inventory_warehouses")
    elif act.startswith("shelf:"):
        warehouse = get_object_or_404(
            work_queries.warehouses_of(request.actor), public_id=act.removeprefix("shelf:")
        )
        attempt(
            request,
            lambda: operations.add_shelf(
                actor=request.actor, warehouse=warehouse, name=typed(request, "name", 40)
            ),
            _("库位已加。"),
        )
        return redirect("inventory_warehouses")
    elif act == "unit":
        places = typed(request, "places", 1)
        attempt(
            request,
            lambda: operations.add_unit(
                actor=request.actor, code=typed(request, "code", 12), name_en=typed(request, "name_en", 30),
                places=int(places) if places.isdecimal() else 0,
            ),
            _("单位已加。"),
        )  # fmt: skip
        return redirect("inventory_warehouses")
    rows = [
        (one, Location.objects.filter(warehouse=one, kind=Place.SHELF).order_by("name"))
        for one in work_queries.warehouses_of(request.actor)
    ]
    return render(
        request, "inventory/warehouses.html",
        {"rows": rows, "form": form if own else None, "tried": act, "units": Unit.objects.order_by("code"),
         **menu(request)},
        status=422 if form.errors else 200,
    )  # fmt: skip


def _towns(request: Request) -> list[tuple[str, str]]:
    """The towns this person may speak for."""
    mine = request.actor.scopes("caseworker") | request.actor.scopes("town_reviewer")
    found = [(town.code, str(town)) for town in Town.objects.filter(pk__in=mine)]
    if allowed(policies.can_state_wants, request.actor, 0):
        found.insert(0, (WHOLE_CITY, _("全市")))
    return found
