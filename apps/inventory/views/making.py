"""Kits at the workbench: recipes, assembling, taking apart."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.text import fold
from apps.core.workbench import attempt, attempt_form, typed
from apps.inventory import forms, operations, work_queries
from apps.inventory.models import Recipe, Stock, Warehouse
from apps.inventory.operations import Pick
from apps.inventory.states import Place
from apps.inventory.views.goods import menu
from apps.inventory.views.sending import _picks, quantity


@never_cache
@require_http_methods(["GET", "POST"])
def kits(request: Request) -> HttpResponse:
    """This will list recipes, and state a new one."""
    mine = _mine(request)
    data = request.POST.copy() if request.method == "POST" else None
    adding = data is not None and data.get("act") == "more"
    if data is not None and adding:
        total = data.get("part-TOTAL_FORMS", "1")
        data["part-TOTAL_FORMS"] = str(min(int(total) if total.isdecimal() else 1, 19) + 1)
    form = forms.RecipeForm(data, warehouses=mine)
    parts = forms.PartForms(data, prefix="part")
    if request.method == "POST" and not adding and form.is_valid() and parts.is_valid():
        said = form.cleaned_data
        rows = [
            (p.cleaned_data["item"], p.cleaned_data["category"], p.cleaned_data["unit"], p.cleaned_data["quantity"])
            for p in parts if p.has_changed()
        ]  # fmt: skip
        made = attempt_form(
            form, lambda: operations.state_recipe(actor=request.actor, parts=rows, now=clock.now(), **said)
        )
        if made:
            messages.success(request, _("配方已保存。"))
            return redirect("inventory_kit", made.pk)
    recipes = Recipe.objects.filter(warehouse__in=mine).select_related("warehouse", "unit").order_by("name")
    failed = request.method == "POST" and not adding
    return render(
        request, "inventory/kits.html",
        {"recipes": recipes, "form": form, "parts": parts, "judge": failed, "open": request.method == "POST",
         **menu(request)},
        status=422 if failed else 200,
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def kit(request: Request, pk: int) -> HttpResponse:
    """This will assemble kits of a recipe from what stands on the shelves, or take kits apart."""
    recipe = get_object_or_404(
        Recipe.objects.select_related("warehouse", "unit").filter(warehouse__in=_mine(request)), pk=pk
    )
    parts = list(recipe.parts.select_related("unit").order_by("n"))
    names = {(fold(part.item), part.unit_id) for part in parts}
    shelves = [
        row for row in work_queries.on_shelves(recipe.warehouse, limit=1000)
        if (fold(row.lot.item), row.lot.unit_id) in names
    ]  # fmt: skip
    ready = list(
        Stock.objects.filter(lot__made_by__recipe=recipe, lot__made_by__kind="kit", location__kind=Place.SHELF,
                             quantity__gt=0).select_related("lot__unit", "lot__made_by", "location")
    )  # fmt: skip
    act = request.POST.get("act", "")
    form = forms.KitForm(request.POST if act == "assemble" else None, recipe=recipe)
    given = {row.pk: request.POST.get(f"s{row.pk}", "") for row in shelves}
    if act == "assemble" and form.is_valid():
        said = form.cleaned_data
        made = attempt_form(
            form,
            lambda: operations.assemble_kit(
                actor=request.actor, recipe=recipe, kits=said["kits"], picks=_picks(shelves, given),
                shelf=said["shelf"], now=clock.now(),
            ),
        )  # fmt: skip
        if made:
            return redirect("inventory_lot", made.public_id)
    elif act.startswith("apart:"):
        row = next((each for each in ready if str(each.pk) == act.removeprefix("apart:")), None)
        if row is not None:
            attempt(
                request,
                lambda: operations.disassemble_kit(
                    actor=request.actor, recipe=recipe, shelf=row.location, now=clock.now(),
                    pick=Pick(row.lot, row.location, quantity(typed(request, f"a{row.pk}", 30))),
                ),
                _("已拆开，各样物资回到库位。"),
            )  # fmt: skip
        return redirect("inventory_kit", pk)
    return render(
        request, "inventory/kit.html",
        {"recipe": recipe, "parts": parts, "shelves": [(row, given[row.pk]) for row in shelves], "ready": ready,
         "form": form, **menu(request)},
        status=422 if form.errors else 200,
    )  # fmt: skip


def _mine(request: Request) -> QuerySet[Warehouse]:
    if not request.actor.scopes("storekeeper"):
        raise PermissionRefused()
    return Warehouse.objects.filter(pk__in=request.actor.scopes("storekeeper")).order_by("pk")
