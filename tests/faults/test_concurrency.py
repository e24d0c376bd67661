"""Many threads on few earmarks: the rule of concurrency holds, and taking its lock or guard away turns these red."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from apps.core import idempotency
from apps.core.actors import system
from apps.core.errors import DomainError
from apps.core.invariants import ordered
from apps.ledger import operations as ledger
from apps.ledger.models import Allocation, Earmark, EarmarkBalance, Entry, Lot
from apps.ledger.operations import Credit, folding
from apps.ledger.queries import figures
from tests import world as w

ACTOR = system("tests")
NOW = w.NOW


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Runs `work(i)` in `count` threads released together; returns results, exceptions among them."""
    barrier = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(i: int) -> None:
        try:
            barrier.wait(30)
            results[i] = work(i)
        except Exception as error:
            results[i] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results


def earmarks(count: int) -> list[Earmark]:
    book = ledger.open_book(code="federation", name="总会")
    return [ledger.open_earmark(book=book, kind="project", owner=n) for n in range(1, count + 1)]


def check() -> None:
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


def overspend() -> tuple[int, int]:
    [mark] = earmarks(1)
    ledger.post_credit(actor=ACTOR, credit=Credit("g", mark.pk, 1000, NOW, 1, "card"))

    def spend(i: int) -> int:
        done = 0
        for n in range(2):
            try:
                ledger.reserve(earmark=mark.pk, amount=100, purpose=f"d:{i}:{n}", now=NOW)
                done += 1
            except DomainError:
                pass
        return done

    results = in_threads(64, spend)
    return sum(r for r in results if isinstance(r, int)), sum(isinstance(r, Exception) for r in results)


def test_money_for_ten_pays_exactly_ten(committed_db: None) -> None:
    assert overspend() == (10, 0)
    balance = EarmarkBalance.objects.get()
    assert (balance.available, balance.reserved) == (0, 1000)
    check()


def test_overspend_shows_when_the_lock_is_removed(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "_LOCK", folding._LOCK.replace(" FOR UPDATE", ""))
    done, errors = overspend()
    assert done != 10 or errors > 0, "without the lock the database has to refuse what the code let through"


def storm(threads: int, rounds: int) -> list[Exception]:
    """Giving, paying, holding refunds, returning and transferring on two hot earmarks."""
    marks = earmarks(2)
    gifts = iter(range(1, 10**6))
    lock = threading.Lock()

    def work(i: int) -> list[Exception]:
        rng, unexpected = random.Random(i), []
        mine: list[tuple[Entry, str]] = []
        for n in range(rounds):
            mark, name = rng.choice(marks), f"{i}:{n}"
            try:
                deed = rng.random()
                if deed < 0.4:
                    with lock:
                        origin = next(gifts)
                    at = NOW + dt.timedelta(microseconds=origin)
                    ledger.post_credit(
                        actor=ACTOR, credit=Credit(name, mark.pk, rng.randint(1, 900), at, origin, "card")
                    )
                elif deed < 0.7:
                    ledger.reserve(earmark=mark.pk, amount=rng.randint(1, 700), purpose=name, now=NOW)
                    entry = ledger.pay_reservation(actor=ACTOR, purpose=name, key=f"p{name}", cost="programme",
                                                   budget_line=None, now=NOW, effective_at=NOW)  # fmt: skip
                    mine.append((entry, name))
                elif deed < 0.8:
                    lot = Lot.objects.filter(earmark=mark, origin__isnull=False).order_by("?").first()
                    if lot and lot.origin:
                        ledger.hold_refund(earmark=mark.pk, origin=lot.origin, amount=rng.randint(1, 50), purpose=name,
                                           now=NOW)  # fmt: skip
                        if rng.random() < 0.5:
                            ledger.settle_refund(actor=ACTOR, purpose=name, key=f"s{name}", now=NOW, effective_at=NOW,
                                                 channel="card")  # fmt: skip
                elif deed < 0.9 and mine:
                    entry, purpose = mine.pop()
                    ledger.return_payment(actor=ACTOR, entry=entry, purpose=purpose, key=f"r{name}", now=NOW,
                                          effective_at=NOW, reserve_again=False)  # fmt: skip
                else:
                    source, target = rng.sample(marks, 2)
                    ledger.transfer(actor=ACTOR, source=source.pk, target=target.pk, amount=rng.randint(1, 300),
                                    key=f"t{name}", effective_at=NOW)  # fmt: skip
            except DomainError:
                continue
            except Exception as error:
                unexpected.append(error)
        return unexpected

    found: list[Exception] = []
    for result in in_threads(threads, work):
        found += result if isinstance(result, list) else [result]
    return found


def replay_differences() -> int:
    """An independent first-in-first-out replay by `seq`: consumption in the order of allocations, own lots apart."""
    differences = 0
    for mark in Earmark.objects.all():
        left = {lot.pk: lot.amount for lot in Lot.objects.filter(earmark=mark)}
        order = list(Lot.objects.filter(earmark=mark).order_by("seq").values_list("pk", flat=True))
        held: dict[int, int] = defaultdict(int)
        by_entry: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
        for lot, entry, kind, amount in (
            Allocation.objects.filter(lot__earmark=mark)
            .order_by("id")
            .values_list("lot", "entry", "kind", "amount")
        ):
            by_entry[entry].append((lot, kind, amount))
        opened = dict(Lot.objects.filter(earmark=mark).values_list("pk", "seq"))
        for rows in by_entry.values():
            kind, wanted = rows[0][1], sum(row[2] for row in rows)
            actual = {lot: amount for lot, _kind, amount in rows}
            if kind in ("spent", "moved") and wanted > 0:
                # Among the lots used, every earlier one must have been emptied but for what refunds hold.
                last = max(opened[lot] for lot in actual)
                for lot in order:
                    if opened[lot] < last and left[lot] - actual.get(lot, 0) > held[lot] + _open_holds(lot):
                        differences += 1
            for lot, amount in actual.items():
                left[lot] -= amount
                differences += left[lot] < 0
    return differences


def _open_holds(lot: int) -> int:
    from django.db.models import Sum

    from apps.ledger.models import RefundHold

    return RefundHold.objects.filter(lot=lot).aggregate(n=Sum("amount"))["n"] or 0


def test_two_hot_earmarks_under_sixteen_threads(committed_db: None) -> None:
    unexpected = storm(16, 60)
    assert not unexpected, unexpected[:3]
    assert replay_differences() == 0
    check()


def test_the_storm_shows_when_the_lock_is_removed(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "_LOCK", folding._LOCK.replace(" FOR UPDATE", ""))
    assert storm(16, 25), "UNIQUE(earmark, seq) and the checks must refuse what the missing lock lets through"


def test_double_webhook_in_sixteen_threads_makes_one_gift(committed_db: None) -> None:
    from apps.core.events import deliver_due
    from apps.payments.operations import process_inbox, receive_event
    from apps.payments.providers.sandbox import make_event, settle

    city = w.build()
    gift = w.open_gift(city, 20_000)
    session = w.session_of(gift)
    settle(session, NOW)
    headers, body = make_event(session, "session.paid", NOW)
    later = NOW + dt.timedelta(seconds=2)

    def deliver(_: int) -> None:
        receive_event(provider_name="sandbox", headers=headers, body=body, now=NOW)
        process_inbox(now=later)
        deliver_due(now=w._far())

    results = in_threads(16, deliver)
    w.work()
    assert not [r for r in results if isinstance(r, Exception)]
    assert Entry.objects.filter(kind="gift").count() == 1
    assert figures([city.earmark]).raised == 20_000
    gift.refresh_from_db()
    assert gift.receipt.number == "0000000001"
    check()


def test_two_gifts_racing_to_the_target(committed_db: None) -> None:
    city = w.build(target=1_000_000)
    results = in_threads(8, lambda i: w.open_gift(city, 600_000))
    opened = [r for r in results if not isinstance(r, Exception)]
    assert len(opened) == 1
    assert {getattr(r, "code", "") for r in results if isinstance(r, Exception)} == {"past_target"}


def test_one_idempotency_key_in_thirty_two_threads(committed_db: None) -> None:
    def claim(_: int) -> bool:
        with transaction.atomic():
            return idempotency.claim("test", "one")

    assert in_threads(32, claim).count(True) == 1
    city = w.build()
    request = w.GiftRequest(w.Money(5_000), "card", "same-key")

    def give(_: int) -> int:
        return w.donations.open_gift(
            actor=w.PUBLIC, request=request, fund=city.fund, project=city.project, now=NOW
        ).pk

    assert len(set(in_threads(32, give))) == 1


def test_receipt_numbers_have_no_gap(committed_db: None) -> None:
    from apps.core.events import deliver_due
    from apps.donations.models import Receipt

    city = w.build()
    gifts = [w.open_gift(city, 1_000 + n) for n in range(24)]
    for gift in gifts:
        w.pay(gift)
    from apps.payments.operations import process_inbox

    process_inbox(now=NOW + dt.timedelta(seconds=2), limit=500)
    in_threads(8, lambda _: deliver_due(now=w._far(), limit=7))
    w.work()
    numbers = sorted(int(n) for n in Receipt.objects.values_list("number", flat=True))
    assert numbers == list(range(1, 25))
    check()
