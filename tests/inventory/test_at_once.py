"""Random movements in 8 threads: no location falls below zero, every lot closes, nobody deadlocks (I2)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from apps.core.errors import DomainError
from apps.inventory import operations as ops
from apps.inventory.models import BoardRow, Lot, LotTotal, Removal, Stock
from apps.inventory.operations import Pick
from tests.inventory import goods as g

THREADS = 8
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["store", "back", "give", "send", "convert", "move", "return"]),
        st.integers(0, 1),
        st.integers(1, 6),
    ),
    min_size=THREADS, max_size=THREADS * 3,
)  # fmt: skip


def at_once(jobs: list[Callable[[], Any]]) -> list[BaseException]:
    """This will run jobs in 8 threads released together; gives what they raised that is no refusal."""
    gate, wrong = threading.Barrier(THREADS), list[BaseException]()

    def work(mine: list[Callable[[], Any]]) -> None:
        try:
            gate.wait()
            for job in mine:
                try:
                    job()
                except DomainError:
                    continue
        except BaseException as error:
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(jobs[n::THREADS],)) for n in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return wrong


def transfer(store: g.Store, there: g.Second, lot: Lot, quantity: Decimal, home: bool) -> None:
    """Sends goods to the other warehouse, or back home; a part of more than one gets lost on the way."""
    ways = [(store.warehouse, store.shelf, store.keeper), (there.warehouse, there.shelf, there.keeper)]
    (here, shelf, sender), (to, onto, receiver) = ways[::-1] if home else ways
    dispatch = ops.plan_dispatch(
        actor=sender, warehouse=here, picks=[Pick(lot, shelf, quantity)], to_warehouse=to, now=g.NOW
    )
    ops.send_dispatch(actor=sender, dispatch=dispatch, carrier="车队", now=g.NOW)
    lost = Decimal(1) if quantity > 1 else Decimal(0)
    ops.receive_transfer(
        actor=receiver, dispatch=dispatch, quantities={1: quantity - lost}, missing={1: lost}, reason="少一件",
        shelf=onto, now=g.NOW,
    )  # fmt: skip
    for loss in Removal.objects.filter(dispatch_line__dispatch=dispatch):
        ops.decide_removal(actor=store.manager, removal=loss, approve=True, now=g.NOW)


def job(store: g.Store, there: g.Second, lots: list[Lot], step: tuple[str, int, int]) -> Callable[[], Any]:
    kind, n, size = step
    lot, quantity = lots[n], Decimal(size)
    if kind == "store":
        return lambda: ops.store_goods(
            actor=store.keeper, lot=lot, source=store.shelf, target=store.shelf2, quantity=quantity, now=g.NOW
        )
    if kind == "back":
        return lambda: ops.store_goods(
            actor=store.keeper, lot=lot, source=store.shelf2, target=store.shelf, quantity=quantity, now=g.NOW
        )
    if kind == "give":
        return lambda: ops.give_back(
            actor=store.keeper, lot=lot, location=store.shelf, quantity=quantity, reason="退", now=g.NOW
        )
    if kind == "convert":
        return lambda: ops.convert_unit(
            actor=store.keeper, pick=Pick(lot, store.shelf, quantity), unit="瓶" if n else "支", factor=Decimal(3),
            shelf=store.shelf2, now=g.NOW,
        )  # fmt: skip

    if kind in ("move", "return"):
        return lambda: transfer(store, there, lot, quantity, kind == "return")

    def deliver() -> None:
        picks = [Pick(each, store.shelf, quantity) for each in (lots if n else lots[::-1])]
        dispatch = ops.plan_dispatch(
            actor=store.keeper, warehouse=store.warehouse, picks=picks, town=store.city.towns[0], now=g.NOW
        )
        ops.send_dispatch(actor=store.keeper, dispatch=dispatch, carrier="车队", now=g.NOW)
        ops.record_handover(actor=store.caseworker, dispatch=dispatch, quantities={1: quantity}, now=g.NOW)

    return deliver


def test_random_movements_in_eight_threads(committed_db: Any) -> None:
    store = g.build()
    there = g.second(store)

    @seed(7)
    # No shrinking: what threads do wrong once they need not do wrong again.
    @settings(
        max_examples=8, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )  # fmt: skip
    @given(STEPS)
    def run(steps: list[tuple[str, int, int]]) -> None:
        lots = [
            g.stored(store, g.draft("口罩", "12", "盒", category="medical", fen=333)),
            g.stored(store, g.draft("矿泉水", "12", "箱", category="food", fen=3_601)),
        ]
        assert not at_once([job(store, there, lots, step) for step in steps])
        assert not Stock.objects.filter(quantity__lt=0).exists()
        for total in LotTotal.objects.filter(lot__in=lots):
            assert total.received == 12

    run()
    g.check()
    assert all(row.gap == 0 for row in BoardRow.objects.all())


def test_two_cars_never_take_the_same_ten(committed_db: Any) -> None:
    """Eight storekeepers send the last 10 at once, 3 each: three cars leave, one is left on the shelf."""
    store = g.build()
    lot = g.stored(store, g.draft(quantity="10"))
    plans = [g.plan(store, lot, "3") for _ in range(THREADS)]
    wrong = at_once(
        [lambda one=one: ops.send_dispatch(actor=store.keeper, dispatch=one, carrier="x", now=g.NOW)  # type: ignore[misc]
         for one in plans]
    )  # fmt: skip
    assert not wrong
    total = LotTotal.objects.get(lot=lot)
    assert (total.in_stock, total.in_transit) == (1, 9)
    g.check()
