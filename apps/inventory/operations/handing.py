from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.casework.models import Household
from apps.core.actors import Actor
from apps.core.bulk import set_columns
from apps.core.errors import BadInput, WrongState
from apps.core.events import publish
from apps.core.policies import authorize
from apps.inventory import policies
from apps.inventory.errors import NotEnoughStock
from apps.inventory.events import GoodsHandedOver
from apps.inventory.models import Dispatch, Handover
from apps.inventory.operations.dispatching import close_if_done, lines_with, lock_dispatch
from apps.inventory.operations.moving import Move, place_of, post_moves
from apps.inventory.states import Confirmed, DispatchStatus, Kind, Place, Receiver

MOST_HOUSEHOLDS = 100_000


@transaction.atomic
def record_handover(
    *, actor: Actor, dispatch: Dispatch, quantities: dict[int, Decimal], household: Household | None = None,
    households: int = 1, signer: str = "", slip: str = "", now: dt.datetime,
) -> Handover:  # fmt: skip
    """This will record that goods were handed over, {line number: quantity}: to one named family, or to `households`
    unnamed ones, or to an institution. With the number of a signed slip it is confirmed as well (W5, P5).

    Raises NotEnoughStock beyond what is on the road, BadInput for a family of another town.
    """
    locked = lock_dispatch(dispatch.pk)
    authorize(policies.can_hand_over, actor, locked)
    if locked.status != DispatchStatus.ON_ROAD:
        raise WrongState()
    _check_receiver(locked, household, households)
    handover = Handover.objects.create(
        dispatch=locked, household=household, households=1 if household else households, handed_at=now,
        handed_by_id=actor.person_id, signer=signer.strip()[:40],
    )  # fmt: skip
    transit, recipient = (place_of(locked.warehouse_id, kind) for kind in (Place.TRANSIT, Place.RECIPIENT))
    moves, lines = [], []
    for line, quantity in lines_with(locked, quantities):
        lines.append(line)
        if quantity > line.open:
            raise NotEnoughStock(_("第%(n)s行在途的没有这么多。") % {"n": line.n})
        line.handed += quantity
        moves.append(
            Move(Kind.DELIVER, line.lot_id, transit, recipient, quantity, signer=signer.strip()[:40],
                 dispatch_line=line.pk, handover=handover.pk)
        )  # fmt: skip
    set_columns(lines, ["handed"])
    post_moves(actor=actor, moves=moves, now=now)
    if slip.strip():
        _confirm(handover, Confirmed.SLIP, slip, now)
    close_if_done(locked, actor, now)
    publish(GoodsHandedOver(handover.pk, handover.confirmed))
    return handover


@transaction.atomic
def confirm_handover(
    *, actor: Actor, handover: Handover, how: str = Confirmed.SLIP, reference: str, now: dt.datetime
) -> Handover:
    """This will record the family's own confirmation: by a signed slip's number, or by a one-time code whose check is
    the caller's (`reference` then names the code's record). Raises WrongState for a second one."""
    locked = Handover.objects.select_for_update(of=("self",)).get(pk=handover.pk)
    authorize(
        policies.can_hand_over, actor, Dispatch.objects.select_related("warehouse").get(pk=locked.dispatch_id)
    )
    if locked.confirmed:
        raise WrongState()
    _confirm(locked, how, reference, now)
    publish(GoodsHandedOver(locked.pk, locked.confirmed))
    return locked


@transaction.atomic
def take_back(
    *, actor: Actor, dispatch: Dispatch, quantities: dict[int, Decimal], reason: str, now: dt.datetime
) -> Dispatch:
    """This will take goods back that a recipient returned: onto the shelf they came from, and back into inventory at
    the value they left with. Raises NotEnoughStock beyond what was handed over, BadInput without a reason."""
    locked = lock_dispatch(dispatch.pk)
    authorize(policies.can_keep_goods, actor, locked.warehouse)
    if not reason.strip():
        raise BadInput(_("请写明退回的原因。"), field="reason")
    recipient = place_of(locked.warehouse_id, Place.RECIPIENT)
    moves, lines = [], []
    for line, quantity in lines_with(locked, quantities):
        lines.append(line)
        if quantity > line.handed - line.taken_back:
            raise NotEnoughStock(_("第%(n)s行交出去的没有这么多。") % {"n": line.n})
        line.taken_back += quantity
        moves.append(
            Move(Kind.TAKE_BACK, line.lot_id, recipient, line.location_id, quantity, reason.strip(),
                 dispatch_line=line.pk)
        )  # fmt: skip
    set_columns(lines, ["taken_back"])
    post_moves(actor=actor, moves=moves, now=now)
    return locked


def _check_receiver(dispatch: Dispatch, household: Household | None, households: int) -> None:
    if dispatch.receiver == Receiver.INSTITUTION:
        if household is not None:
            raise BadInput(_("这张单是给单位的，不能记到家庭名下。"), field="household")
        return
    if household is not None and (household.town_id != dispatch.town_id or household.erased_at):
        raise BadInput(_("这户不是这个镇街的，或档案已删除。请核对档案编号。"), field="household")
    if not 1 <= households <= MOST_HOUSEHOLDS:
        raise BadInput(_("户数要是1或更多。"), field="households")


def _confirm(handover: Handover, how: str, reference: str, now: dt.datetime) -> None:
    if how not in (Confirmed.SLIP, Confirmed.CODE) or not reference.strip():
        raise BadInput(_("请填签收单编号。"), field="slip")
    handover.confirmed, handover.confirmed_at, handover.reference = how, now, reference.strip()[:60]
    handover.save(update_fields=["confirmed", "confirmed_at", "reference"])
