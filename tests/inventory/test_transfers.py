"""Goods between two warehouses of one organization: one lot, one sum (I2), nobody's income and nobody's use."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from apps.core.errors import BadInput, DomainError, PermissionRefused, WrongState
from apps.inventory import operations as ops
from apps.inventory.errors import Expired, NotEnoughStock, NothingWanted, SamePerson
from apps.inventory.models import BoardRow, Dispatch, Location, Lot, LotTotal, Movement, Removal, Stock
from apps.inventory.operations import Pick
from apps.inventory.operations.transferring import OwnTransfer
from apps.inventory.queries import may_be_one_person, way_of
from apps.inventory.work_queries import find_code, todo
from apps.ledger.models import Entry
from apps.organizations.operations import register_organization
from tests import world as w
from tests.inventory import goods as g
from tests.inventory.test_pages import client

pytestmark = pytest.mark.django_db
D = Decimal


def sums(lot: Lot) -> tuple[Decimal, ...]:
    total = LotTotal.objects.get(lot=lot)
    return total.in_stock, total.in_transit, total.delivered, total.written_off


def receive(there: g.Second, dispatch: Dispatch, good: str, **more: Any) -> Dispatch:
    return ops.receive_transfer(
        actor=more.pop("actor", there.keeper), dispatch=dispatch, quantities={1: D(good)} if good else {},
        shelf=more.pop("shelf", there.shelf), now=g.NOW, **more,
    )  # fmt: skip


def test_sent_received_short_and_used_there() -> None:
    store = g.build()
    there = g.second(store)
    lot = g.stored(store, g.draft(quantity="10", fen=1_001))
    entries = Entry.objects.count()
    dispatch = g.sent(store, lot, "6", to_warehouse=there.warehouse)
    assert sums(lot) == (4, 6, 0, 0) and todo(there.keeper, g.NOW)["arriving"] == 1
    with pytest.raises(DomainError):
        find_code(there.keeper, lot.number, "https://x/")
    receive(there, dispatch, "3", signer="城东收货")
    dispatch = receive(there, dispatch, "1", missing={1: D(2)}, reason="两床浸水")
    assert sums(lot) == (8, 2, 0, 0) and dispatch.status == "on_road", "what is missing waits for a manager"
    assert Stock.objects.get(lot=lot, location=there.shelf).quantity == 4
    assert find_code(there.keeper, lot.number, "https://x/") == lot
    assert Entry.objects.count() == entries, "a move between own warehouses is no income and no use"
    row = BoardRow.objects.get()
    assert (row.received, row.in_stock, row.in_transit, row.made, row.converted) == (10, 8, 2, 0, 0)
    g.check()
    loss = Removal.objects.get()
    ops.decide_removal(actor=store.manager, removal=loss, approve=True, now=g.NOW)
    assert sums(lot) == (8, 0, 0, 2) and Dispatch.objects.get().status == "closed"
    assert Entry.objects.count() == entries + 1, "the loss leaves the inventory at its value"
    assert [(stop.kind, stop.quantity, stop.place) for stop in way_of(lot)][2:] == [
        ("send", 6, "城东仓库"), ("arrive", 3, "城东仓库"), ("arrive", 1, "城东仓库"), ("write_off", 2, "城东仓库"),
    ]  # fmt: skip
    move = Movement.objects.filter(kind="arrive").earliest("pk")
    assert (move.carrier, move.signer, move.actor_person) == ("本会车队", "城东收货", there.keeper.person_id)
    _use_there(store, there, lot)
    g.check()


def _use_there(store: g.Store, there: g.Second, lot: Lot) -> None:
    """The other warehouse's storekeeper does with its part whatever a storekeeper does; the first one can't."""
    pick = Pick(lot, there.shelf, D(1))
    common: dict[str, Any] = {"lot": lot, "location": there.shelf, "quantity": D(1), "now": g.NOW}
    for actor in (store.keeper, store.caseworker):
        with pytest.raises(PermissionRefused):
            ops.give_back(actor=actor, reason="退", **common)
    ops.give_back(actor=there.keeper, reason="退", **common)
    asked = ops.ask_removal(actor=there.keeper, kind="write_off", reason="霉变", **common)
    ops.decide_removal(actor=store.manager, removal=asked, approve=True, now=g.NOW)
    made = ops.convert_unit(
        actor=there.keeper, pick=pick, unit="件", factor=D(2), shelf=there.shelf, now=g.NOW
    )
    assert made.warehouse == there.warehouse and LotTotal.objects.get(lot=made).in_stock == 2
    count = ops.open_count(actor=there.keeper, warehouse=there.warehouse, now=g.NOW)
    ops.record_count(
        actor=there.keeper, count=count, lot=lot, location=there.shelf, counted=D(2), note="多一床", now=g.NOW
    )
    ops.submit_count(actor=there.keeper, count=count, now=g.NOW)
    ops.decide_count(actor=store.manager, count=count, approve=True, now=g.NOW)
    out = ops.plan_dispatch(
        actor=there.keeper, warehouse=there.warehouse, picks=[Pick(lot, there.shelf, D(2))],
        town=store.city.towns[0], now=g.NOW,
    )  # fmt: skip
    out = ops.send_dispatch(actor=there.keeper, dispatch=out, carrier="x", now=g.NOW)
    ops.record_handover(actor=store.caseworker, dispatch=out, quantities={1: D(2)}, now=g.NOW)
    assert Stock.objects.get(lot=lot, location=there.shelf).quantity == 0
    assert sums(lot) == (4, 0, 2, 3)


def test_what_is_refused_says_why_and_changes_nothing() -> None:
    store = g.build()
    there = g.second(store)
    lot = g.stored(store, g.draft(quantity="10"))
    old = g.stored(store, g.draft(quantity="10", expires_on=g.NOW.date().replace(year=2025)))
    elsewhere = register_organization(
        actor=w.SETUP, name="隔壁市慈善总会", uscc="51440000MJK614025" + w._check("51440000MJK614025"),
        kind="association", address="隔壁市1号", phone="0799-88661201", certificate="", is_fictional=True,
    )  # fmt: skip
    foreign = ops.add_warehouse(
        actor=w.SETUP, organization=elsewhere, code="far", name="隔壁仓库", address="隔壁", shelves=("F-01",)
    )
    stranger = w.person("stranger", ("storekeeper", "warehouse", foreign.pk))
    for more, why in (
        ({"to_warehouse": store.warehouse}, "移库"), ({"to_warehouse": foreign}, "别的机构"),
        ({"to_warehouse": there.warehouse, "town": store.city.towns[0]}, "三选一"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=why):
            g.plan(store, lot, "1", **more)
    with pytest.raises(Expired):
        g.plan(store, old, "1", to_warehouse=there.warehouse)
    with pytest.raises(NotEnoughStock, match="只有10"):
        g.plan(store, lot, "11", to_warehouse=there.warehouse)
    dispatch = g.plan(store, lot, "5", to_warehouse=there.warehouse)
    with pytest.raises(WrongState):
        receive(there, dispatch, "1")
    ops.send_dispatch(actor=store.keeper, dispatch=dispatch, carrier="本会车队", now=g.NOW)
    both = frozenset({*store.keeper.grants, *there.keeper.grants})
    twice = type(store.keeper)("person", "keeper", store.keeper.person_id, None, True, both)
    for actor, error in (
        (stranger, PermissionRefused), (store.keeper2, PermissionRefused), (store.caseworker, PermissionRefused),
        (twice, OwnTransfer),
    ):  # fmt: skip
        with pytest.raises(error):
            receive(there, dispatch, "1", actor=actor)
    far = Location.objects.get(warehouse=foreign, kind="shelf")
    for good, more, error in (
        ("6", {}, NotEnoughStock), ("0.5", {}, BadInput), ("-1", {}, NothingWanted), ("", {}, NothingWanted),
        ("1", {"shelf": store.shelf}, BadInput), ("1", {"shelf": far}, BadInput),
        ("1", {"missing": {1: D(1)}}, BadInput), ("4", {"missing": {1: D(2)}, "reason": "破"}, NotEnoughStock),
        ("1", {"missing": {1: D(1)}, "reason": "司机13800138000说的"}, DomainError),
    ):  # fmt: skip
        with pytest.raises(error):
            receive(there, dispatch, good, **more)
    with pytest.raises(PermissionRefused):
        ops.record_handover(actor=store.keeper, dispatch=dispatch, quantities={1: D(1)}, now=g.NOW)
    with pytest.raises(BadInput):
        ops.store_goods(
            actor=twice, lot=lot, source=store.shelf, target=there.shelf, quantity=D(1), now=g.NOW
        )
    assert sums(lot) == (5, 5, 0, 0) and not Removal.objects.exists()
    ops.bring_back(actor=store.keeper, dispatch=dispatch, quantities={1: D(5)}, reason="路断", now=g.NOW)
    assert sums(lot) == (10, 0, 0, 0)
    with pytest.raises(WrongState):
        receive(there, dispatch, "1")
    g.check()


def test_who_sent_and_who_received_never_become_one_person() -> None:
    store = g.build()
    there = g.second(store)
    sender, receiver = store.keeper.person_id, there.keeper.person_id
    assert sender is not None and receiver is not None and may_be_one_person(sender, receiver)
    receive(there, g.sent(store, g.stored(store), "5", to_warehouse=there.warehouse), "5")
    assert not may_be_one_person(sender, receiver)


def test_a_refused_loss_can_still_arrive() -> None:
    store = g.build()
    there = g.second(store)
    lot = g.stored(store)
    dispatch = receive(
        there, g.sent(store, lot, "5", to_warehouse=there.warehouse), "4", missing={1: D(1)}, reason="少一床"
    )
    loss = Removal.objects.get()
    with pytest.raises(SamePerson):
        ops.decide_removal(
            actor=type(store.manager)("person", "x", there.keeper.person_id, None, True, store.manager.grants),
            removal=loss, approve=True, now=g.NOW,
        )  # fmt: skip
    ops.decide_removal(actor=store.manager, removal=loss, approve=False, answer="在车上找到了", now=g.NOW)
    assert receive(there, dispatch, "1").status == "closed" and sums(lot) == (10, 0, 0, 0)


def test_the_pages_of_a_transfer() -> None:
    store = g.build()
    there = g.second(store)
    lot = g.stored(store)
    sends, takes = client(store.keeper, "k@x.org"), client(there.keeper, "e@x.org")
    new = reverse("inventory_dispatch_new")
    row = Stock.objects.get(lot=lot, location=store.shelf)
    asked = {"to_warehouse": there.warehouse.public_id, f"s{row.pk}": "4"}
    assert sends.post(new, asked | {"receiver_name": "市一医院"}).status_code == 422
    assert sends.post(new, asked).status_code == 302
    dispatch = Dispatch.objects.get()
    page = reverse("inventory_dispatch", args=[dispatch.number])
    assert takes.get(reverse("inventory_lot", args=[lot.public_id])).status_code == 403, (
        "nothing stands there yet"
    )
    assert "签收入库" not in takes.get(page).text, "nothing is on the road yet"
    assert sends.post(page, {"act": "send", "carrier": "车队", "driver": "老周"}).status_code == 302
    assert "签收入库" not in sends.get(page).text and "签收入库" in takes.get(page).text
    arrival = {"act": "arrive", "q1": "3", "m1": "1", "shelf": str(there.shelf.pk), "signer": "小林"}
    refused = takes.post(page, arrival)
    assert refused.status_code == 422 and "短少" in refused.text
    assert all(f'value="{typed}"' in refused.text for typed in ("3", "1", "小林")), "nothing typed is lost"
    assert takes.post(page, arrival | {"reason": "一床破损"}).status_code == 302
    work = takes.get(reverse("inventory_lot", args=[lot.public_id])).text
    assert "城东仓库 · E-01" in work and "下面处理的是城东仓库里的" in work
    public = takes.get(reverse("goods_lot", args=[lot.public_id])).text
    assert "到达另一仓库" in public and "城东仓库" in public and "小林" not in public and "老周" not in public
    english = takes.get("/en" + reverse("goods_lot", args=[lot.public_id])).text
    assert "Arrived at another warehouse" in english
