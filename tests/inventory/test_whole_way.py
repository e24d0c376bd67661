"""Goods from the giver to a family and every way aside: sums close, the ledger agrees, people are checked."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from apps.core.errors import DomainError, PermissionRefused, WrongState
from apps.core.money import Money
from apps.inventory import operations as ops
from apps.inventory.errors import BadQuantity, Expired, NotEnoughStock, SamePerson, ValueKnown
from apps.inventory.models import BoardRow, Handover, Lot, LotTotal, Movement
from apps.inventory.operations import Pick
from apps.inventory.operations.making import RecipeDiffers
from apps.ledger.models import Line
from tests import world as w
from tests.inventory import goods as g

pytestmark = pytest.mark.django_db
D = Decimal


def account(role: str) -> int:
    return sum(Line.objects.filter(account__role=role).values_list("amount", flat=True))


def test_given_inspected_stored_dispatched_confirmed() -> None:
    store = g.build()
    (lot,) = g.receive(store, g.draft(fen=12_000)).lots.all()
    assert account("inventory") == 0, "what waits for inspection is nobody's income"
    ops.inspect_lot(
        actor=store.keeper,
        lot=lot,
        passed=D(8),
        failed=D(2),
        shelf=store.shelf,
        grade="new",
        note="受潮",
        now=g.NOW,
    )
    assert account("inventory") == 96_000 and account("gift_in_kind") == -96_000
    ops.give_back(
        actor=store.keeper,
        lot=lot,
        location=store.place("quarantine"),
        quantity=D(2),
        reason="不合格",
        now=g.NOW,
    )
    dispatch = g.sent(store, lot, "5")
    assert account("inventory") == 96_000, "on the road it is still ours"
    family = w.household(store.city, 1)
    said = ops.record_handover(
        actor=store.caseworker, dispatch=dispatch, quantities={1: D(2)}, household=family, now=g.NOW
    )
    assert said.confirmed == "" and account("programme") == 24_000
    ops.confirm_handover(actor=store.caseworker, handover=said, reference="QS-1", now=g.NOW)
    with pytest.raises(WrongState):
        ops.confirm_handover(actor=store.caseworker, handover=said, reference="QS-2", now=g.NOW)
    ops.record_handover(
        actor=store.caseworker, dispatch=dispatch, quantities={1: D(2)}, households=2, slip="QS-3", now=g.NOW
    )
    ops.bring_back(actor=store.keeper, dispatch=dispatch, quantities={1: D(1)}, reason="不在家", now=g.NOW)
    dispatch.refresh_from_db()
    assert dispatch.status == "closed"
    ops.take_back(actor=store.keeper, dispatch=dispatch, quantities={1: D(1)}, reason="尺寸不合", now=g.NOW)
    total = LotTotal.objects.get(lot=lot)
    assert (total.received, total.in_stock, total.delivered, total.returned) == (10, 5, 3, 2)
    assert account("inventory") == total.value == 60_000
    row = BoardRow.objects.get()
    assert (row.category, row.unit_id, row.received, row.delivered, row.gap) == ("clothing", "床", 10, 3, 0)
    assert Handover.objects.filter(confirmed="slip").count() == 2
    g.check()


def test_a_sale_and_a_write_off_need_another_person() -> None:
    store = g.build()
    lot = g.stored(store, g.draft(fen=3_333, quantity="3"))
    ask = {"actor": store.keeper, "lot": lot, "location": store.shelf, "now": g.NOW}
    sale = ops.ask_removal(
        **ask,
        quantity=D(1),
        kind="sell",
        reason="临期",
        proceeds=Money(2_000),
        fund=store.city.fund,
        buyer="便民商店",
    )
    loss = ops.ask_removal(**ask, quantity=D(2), kind="write_off", reason="鼠咬")
    assert g.at(lot, "shelf") == 3, "asking moves nothing"
    both = w.person("both", ("storekeeper", "warehouse", store.warehouse.pk),
                    ("manager", "organization", store.city.organization.pk))  # fmt: skip
    own = ops.ask_removal(**{**ask, "actor": both}, quantity=D(1), kind="write_off", reason="x")
    with pytest.raises(SamePerson):
        ops.decide_removal(actor=both, removal=own, approve=True, now=g.NOW)
    with pytest.raises(PermissionRefused):
        ops.decide_removal(actor=store.keeper2, removal=sale, approve=True, now=g.NOW)
    with pytest.raises(DomainError):
        ops.decide_removal(actor=store.manager, removal=own, approve=False, now=g.NOW)
    ops.decide_removal(actor=store.manager, removal=own, approve=False, answer="先修", now=g.NOW)
    ops.decide_removal(actor=store.manager, removal=sale, approve=True, now=g.NOW)
    with pytest.raises(WrongState):
        ops.decide_removal(actor=store.manager, removal=sale, approve=True, now=g.NOW)
    ops.decide_removal(actor=store.manager, removal=loss, approve=True, now=g.NOW)
    total = LotTotal.objects.get(lot=lot)
    assert (total.in_stock, total.sold, total.written_off, total.value) == (0, 1, 2, 0)
    assert account("bank") == 2_000 and account("programme") == 3_333 and account("management") == 6_666
    g.check()


def test_lost_on_the_road_closes_the_dispatch() -> None:
    store = g.build()
    lot = g.stored(store, g.draft(fen=100))
    dispatch = g.sent(store, lot, "4")
    line = dispatch.lines.get()
    ask = ops.ask_removal(
        actor=store.keeper, lot=lot, location=store.place("transit"), quantity=D(4), kind="write_off",
        reason="车祸", line=line, now=g.NOW,
    )  # fmt: skip
    ops.decide_removal(actor=store.manager, removal=ask, approve=True, now=g.NOW)
    dispatch.refresh_from_db()
    assert dispatch.status == "closed" and LotTotal.objects.get(lot=lot).written_off == 4
    g.check()


def test_refusals_that_lose_nothing() -> None:
    store = g.build()
    today = g.NOW.date()
    lot = g.stored(store, g.draft(quantity="10", expires_on=today))
    old = g.stored(store, g.draft(quantity="10", expires_on=today - dt.timedelta(days=1)))
    with pytest.raises(BadQuantity):
        g.receive(store, g.draft(quantity="1.5"))
    with pytest.raises(BadQuantity):
        g.receive(store, g.draft(quantity="-1"))
    with pytest.raises(BadQuantity):
        g.receive(store, g.draft(quantity="NaN"))
    with pytest.raises(DomainError):
        g.receive(store, g.draft(unit="斗"))
    with pytest.raises(NotEnoughStock):
        g.plan(store, lot, "11")
    with pytest.raises(Expired):
        g.plan(store, old, "1")
    dispatch = g.plan(store, lot, "10")
    with pytest.raises(NotEnoughStock):
        ops.send_dispatch(actor=store.keeper, dispatch=dispatch, picked={1: D(11)}, carrier="x", now=g.NOW)
    with pytest.raises(Expired):
        ops.send_dispatch(
            actor=store.keeper, dispatch=dispatch, carrier="x", now=g.NOW + dt.timedelta(days=1)
        )
    ops.send_dispatch(actor=store.keeper, dispatch=dispatch, picked={1: D(6)}, carrier="车队", now=g.NOW)
    with pytest.raises(NotEnoughStock):
        ops.record_handover(actor=store.caseworker, dispatch=dispatch, quantities={1: D(7)}, now=g.NOW)
    with pytest.raises(PermissionRefused):
        ops.record_handover(
            actor=store.city.people["caseworker_hengxi"], dispatch=dispatch, quantities={1: D(1)}, now=g.NOW
        )
    foreign = w.household(store.city, 2, town=store.city.towns[1])
    with pytest.raises(DomainError):
        ops.record_handover(
            actor=store.caseworker, dispatch=dispatch, quantities={1: D(1)}, household=foreign, now=g.NOW
        )
    with pytest.raises(PermissionRefused):
        ops.cancel_dispatch(actor=store.caseworker, dispatch=dispatch, reason="x", now=g.NOW)
    with pytest.raises(WrongState):
        ops.cancel_dispatch(actor=store.keeper, dispatch=dispatch, reason="x", now=g.NOW)
    assert Lot.objects.count() == 2 and Movement.objects.filter(kind="deliver").count() == 0
    g.check()


def test_a_kit_by_its_recipe_and_back() -> None:
    store = g.build()
    rice = g.stored(store, g.draft("大米", "20", "公斤", category="food", fen=600,
                                   expires_on=g.NOW.date() + dt.timedelta(days=30)))  # fmt: skip
    oil = g.stored(store, g.draft("食用油", "6", "瓶", category="food", fen=5_001))
    recipe = ops.state_recipe(
        actor=store.keeper, warehouse=store.warehouse, name="春节慰问包", category="food", unit="套",
        parts=[("大米", "food", "公斤", D("2.5")), ("食用油", "food", "瓶", D(1))], now=g.NOW,
    )  # fmt: skip
    wrong = [Pick(rice, store.shelf, D("9.999")), Pick(oil, store.shelf, D(4))]
    make = {"actor": store.keeper, "recipe": recipe, "shelf": store.shelf2, "now": g.NOW}
    with pytest.raises(RecipeDiffers):
        ops.assemble_kit(**make, kits=D(4), picks=wrong)
    picks = [Pick(rice, store.shelf, D(10)), Pick(oil, store.shelf, D(4))]
    kit = ops.assemble_kit(**make, kits=D(4), picks=picks)
    assert kit.expires_on == rice.expires_on
    assert LotTotal.objects.get(lot=kit).value == 6_000 + 20_004
    parts = ops.disassemble_kit(**make, pick=Pick(kit, store.shelf2, D(4)))
    assert [(p.item, p.quantity) for p in parts] == [("大米", D(10)), ("食用油", D(4))]
    assert [LotTotal.objects.get(lot=p).value for p in parts] == [6_000, 20_004]
    assert LotTotal.objects.get(lot=kit).converted == 4 and LotTotal.objects.get(lot=kit).in_stock == 0
    g.check()


def test_a_box_of_24_becomes_pieces() -> None:
    store = g.build()
    box = g.stored(
        store, g.draft("矿泉水", "3", "箱", category="food", fen=3_601, per_unit=D(24), inner_unit="瓶")
    )
    convert = {"actor": store.keeper, "unit": "瓶", "shelf": store.shelf, "now": g.NOW}
    with pytest.raises(DomainError):
        ops.convert_unit(**convert, pick=Pick(box, store.shelf, D(1)), factor=D(12))
    made = ops.convert_unit(**convert, pick=Pick(box, store.shelf, D(1)), factor=D(24))
    total = LotTotal.objects.get(lot=box)
    assert (made.quantity, made.unit_id, total.in_stock, total.converted) == (24, "瓶", 2, 1)
    assert LotTotal.objects.get(lot=made).value == 3_601
    g.check()


def test_a_count_with_differences_waits_for_another_person() -> None:
    store = g.build()
    lot, more = g.stored(store, g.draft(fen=500)), g.stored(store, g.draft("毛毯", fen=700))
    count = ops.open_count(actor=store.keeper, warehouse=store.warehouse, now=g.NOW)
    with pytest.raises(DomainError):
        ops.open_count(actor=store.keeper2, warehouse=store.warehouse, now=g.NOW)
    line = {"actor": store.keeper, "count": count, "location": store.shelf, "now": g.NOW}
    with pytest.raises(DomainError):
        ops.record_count(**line, lot=lot, counted=D(8))
    ops.record_count(**line, lot=lot, counted=D(8), note="少两床")
    ops.record_count(**line, lot=more, counted=D(11), note="上次漏记")
    ops.submit_count(actor=store.keeper, count=count, now=g.NOW)
    assert g.at(lot, "shelf") == 10
    with pytest.raises(PermissionRefused):
        ops.decide_count(actor=store.keeper, count=count, approve=True, now=g.NOW)
    ops.decide_count(actor=store.manager, count=count, approve=True, now=g.NOW)
    short, over = LotTotal.objects.get(lot=lot), LotTotal.objects.get(lot=more)
    assert (short.in_stock, short.written_off, over.in_stock, over.found) == (8, 2, 11, 1)
    assert account("management") == 1_000 and account("other_income") == -700
    g.check()


def test_a_value_is_given_once_and_before_anything_leaves() -> None:
    store = g.build()
    lot, gone = g.stored(store), g.stored(store)
    g.sent(store, gone, "1")
    dispatch = g.sent(store, gone, "1")
    ops.record_handover(actor=store.caseworker, dispatch=dispatch, quantities={1: D(1)}, now=g.NOW)
    with pytest.raises(DomainError):
        ops.value_lot(actor=store.keeper, lot=lot, unit_value=Money(100), basis="market", now=g.NOW)
    ops.value_lot(
        actor=store.keeper, lot=lot, unit_value=Money(100), basis="market", basis_source="某商城", now=g.NOW
    )
    assert account("gift_in_kind") == -1_000
    for each in (lot, gone):
        with pytest.raises(ValueKnown):
            ops.value_lot(actor=store.keeper, lot=each, unit_value=Money(9), basis="invoice", now=g.NOW)
    g.check()
