"""What a dying process does: one lot's whole way, each step only where it hasn't been done yet."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal

from apps.accounts.models import Person
from apps.core.actors import Actor, Grant
from apps.core.money import Money
from apps.funds.models import MicroFund
from apps.inventory import operations as ops
from apps.inventory.models import Dispatch, Handover, Inspection, Location, Lot, Removal, Warehouse
from apps.inventory.states import Place
from apps.organizations.models import Organization
from apps.places.models import Town
from tests.inventory import goods as g

D = Decimal


class Way:
    """The lot, where it stands, and who moves it."""

    def __init__(self) -> None:
        self.main, self.east = (Warehouse.objects.get(code=code) for code in ("main", "east"))
        self.shelf = Location.objects.get(warehouse=self.main, kind=Place.SHELF, name="A-01")
        self.lot, self.town = Lot.objects.get(), Town.objects.get(code="shiqiao")
        self.keeper = _actor("keeper", ("storekeeper", "warehouse", self.main.pk))
        self.manager = _actor("manager", ("manager", "organization", Organization.objects.get().pk))

    def inspect(self) -> None:
        if not Inspection.objects.exists():
            ops.inspect_lot(
                actor=self.keeper,
                lot=self.lot,
                passed=D(9),
                failed=D(1),
                shelf=self.shelf,
                note="x",
                now=g.NOW,
            )

    def send(self) -> None:
        self._send(4, town=self.town)

    def hand(self) -> None:
        dispatch = Dispatch.objects.get(town=self.town)
        if not Handover.objects.exists():
            caseworker = _actor("caseworker", ("caseworker", "town", self.town.pk))
            ops.record_handover(
                actor=caseworker, dispatch=dispatch, quantities={1: D(4)}, slip="1", now=g.NOW
            )

    def transfer(self) -> None:
        self._send(3, to_warehouse=self.east)

    def receive(self) -> None:
        """Two of three arrive; the third is asked to be written off."""
        dispatch = Dispatch.objects.get(to_warehouse=self.east)
        if dispatch.lines.get().arrived == 0:
            ops.receive_transfer(
                actor=_actor("keeper_east", ("storekeeper", "warehouse", self.east.pk)), dispatch=dispatch,
                quantities={1: D(2)}, missing={1: D(1)}, reason="x", now=g.NOW,
                shelf=Location.objects.get(warehouse=self.east, kind=Place.SHELF),
            )  # fmt: skip

    def lose(self) -> None:
        self._decide(Removal.objects.get(kind="write_off"))

    def sell(self) -> None:
        self._decide(
            Removal.objects.filter(kind="sell").first()
            or ops.ask_removal(
                actor=self.keeper, lot=self.lot, location=self.shelf, quantity=D(2), kind="sell", reason="x",
                proceeds=Money(500), fund=MicroFund.objects.get(), buyer="x", now=g.NOW,
            )
        )  # fmt: skip

    def _decide(self, removal: Removal) -> None:
        if removal.status == "asked":
            ops.decide_removal(actor=self.manager, removal=removal, approve=True, now=g.NOW)

    def _send(self, quantity: int, **to: object) -> None:
        dispatch = Dispatch.objects.filter(**to).first() or ops.plan_dispatch(
            actor=self.keeper, warehouse=self.main, picks=[ops.Pick(self.lot, self.shelf, D(quantity))], now=g.NOW,
            **to,  # type: ignore[arg-type]
        )  # fmt: skip
        if dispatch.status == "picking":
            ops.send_dispatch(actor=self.keeper, dispatch=dispatch, carrier="x", now=g.NOW)


STEPS: dict[str, Callable[[Way], None]] = {
    "inspect": Way.inspect, "send": Way.send, "hand": Way.hand, "transfer": Way.transfer, "receive": Way.receive,
    "lose": Way.lose, "sell": Way.sell,
}  # fmt: skip


def go(step: str = "", point: str = "") -> None:
    """This will do the steps, and die at a point of one of them."""
    way = Way()
    for name, do in STEPS.items():
        os.environ["CRASH_AT"] = point if name == step else ""
        do(way)


def _actor(label: str, *grants: tuple[str, str, int]) -> Actor:
    person = Person.objects.filter(display_name=label).order_by("pk").first()
    assert person is not None
    return Actor("person", label, person.pk, None, True, frozenset(Grant(*one) for one in grants))
