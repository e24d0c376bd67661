"""What goods cost: a few statements however many lines, a check that doesn't grow with history, an indexed search."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.inventory import operations as ops
from apps.inventory import queries, work_queries
from apps.inventory.models import Consignment, Dispatch, Lot, Movement
from apps.inventory.operations import Pick
from apps.inventory.operations.moving import Move, post_moves
from apps.inventory.queries import LotFilter
from apps.inventory.states import STANDING, Kind
from apps.inventory.words import narrowed
from tests.inventory import goods as g

D = Decimal
WRITTEN = ("INSERT", "SELECT", "UPDATE", "WITH", "DELETE")


def statements(act: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        act()
    return sum(each["sql"].lstrip().upper().startswith(WRITTEN) for each in caught.captured_queries)


@pytest.mark.django_db
def test_one_movement_takes_at_most_ten_statements() -> None:
    store = g.build()
    lot = g.stored(store, g.draft(fen=1_200))
    assert statements(
        lambda: ops.store_goods(actor=store.keeper, lot=lot, source=store.shelf, target=store.shelf2, quantity=D(1),
                                now=g.NOW)
    ) <= 7  # fmt: skip
    assert statements(
        lambda: post_moves(
            actor=store.keeper, now=g.NOW,
            moves=[Move(Kind.GIVE_BACK, lot.pk, store.shelf.pk, store.place("returned").pk, D(1), "x")],
        )
    ) <= 12, "with its ledger entry; one of them finds the place"  # fmt: skip


@pytest.mark.django_db
def test_fifty_lines_take_the_statements_of_one() -> None:
    store = g.build()
    few = _way(store, 1)
    many = _way(store, 50)
    assert many == few
    assert sum(many.values()) <= 60
    g.check()


def _way(store: g.Store, lines: int) -> dict[str, int]:
    g.receive(store, *(g.draft(f"物资{n}", fen=100 + n) for n in range(lines)))
    lots = list(Lot.objects.select_related("unit").order_by("-pk")[:lines])
    for lot in lots:
        ops.inspect_lot(actor=store.keeper, lot=lot, passed=D(10), failed=D(0), shelf=store.shelf, now=g.NOW)
    found: dict[str, Any] = {}

    def plan() -> None:
        found["dispatch"] = ops.plan_dispatch(
            actor=store.keeper, warehouse=store.warehouse, picks=[Pick(lot, store.shelf, D(4)) for lot in lots],
            town=store.city.towns[0], now=g.NOW,
        )  # fmt: skip

    each = dict.fromkeys(range(1, lines + 1), D(2))
    return {
        "plan": statements(plan),
        "send": statements(
            lambda: ops.send_dispatch(
                actor=store.keeper, dispatch=found["dispatch"], carrier="x", now=g.NOW)
        ),
        "hand": statements(
            lambda: ops.record_handover(
                actor=store.caseworker, dispatch=found["dispatch"], quantities=each, now=g.NOW)
        ),
        "back": statements(
            lambda: ops.bring_back(
                actor=store.keeper, dispatch=found["dispatch"], quantities=each, reason="x", now=g.NOW)
        ),
    }  # fmt: skip


def test_the_check_of_a_lot_reads_no_more_after_a_long_history(committed_db: Any) -> None:
    """Rows of movements fetched while one is posted and committed, after few and after 400 of the same lot."""
    store = g.build()
    lot = g.stored(store, g.draft(quantity="1000"))

    def there_and_back(times: int) -> None:
        pair = (store.shelf.pk, store.shelf2.pk)
        for _ in range(times):
            post_moves(
                actor=store.keeper, now=g.NOW,
                moves=[Move(Kind.STORE, lot.pk, *(pair if n % 2 == 0 else pair[::-1]), D(1)) for n in range(100)],
            )  # fmt: skip

    few = _read(store, lot)
    from django.db import transaction

    with transaction.atomic():
        there_and_back(4)
    assert Movement.objects.filter(lot=lot).count() > 400
    assert _read(store, lot) <= few + 2
    g.check()


def _read(store: g.Store, lot: Lot) -> int:
    """How many rows of movements one more movement makes the database read, by its own statistics."""
    sql = """SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables
             WHERE relname = 'inventory_movement'"""
    from django.db import transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)  # what the session read before and has not handed in yet counts as well
        before = int(cursor.fetchone()[0])
        ops.store_goods(
            actor=store.keeper, lot=lot, source=store.shelf, target=store.shelf2, quantity=D(1), now=g.NOW
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql)
        return int(cursor.fetchone()[0]) - before


@pytest.mark.django_db
def test_words_of_lots() -> None:
    store = g.build()
    lot = g.stored(store, g.draft("医用外科口罩", "10", "盒", category="medical", spec="N95，50只/盒"))
    other = g.stored(store, g.draft("罩衣 Disposable", "10", "件", category="medical", spec="外科用"))

    def found(words: str) -> set[int]:
        listed = set(queries.lots(LotFilter(words=words)).values_list("pk", flat=True))
        assert {row.lot_id for row in work_queries.on_shelves(store.warehouse, words)} == listed
        return listed

    both = {lot.pk, other.pk}
    for words, wanted in {
        "罩": both, "口罩": {lot.pk}, "外科口罩": {lot.pk}, "外科": both, "外科 衣": {other.pk}, "醫用": {lot.pk},
        "n95": {lot.pk}, "ｎ９５": {lot.pk}, "disp": {other.pk}, "科口": {lot.pk}, "罩衣外科": set(), "口罩n95": set(),
        "罩口": set(), "50只": {lot.pk}, "'\\": both, "a'b\\c": set(), lot.number: {lot.pk},
        lot.number.lower(): {lot.pk}, "衣disposable": {other.pk}, "，": both,
    }.items():  # fmt: skip
        if words in ("'\\", "，"):
            found(words)
            continue
        assert found(words) == wanted, words


@pytest.mark.django_db
def test_the_index_answers_words() -> None:
    store = g.build()
    g.stored(store)
    rows = queries.lots(LotFilter(words="外科口罩"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    plan = rows.explain()
    assert "lot_by_words" in plan, plan
    for model, index in ((Consignment, "consignment_by_words"), (Dispatch, "dispatch_by_words")):
        plan = narrowed(model.objects.all(), "澜江纺织").explain()
        assert index in plan, plan


@pytest.mark.django_db
@pytest.mark.parametrize("state", [name for name in STANDING if name != "delivered"])
def test_lots_that_stand_somewhere_have_an_index_of_their_own(state: str) -> None:
    g.stored(g.build())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    plan = queries.lots(LotFilter(state=state))[:31].explain()
    assert f"lot_total_{state}" in plan and "Sort" not in plan, plan


@pytest.mark.django_db
def test_sums_of_a_list_come_from_roll_ups_or_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    store = g.build()
    for n in range(3):
        g.stored(store, g.draft(f"棉被{n}", "10"))
    g.stored(store, g.draft("大米", "7", "袋", category="food"))
    for wanted, sums in (
        (LotFilter(), [("床", 30), ("袋", 7)]), (LotFilter(category="food"), [("袋", 7)]),
        (LotFilter(words="棉被"), [("床", 30)]), (LotFilter(state="in_stock"), [("床", 30), ("袋", 7)]),
        (LotFilter(words="棉被1", category="clothing"), [("床", 10)]), (LotFilter(words="铁锅"), []),
    ):  # fmt: skip
        found, too_many = queries.summed(wanted)
        assert ([(row["unit"], row["received"]) for row in found], too_many) == (sums, False), wanted
        assert all(row["in_stock"] == row["received"] for row in found)
    monkeypatch.setattr(queries, "MOST_SUMMED", 2)
    assert queries.summed(LotFilter(words="棉被")) == ([], True)
    assert "查到的太多" in Client().get("/goods/lots/", {"q": "棉被"}).text


@pytest.mark.django_db
def test_consignments_and_dispatches_are_found_by_name_and_number() -> None:
    store = g.build()
    lot = g.stored(store, name="澜江纺织厂")
    g.receive(store, name="Bright 医疗用品公司")
    out = g.plan(store, lot, "1", receiver_name="市第一人民医院", purpose="冬季慰问")
    for words, n in (
        ("纺织", 1),
        ("bright", 1),
        ("ＢＲＩＧＨＴ", 1),
        ("澜江 纺织", 1),
        ("纺厂", 0),
        ("", 2),
        ("公司", 1),
    ):
        assert work_queries.consignments(store.keeper, words=words).count() == n, words
    assert lot.consignment is not None
    assert (
        work_queries.consignments(store.keeper, words=lot.consignment.number.lower()).get() == lot.consignment
    )
    for words in ("人民医院", "慰问", out.number, ""):
        assert work_queries.dispatches(store.keeper, words=words).get() == out, words
    assert not work_queries.dispatches(store.keeper, words="第二医院").exists()
