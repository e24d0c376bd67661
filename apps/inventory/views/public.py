"""Goods in public: the board, the lists of lots, a lot's way, and a giver's own items (I3, T4, W6)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.actors import PUBLIC
from apps.core.pages import cached_page, private_page
from apps.core.tables.exporting import export_rows
from apps.inventory import queries
from apps.inventory.queries import LotFilter
from apps.inventory.states import COMING, STANDING, Category

PAGE = 30
PARAMS = ("q", "category", "state", "after")
STATES = ("in_stock", "in_transit", "delivered", "returned", "sold", "written_off")
PARTS = {
    "in_stock": _("在库"), "in_transit": _("在途"), "delivered": _("已发放"), "returned": _("已退还"),
    "sold": _("已变卖"), "written_off": _("已核销"), "converted": _("已转成别的批次"),
}  # fmt: skip
"""The parts of a sum that closes (I2), as the public reads them."""


@require_safe
@cached_page()
def board(request: HttpRequest) -> HttpResponse:
    """This will show, per category and unit, what was received and where it all is; the same cost at any history."""
    groups, changed = queries.board()
    now = clock.now()
    today = clock.civil_day(now)
    return render(
        request, "inventory/board.html",
        {"groups": groups, "changed": changed, "now": now, "open": [g for g in groups if not g.closes],
         "value": sum(g.value for g in groups), "delivered_value": sum(g.delivered_value for g in groups),
         "dont_send": queries.dont_send(today), "needs": queries.needs(today)},
    )  # fmt: skip


@require_safe
def board_file(request: HttpRequest) -> HttpResponseBase:
    """This will give the board as CSV."""
    groups, _changed = queries.board()
    columns = (*COMING, *STANDING)
    rows: list[list[Any]] = [["category", "unit", *columns, "value_fen", "delivered_value_fen"]]
    rows += [
        [row.category, row.unit_id, *(queries.plain(getattr(row, name)) for name in columns), row.value,
         row.delivered_value]
        for group in groups
        for row in group.rows
    ]  # fmt: skip
    return export_rows(rows, actor=PUBLIC, what="goods-board", kind="csv", query={}, now=clock.now())


@require_safe
@cached_page(params=PARAMS)
def lots(request: HttpRequest) -> HttpResponse:
    """This will list lots, 30 a page, paged by key, with sums of what was found by unit."""
    wanted, cursor = _filter(request)
    rows = queries.lots(wanted)
    page = list(queries.after(rows, cursor)[: PAGE + 1])
    more = page[PAGE - 1].public_id if len(page) > PAGE else ""
    sums, too_many = queries.summed(wanted) if not cursor else ([], False)
    kept = urlencode({"q": wanted.words, "category": wanted.category, "state": wanted.state})
    return render(
        request, "inventory/lots.html",
        {"rows": page[:PAGE], "wanted": wanted, "more": more, "after": cursor, "kept": kept,
         "categories": Category.choices, "states": _states(), "sums": sums, "too_many": too_many,
         "now": clock.now()},
    )  # fmt: skip


@require_safe
def lots_file(request: HttpRequest) -> HttpResponseBase:
    """This will give all lots of a filter as CSV, streamed."""
    wanted, _cursor = _filter(request)
    query = {"q": wanted.words, "category": wanted.category, "state": wanted.state}
    return export_rows(
        queries.lot_rows(queries.lots(wanted)), actor=PUBLIC, what="goods-lots", kind="csv", query=query,
        now=clock.now(),
    )  # fmt: skip


@require_safe
@cached_page()
def lot(request: HttpRequest, lot: str) -> HttpResponse:
    """This will show one lot's way; its recipients only as C4 allows."""
    found = queries.public_lot(lot)
    if found is None:
        raise Http404
    return render(
        request, "inventory/lot.html",
        {"lot": found, "sums": _sums(found), "way": queries.way_of(found), "made_from": queries.made_from(found),
         "made_into": queries.made_into(found), "now": clock.now()},
    )  # fmt: skip


@require_safe
@private_page
def mine(request: HttpRequest, token: str) -> HttpResponse:
    """This will show a giver the way of everything they brought, by their own link (T4)."""
    found = queries.consignment_of(token)
    if found is None:
        raise Http404
    rows = list(found.lots.select_related("unit", "total").order_by("id"))
    return render(
        request, "inventory/mine.html", {"consignment": found, "lots": [(row, _sums(row)) for row in rows],
                                         "now": clock.now()}
    )  # fmt: skip


def _filter(request: HttpRequest) -> tuple[LotFilter, str]:
    words, category, state, cursor = (
        request.GET.get(name, "").replace("\x00", "").strip()[:60] for name in PARAMS
    )
    return LotFilter(words, category, state), cursor


def _states() -> list[tuple[str, str]]:
    return [(name, str(PARTS[name])) for name in STATES]


def _sums(lot: Any) -> list[tuple[str, Any]]:
    """Where a lot is, the parts that aren't zero, as the closing sum shows them."""
    return [
        (str(label), getattr(lot.total, name)) for name, label in PARTS.items() if getattr(lot.total, name)
    ]
