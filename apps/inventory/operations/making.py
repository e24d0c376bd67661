"""Kits by a stated recipe, units by a stated factor: what goes in closes, what comes out opens, value and all."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput
from apps.core.money import Money
from apps.core.policies import authorize
from apps.core.text import fold
from apps.inventory import policies
from apps.inventory.errors import UnknownUnit
from apps.inventory.models import Conversion, Location, Lot, Recipe, RecipePart, Unit, Warehouse
from apps.inventory.operations.dispatching import Pick
from apps.inventory.operations.inspecting import check_shelf
from apps.inventory.operations.moving import Board, Move, check_quantity, place_of, post_moves, roll_up
from apps.inventory.operations.receiving import LotDraft, make_lot
from apps.inventory.states import Category, Kind, Making, Place

MOST_PARTS = 20


class RecipeDiffers(BadInput):
    code = "recipe_differs"
    message = _("拣出来的和配方对不上。请按配方乘以套数，一样不多、一样不少。")
    field = "picks"


@transaction.atomic
def state_recipe(
    *, actor: Actor, warehouse: Warehouse, name: str, category: str, unit: str,
    parts: Sequence[tuple[str, str, str, Decimal]], now: dt.datetime,
) -> Recipe:  # fmt: skip
    """This will state what a kit is made of: parts are (item, category, unit, quantity in one kit)."""
    authorize(policies.can_keep_goods, actor, warehouse)
    if not name.strip() or category not in Category.values or not 1 <= len(parts) <= MOST_PARTS:
        raise BadInput(_("配方要有名字、类别，和1到20样物品。"), field="name")
    if Recipe.objects.filter(warehouse=warehouse, name=name.strip()).exists():
        raise BadInput(_("这个仓库已有同名配方。请换一个名字。"), field="name")
    units = {one.pk: one for one in Unit.objects.filter(pk__in={unit, *(part[2] for part in parts)})}
    if unit not in units or any(part[2] not in units for part in parts):
        raise UnknownUnit()
    recipe = Recipe.objects.create(
        warehouse=warehouse, name=name.strip()[:80], category=category, unit=units[unit], stated_by_id=actor.person_id,
        stated_at=now,
    )  # fmt: skip
    for n, (item, kind, code, quantity) in enumerate(parts, 1):
        if not item.strip() or kind not in Category.values:
            raise BadInput(_("每样物品都要有名称和类别。"), field="parts")
        check_quantity(quantity, units[code].places)
        RecipePart.objects.create(
            recipe=recipe, n=n, item=item.strip()[:120], category=kind, unit=units[code], quantity=quantity
        )
    return recipe


@transaction.atomic
def assemble_kit(
    *, actor: Actor, recipe: Recipe, kits: Decimal, picks: Sequence[Pick], shelf: Location, now: dt.datetime
) -> Lot:
    """This will make kits from lots: exactly what the recipe says times `kits`. The kits' value is their parts'.

    The earliest expiry of the parts is the kit's. Raises RecipeDiffers, NotEnoughStock.
    """
    authorize(policies.can_keep_goods, actor, recipe.warehouse)
    check_quantity(kits, recipe.unit.places, field="kits")
    wanted = {(fold(part.item), part.unit_id): part.quantity * kits for part in recipe.parts.order_by("n")}
    given: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for pick in picks:
        given[(fold(pick.lot.item), pick.lot.unit_id)] += pick.quantity
    if dict(given) != wanted:
        raise RecipeDiffers()
    dates = [pick.lot.expires_on for pick in picks if pick.lot.expires_on]
    draft = LotDraft(
        recipe.name, kits, recipe.unit_id, recipe.category, expires_on=min(dates) if dates else None
    )
    (made,) = _make(actor, recipe.warehouse, Making.KIT, picks, [(draft, 1)], shelf, now, recipe=recipe)
    return made


@transaction.atomic
def disassemble_kit(
    *, actor: Actor, recipe: Recipe, pick: Pick, shelf: Location, now: dt.datetime
) -> list[Lot]:
    """This will take kits apart into what their recipe says; their value is divided as the parts' was
    when the kits were made."""
    authorize(policies.can_keep_goods, actor, recipe.warehouse)
    made_by = pick.lot.made_by
    if made_by is None or made_by.recipe_id != recipe.pk:
        raise BadInput(_("这一批不是按这个配方组装的。"), field="recipe")
    parts = list(recipe.parts.order_by("n"))
    drafts = [
        (LotDraft(part.item, part.quantity * pick.quantity, part.unit_id, part.category,
                  expires_on=pick.lot.expires_on), weight)
        for part, weight in zip(parts, _worths(made_by, parts), strict=True)
    ]  # fmt: skip
    return _make(actor, recipe.warehouse, Making.UNKIT, [pick], drafts, shelf, now, recipe=recipe)


@transaction.atomic
def convert_unit(
    *, actor: Actor, pick: Pick, unit: str, factor: Decimal, shelf: Location, now: dt.datetime
) -> Lot:
    """This will change the unit of goods by a stated factor: one 箱 of 24 瓶 becomes 24 瓶. The old quantity closes,
    the new lot holds quantity x factor at the same value.

    Raises BadInput when the lot itself states another factor for that unit; BadQuantity, UnknownUnit, NotEnoughStock.
    """
    lot, warehouse = pick.lot, pick.location.warehouse
    authorize(policies.can_keep_goods, actor, warehouse)
    if not factor.is_finite() or factor <= 0 or factor != round(factor, 3) or factor >= 10**6:
        raise BadInput(_("换算的倍数要大于零，最多3位小数。"), field="factor")
    if unit == lot.unit_id:
        raise BadInput(_("换算前后是同一个单位。"), field="unit")
    if lot.inner_unit_id == unit and lot.per_unit != factor:
        raise BadInput(
            _("这一批写明每%(unit)s含%(factor)s%(inner)s，和您填的倍数不同。请核对。")
            % {"unit": lot.unit_id, "factor": f"{lot.per_unit.normalize():f}" if lot.per_unit else "", "inner": unit},
            field="factor",
        )  # fmt: skip
    check_quantity(pick.quantity, lot.unit.places)
    draft = LotDraft(
        lot.item, pick.quantity * factor, unit, lot.category, spec=lot.spec, expires_on=lot.expires_on
    )
    (made,) = _make(actor, warehouse, Making.UNIT, [pick], [(draft, 1)], shelf, now, factor=factor)
    return made


def _make(
    actor: Actor, warehouse: Warehouse, kind: str, picks: Sequence[Pick], drafts: Sequence[tuple[LotDraft, int]],
    shelf: Location, now: dt.datetime, *, recipe: Recipe | None = None, factor: Decimal | None = None,
) -> list[Lot]:  # fmt: skip
    """Takes the picks out, opens the drafts' lots and gives them the value that came out, by weight."""
    for pick in picks:
        check_shelf(pick.location, warehouse)
    check_shelf(shelf, warehouse)
    conversion = Conversion.objects.create(
        kind=kind, warehouse=warehouse, recipe=recipe, factor=factor, made_by_id=actor.person_id, made_at=now
    )
    out, board = place_of(warehouse, Place.CONVERTED), Board()
    gone = post_moves(
        actor=actor, now=now, board=board,
        moves=[Move(Kind.CONVERT_OUT, pick.lot.pk, pick.location.pk, out, pick.quantity, conversion=conversion.pk)
               for pick in picks],
    )  # fmt: skip
    lots, moves, source = [], [], place_of(warehouse, Place.MADE)
    weights = [weight for _draft, weight in drafts]
    parts = Money(sum(row.value for row in gone)).allocate(weights if any(weights) else [1] * len(drafts))
    for (draft, _weight), part in zip(drafts, parts, strict=True):
        lot = make_lot(draft, warehouse=warehouse, made_by=conversion, received_on=civil_day(now), now=now)
        lots.append(lot)
        moves.append(
            Move(Kind.CONVERT_IN, lot.pk, source, shelf.pk, lot.quantity, conversion=conversion.pk, value=part.minor)
        )  # fmt: skip
    post_moves(actor=actor, moves=moves, now=now, board=board)
    roll_up(board, now)
    return lots


def _worths(made_by: Conversion, parts: Sequence[RecipePart]) -> list[int]:
    """What each part of a kit was worth when the kit was made, as weights."""
    gone = made_by.movements.filter(kind=Kind.CONVERT_OUT).select_related("lot")
    values: dict[str, int] = defaultdict(int)
    for row in gone:
        values[fold(row.lot.item)] += row.value
    return [values[fold(part.item)] for part in parts]
