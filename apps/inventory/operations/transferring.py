"""Goods that go from one warehouse to another of the same organization: sent like any dispatch, received by the other's
storekeeper. The lot stays one lot, with its number and label, and stands in both
(docs/adr/0016-goods-between-warehouses.md)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.bulk import set_columns
from apps.core.errors import BadInput, WrongState
from apps.core.policies import authorize
from apps.inventory import policies
from apps.inventory.errors import NotEnoughStock, NothingWanted, SamePerson
from apps.inventory.models import Dispatch, Location, Movement, Removal
from apps.inventory.operations.dispatching import close_if_done, lines_with, lock_dispatch
from apps.inventory.operations.inspecting import check_shelf
from apps.inventory.operations.moving import Move, place_of, post_moves
from apps.inventory.states import DispatchStatus, Kind, Place
from apps.publication.privacy import check_publishable


class OwnTransfer(SamePerson):
    code = "own_transfer"
    message = _("这车物资是您发出的，要由到货仓库的另一位仓管签收。")


@transaction.atomic
def receive_transfer(
    *, actor: Actor, dispatch: Dispatch, quantities: dict[int, Decimal], shelf: Location,
    missing: dict[int, Decimal] | None = None, reason: str = "", signer: str = "", now: dt.datetime,
) -> Dispatch:  # fmt: skip
    """This will put what arrived onto a shelf of the warehouse it was sent to, {line number: quantity}; nothing is
    booked, because goods on the road and on a shelf are the same inventory.

    What is `missing` or broken, {line number: quantity} with a public reason, stays on the road until a manager decides
    its write-off (I1). Raises OwnTransfer for who sent it, NotEnoughStock beyond what is on the road, BadInput,
    WrongState once nothing is.
    """
    locked = lock_dispatch(dispatch.pk)
    authorize(policies.can_receive, actor, locked)
    if locked.status != DispatchStatus.ON_ROAD or locked.to_warehouse is None:
        raise WrongState()
    if Movement.objects.filter(
        dispatch_line__dispatch=locked, kind=Kind.SEND, actor_person=actor.person_id
    ).exists():
        raise OwnTransfer()
    check_shelf(shelf, locked.to_warehouse)
    lacking = {n: quantity for n, quantity in (missing or {}).items() if quantity}
    if lacking and not reason.strip():
        raise BadInput(_("有短少或损坏，请写明原因，会公开。"), field="reason")
    check_publishable(reason, field="reason")
    both = {n: quantities.get(n, Decimal(0)) + lacking.get(n, Decimal(0)) for n in {*quantities, *lacking}}
    if any(quantity < 0 for quantity in (*quantities.values(), *lacking.values())):
        raise NothingWanted()
    lines = [line for line, _both in lines_with(locked, both)]
    transit = Location.objects.get(pk=place_of(locked.warehouse_id, Place.TRANSIT))
    moves = []
    for line in lines:
        if both[line.n] > line.open:
            raise NotEnoughStock(_("第%(n)s行在途的没有这么多。") % {"n": line.n})
        if quantities.get(line.n):
            line.arrived += quantities[line.n]
            moves.append(
                Move(Kind.ARRIVE, line.lot_id, transit.pk, shelf.pk, quantities[line.n], carrier=locked.carrier,
                     driver=locked.driver, signer=signer.strip()[:40], dispatch_line=line.pk)
            )  # fmt: skip
    set_columns(lines, ["arrived"])
    if moves:
        post_moves(actor=actor, moves=moves, now=now)
    assert actor.person_id is not None
    Removal.objects.bulk_create(
        Removal(kind=Kind.WRITE_OFF, lot=line.lot, location=transit, dispatch_line=line, quantity=lacking[line.n],
                reason=reason.strip()[:300], asked_by_id=actor.person_id, asked_at=now)
        for line in lines if line.n in lacking
    )  # fmt: skip
    close_if_done(locked, actor, now)
    return locked
