"""The one way goods move: lots locked in id order, stock taken with its limit in the statement, the movement written,
value posted to the ledger, the board rolled up, all in the caller's transaction (I1, I2)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.bulk import set_columns
from apps.core.clock import civil_day
from apps.core.crash import crash_point
from apps.core.pages import bump_epoch
from apps.inventory.errors import BadQuantity, Expired, NotEnoughStock
from apps.inventory.models import Location, Lot, LotTotal, Movement, Warehouse
from apps.inventory.states import BUCKET, COMING, SOURCES, STANDING, Kind, Place
from apps.ledger.models import Book, Earmark
from apps.ledger.operations import GoodsPosting, open_goods_earmark, post_goods
from apps.ledger.states import FEDERATION_BOOK, AccountRole, EarmarkKind

HELD = (Place.SHELF, Place.TRANSIT)
"""Where accepted goods stand in the ledger's inventory; what waits for inspection or failed it does not."""

AGAINST = {
    Kind.PASS: AccountRole.GIFT_IN_KIND, Kind.GIVE_BACK: AccountRole.GIFT_IN_KIND, Kind.OVER: AccountRole.OTHER_INCOME,
    Kind.DELIVER: AccountRole.PROGRAMME, Kind.TAKE_BACK: AccountRole.PROGRAMME, Kind.SELL: AccountRole.PROGRAMME,
    Kind.WRITE_OFF: AccountRole.MANAGEMENT, Kind.SHORT: AccountRole.MANAGEMENT,
}  # fmt: skip
"""What each kind posts against inventory (docs/accounting.md); kinds that are not here post nothing."""

LARGEST = Decimal(10) ** 9
_COLUMNS = (*COMING, *STANDING, "booked", "value", "delivered_value")
_COUNTED = (*_COLUMNS, "posted")
_RESTOCK = """
WITH net AS (
  SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[]) AS n(lot_id, location_id, quantity)
), put AS (
  INSERT INTO inventory_stock (lot_id, location_id, quantity)
  SELECT lot_id, location_id, quantity FROM net WHERE quantity > 0
  ON CONFLICT (lot_id, location_id) DO UPDATE SET quantity = inventory_stock.quantity + EXCLUDED.quantity
), taken AS (
  UPDATE inventory_stock s SET quantity = s.quantity + net.quantity FROM net
  WHERE net.quantity < 0 AND s.lot_id = net.lot_id AND s.location_id = net.location_id
    AND s.quantity >= -net.quantity
  RETURNING 1
)
SELECT count(*) FROM taken
"""
_ON_BOARD = (*COMING, *STANDING, "value", "delivered_value")
_BOARD = f"""
INSERT INTO inventory_boardrow (category, unit_id, changed_at, {", ".join(_ON_BOARD)})
SELECT category, unit_id, %s, {", ".join(_ON_BOARD)}
FROM unnest(%s::text[], %s::text[], {", ".join(["%s::numeric[]"] * len(_ON_BOARD))})
  AS n(category, unit_id, {", ".join(_ON_BOARD)})
ON CONFLICT (category, unit_id) DO UPDATE SET
  changed_at = greatest(inventory_boardrow.changed_at, EXCLUDED.changed_at),
  {", ".join(f"{name} = inventory_boardrow.{name} + EXCLUDED.{name}" for name in _ON_BOARD)}
"""  # noqa: S608  (put together from the constants of states)


@dataclass(frozen=True, slots=True)
class Move:
    """A movement to be. `person` is who did it where that isn't the actor: (id, label); `value` (fen) is given only
    for what is made from other lots."""

    kind: str
    lot: int
    source: int
    target: int
    quantity: Decimal
    reason: str = ""
    carrier: str = ""
    driver: str = ""
    signer: str = ""
    dispatch_line: int | None = None
    handover: int | None = None
    conversion: int | None = None
    approved_by: int | None = None
    person: tuple[int, str] | None = None
    value: int | None = None


def check_quantity(quantity: Decimal, places: int, *, zero: bool = False, field: str = "quantity") -> Decimal:
    """This will refuse a quantity that is no number, not positive, too large, or finer than its unit allows."""
    if not quantity.is_finite() or quantity < 0 or (quantity == 0 and not zero) or quantity >= LARGEST:
        raise BadQuantity(field=field)
    if quantity != round(quantity, places):
        raise BadQuantity(
            _("这个单位不能有这么多位小数（最多%(places)s位）。请改数量，或先换算单位。")
            % {"places": places},
            field=field,
        )
    return quantity


def place_of(warehouse: Warehouse | int, kind: str) -> int:
    """This will give the id of a warehouse's only location of a kind: intake, transit, recipient ..."""
    key = warehouse if isinstance(warehouse, int) else warehouse.pk
    return Location.objects.values_list("pk", flat=True).get(warehouse=key, kind=kind, name="")


def lock_lots(ids: Iterable[int]) -> dict[int, LotTotal]:
    """This will lock lots for the rest of the transaction, in id order."""
    rows = (
        LotTotal.objects.select_for_update(of=("self",))
        .select_related("lot__unit", "lot__warehouse")
        .filter(lot__in=set(ids))
        .order_by("lot_id")
    )
    return {row.lot_id: row for row in rows}


def share(value: int, quantity: Decimal, whole: Decimal) -> int:
    """This will give the part of a value (fen) that a quantity bears, all of it for the whole, half a fen up."""
    if quantity == whole or not value:
        return value
    return int((value * quantity / whole).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def worth(lot: Lot, quantity: Decimal) -> int:
    """This will give quantity x unit value in fen, half a fen up; 0 for a lot without a value."""
    return int((quantity * (lot.unit_value or 0)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


Board = dict[tuple[str, str], dict[str, Decimal | int]]


def post_moves(
    *, actor: Actor, moves: Sequence[Move], now: dt.datetime, board: Board | None = None
) -> list[Movement]:
    """This will move goods, all of it or nothing, in the caller's transaction.

    A caller that moves twice in one transaction gives a `board` to gather in and rolls it up itself at the end, because
    the board's rows are the last locks taken. Raises NotEnoughStock, BadQuantity, Expired. Every other rule (which kind
    goes from where to where, two people, sums that close) the database holds at commit.
    """
    totals = lock_lots(move.lot for move in moves)
    places = {
        row.pk: row
        for row in Location.objects.filter(
            pk__in={move.source for move in moves} | {move.target for move in moves}
        )
    }
    sums_of: Board = {} if board is None else board
    net: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    rows = []
    for move in moves:
        total = totals[move.lot]
        lot = total.lot
        check_quantity(move.quantity, lot.unit.places)
        if move.kind == Kind.SEND and lot.expires_on and lot.expires_on < civil_day(now):
            raise Expired()
        source, target = places[move.source].kind, places[move.target].kind
        before = {name: getattr(total, name) for name in _ON_BOARD}
        value = _value(move, total, source, target)
        _shift(total, move.quantity, value, source, target, move.kind)
        if source not in SOURCES:
            net[move.lot, move.source] -= move.quantity
        net[move.lot, move.target] += move.quantity
        sums = sums_of.setdefault((lot.category, lot.unit_id), {})
        for name in _ON_BOARD:
            sums[name] = sums.get(name, 0) + getattr(total, name) - before[name]
        who = move.person or (actor.person_id, actor.label)
        rows.append(
            Movement(
                kind=move.kind, lot_id=move.lot, source_id=move.source, target_id=move.target, quantity=move.quantity,
                value=value, at=now, actor_person=who[0], actor_label=who[1][:80], approved_by=move.approved_by,
                reason=move.reason[:300], carrier=move.carrier, driver=move.driver, signer=move.signer,
                dispatch_line_id=move.dispatch_line, handover_id=move.handover, conversion_id=move.conversion,
            )
        )  # fmt: skip
    _restock(net)
    crash_point("inventory.stock_moved")
    _post(actor, rows, totals, now)
    made = Movement.objects.bulk_create(rows)
    crash_point("inventory.movements_written")
    set_columns(list(totals.values()), _COUNTED)
    if board is None:
        roll_up(sums_of, now)
    bump_epoch()
    return made


def roll_up(board: Board, now: dt.datetime) -> None:
    """This will add to the public board's rows, in the order of their keys (they are the last locks taken)."""
    keys = sorted(board)
    with connection.cursor() as cursor:
        cursor.execute(
            _BOARD,
            [now, [category for category, _unit in keys], [unit for _category, unit in keys],
             *([board[key].get(name, 0) for key in keys] for name in _ON_BOARD)],
        )  # fmt: skip


def goods_earmark(warehouse: Warehouse) -> Earmark:
    """This will give the earmark that holds an organization's goods at value, in the federation's book (F1)."""
    known = Earmark.objects.filter(
        kind=EarmarkKind.GOODS, owner=warehouse.organization_id, currency="CNY"
    ).first()
    return known or open_goods_earmark(
        book=Book.objects.get(code=FEDERATION_BOOK), organization=warehouse.organization_id
    )


def _value(move: Move, total: LotTotal, source: str, target: str) -> int:
    """What the quantity stands for in the ledger, before the sums change."""
    if move.value is not None:
        return move.value
    if source in HELD and target not in HELD:
        return share(total.value, move.quantity, total.booked)
    if move.kind in (Kind.PASS, Kind.OVER):
        return worth(total.lot, move.quantity)
    if move.kind == Kind.TAKE_BACK:
        return share(total.delivered_value, move.quantity, total.delivered)
    return 0


def _shift(total: LotTotal, quantity: Decimal, value: int, source: str, target: str, kind: str) -> None:
    """Moves the lot's sums."""
    for place, sign in ((source, 1 if source in SOURCES else -1), (target, 1)):
        name = BUCKET[Place(place)]
        setattr(total, name, getattr(total, name) + sign * quantity)
    if source in HELD and target not in HELD:
        total.booked, total.value = total.booked - quantity, total.value - value
    elif target in HELD and source not in HELD:
        total.booked, total.value = total.booked + quantity, total.value + value
    if kind == Kind.DELIVER:
        total.delivered_value += value
    elif kind == Kind.TAKE_BACK:
        total.delivered_value -= value


def _restock(net: Mapping[tuple[int, int], Decimal]) -> None:
    """Takes and puts what the movements come to at each location, in one statement. The limit stands in it, and in the
    table's check; what comes and goes at one location within the same commit leaves no row."""
    rows = [(lot, location, quantity) for (lot, location), quantity in sorted(net.items()) if quantity]
    with connection.cursor() as cursor:
        cursor.execute(_RESTOCK, [[row[n] for row in rows] for n in range(3)])
        (taken,) = cursor.fetchone()
    if taken != sum(quantity < 0 for _lot, _location, quantity in rows):
        raise NotEnoughStock()


def _post(actor: Actor, rows: list[Movement], totals: dict[int, LotTotal], now: dt.datetime) -> None:
    """The ledger, an entry for each movement with a value; the entry's key is its place among the lot's entries, which
    the lot's lock makes unique."""
    worthy = [row for row in rows if row.value and row.kind in AGAINST]
    if not worthy:
        return
    owners: dict[int, tuple[Warehouse, list[Movement]]] = {}
    for row in worthy:
        warehouse = totals[row.lot_id].lot.warehouse
        owners.setdefault(warehouse.organization_id, (warehouse, []))[1].append(row)
    for warehouse, mine in owners.values():
        postings = []
        for row in mine:
            totals[row.lot_id].posted += 1
            postings.append(
                GoodsPosting(f"goods:{row.lot_id}:{totals[row.lot_id].posted}", row.value, AGAINST[Kind(row.kind)],
                             row.kind in (Kind.PASS, Kind.OVER, Kind.TAKE_BACK), now)
            )  # fmt: skip
        entries = post_goods(actor=actor, earmark=goods_earmark(warehouse), postings=postings)
        for row, entry in zip(mine, entries, strict=True):
            row.entry = entry.pk
    crash_point("inventory.goods_posted")
