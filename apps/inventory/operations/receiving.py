from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.canonical import sha256_hex
from apps.core.clock import civil_day
from apps.core.errors import BadInput
from apps.core.images import remake_picture
from apps.core.money import Money
from apps.core.policies import authorize
from apps.core.text import unit_line
from apps.inventory import policies
from apps.inventory.errors import NothingWanted, UnknownUnit, ValueKnown
from apps.inventory.models import (
    Consignment,
    Conversion,
    Lot,
    LotTotal,
    Photo,
    Unit,
    Warehouse,
)
from apps.inventory.operations.moving import (
    Move,
    check_quantity,
    goods_earmark,
    lock_lots,
    place_of,
    post_moves,
    roll_up,
    worth,
)
from apps.inventory.states import Basis, Category, Kind, Place, Shown
from apps.ledger.operations import GoodsPosting, post_goods
from apps.ledger.states import AccountRole
from apps.organizations.models import check_uscc
from apps.publication.privacy import check_publishable

MOST_LOTS = 200
MOST_PHOTOS = 12


@dataclass(frozen=True, slots=True)
class LotDraft:
    """A lot to be. `unit_value` with its basis, or neither; `per_unit`/`inner_unit` is what one unit holds (24 瓶)."""

    item: str
    quantity: Decimal
    unit: str
    category: str
    spec: str = ""
    unit_value: Money | None = None
    basis: str = ""
    basis_source: str = ""
    expires_on: dt.date | None = None
    per_unit: Decimal | None = None
    inner_unit: str = ""
    list_row: str = ""


@dataclass(frozen=True, slots=True)
class Giver:
    """Who brought goods, and how they may be shown (G1)."""

    name: str
    shown: str = Shown.ANONYMOUS
    alias: str = ""
    phone: str = ""
    wants_receipt: bool = False
    payer_code: str = ""


@transaction.atomic
def record_consignment(
    *, actor: Actor, warehouse: Warehouse, giver: Giver, lots: Sequence[LotDraft], received_on: dt.date,
    carrier: str = "", note: str = "", now: dt.datetime,
) -> Consignment:  # fmt: skip
    """This will take goods in: a consignment, its lots, each of them at the intake (I1).

    Raises BadInput, BadQuantity, UnknownUnit.
    """
    authorize(policies.can_keep_goods, actor, warehouse)
    return take_in(actor=actor, warehouse=warehouse, giver=giver, lots=lots, received_on=received_on,
                   carrier=carrier, note=note, now=now)  # fmt: skip


def take_in(
    *, actor: Actor, warehouse: Warehouse, giver: Giver, lots: Sequence[LotDraft], received_on: dt.date,
    carrier: str = "", note: str = "", now: dt.datetime,
) -> Consignment:  # fmt: skip
    """This will do what record_consignment does, for callers that have authorized."""
    _check_giver(giver)
    if received_on > civil_day(now):
        raise BadInput(_("收到的日期还没有到。"), field="received_on")
    if not 1 <= len(lots) <= MOST_LOTS:
        raise NothingWanted(_("一次收货要有1到200批物资。"))
    consignment = Consignment.objects.create(
        number=new_number("C", now), warehouse=warehouse, donor_name=giver.name.strip()[:120], shown=giver.shown,
        folded=unit_line([giver.name.strip()[:120]]),
        alias=giver.alias.strip()[:40], phone=giver.phone.strip()[:40], carrier=carrier.strip()[:80],
        note=note.strip()[:300], wants_receipt=giver.wants_receipt, payer_code=giver.payer_code.strip(),
        received_on=received_on, recorded_at=now, recorded_by_id=actor.person_id,
    )  # fmt: skip
    made = [
        make_lot(draft, warehouse=warehouse, consignment=consignment, received_on=received_on, now=now)
        for draft in lots
    ]
    donor, intake = place_of(warehouse, Place.DONOR), place_of(warehouse, Place.INTAKE)
    post_moves(
        actor=actor, now=now,
        moves=[Move(Kind.RECEIVE, lot.pk, donor, intake, lot.quantity, carrier=carrier.strip()[:80]) for lot in made],
    )  # fmt: skip
    return consignment


def make_lot(
    draft: LotDraft, *, warehouse: Warehouse, received_on: dt.date, now: dt.datetime,
    consignment: Consignment | None = None, made_by: Conversion | None = None, origin_note: str = "",
) -> Lot:  # fmt: skip
    """This will write a lot's facts and its empty sum."""
    unit = Unit.objects.filter(pk=draft.unit).first()
    if unit is None or (draft.inner_unit and not Unit.objects.filter(pk=draft.inner_unit).exists()):
        raise UnknownUnit()
    check_quantity(draft.quantity, unit.places)
    if not draft.item.strip():
        raise BadInput(_("请写物品名称。"), field="item")
    check_publishable(f"{draft.item} {draft.spec}", field="item")
    if draft.category not in Category.values:
        raise BadInput(_("请选物品类别。"), field="category")
    _check_value(draft)
    if (draft.per_unit is None) != (not draft.inner_unit):
        raise BadInput(_("每件内含要同时写数量和单位，例如 24 瓶。"), field="per_unit")
    item, spec = draft.item.strip()[:120], draft.spec.strip()[:160]
    lot = Lot.objects.create(
        number=new_number("L", now), warehouse=warehouse, consignment=consignment, made_by=made_by,
        category=draft.category, item=item, folded=unit_line([item, spec]), spec=spec, unit=unit,
        quantity=draft.quantity, per_unit=draft.per_unit, inner_unit_id=draft.inner_unit or None,
        unit_value=draft.unit_value.minor if draft.unit_value else None, basis=draft.basis if draft.unit_value else "",
        basis_source=draft.basis_source.strip()[:120] if draft.unit_value else "", expires_on=draft.expires_on,
        origin_note=origin_note, list_row=draft.list_row, received_on=received_on, recorded_at=now,
    )  # fmt: skip
    LotTotal.objects.create(lot=lot)
    return lot


@transaction.atomic
def value_lot(
    *, actor: Actor, lot: Lot, unit_value: Money, basis: str, basis_source: str = "", now: dt.datetime
) -> Lot:
    """This will give a lot without a value the value of one unit, with its basis, once; what was accepted already is
    posted as income in kind.

    Raises ValueKnown when it has one, or part of what was accepted has left; BadInput without a source.
    """
    authorize(policies.can_value_lot, actor, lot.warehouse)
    total = lock_lots([lot.pk])[lot.pk]
    locked = total.lot
    accepted = total.booked + total.delivered + total.sold + total.converted
    if locked.unit_value is not None or locked.made_by_id or accepted != total.booked:
        raise ValueKnown()
    _check_value(LotDraft(locked.item, locked.quantity, locked.unit_id, locked.category, unit_value=unit_value,
                          basis=basis, basis_source=basis_source))  # fmt: skip
    locked.unit_value, locked.basis, locked.basis_source = (
        unit_value.minor,
        basis,
        basis_source.strip()[:120],
    )
    locked.save(update_fields=["unit_value", "basis", "basis_source"])
    value = worth(locked, total.booked)
    if value:
        post_goods(
            actor=actor, earmark=goods_earmark(locked.warehouse),
            postings=[GoodsPosting(f"goods:{lot.pk}:valued", value, AccountRole.GIFT_IN_KIND, True, now)],
        )  # fmt: skip
        total.value = value
        total.save(update_fields=["value"])
        roll_up({(locked.category, locked.unit_id): {"value": value}}, now)
    return locked


@transaction.atomic
def add_photo(*, actor: Actor, consignment: Consignment, content: bytes, now: dt.datetime) -> Photo:
    """This will keep a photo of a consignment, made anew from its pixels: EXIF and place are gone.

    Raises BadImage for what is no photo, BadInput beyond twelve.
    """
    authorize(policies.can_keep_goods, actor, consignment.warehouse)
    picture = remake_picture(content)
    if consignment.photos.count() >= MOST_PHOTOS:
        raise BadInput(_("一次收货最多12张照片。"), field="photo")
    return Photo.objects.create(
        consignment=consignment, content=picture.content, sha256=sha256_hex(picture.content), width=picture.width,
        height=picture.height, taken_by_id=actor.person_id, added_at=now,
    )  # fmt: skip


@transaction.atomic
def note_receipts(*, actor: Actor, consignment_id: int, numbers: Sequence[str]) -> None:
    """This will note the receipts that were issued for a consignment."""
    authorize(policies.can_note_receipts, actor)
    Consignment.objects.filter(pk=consignment_id).update(receipts="、".join(numbers)[:200])


def new_number(letter: str, now: dt.datetime) -> str:
    """This will make a number that can be read out: L2611-3f9a2c7e."""
    return f"{letter}{civil_day(now):%y%m}-{secrets.token_hex(4)}"


def _check_giver(giver: Giver) -> None:
    if not giver.name.strip():
        raise BadInput(_("请写捐赠人；不愿留名的写“爱心人士”。"), field="donor_name")
    if giver.shown not in Shown.values or (giver.shown == Shown.ALIAS and not giver.alias.strip()):
        raise BadInput(_("要显示化名，请写化名。"), field="alias")
    if giver.payer_code.strip():
        try:
            check_uscc(giver.payer_code.strip())
        except ValidationError as error:
            raise BadInput(str(error.messages[0]), field="payer_code") from error


def _check_value(draft: LotDraft) -> None:
    if draft.unit_value is None:
        if draft.basis:
            raise BadInput(_("选了计价依据，就要写单价；没有价值就都留空。"), field="unit_value")
        return
    if draft.unit_value.currency != "CNY" or draft.unit_value.minor <= 0:
        raise BadInput(_("单价要大于零，按人民币计。"), field="unit_value")
    if draft.basis not in Basis.values or (draft.basis != Basis.INVOICE and not draft.basis_source.strip()):
        raise BadInput(_("请选计价依据；按市场价或评估计价，请写明来源。"), field="basis_source")
    if draft.quantity * draft.unit_value.minor >= 10**15:
        raise BadInput(_("价值过大，请检查单价和数量。"), field="unit_value")
