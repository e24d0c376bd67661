"""Open data of goods: /api/v1/goods (the board) and /api/v1/goods/lots (lots, by cursor)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Field, Query, Router, Schema

from apps.core import clock
from apps.core.errors import BadInput
from apps.inventory import queries
from apps.inventory.models import Lot
from apps.inventory.queries import LotFilter
from apps.inventory.states import COMING, STANDING, Category

PREFIX = "/goods"
router = Router(tags=["goods"])
LIMIT = 100


class UnknownParameter(BadInput):
    code = "unknown_parameter"
    message = _("不认识这个参数或它的值。请对照接口说明。")


class GoodsValue(Schema):
    amount: int
    currency: str


class GoodsSums(Schema):
    received: str
    made: str
    found: str
    in_stock: str
    in_transit: str
    delivered: str
    returned: str
    sold: str
    written_off: str
    converted: str


class BoardLine(GoodsSums):
    category: str
    unit: str
    value: GoodsValue
    delivered_value: GoodsValue
    closes: bool


class Board(Schema):
    results: list[BoardLine]
    as_of: str


class LotLine(GoodsSums):
    id: str
    number: str
    category: str
    item: str
    spec: str
    unit: str
    received_on: str
    expires_on: str | None
    giver: str
    link: str


class Lots(Schema):
    results: list[LotLine]
    next: str
    as_of: str


class LotParameters(Schema):
    q: str = ""
    category: str = Field("", description=" ".join(Category.values))
    state: str = Field("", description=" ".join(STANDING))
    cursor: str = ""
    limit: int = Field(50, ge=1, le=LIMIT)


@router.get("", response=Board, summary="物资公示 / goods board by category and unit")
def board(request: HttpRequest) -> dict[str, Any]:
    """Received, made and found equal the sum of the rest, for every row."""
    _only(request, set())
    groups, _changed = queries.board()
    return {
        "results": [
            {"category": row.category, "unit": row.unit_id, **_sums(row), "closes": row.gap == 0,
             "value": _money(row.value), "delivered_value": _money(row.delivered_value)}
            for group in groups
            for row in group.rows
        ],
        "as_of": clock.now().isoformat(),
    }  # fmt: skip


@router.get("/lots", response=Lots, summary="物资批次 / lots of goods")
def lots(request: HttpRequest, given: Query[LotParameters]) -> dict[str, Any]:
    """Newest first; go on with `next` as `cursor`."""
    _only(request, set(LotParameters.model_fields))
    if (given.category and given.category not in Category.values) or (
        given.state and given.state not in STANDING
    ):
        raise UnknownParameter()
    if given.cursor and not Lot.objects.filter(public_id=given.cursor).exists():
        raise UnknownParameter(field="cursor")
    rows = queries.lots(LotFilter(given.q[:60].replace("\x00", ""), given.category, given.state))
    page = list(queries.after(rows, given.cursor)[: given.limit + 1])
    return {
        "results": [_lot(row) for row in page[: given.limit]],
        "next": page[given.limit - 1].public_id if len(page) > given.limit else "",
        "as_of": clock.now().isoformat(),
    }


def _only(request: HttpRequest, known: set[str]) -> None:
    unknown = sorted(set(request.GET) - known)
    if unknown:
        raise UnknownParameter(field=unknown[0][:40])


def _sums(row: Any) -> dict[str, str]:
    return {name: queries.plain(getattr(row, name)) for name in (*COMING, *STANDING)}


def _money(fen: int) -> dict[str, Any]:
    return {"amount": fen, "currency": "CNY"}


def _lot(lot: Lot) -> dict[str, Any]:
    return {
        "id": lot.public_id, "number": lot.number, "category": lot.category, "item": lot.item, "spec": lot.spec,
        "unit": lot.unit_id, "received_on": lot.received_on.isoformat(),
        "expires_on": lot.expires_on.isoformat() if lot.expires_on else None,
        "giver": lot.consignment.public_name if lot.consignment else "", "link": f"/goods/{lot.public_id}/",
        **_sums(lot.total),
    }  # fmt: skip
