"""Reads of the goods' workbench: what waits, and the lists of one's warehouses and towns."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.inventory.errors import ForeignCode
from apps.inventory.models import (
    Consignment,
    Dispatch,
    DispatchLine,
    GoodsImport,
    Lot,
    Removal,
    Stock,
    StockCount,
    Warehouse,
)
from apps.inventory.states import Place, Receiver
from apps.inventory.words import narrowed


def warehouses_of(actor: Actor) -> QuerySet[Warehouse]:
    """This will list the warehouses an actor may see."""
    rows = Warehouse.objects.select_related("organization").order_by("pk")
    if actor.has("supervisor"):
        return rows
    organizations = set().union(
        *(actor.scopes(role) for role in ("manager", "cashier", "project_officer", "purchaser"))
    )
    return rows.filter(Q(pk__in=actor.scopes("storekeeper")) | Q(organization__in=organizations))


def consignments(actor: Actor, *, words: str = "", waiting: bool = False) -> QuerySet[Consignment]:
    """This will list what came in, newest first."""
    rows = (
        Consignment.objects.filter(warehouse__in=warehouses_of(actor))
        .select_related("warehouse")
        .annotate(lots_count=Count("lots"))
        .order_by("-id")
    )
    if waiting:
        rows = rows.filter(inspected_at__isnull=True)
    return narrowed(rows, words)


def dispatches(actor: Actor, *, words: str = "", status: str = "") -> QuerySet[Dispatch]:
    """This will list dispatches of an actor's warehouses and to them, and those to the towns they work in."""
    towns = actor.scopes("caseworker") | actor.scopes("town_reviewer")
    rows = (
        Dispatch.objects.filter(
            Q(warehouse__in=warehouses_of(actor))
            | Q(to_warehouse__in=warehouses_of(actor))
            | Q(receiver=Receiver.FAMILIES, town__in=towns)
        )
        .select_related("warehouse", "town", "to_warehouse")
        .annotate(lines_count=Count("lines"))
        .order_by("-id")
    )
    if status:
        rows = rows.filter(status=status)
    return narrowed(rows, words)


def removals(actor: Actor) -> QuerySet[Removal]:
    """This will list sales and write-offs that were asked for, open ones first."""
    return (
        Removal.objects.filter(location__warehouse__in=warehouses_of(actor))
        .select_related("lot__unit", "location__warehouse", "asked_by", "decided_by", "fund")
        .order_by("-id")
    )


def counts(actor: Actor) -> QuerySet[StockCount]:
    """This will list stock counts, newest first."""
    return (
        StockCount.objects.filter(warehouse__in=warehouses_of(actor))
        .select_related("warehouse", "counted_by")
        .annotate(
            lines_count=Count("lines"),
            differences=Count("lines", filter=~Q(lines__counted=F("lines__expected"))),
        )
        .order_by("-id")
    )


def imports_of(actor: Actor) -> QuerySet[GoodsImport]:
    """This will list imports of goods, newest first."""
    return (
        GoodsImport.objects.filter(warehouse__in=warehouses_of(actor))
        .select_related("warehouse")
        .order_by("-id")
    )


def on_shelves(warehouse: Warehouse, words: str = "", *, limit: int = 200) -> list[Stock]:
    """This will list what stands on a warehouse's shelves, earliest expiry first."""
    rows = Stock.objects.filter(
        location__warehouse=warehouse, location__kind=Place.SHELF, quantity__gt=0
    ).select_related("lot__unit", "location")
    return list(
        narrowed(rows, words, "lot__").order_by(
            F("lot__expires_on").asc(nulls_last=True), "lot__id", "location__name"
        )[:limit]
    )


def todo(actor: Actor, now: dt.datetime) -> dict[str, int]:
    """This will count what waits at an actor's warehouses."""
    places = list(warehouses_of(actor).values_list("pk", flat=True))
    return {
        "waiting": Consignment.objects.filter(warehouse__in=places, inspected_at__isnull=True).count(),
        "picking": Dispatch.objects.filter(warehouse__in=places, status="picking").count(),
        "on_road": Dispatch.objects.filter(warehouse__in=places, status="on_road").count(),
        "arriving": Dispatch.objects.filter(to_warehouse__in=places, status="on_road").count(),
        "removals": Removal.objects.filter(location__warehouse__in=places, status="asked").count(),
        "counts": StockCount.objects.filter(warehouse__in=places, status__in=["counting", "asked"]).count(),
        "expired": Lot.objects.filter(
            Exists(Stock.objects.filter(lot=OuterRef("pk"), quantity__gt=0, location__kind=Place.SHELF,
                                        location__warehouse__in=places)),
            expires_on__lt=civil_day(now),
        ).count(),
    }  # fmt: skip


def standing_in(warehouses: QuerySet[Warehouse]) -> Q:
    """This will narrow lots to those that came to one of the warehouses, or stand in one now."""
    there = Stock.objects.filter(lot=OuterRef("pk"), location__warehouse__in=warehouses, quantity__gt=0)
    return Q(warehouse__in=warehouses) | Q(Exists(there))


def find_code(actor: Actor, code: str, site: str) -> Lot | Dispatch:
    """This will find what a scanned or typed code stands for: a lot or a dispatch of a warehouse the actor may see.

    `site` is this site's own address; a code with another one is foreign. Raises ForeignCode.
    """
    words = code.strip()[:300]
    if "://" in words:
        if not words.startswith(site.rstrip("/") + "/"):
            raise ForeignCode()
        words = words.rstrip("/").rsplit("/", 1)[-1]
    words = words.lower()
    mine = warehouses_of(actor)
    lot = Lot.objects.filter(Q(public_id=words) | Q(number__iexact=words)).filter(standing_in(mine)).first()
    if lot is not None:
        return lot
    dispatch = dispatches(actor).filter(Q(public_id=words) | Q(number__iexact=words)).first()
    if dispatch is None:
        raise ForeignCode()
    return dispatch


def open_lines(dispatch: Dispatch) -> list[DispatchLine]:
    """This will list a dispatch's lines with their lots."""
    return list(dispatch.lines.select_related("lot__unit", "location").order_by("n"))
