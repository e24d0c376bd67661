from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput
from apps.core.events import publish
from apps.core.policies import authorize
from apps.inventory import policies
from apps.inventory.events import GoodsAccepted
from apps.inventory.models import Consignment, Inspection, Location, Lot, Stock, Warehouse
from apps.inventory.operations.moving import Move, check_quantity, place_of, post_moves
from apps.inventory.states import Grade, Kind, Place
from apps.publication.privacy import check_publishable


@transaction.atomic
def inspect_lot(
    *, actor: Actor, lot: Lot, passed: Decimal, failed: Decimal, shelf: Location, grade: str = "", note: str = "",
    now: dt.datetime,
) -> Inspection:  # fmt: skip
    """This will record an inspection: what is fit goes to a shelf and becomes income in kind at its value, what is not
    goes to quarantine with a reason. When a consignment's last goods are inspected, GoodsAccepted is published.

    Raises NotEnoughStock for more than waits, BadInput.
    """
    authorize(policies.can_keep_goods, actor, lot.warehouse)
    if lot.consignment_id:
        # Parents first: two inspections of the last two lots can't both think that the other is still open.
        Consignment.objects.select_for_update().get(pk=lot.consignment_id)
    places = lot.unit.places
    check_quantity(passed, places, zero=True, field="passed")
    check_quantity(failed, places, zero=True, field="failed")
    if not passed and not failed:
        raise BadInput(_("合格和不合格至少填一个。"), field="passed")
    if failed and not note.strip():
        raise BadInput(_("有不合格的，请写明原因。"), field="note")
    if note.strip():
        check_publishable(note, field="note")
    if grade and grade not in Grade.values:
        raise BadInput(_("请选成色。"), field="grade")
    check_shelf(shelf, lot.warehouse)
    inspection = Inspection.objects.create(
        lot=lot, passed=passed, failed=failed, grade=grade, note=note.strip()[:300], inspector_id=actor.person_id,
        at=now,
    )  # fmt: skip
    intake = place_of(lot.warehouse_id, Place.INTAKE)
    moves: list[Move] = []
    if passed:
        moves.append(Move(Kind.PASS, lot.pk, intake, shelf.pk, passed))
    if failed:
        moves.append(
            Move(
                Kind.FAIL, lot.pk, intake, place_of(lot.warehouse_id, Place.QUARANTINE), failed, note.strip()
            )
        )
    post_moves(actor=actor, moves=moves, now=now)
    if grade:
        Lot.objects.filter(pk=lot.pk).update(grade=grade)
    _accept(lot, now)
    return inspection


@transaction.atomic
def store_goods(
    *, actor: Actor, lot: Lot, source: Location, target: Location, quantity: Decimal, now: dt.datetime
) -> None:
    """This will move goods from one shelf to another of the same warehouse. Raises NotEnoughStock."""
    warehouse = source.warehouse
    authorize(policies.can_keep_goods, actor, warehouse)
    check_shelf(source, warehouse)
    check_shelf(target, warehouse)
    if source.pk == target.pk:
        raise BadInput(_("两个库位是同一个。"), field="target")
    post_moves(actor=actor, moves=[Move(Kind.STORE, lot.pk, source.pk, target.pk, quantity)], now=now)


def check_shelf(location: Location, warehouse: Warehouse) -> None:
    """This will refuse what is no shelf of the warehouse."""
    if location.kind != Place.SHELF or location.warehouse_id != warehouse.pk:
        raise BadInput(_("请选这个仓库的一个库位。"), field="shelf")


def _accept(lot: Lot, now: dt.datetime) -> None:
    if lot.consignment_id is None:
        return
    waiting = Stock.objects.filter(
        lot__consignment=lot.consignment_id, location__kind=Place.INTAKE, quantity__gt=0
    ).exists()
    if not waiting and Consignment.objects.filter(pk=lot.consignment_id, inspected_at__isnull=True).update(
        inspected_at=now
    ):
        publish(GoodsAccepted(lot.consignment_id))
