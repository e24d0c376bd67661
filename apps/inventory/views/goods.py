"""Receiving, inspecting and keeping goods at the workbench."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.documents import qr_data, qr_svg, render_pdf
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed, authorize
from apps.core.workbench import attempt_form
from apps.inventory import forms, operations, policies, queries, work_queries
from apps.inventory.errors import ForeignCode
from apps.inventory.models import Consignment, Location, Lot, Photo, Stock
from apps.inventory.operations import Giver, Pick
from apps.inventory.queries import LotFilter
from apps.inventory.states import Category, Place

PAGE = 50
ROLES = (
    "storekeeper",
    "manager",
    "cashier",
    "project_officer",
    "purchaser",
    "supervisor",
    "caseworker",
    "town_reviewer",
)


def only_goods_people(request: Request) -> None:
    """This will refuse who has nothing to do with goods."""
    if not any(request.actor.has(role) for role in ROLES):
        raise PermissionRefused()


def menu(request: Request) -> dict[str, Any]:
    """Which parts of the goods' workbench this person has."""
    actor = request.actor
    keeps, sees = actor.has("storekeeper"), work_queries.warehouses_of(actor).exists()
    parts = [
        ("inventory_home", _("物资"), True), ("inventory_consignments", _("收货"), sees),
        ("inventory_dispatches", _("发货"), True), ("inventory_removals", _("变卖和核销"), sees),
        ("inventory_counts", _("盘点"), sees), ("inventory_kits", _("组装"), keeps),
        ("inventory_lists", _("名单"), keeps), ("inventory_wants", _("需要和暂不需要"), True),
        ("inventory_warehouses", _("仓库"), actor.has("manager") or keeps),
    ]  # fmt: skip
    here = request.resolver_match.url_name if request.resolver_match else ""
    return {
        "menu": [(reverse(name), label, here == name) for name, label, wanted in parts if wanted],
        "keeps": keeps,
    }


def words_of(request: Request, *names: str) -> list[str]:
    """This will read plain words of an address, without what no database text may hold."""
    return [request.GET.get(name, "").replace("\x00", "").strip()[:60] for name in names]


def paged(rows: Any, cursor: str, field: str, size: int = PAGE) -> tuple[list[Any], str]:
    """This will give a page by key, and where the next one begins."""
    page = list(queries.after(rows, cursor, field)[: size + 1])
    return page[:size], getattr(page[size - 1], field) if len(page) > size else ""


def done(form: Form, act: Callable[[], object]) -> bool:
    """This will run one operation for a valid form: True when done, else the refusal stands on the form."""
    return attempt_form(form, lambda: (act(),)) is not None


@never_cache
@require_safe
def home(request: Request) -> HttpResponse:
    """This will show what waits, and search the lots of one's warehouses."""
    only_goods_people(request)
    words, category, state, cursor = words_of(request, "q", "category", "state", "after")
    rows = queries.lots(LotFilter(words, category, state, clock.civil_day(clock.now()))).filter(
        work_queries.standing_in(work_queries.warehouses_of(request.actor))
    )
    page, more = paged(rows, cursor, "public_id")
    states = [
        ("waiting", _("等待检验")),
        ("in_stock", _("在库")),
        ("in_transit", _("在途")),
        ("expired", _("过期还在库")),
    ]
    return render(
        request, "inventory/home.html",
        {"todo": work_queries.todo(request.actor, clock.now()), "rows": page, "more": more, "after": cursor, "q": words,
         "category": category, "state": state, "categories": Category.choices, "states": states,
         "kept": urlencode({"q": words, "category": category, "state": state}),
         "today": clock.civil_day(clock.now()), **menu(request)},
    )  # fmt: skip


@never_cache
@require_safe
def consignments(request: Request) -> HttpResponse:
    """This will list what came in."""
    only_goods_people(request)
    words, waiting, cursor = words_of(request, "q", "waiting", "after")
    page, more = paged(
        work_queries.consignments(request.actor, words=words, waiting=waiting == "1"), cursor, "number"
    )
    return render(
        request, "inventory/consignments.html",
        {"rows": page, "more": more, "after": cursor, "q": words, "waiting": waiting,
         "kept": urlencode({"q": words, "waiting": waiting}), **menu(request)},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def new_consignment(request: Request) -> HttpResponse:
    """This will take goods in, a line for each lot; "more" adds a line and keeps what is typed."""
    if not request.actor.scopes("storekeeper"):
        raise PermissionRefused()
    places = work_queries.warehouses_of(request.actor).filter(pk__in=request.actor.scopes("storekeeper"))
    today = clock.civil_day(clock.now())
    first = places.first()
    data = request.POST.copy() if request.method == "POST" else None
    adding = data is not None and data.get("act") == "more"
    if data is not None and adding:
        total = data.get("lot-TOTAL_FORMS", "1")
        data["lot-TOTAL_FORMS"] = str(min(int(total) if total.isdecimal() else 1, 49) + 1)
    form = forms.ConsignmentForm(
        data, warehouses=places, initial={"received_on": today, "warehouse": first.public_id if first else ""}
    )
    lots = forms.LotForms(data, prefix="lot")
    if request.method == "POST" and not adding and form.is_valid() and lots.is_valid():
        drafts = [each.draft() for each in lots if each.has_changed()]
        said = form.cleaned_data
        giver = Giver(said["donor_name"], said["shown"], said["alias"], said["phone"], said["wants_receipt"],
                      said["payer_code"])  # fmt: skip
        made = attempt_form(
            form,
            lambda: operations.record_consignment(
                actor=request.actor, warehouse=said["warehouse"], giver=giver, lots=drafts,
                received_on=said["received_on"], carrier=said["carrier"], note=said["note"], now=clock.now(),
            ),
        )  # fmt: skip
        if made:
            return redirect("inventory_consignment", made.number)
    if adding:
        form.errors.clear()
    failed = request.method == "POST" and not adding
    return render(
        request, "inventory/consignment_new.html",
        {"form": form, "lots": lots, "judge": failed, "dont_send": queries.dont_send(today), **menu(request)},
        status=422 if failed else 200,
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def consignment(request: Request, number: str) -> HttpResponse:
    """This will show a consignment: its lots to inspect, its photos, its labels, the giver's link."""
    found = _consignment(request, number)
    keeps = allowed(policies.can_keep_goods, request.actor, found.warehouse)
    lots = list(found.lots.select_related("unit", "total").order_by("id"))
    bound: dict[int, forms.InspectForm] = {}
    photo = forms.PhotoForm()
    if request.method == "POST":
        act, _sep, which = request.POST.get("act", "").partition(":")
        if act == "photo":
            photo = forms.PhotoForm(request.POST, request.FILES)
            if photo.is_valid() and done(
                photo,
                lambda: operations.add_photo(
                    actor=request.actor, consignment=found, content=photo.cleaned_data["photo"].read(), now=clock.now()
                ),
            ):  # fmt: skip
                messages.success(request, _("照片已保存。"))
                return redirect("inventory_consignment", number)
        lot = next((each for each in lots if act == "inspect" and each.public_id == which), None)
        if lot is not None:
            form = forms.InspectForm(request.POST, warehouse=found.warehouse, prefix=lot.public_id)
            if form.is_valid() and done(form, _inspection(request, lot, form)):
                messages.success(request, _("检验已记下。"))
                return redirect("inventory_consignment", number)
            bound[lot.pk] = form
    waiting = dict(
        Stock.objects.filter(lot__in=lots, location__kind=Place.INTAKE, quantity__gt=0).values_list(
            "lot", "quantity"
        )
    )
    rows = [
        (each, waiting.get(each.pk), bound.get(each.pk) or forms.InspectForm(
            warehouse=found.warehouse, prefix=each.public_id,
            initial={"passed": queries.plain(waiting[each.pk]), "shelf": forms.shelves(found.warehouse).first()},
        ) if keeps and each.pk in waiting else None)
        for each in lots
    ]  # fmt: skip
    return render(
        request, "inventory/consignment.html",
        {"consignment": found, "rows": rows, "photo": photo, "photos": found.photos.order_by("id"), "keeps_here": keeps,
         "giver_link": _site() + reverse("goods_mine", args=[found.token]), **menu(request)},
        status=422 if bound or photo.errors else 200,
    )  # fmt: skip


def _inspection(request: Request, lot: Lot, form: forms.InspectForm) -> Callable[[], object]:
    said = form.cleaned_data
    return lambda: operations.inspect_lot(
        actor=request.actor, lot=lot, passed=said["passed"] or Decimal(0), failed=said["failed"] or Decimal(0),
        shelf=said["shelf"], grade=said["grade"], note=said["note"], now=clock.now(),
    )  # fmt: skip


@never_cache
@require_safe
def labels(request: Request, number: str) -> HttpResponse:
    """This will give a consignment's labels with QR codes, to print: a page, or a PDF (?as=pdf)."""
    found = _consignment(request, number)
    as_pdf = request.GET.get("as") == "pdf"
    draw = qr_data if as_pdf else qr_svg
    rows = [
        {"lot": lot, "qr": draw(_site() + reverse("goods_lot", args=[lot.public_id]))}
        for lot in found.lots.select_related("unit").order_by("id")
    ]
    context = {"rows": rows, "consignment": found}
    if not as_pdf:
        return render(request, "inventory/labels.html", {**context, **menu(request)})
    pdf = render_pdf("inventory/labels_pdf.html", "inventory/labels_pdf.css", context)
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="labels-{found.number}.pdf"'
    return response


@never_cache
@require_safe
def photo(request: Request, public_id: str) -> HttpResponse:
    """This will give a photo to who may see the consignment."""
    found = get_object_or_404(Photo.objects.select_related("consignment__warehouse"), public_id=public_id)
    authorize(policies.can_see_goods, request.actor, found.consignment.warehouse)
    response = HttpResponse(bytes(found.content), content_type="image/jpeg")
    response["Content-Disposition"] = f'inline; filename="{found.public_id}.jpg"'
    return response


LOT_FORMS: dict[str, type[forms._FromForm]] = {
    "store": forms.StoreForm,
    "give_back": forms.GiveBackForm,
    "remove": forms.RemovalForm,
    "convert": forms.ConvertForm,
}


@never_cache
@require_http_methods(["GET", "POST"])
def lot(request: Request, public_id: str) -> HttpResponse:
    """This will show a lot at the workbench: where it is, its movements, and what may be done with it."""
    found = get_object_or_404(
        Lot.objects.select_related("unit", "inner_unit", "total", "warehouse__organization", "consignment"),
        public_id=public_id,
    )
    stock = list(
        found.stock.filter(quantity__gt=0)
        .select_related("location__warehouse__organization")
        .order_by("location__kind", "id")
    )
    mine = request.actor.scopes("storekeeper")
    # A lot may stand in several warehouses: a storekeeper works on the part in theirs.
    here = next(
        (row.location.warehouse for row in stock if row.location.warehouse_id in mine), found.warehouse
    )
    authorize(policies.can_see_goods, request.actor, here)
    places = Location.objects.filter(
        pk__in=[row.location_id for row in stock], kind__in=[Place.SHELF, Place.QUARANTINE, Place.INTAKE],
        warehouse=here,
    )  # fmt: skip
    act = request.POST.get("act", "")
    data = request.POST if request.method == "POST" else None
    made = {
        name: kind(data if act == name else None, places=places, warehouse=here, prefix=name)
        for name, kind in LOT_FORMS.items()
    }
    value = forms.ValueForm(data if act == "value" else None, prefix="value")
    form = made.get(act) or (value if act == "value" else None)
    if (
        form is not None
        and form.is_valid()
        and done(form, lambda: _act(request, found, act, form.cleaned_data))
    ):
        messages.success(request, _("已记下。"))
        return redirect("inventory_lot", public_id)
    return render(
        request, "inventory/lot_work.html",
        {"lot": found, "stock": stock, "forms": made, "value": value if not found.unit_value else None, "tried": act,
         "movements": found.movements.select_related("source", "target", "dispatch_line__dispatch")
         .order_by("-id")[:50],
         "keeps_here": allowed(policies.can_keep_goods, request.actor, here), "here": here,
         "several": len({row.location.warehouse_id for row in stock}) > 1,
         "may_value": allowed(policies.can_value_lot, request.actor, found.warehouse), "places": places.exists(),
         **menu(request)},
        status=422 if form is not None else 200,
    )  # fmt: skip


def _act(request: Request, lot: Lot, act: str, said: dict[str, Any]) -> None:
    """One button, one operation."""
    common: dict[str, Any] = {"actor": request.actor, "lot": lot, "now": clock.now()}
    if act == "value":
        operations.value_lot(**common, **said)
        return
    where: dict[str, Any] = {"location": said["location"], "quantity": said["quantity"]}
    if act == "store":
        operations.store_goods(
            **common, source=said["location"], target=said["shelf"], quantity=said["quantity"]
        )
    elif act == "give_back":
        operations.give_back(**common, **where, reason=said["reason"], signer=said["signer"])
    elif act == "remove":
        operations.ask_removal(
            **common, **where, kind=said["kind"], reason=said["reason"], proceeds=said["proceeds"], fund=said["fund"],
            buyer=said["buyer"],
        )  # fmt: skip
    else:
        operations.convert_unit(
            actor=request.actor, pick=Pick(lot, said["location"], said["quantity"]), unit=said["unit"],
            factor=said["factor"], shelf=said["shelf"], now=clock.now(),
        )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def scan(request: Request) -> HttpResponse:
    """This will find what a scanned or typed code stands for; what isn't ours is said so."""
    only_goods_people(request)
    code = (
        (request.POST if request.method == "POST" else request.GET).get("code", "").replace("\x00", "")[:300]
    )
    refusal = ""
    if code.strip():
        try:
            found = work_queries.find_code(request.actor, code, _site() or request.build_absolute_uri("/"))
        except ForeignCode as error:
            refusal = str(error.message)
        else:
            if isinstance(found, Lot):
                return redirect("inventory_lot", found.public_id)
            return redirect("inventory_dispatch", found.number)
    return render(
        request, "inventory/scan.html", {"code": code, "refusal": refusal, **menu(request)},
        status=404 if refusal else 200,
    )  # fmt: skip


def _consignment(request: Request, number: str) -> Consignment:
    found = Consignment.objects.filter(number=number).select_related("warehouse__organization").first()
    if found is None:
        raise Http404
    authorize(policies.can_see_goods, request.actor, found.warehouse)
    return found


def _site() -> str:
    return str(settings.SITE_URL or "").rstrip("/")
