"""What a dying process does: one lot's whole way, each step only where it hasn't been done yet."""

from __future__ import annotations

from decimal import Decimal

from apps.accounts.models import Person
from apps.core.actors import Actor, Grant
from apps.core.money import Money
from apps.funds.models import MicroFund
from apps.inventory import operations as ops
from apps.inventory.models import Dispatch, Location, Lot, LotTotal, Removal, Warehouse
from apps.inventory.states import Place
from apps.organizations.models import Organization
from apps.places.models import Town
from tests.inventory import goods as g


def _actor(label: str, *grants: tuple[str, str, int]) -> Actor:
    person = Person.objects.filter(display_name=label).order_by("pk").first()
    assert person is not None
    return Actor("person", label, person.pk, None, True, frozenset(Grant(*one) for one in grants))


def go() -> None:
    warehouse, town, lot = (
        Warehouse.objects.get(code="main"),
        Town.objects.get(code="shiqiao"),
        Lot.objects.get(),
    )
    shelf = Location.objects.get(kind=Place.SHELF, name="A-01")
    keeper = _actor("keeper", ("storekeeper", "warehouse", warehouse.pk))
    total = LotTotal.objects.get(lot=lot)
    if total.booked == 0 and total.delivered == 0:
        ops.inspect_lot(
            actor=keeper, lot=lot, passed=Decimal(9), failed=Decimal(1), shelf=shelf, note="x", now=g.NOW
        )
    dispatch = Dispatch.objects.filter(town=town).first() or ops.plan_dispatch(
        actor=keeper, warehouse=warehouse, picks=[ops.Pick(lot, shelf, Decimal(4))], town=town, now=g.NOW
    )
    if dispatch.status == "picking":
        dispatch = ops.send_dispatch(actor=keeper, dispatch=dispatch, carrier="x", now=g.NOW)
    if dispatch.status == "on_road":
        caseworker = _actor("caseworker", ("caseworker", "town", town.pk))
        ops.record_handover(
            actor=caseworker, dispatch=dispatch, quantities={1: Decimal(4)}, slip="1", now=g.NOW
        )
    _transfer(keeper, warehouse, lot, shelf)
    sale = Removal.objects.filter(kind="sell").first() or ops.ask_removal(
        actor=keeper, lot=lot, location=shelf, quantity=Decimal(2), kind="sell", reason="x", proceeds=Money(500),
        fund=MicroFund.objects.get(), buyer="x", now=g.NOW,
    )  # fmt: skip
    if sale.status == "asked":
        manager = _actor("manager", ("manager", "organization", Organization.objects.get().pk))
        ops.decide_removal(actor=manager, removal=sale, approve=True, now=g.NOW)


def _transfer(keeper: Actor, warehouse: Warehouse, lot: Lot, shelf: Location) -> None:
    """Two of three arrive in the other warehouse; the third is asked to be written off."""
    other = Warehouse.objects.get(code="east")
    dispatch = Dispatch.objects.filter(to_warehouse=other).first() or ops.plan_dispatch(
        actor=keeper,
        warehouse=warehouse,
        picks=[ops.Pick(lot, shelf, Decimal(3))],
        to_warehouse=other,
        now=g.NOW,
    )
    if dispatch.status == "picking":
        dispatch = ops.send_dispatch(actor=keeper, dispatch=dispatch, carrier="x", now=g.NOW)
    if dispatch.lines.get().arrived == 0:
        ops.receive_transfer(
            actor=_actor("keeper_east", ("storekeeper", "warehouse", other.pk)), dispatch=dispatch,
            quantities={1: Decimal(2)}, missing={1: Decimal(1)}, reason="x", now=g.NOW,
            shelf=Location.objects.get(warehouse=other, kind=Place.SHELF),
        )  # fmt: skip
    loss = Removal.objects.get(kind="write_off")
    if loss.status == "asked":
        manager = _actor("manager", ("manager", "organization", Organization.objects.get().pk))
        ops.decide_removal(actor=manager, removal=loss, approve=True, now=g.NOW)
