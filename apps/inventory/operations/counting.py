"""Stock-taking (I4): count, difference, another person's approval, adjustment movement."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput, Conflict, WrongState
from apps.core.policies import authorize
from apps.core.transitions import check_move, move, note_status
from apps.inventory import policies
from apps.inventory.errors import SamePerson
from apps.inventory.models import (
    CountLine,
    Location,
    Lot,
    Stock,
    StockCount,
    StockCountStatusChange,
    Warehouse,
)
from apps.inventory.operations.inspecting import check_shelf
from apps.inventory.operations.moving import Move, check_quantity, lock_lots, place_of, post_moves
from apps.inventory.operations.receiving import new_number
from apps.inventory.states import COUNT_FORWARD, CountStatus, Kind, Place


class CountOpen(Conflict):
    code = "count_open"
    message = _("这个仓库已有一次盘点没有办完。请先办完它。")


@transaction.atomic
def open_count(*, actor: Actor, warehouse: Warehouse, now: dt.datetime) -> StockCount:
    """This will begin a stock count. Raises CountOpen while another one of the warehouse is under way."""
    authorize(policies.can_keep_goods, actor, warehouse)
    assert actor.person_id is not None
    try:
        with transaction.atomic():
            count = StockCount.objects.create(
                number=new_number("P", now),
                warehouse=warehouse,
                counted_by_id=actor.person_id,
                opened_at=now,
            )
    except IntegrityError as error:
        raise CountOpen() from error
    note_status(count, "", history=StockCountStatusChange, actor=actor, now=now)
    return count


@transaction.atomic
def record_count(
    *, actor: Actor, count: StockCount, lot: Lot, location: Location, counted: Decimal, note: str = "",
    now: dt.datetime,
) -> CountLine:  # fmt: skip
    """This will record what was counted of a lot at a shelf, beside what the books say at this moment; a second time
    corrects the first. Raises BadInput for a difference without a note."""
    locked = _lock(count)
    authorize(policies.can_keep_goods, actor, locked.warehouse)
    if locked.status != CountStatus.COUNTING:
        raise WrongState()
    if not Stock.objects.filter(lot=lot, location__warehouse=locked.warehouse_id).exists():
        raise BadInput(_("这一批不在这个仓库。"), field="lot")
    check_shelf(location, locked.warehouse)
    check_quantity(counted, lot.unit.places, zero=True, field="counted")
    lock_lots([lot.pk])
    expected = (
        Stock.objects.filter(lot=lot, location=location).values_list("quantity", flat=True).first()
    ) or Decimal(0)
    if counted != expected and not note.strip():
        raise BadInput(_("和账面不同，请写明可能的原因。"), field="note")
    line, _made = CountLine.objects.update_or_create(
        count=locked, lot=lot, location=location,
        defaults={"expected": expected, "counted": counted, "note": note.strip()[:200], "counted_at": now},
    )  # fmt: skip
    return line


@transaction.atomic
def submit_count(*, actor: Actor, count: StockCount, now: dt.datetime) -> StockCount:
    """This will hand a count in for approval. Raises BadInput when nothing was counted."""
    locked = _lock(count)
    authorize(policies.can_keep_goods, actor, locked.warehouse)
    if not locked.lines.exists():
        raise BadInput(_("还没有盘任何一批。"))
    move(
        locked, CountStatus.ASKED, forward=COUNT_FORWARD, history=StockCountStatusChange, actor=actor, now=now
    )
    return locked


@transaction.atomic
def decide_count(
    *, actor: Actor, count: StockCount, approve: bool, answer: str = "", now: dt.datetime
) -> StockCount:
    """This will approve a count's differences (each an adjustment movement) or send it back, as another person.

    The difference found is what is adjusted, whatever moved since. Raises SamePerson, NotEnoughStock when the missing
    goods have left in the meantime.
    """
    locked = _lock(count)
    authorize(policies.can_decide, actor, locked.warehouse)
    to = CountStatus.DONE if approve else CountStatus.REFUSED
    check_move(locked, to, COUNT_FORWARD)
    if actor.person_id is None or actor.person_id == locked.counted_by_id:
        raise SamePerson()
    if not approve and not answer.strip():
        raise BadInput(_("退回请写明理由。"), field="answer")
    if approve:
        post_moves(actor=actor, moves=_adjustments(locked, actor.person_id), now=now)
    move(
        locked, to, forward=COUNT_FORWARD, history=StockCountStatusChange, actor=actor, now=now, reason=answer.strip(),
        decided_by_id=actor.person_id, decided_at=now, answer=answer.strip()[:300],
    )  # fmt: skip
    return locked


def _adjustments(count: StockCount, approver: int) -> list[Move]:
    found, gone = place_of(count.warehouse_id, Place.FOUND), place_of(count.warehouse_id, Place.WRITTEN_OFF)
    person = (count.counted_by_id, count.counted_by.display_name)
    moves = []
    for line in count.lines.exclude(counted=F("expected")).order_by("lot_id", "location_id"):
        difference = line.counted - line.expected
        reason = f"{count.number} {line.note}"
        if difference > 0:
            moves.append(
                Move(Kind.OVER, line.lot_id, found, line.location_id, difference, reason, approved_by=approver,
                     person=person)
            )  # fmt: skip
        else:
            moves.append(
                Move(Kind.SHORT, line.lot_id, line.location_id, gone, -difference, reason, approved_by=approver,
                     person=person)
            )  # fmt: skip
    return moves


def _lock(count: StockCount) -> StockCount:
    return (
        StockCount.objects.select_for_update(of=("self",))
        .select_related("warehouse", "counted_by")
        .get(pk=count.pk)
    )
