"""Goods lines of reports: what came, went and is left, by value and quantity, from the stock books (D3, I2)."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.test import Client
from pytest_django.asserts import assertContains

from apps.core.clock import SHANGHAI
from apps.core.money import Money
from apps.disclosures import operations as op
from apps.disclosures.errors import DifferenceUnexplained
from apps.disclosures.forms import number, plain
from apps.disclosures.goods import PARTS, goods_figures, received_goods
from apps.disclosures.invariants import goods_sums_are_the_movements
from apps.disclosures.models import Duty, GoodsSum, Report, ReportLine
from apps.disclosures.operations import LineInput
from apps.inventory import operations as ops
from apps.inventory.models import Lot
from apps.organizations.operations import register_organization
from tests import world as w
from tests.disclosures import scene
from tests.inventory import goods as g

pytestmark = pytest.mark.django_db
LAST_YEAR = dt.datetime(2025, 12, 30, 9, tzinfo=SHANGHAI)
THIS_YEAR = dt.datetime(2026, 6, 1, 9, tzinfo=SHANGHAI)
LATER = dt.datetime(2027, 2, 1, 9, tzinfo=SHANGHAI)
NO_LAG = dt.timedelta(0)
Lines = dict[str, int]


def stock(store: g.Store) -> tuple[Lot, Lot]:
    """Quilts of 120.00 and oil of 63.30: 6 handed out, 1 of them brought back, 2 given back, 1 sold, 1 written off."""
    quilts = g.stored(store, g.draft("棉被", "20", fen=12_000), now=LAST_YEAR)
    oil = g.stored(store, g.draft("食用油", "12.5", "升", category="food", fen=6_330), now=THIS_YEAR)
    g.stored(store, g.draft("旧书", "40", "本", category="education"), now=THIS_YEAR)
    out = g.plan(store, quilts, "8", receiver_name="澜江市福利院")
    ops.send_dispatch(actor=store.keeper, dispatch=out, carrier="本会车队", now=THIS_YEAR)
    ops.record_handover(
        actor=store.keeper, dispatch=out, quantities={1: Decimal(6)}, signer="院长", slip="S-1", now=THIS_YEAR
    )
    ops.take_back(actor=store.keeper, dispatch=out, quantities={1: Decimal(1)}, reason="多了", now=THIS_YEAR)
    ops.give_back(
        actor=store.keeper,
        lot=oil,
        location=store.shelf,
        quantity=Decimal("2.5"),
        reason="赠与人要回",
        now=THIS_YEAR,
    )
    ask = {
        "actor": store.keeper,
        "lot": quilts,
        "location": store.shelf,
        "quantity": Decimal(1),
        "now": THIS_YEAR,
    }
    sale = ops.ask_removal(
        **ask, kind="sell", reason="受潮", proceeds=Money(2_000), fund=store.city.fund, buyer="便民商店"
    )
    loss = ops.ask_removal(**ask, kind="write_off", reason="鼠咬")
    for removal in (sale, loss):
        ops.decide_removal(actor=store.manager, removal=removal, approve=True, now=THIS_YEAR)
    return quilts, oil


def lines(store: g.Store, year: int) -> Lines:
    found = goods_figures(
        store.city.organization.pk, dt.date(year, 1, 1), dt.date(year + 1, 1, 1), dt.datetime.now(dt.UTC)
    )
    return {each.key: each.amount for each in found}


def test_the_flow_of_a_year_by_hand() -> None:
    store = g.build()
    assert lines(store, 2026) == {}, "never had goods: no lines"
    stock(store)
    assert lines(store, 2025) == {
        "value:received": 240_000, "value:delivered": 0, "value:closing": 240_000,
        "clothing:床:received": 20_000, "clothing:床:delivered": 0, "clothing:床:closing": 20_000,
    }  # fmt: skip
    assert lines(store, 2026) == {
        "value:opening": 240_000, "value:received": 79_125, "value:delivered": 60_000, "value:returned": 15_825,
        "value:sold": 12_000, "value:written_off": 12_000, "value:closing": 219_300,
        "food:升:received": 12_500, "food:升:delivered": 0, "food:升:returned": 2_500, "food:升:closing": 10_000,
        "clothing:床:opening": 20_000, "clothing:床:received": 0, "clothing:床:delivered": 5_000,
        "clothing:床:sold": 1_000, "clothing:床:written_off": 1_000, "clothing:床:closing": 13_000,
        "education:本:received": 40_000, "education:本:delivered": 0, "education:本:closing": 40_000,
    }  # fmt: skip
    body = "51449900MJL000002"
    other = register_organization(
        actor=w.SETUP, name="另一家", uscc=body + w._check(body), kind="service", address="x", phone="x"
    )
    assert goods_figures(other.pk, dt.date(2026, 1, 1), dt.date(2027, 1, 1), LATER) == [], "another's goods"


def test_every_flow_closes_and_equals_the_lots_sums() -> None:
    """Random receipts, hand-outs and losses over two years: opening and what came equal what went and what is left."""
    store, chance = g.build(), random.Random(8)
    days = [LAST_YEAR - dt.timedelta(days=n * 90) for n in range(3)] + [THIS_YEAR]
    for n in range(6):
        lot = g.stored(store, g.draft(f"物资{n}", str(chance.randint(5, 30)), fen=chance.choice([3_333, 777])),
                       now=chance.choice(days))  # fmt: skip
        ops.give_back(
            actor=store.keeper, lot=lot, location=store.shelf, quantity=Decimal(chance.randint(1, 4)), reason="x",
            now=THIS_YEAR,
        )  # fmt: skip
    for year in (2025, 2026):
        found = lines(store, year)
        for head in {key.rpartition(":")[0] for key in found}:
            each = {key.rpartition(":")[2]: n for key, n in found.items() if key.rpartition(":")[0] == head}
            came = sum(each.get(name, 0) for name in ("opening", "received", "found", "converted"))
            gone = sum(each.get(name, 0) for name in ("delivered", "returned", "sold", "written_off"))
            assert came - gone == each["closing"], (year, head, each)
    totals = [lot.total for lot in Lot.objects.select_related("total")]
    assert lines(store, 2026)["value:closing"] == sum(total.value for total in totals)
    assert lines(store, 2026)["clothing:床:closing"] == 1000 * sum(total.in_stock for total in totals)


def test_folded_months_read_as_the_movements_do() -> None:
    """However much is folded into monthly sums, a report's lines are the same; and each movement is folded once."""
    store = g.build()
    stock(store)
    whole = {year: lines(store, year) for year in (2025, 2026, 2027)}
    assert op.fold_goods() == 0, "what is younger than hours may still be joined by an older one on its way"
    assert op.fold_goods(lag=NO_LAG) > 10 and op.fold_goods(lag=NO_LAG) == 0
    assert {year: lines(store, year) for year in whole} == whole
    assert received_goods(store.city.organization.pk, 2026) and not received_goods(
        store.city.organization.pk, 2027
    )
    g.stored(store, g.draft("棉被", "3", fen=12_000), now=THIS_YEAR)
    late = lines(store, 2026)
    assert late["value:received"] == whole[2026]["value:received"] + 36_000, "not folded yet, and counted"
    assert op.fold_goods(lag=NO_LAG) > 0 and lines(store, 2026) == late
    assert goods_sums_are_the_movements().broken == []


def test_a_cut_off_before_the_fold_reads_the_movements() -> None:
    store = g.build()
    stock(store)
    long_ago = dt.datetime(2020, 1, 1, tzinfo=SHANGHAI)
    op.fold_goods(lag=NO_LAG)
    year = dt.date(2026, 1, 1), dt.date(2027, 1, 1)
    assert goods_figures(store.city.organization.pk, *year, long_ago) == []
    part = goods_figures(store.city.organization.pk, dt.date(2026, 5, 15), year[1], LATER)
    assert {each.key: each.amount for each in part}["value:opening"] == 240_000, (
        "not of whole months: no sums"
    )


def test_sums_that_were_tampered_with_are_found() -> None:
    store = g.build()
    stock(store)
    op.fold_goods(lag=NO_LAG)
    assert goods_sums_are_the_movements().broken == []
    GoodsSum.objects.filter(kind="receive").update(quantity=F("quantity") + 1)
    assert goods_sums_are_the_movements().broken


def test_a_drafts_goods_cost_no_more_as_history_grows(django_assert_num_queries: Any) -> None:
    """What is read of the movements is what was recorded since the last fold, however many there are."""
    store = g.build()
    stock(store)
    op.fold_goods(lag=NO_LAG)
    with django_assert_num_queries(2):
        lines(store, 2026)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + PARTS, {
            "organization": store.city.organization.pk, "first": dt.date(2026, 1, 1), "last": dt.date(2027, 1, 1),
            "start": THIS_YEAR, "end": LATER, "cutoff": LATER, "months": True,
        })  # fmt: skip
        plan = json.dumps(cursor.fetchone()[0])
    read = [node for node in nodes(json.loads(plan)) if node.get("Relation Name") == "inventory_movement"]
    assert read and sum(node["Actual Rows"] for node in read) == 0, "every movement is folded: none is read"


def nodes(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, list):
        for each in plan:
            yield from nodes(each)
    elif isinstance(plan, dict):
        yield plan
        for each in plan.values():
            if isinstance(each, list | dict):
                yield from nodes(each)


def flow_report(store: g.Store) -> Report:
    op.advance_duties(now=LATER)
    duty = Duty.objects.get(code="goods_flow", organization=store.city.organization)
    return op.start_report(actor=store.city.people["officer"], duty=duty, now=LATER)


def test_a_year_with_goods_begins_the_duty_and_only_then() -> None:
    store = g.build()
    op.advance_duties(now=LATER)
    assert not Duty.objects.filter(code="goods_flow").exists()
    g.stored(store, now=THIS_YEAR)
    assert received_goods(store.city.organization.pk, 2026)
    assert not received_goods(store.city.organization.pk, 2025)
    assert not received_goods(store.city.organization.pk + 1, 2026)
    op.advance_duties(now=LATER)
    assert [str(duty.due_on) for duty in Duty.objects.filter(code="goods_flow")] == ["2027-05-31"]


@pytest.mark.parametrize(
    ("key", "stated"),
    [("value:delivered", 60_001), ("value:closing", 219_299), ("clothing:床:delivered", 5_001),
     ("food:升:received", 12_499), ("education:本:closing", 0)],
)  # fmt: skip
def test_a_wrong_figure_needs_its_explanation(key: str, stated: int) -> None:
    """Off by one fen or by a thousandth of a unit: refused by the operation, and by the database without it."""
    store = g.build()
    stock(store)
    report = flow_report(store)
    given = {
        "actor": store.city.people["officer"],
        "report": report,
        "narrative": scene.NARRATIVE,
        "now": LATER,
    }
    said = scene.as_computed(report)
    with pytest.raises(DifferenceUnexplained):
        op.submit_report(lines={**said, ("goods", key): LineInput(stated)}, **given)
    assert Report.objects.get(pk=report.pk).status == "draft"
    ReportLine.objects.filter(report=report, key=key).update(reported=stated)
    with pytest.raises(DatabaseError, match="report_difference_explained"), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(
            status="submitted", submitted_at=LATER, cutoff_at=LATER, draw_seed="x"
        )
    why = LineInput(stated, "两张签收单还没有录入。")
    assert op.submit_report(lines={**said, ("goods", key): why}, **given).status == "submitted"


def test_reported_computed_and_difference_on_the_public_page() -> None:
    store = g.build()
    stock(store)
    report = flow_report(store)
    said = scene.as_computed(report)
    said["goods", "food:升:received"] = LineInput(12_000, "少记半升，已补。")
    op.submit_report(
        actor=store.city.people["officer"], report=report, narrative=scene.NARRATIVE, lines=said, now=LATER
    )
    if report.kind.audited:
        scene.auditor(scene.firm(1))
        scene.audited(store.city, report, scene.Auditors(), now=LATER)
    op.publish_report(actor=store.city.people["manager"], report=report, now=LATER)
    frozen = json.loads(Client().get(f"/disclosures/{report.public_id}/original.json").content)
    [line] = [line for line in frozen["lines"] if line["key"] == "food:升:received"]
    assert (line["reported"], line["computed"], line["difference"], line["unit"]) == (
        12_000,
        12_500,
        -500,
        "quantity",
    )
    page = Client().get(f"/disclosures/{report.public_id}/")
    for text in ("粮油食品：收到（升）", ">12<", ">12.5<", "少记半升，已补。", "物资价值：发放", "600.00"):
        assertContains(page, text)
    english = Client().get(f"/en/disclosures/{report.public_id}/")
    assertContains(english, "Value of goods: handed out")


@pytest.mark.parametrize(
    ("typed", "stored"), [("12.5", 12_500), ("1,200", 1_200_000), ("0.001", 1), ("-3", -3_000)]
)
def test_quantities_are_typed_as_people_write_them(typed: str, stored: int) -> None:
    assert number(typed, "quantity", "CNY") == stored
    assert number(plain(stored, "quantity", "CNY"), "quantity", "CNY") == stored


@pytest.mark.parametrize("typed", ["", "12.5.1", "1e3", "0.0001", "十", "١", "9" * 13])
def test_what_is_no_quantity_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        number(typed, "quantity", "CNY")
