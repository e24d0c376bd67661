"""Crowds on one wish: the index alone decides, and every answer is clear (W3)."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from typing import Any

from django.db import IntegrityError, connections

from apps.core.actors import PUBLIC, system
from apps.core.errors import DomainError
from apps.donations.models import Gift
from apps.payments.models import Payment
from apps.wishes import operations as ops
from apps.wishes.models import Claim, Pledge, Wish
from tests.wishes import shop as s

CLOCK = system("tests")


def race(wish: Wish, threads: int) -> Counter[str]:
    """So many threads at once, each promising a piece; how each was answered."""
    answers: Counter[str] = Counter()
    lock, gate = threading.Lock(), threading.Barrier(threads)

    def one(n: int) -> None:
        mine = Wish.objects.get(pk=wish.pk)
        gate.wait()
        try:
            s.promised(mine, key=f"race-{n}")
            said = "claimed"
        except DomainError as error:
            said = error.code
        except IntegrityError as error:
            said = type(error).__name__
        finally:
            connections.close_all()
        with lock:
            answers[said] += 1

    crowd = [threading.Thread(target=one, args=(n,)) for n in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return answers


def test_two_hundred_on_one_wish_are_one_claim_and_199_clear_answers(committed_db: object) -> None:
    store = s.build()
    wish = s.opened(store)
    assert race(wish, 200) == {"claimed": 1, "already_claimed": 199}
    assert Claim.objects.count() == Pledge.objects.count() == 1 and s.standing(wish) == ("claimed", 0)
    s.check()


def test_without_the_index_one_wish_is_claimed_twice(committed_db: Any) -> None:
    """What the guarantee rests on: nothing but the index stands between two who are first at once."""
    store = s.build()
    wish = s.opened(store)
    with committed_db.connect() as line:
        line.execute("DROP INDEX claim_one_live_per_unit")
    assert race(wish, 24)["claimed"] > 1


def test_every_piece_finds_one_giver_under_a_crowd(committed_db: object) -> None:
    store = s.build()
    wish = s.opened(store, quantity=10)
    assert race(wish, 40) == {"claimed": 10, "already_claimed": 30}
    assert s.standing(wish) == ("claimed", 0)
    s.check()


def test_payers_at_once_are_one_gift_and_clear_answers(committed_db: object) -> None:
    store = s.build()
    wish = s.opened(store)
    answers: Counter[str] = Counter()
    gate = threading.Barrier(16)

    def one(n: int) -> None:
        mine = Wish.objects.get(pk=wish.pk)
        gate.wait()
        try:
            ops.claim_by_money(
                actor=PUBLIC, lines={mine: 1}, request=s.asked({mine: 1}, key=f"p-{n}"), now=s.NOW
            )
            answers["claimed"] += 1
        except DomainError as error:
            answers[error.code] += 1
        finally:
            connections.close_all()

    crowd = [threading.Thread(target=one, args=(n,)) for n in range(16)]
    [thread.start() for thread in crowd]
    [thread.join() for thread in crowd]
    assert answers == {"claimed": 1, "already_claimed": 15}
    assert Gift.objects.count() == Payment.objects.count() == Claim.objects.count() == 1
    s.check()


def test_payers_at_once_never_pass_the_target(committed_db: object) -> None:
    """Eight wishes, eight payers, and room for three in the shop's project (F5): its row's lock decides."""
    store = s.build(target=3 * 20_100)
    wishes = [s.opened(store) for _ in range(8)]
    answers: Counter[str] = Counter()
    gate = threading.Barrier(len(wishes))

    def one(wish: Wish) -> None:
        request = s.asked({wish: 1}, key=f"target-{wish.pk}")
        gate.wait()
        try:
            ops.claim_by_money(actor=PUBLIC, lines={wish: 1}, request=request, now=s.NOW)
            answers["claimed"] += 1
        except DomainError as error:
            answers[error.code] += 1
        finally:
            connections.close_all()

    crowd = [threading.Thread(target=one, args=(wish,)) for wish in wishes]
    [thread.start() for thread in crowd]
    [thread.join() for thread in crowd]
    assert answers == {"claimed": 3, "past_target": 5}
    assert Gift.objects.count() == Claim.objects.count() == 3
    s.check()


def test_clock_claims_and_withdrawal_at_once_never_lose_count(committed_db: object) -> None:
    store = s.build()
    wishes = [s.opened(store, quantity=3) for _ in range(4)]
    for wish in wishes:
        s.promised(wish, 2)
    late = s.NOW + dt.timedelta(days=15)
    errors: list[BaseException] = []
    gate = threading.Barrier(12)

    def act(n: int) -> None:
        gate.wait()
        try:
            if n % 3 == 0:
                ops.free_overdue(actor=CLOCK, now=late)
            elif n % 3 == 1:
                s.promised(Wish.objects.get(pk=wishes[n % 4].pk), key=f"late-{n}", now=late)
            else:
                ops.withdraw_wish(actor=store.caseworker, wish=wishes[n % 4], reason="家里已经有了", now=late)
        except DomainError:
            pass
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    crowd = [threading.Thread(target=act, args=(n,)) for n in range(12)]
    [thread.start() for thread in crowd]
    [thread.join() for thread in crowd]
    assert not errors, errors
    s.check()
    assert ops.free_overdue(actor=CLOCK, now=late) == 0
