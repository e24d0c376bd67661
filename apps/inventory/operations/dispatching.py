from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.bulk import set_columns
from apps.core.clock import civil_day
from apps.core.errors import BadInput
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.text import unit_line
from apps.core.transitions import check_move, move, note_status
from apps.inventory import policies
from apps.inventory.errors import Expired, NotEnoughStock, NothingWanted
from apps.inventory.events import GoodsSent
from apps.inventory.models import (
    Dispatch,
    DispatchLine,
    DispatchStatusChange,
    Location,
    Lot,
    Stock,
    Warehouse,
)
from apps.inventory.operations.inspecting import check_shelf
from apps.inventory.operations.moving import Move, check_quantity, lock_lots, place_of, post_moves
from apps.inventory.operations.receiving import new_number
from apps.inventory.queries import plain
from apps.inventory.states import DISPATCH_FORWARD, DispatchStatus, Kind, Place, Receiver
from apps.places.models import Town
from apps.publication.privacy import check_publishable

MOST_LINES = 100


@dataclass(frozen=True, slots=True)
class Pick:
    """What to take from where."""

    lot: Lot
    location: Location
    quantity: Decimal


@transaction.atomic
def plan_dispatch(
    *, actor: Actor, warehouse: Warehouse, picks: Sequence[Pick], town: Town | None = None, receiver_name: str = "",
    to_warehouse: Warehouse | None = None, purpose: str = "", now: dt.datetime,
) -> Dispatch:  # fmt: skip
    """This will write a picking list: to a town's families by its caseworker, to an institution by name, or to another
    warehouse of the same organization.

    Nothing moves yet; the stock is taken when it is sent. Raises NotEnoughStock and Expired already now, so that
    nobody picks in vain.
    """
    authorize(policies.can_keep_goods, actor, warehouse)
    if not 1 <= len(picks) <= MOST_LINES:
        raise NothingWanted()
    if (town is not None) + bool(receiver_name.strip()) + (to_warehouse is not None) != 1:
        raise BadInput(
            _("请选一个镇街（交给社工）、写一个接收单位，或选本机构的另一个仓库，三选一。"), field="town"
        )
    if to_warehouse is not None:
        _check_transfer(warehouse, to_warehouse)
    if receiver_name.strip():
        check_publishable(receiver_name, field="receiver_name")
    if purpose.strip():
        check_publishable(purpose, field="purpose")
    dispatch = Dispatch.objects.create(
        number=new_number("D", now), warehouse=warehouse, town=town, receiver_name=receiver_name.strip()[:120],
        to_warehouse=to_warehouse, purpose=purpose.strip()[:120],
        folded=unit_line([receiver_name.strip()[:120], purpose.strip()[:120]]),
        planned_by_id=actor.person_id, planned_at=now,
        receiver=Receiver.FAMILIES if town else Receiver.WAREHOUSE if to_warehouse else Receiver.INSTITUTION,
    )  # fmt: skip
    note_status(dispatch, "", history=DispatchStatusChange, actor=actor, now=now)
    seen: set[tuple[int, int]] = set()
    held = {
        (lot, location): quantity
        for lot, location, quantity in Stock.objects.filter(
            lot__in={pick.lot.pk for pick in picks}
        ).values_list("lot", "location", "quantity")
    }
    for pick in picks:
        if pick.location.warehouse_id != warehouse.pk or (pick.lot.pk, pick.location.pk) in seen:
            raise BadInput(_("同一批、同一库位只写一行，而且要是这个仓库的。"), field="lot")
        seen.add((pick.lot.pk, pick.location.pk))
        check_shelf(pick.location, warehouse)
        check_quantity(pick.quantity, pick.lot.unit.places)
        if pick.lot.expires_on and pick.lot.expires_on < civil_day(now):
            raise Expired(
                _("%(item)s（%(lot)s）已经过期，不能发出。请从拣货单里去掉，并申请核销。")
                % {"item": pick.lot.item, "lot": pick.lot.number}
            )
        there = held.get((pick.lot.pk, pick.location.pk), Decimal(0))
        if there < pick.quantity:
            raise NotEnoughStock(
                _("%(place)s上的%(item)s（%(lot)s）只有%(there)s，要拣%(wanted)s。请减少数量或换一个库位。")
                % {"place": pick.location, "item": pick.lot.item, "lot": pick.lot.number, "there": plain(there),
                   "wanted": plain(pick.quantity)}
            )  # fmt: skip
    DispatchLine.objects.bulk_create(
        DispatchLine(dispatch=dispatch, n=n, lot=pick.lot, location=pick.location, planned=pick.quantity)
        for n, pick in enumerate(picks, 1)
    )
    return dispatch


@transaction.atomic
def send_dispatch(
    *, actor: Actor, dispatch: Dispatch, picked: dict[int, Decimal] | None = None, carrier: str, driver: str = "",
    now: dt.datetime,
) -> Dispatch:  # fmt: skip
    """This will put what was picked on the road. `picked` is {line number: quantity} where it is less than planned;
    a line picked as zero stays behind.

    Raises NotEnoughStock, Expired, BadQuantity for more than planned.
    """
    locked = lock_dispatch(dispatch.pk)
    authorize(policies.can_keep_goods, actor, locked.warehouse)
    check_move(locked, DispatchStatus.ON_ROAD, DISPATCH_FORWARD)
    if not carrier.strip():
        raise BadInput(_("请写承运人：车队、快递或同事。"), field="carrier")
    moves, lines = [], list(locked.lines.select_related("lot__unit").order_by("n"))
    transit = place_of(locked.warehouse_id, Place.TRANSIT)
    for line in lines:
        line.sent = (picked or {}).get(line.n, line.planned)
        check_quantity(line.sent, line.lot.unit.places, zero=True)
        if line.sent > line.planned:
            raise NotEnoughStock(_("第%(n)s行拣的比计划的多。请先改拣货单。") % {"n": line.n})
        if line.sent:
            moves.append(
                Move(Kind.SEND, line.lot_id, line.location_id, transit, line.sent, carrier=carrier.strip()[:80],
                     driver=driver.strip()[:40], dispatch_line=line.pk)
            )  # fmt: skip
    if not moves:
        raise NothingWanted()
    post_moves(actor=actor, moves=moves, now=now)
    set_columns(lines, ["sent"])
    move(
        locked, DispatchStatus.ON_ROAD, forward=DISPATCH_FORWARD, history=DispatchStatusChange, actor=actor, now=now,
        sent_at=now, carrier=carrier.strip()[:80], driver=driver.strip()[:40],
    )  # fmt: skip
    publish(GoodsSent(locked.pk))
    return locked


@transaction.atomic
def cancel_dispatch(*, actor: Actor, dispatch: Dispatch, reason: str, now: dt.datetime) -> Dispatch:
    """This will give up a picking list that hasn't left. Raises WrongState once it has."""
    locked = lock_dispatch(dispatch.pk)
    authorize(policies.can_keep_goods, actor, locked.warehouse)
    if not reason.strip():
        raise BadInput(_("请写明取消的原因。"), field="reason")
    move(
        locked, DispatchStatus.CANCELLED, forward=DISPATCH_FORWARD, history=DispatchStatusChange, actor=actor,
        now=now, reason=reason.strip(),
    )  # fmt: skip
    return locked


@transaction.atomic
def bring_back(
    *, actor: Actor, dispatch: Dispatch, quantities: dict[int, Decimal], reason: str, now: dt.datetime
) -> Dispatch:
    """This will take goods that nobody took from the road back to the shelf they came from; {line number: quantity}.

    Raises NotEnoughStock for more than is still on the road.
    """
    locked = lock_dispatch(dispatch.pk)
    authorize(policies.can_keep_goods, actor, locked.warehouse)
    transit = place_of(locked.warehouse_id, Place.TRANSIT)
    moves, lines = [], []
    for line, quantity in lines_with(locked, quantities):
        lines.append(line)
        if quantity > line.open:
            raise NotEnoughStock(_("第%(n)s行在途的没有这么多。") % {"n": line.n})
        line.back += quantity
        moves.append(
            Move(
                Kind.BRING_BACK,
                line.lot_id,
                transit,
                line.location_id,
                quantity,
                reason.strip(),
                dispatch_line=line.pk,
            )
        )
    set_columns(lines, ["back"])
    post_moves(actor=actor, moves=moves, now=now)
    close_if_done(locked, actor, now)
    return locked


def lock_dispatch(pk: int) -> Dispatch:
    """This will lock a dispatch's row for the rest of the transaction."""
    rows = Dispatch.objects.select_for_update(of=("self",))
    return rows.select_related("warehouse", "town", "to_warehouse").get(pk=pk)


def lines_with(dispatch: Dispatch, quantities: dict[int, Decimal]) -> list[tuple[DispatchLine, Decimal]]:
    """This will pair a locked dispatch's lines with quantities, zeros left out, and lock their lots in id order.

    Raises NothingWanted, BadInput for a line that isn't there, BadQuantity.
    """
    wanted = {n: quantity for n, quantity in quantities.items() if quantity}
    if not wanted:
        raise NothingWanted()
    lines = {
        line.n: line for line in dispatch.lines.select_related("lot__unit").filter(n__in=wanted).order_by("n")
    }
    if set(lines) != set(wanted):
        raise BadInput(_("这张单里没有这一行。"))
    for n, line in lines.items():
        check_quantity(wanted[n], line.lot.unit.places)
    lock_lots(line.lot_id for line in lines.values())
    return [(line, wanted[n]) for n, line in lines.items()]


def close_if_done(dispatch: Dispatch, actor: Actor, now: dt.datetime) -> None:
    """This will close a dispatch that has nothing left on the road."""
    if dispatch.status == DispatchStatus.ON_ROAD and not any(line.open for line in dispatch.lines.all()):
        move(
            dispatch,
            DispatchStatus.CLOSED,
            forward=DISPATCH_FORWARD,
            history=DispatchStatusChange,
            actor=actor,
            now=now,
        )


def _check_transfer(warehouse: Warehouse, to_warehouse: Warehouse) -> None:
    if to_warehouse.pk == warehouse.pk:
        raise BadInput(_("这就是物资所在的仓库。换库位请用“移库”。"), field="to_warehouse")
    if to_warehouse.organization_id != warehouse.organization_id:
        raise BadInput(
            _("这个仓库是别的机构的。调拨只在本机构的仓库之间；给别的机构，请写成接收单位。"),
            field="to_warehouse",
        )
