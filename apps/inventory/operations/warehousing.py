from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.errors import BadInput
from apps.core.policies import authorize
from apps.inventory import policies
from apps.inventory.models import Location, Unit, UnitAlias, Warehouse
from apps.inventory.operations.moving import goods_earmark
from apps.inventory.states import Place
from apps.ledger.operations import open_book
from apps.ledger.states import FEDERATION_BOOK
from apps.organizations.models import Organization
from apps.organizations.queries import federation
from apps.places.models import Town


@transaction.atomic
def add_warehouse(
    *, actor: Actor, organization: Organization, code: str, name: str, address: str, name_en: str = "",
    town: Town | None = None, shelves: tuple[str, ...] = ("A-01",),
) -> Warehouse:  # fmt: skip
    """This will open a warehouse with its shelves and the locations that stand for giver, road and recipients; safe to
    repeat by `code`."""
    authorize(policies.can_add_warehouse, actor, organization.pk)
    if not (name.strip() and address.strip() and code.strip()):
        raise BadInput(_("仓库要有编号、名称和地址。"), field="name")
    warehouse, _made = Warehouse.objects.get_or_create(
        code=code, defaults={"organization": organization, "name": name.strip(), "name_en": name_en.strip(),
                             "address": address.strip(), "town": town},
    )  # fmt: skip
    fed = federation()
    open_book(code=FEDERATION_BOOK, name=fed.name, owner=fed.pk)
    goods_earmark(warehouse)
    Location.objects.bulk_create(
        [Location(warehouse=warehouse, kind=kind) for kind in Place.values if kind != Place.SHELF],
        ignore_conflicts=True,
    )
    for shelf in shelves:
        add_shelf(actor=actor, warehouse=warehouse, name=shelf)
    return warehouse


@transaction.atomic
def add_shelf(*, actor: Actor, warehouse: Warehouse, name: str) -> Location:
    """This will add a shelf (库位) to a warehouse; safe to repeat by name."""
    if not policies.can_add_warehouse(actor, warehouse.organization_id):
        authorize(policies.can_keep_goods, actor, warehouse)
    if not name.strip():
        raise BadInput(_("库位要有名字，例如 A-01。"), field="name")
    shelf, _made = Location.objects.get_or_create(
        warehouse=warehouse, kind=Place.SHELF, name=name.strip()[:40]
    )
    return shelf


@transaction.atomic
def add_unit(*, actor: Actor, code: str, name_en: str, places: int = 0) -> Unit:
    """This will add a unit with how many decimals its quantities may have (0-3); a known word is left as it is.

    Raises BadInput.
    """
    authorize(policies.can_add_unit, actor)
    word = code.strip()
    if not word or len(word) > 10 or any(sign.isdigit() for sign in word) or not 0 <= places <= 3:
        raise BadInput(_("单位是1到10个字，不含数字；小数位数0到3。"), field="unit")
    alias = UnitAlias.objects.filter(word=word.lower()).select_related("unit").first()
    if alias:
        return alias.unit
    unit, _made = Unit.objects.get_or_create(
        code=word, defaults={"name_en": name_en.strip()[:30] or word, "places": places}
    )
    return unit
