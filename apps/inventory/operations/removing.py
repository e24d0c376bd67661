from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.core.errors import BadInput, WrongState
from apps.core.money import Money
from apps.core.policies import authorize
from apps.funds.models import MicroFund
from apps.inventory import policies
from apps.inventory.errors import NotEnoughStock, SamePerson
from apps.inventory.models import Dispatch, DispatchLine, Location, Lot, Removal, Stock
from apps.inventory.operations.dispatching import close_if_done, lock_dispatch
from apps.inventory.operations.moving import Move, check_quantity, place_of, post_moves
from apps.inventory.states import WAYS, Asked, Kind, Place
from apps.ledger.models import Book
from apps.ledger.operations import Credit, open_earmark, post_credit
from apps.ledger.states import FEDERATION_BOOK, AccountRole, EarmarkKind, EntryKind
from apps.publication.privacy import check_publishable


@transaction.atomic
def ask_removal(
    *, actor: Actor, lot: Lot, location: Location, quantity: Decimal, kind: str, reason: str,
    line: DispatchLine | None = None, proceeds: Money | None = None, fund: MicroFund | None = None, buyer: str = "",
    now: dt.datetime,
) -> Removal:  # fmt: skip
    """This will ask for a sale or a write-off; nothing moves until another person approves (I1).

    A write-off on the road names its dispatch line. A sale names the buyer, the price and the micro-fund it goes to.
    """
    authorize(policies.can_keep_goods, actor, location.warehouse)
    check_quantity(quantity, lot.unit.places)
    if kind not in (Kind.SELL, Kind.WRITE_OFF) or location.kind not in WAYS[kind][0]:
        raise BadInput(_("这个位置的物资不能这样处理。"), field="location")
    if (location.kind == Place.TRANSIT) != (line is not None) or not _stands(lot, location):
        raise BadInput(_("请选这一批现在所在的位置；在途的请从发货单里申请。"), field="location")
    if line is not None and (line.lot_id != lot.pk or quantity > line.open):
        raise NotEnoughStock()
    if not reason.strip():
        raise BadInput(_("请写明原因，会公开。"), field="reason")
    check_publishable(reason, field="reason")
    if kind == Kind.SELL and not (proceeds and proceeds.minor > 0 and fund and buyer.strip()):
        raise BadInput(_("变卖要写买方、价款和价款进哪个微基金。"), field="proceeds")
    assert actor.person_id is not None
    sale = kind == Kind.SELL
    return Removal.objects.create(
        kind=kind, lot=lot, location=location, dispatch_line=line, quantity=quantity, reason=reason.strip()[:300],
        proceeds=proceeds.minor if sale and proceeds else 0, fund=fund if sale else None,
        buyer=buyer.strip()[:120] if sale else "", asked_by_id=actor.person_id, asked_at=now,
    )  # fmt: skip


def _stands(lot: Lot, location: Location) -> bool:
    """Whether the lot has ever come to the location: it may stand in several warehouses."""
    return Stock.objects.filter(lot=lot, location=location).exists()


@transaction.atomic
def decide_removal(
    *, actor: Actor, removal: Removal, approve: bool, answer: str = "", now: dt.datetime
) -> Removal:
    """This will approve or refuse a sale or a write-off as the second person. Approved: the goods move, their value
    leaves inventory, and a sale's price enters its micro-fund's general money.

    Raises SamePerson for the asker, NotEnoughStock, WrongState for one that is decided.
    """
    found = Removal.objects.get(pk=removal.pk)
    dispatch: Dispatch | None = None
    if found.dispatch_line_id:
        dispatch = lock_dispatch(DispatchLine.objects.get(pk=found.dispatch_line_id).dispatch_id)
    locked = (
        Removal.objects.select_for_update(of=("self",))
        .select_related("lot", "location__warehouse", "asked_by", "fund")
        .get(pk=removal.pk)
    )
    authorize(policies.can_decide, actor, locked.location.warehouse)
    if locked.status != Asked.ASKED:
        raise WrongState()
    if actor.person_id is None or actor.person_id == locked.asked_by_id:
        raise SamePerson()
    if not approve and not answer.strip():
        raise BadInput(_("不批准请写明理由。"), field="answer")
    locked.status = Asked.DONE if approve else Asked.REFUSED
    locked.decided_by_id, locked.decided_at, locked.answer = actor.person_id, now, answer.strip()[:300]
    locked.save(update_fields=["status", "decided_by", "decided_at", "answer"])
    if approve:
        _remove(locked, actor, dispatch, now)
    return locked


@transaction.atomic
def give_back(
    *,
    actor: Actor,
    lot: Lot,
    location: Location,
    quantity: Decimal,
    reason: str,
    signer: str = "",
    now: dt.datetime,
) -> None:
    """This will return goods to their giver, mostly what failed inspection; accepted goods leave the income again.

    Raises NotEnoughStock, BadInput without a reason.
    """
    authorize(policies.can_keep_goods, actor, location.warehouse)
    if not reason.strip():
        raise BadInput(_("请写明退还的原因，会公开。"), field="reason")
    check_publishable(reason, field="reason")
    if location.kind not in WAYS[Kind.GIVE_BACK][0] or not _stands(lot, location):
        raise BadInput(_("这个位置的物资不能这样处理。"), field="location")
    post_moves(
        actor=actor, now=now,
        moves=[Move(Kind.GIVE_BACK, lot.pk, location.pk, place_of(location.warehouse_id, Place.RETURNED), quantity,
                    reason.strip(), signer=signer.strip()[:40])],
    )  # fmt: skip


def _remove(removal: Removal, actor: Actor, dispatch: Dispatch | None, now: dt.datetime) -> None:
    lot = removal.lot
    line = removal.dispatch_line
    if line is not None and dispatch is not None:
        line.refresh_from_db()
        if removal.quantity > line.open:
            raise NotEnoughStock()
        line.lost += removal.quantity
        line.save(update_fields=["lost"])
    target = Place.SOLD if removal.kind == Kind.SELL else Place.WRITTEN_OFF
    post_moves(
        actor=actor, now=now,
        moves=[Move(removal.kind, lot.pk, removal.location_id, place_of(removal.location.warehouse_id, target),
                    removal.quantity, removal.reason, dispatch_line=removal.dispatch_line_id,
                    approved_by=actor.person_id, person=(removal.asked_by_id, removal.asked_by.display_name))],
    )  # fmt: skip
    if removal.fund is not None:
        crash_point("inventory.before_proceeds")
        earmark = open_earmark(
            book=Book.objects.get(code=FEDERATION_BOOK), kind=EarmarkKind.GENERAL, owner=removal.fund.pk
        )
        post_credit(
            actor=actor,
            credit=Credit(f"goods:sale:{removal.pk}", earmark.pk, removal.proceeds, now, into=AccountRole.BANK,
                          income=AccountRole.OTHER_INCOME, kind=EntryKind.INCOME, channel="goods"),
        )  # fmt: skip
    if dispatch is not None:
        close_if_done(dispatch, actor, now)
