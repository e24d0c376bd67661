"""The inbox beside itself: workers take different events, a dead one's come back, a bad one holds up no other."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import IntegrityError, connection

from apps.payments.models import Payment, ProviderEvent
from apps.payments.operations import inbox, process_inbox
from apps.payments.operations.routing import ROUTES
from apps.payments.states import Subject
from tests import world as w
from tests.databases import Server

SOON = w.NOW + dt.timedelta(seconds=1)


def paid(city: w.World, number: int) -> None:
    for _ in range(number):
        w.pay(w.open_gift(city, 5_000))
    ProviderEvent.objects.filter(kind="session.completed").update(processed_at=w.NOW)


def test_two_workers_take_different_events(committed_db: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(w.build(), 6)
    taken: list[list[int]] = []
    both, real = threading.Barrier(2), inbox._work_off

    def work_off(events: list[ProviderEvent], now: dt.datetime) -> int:
        taken.append([event.pk for event in events])
        both.wait(10)  # each has claimed before either is done
        return real(events, now)

    monkeypatch.setattr(inbox, "_work_off", work_off)

    def run() -> None:
        try:
            process_inbox(now=SOON, limit=3)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == 2 and not set(taken[0]) & set(taken[1])
    assert Payment.objects.filter(status="paid").count() == 6


@pytest.mark.django_db
def test_what_a_dead_worker_took_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    paid(w.build(), 1)

    class Dies(BaseException):
        pass

    def dies(events: list[ProviderEvent], now: dt.datetime) -> int:
        raise Dies

    with monkeypatch.context() as patch, pytest.raises(Dies):
        patch.setattr(inbox, "_work_off", dies)
        process_inbox(now=SOON)
    assert process_inbox(now=SOON) == 0, "its lease runs"
    assert process_inbox(now=SOON + inbox.LEASE) == 1
    assert Payment.objects.get().status == "paid"
    assert dt.timedelta(seconds=60) > inbox.LEASE, "recovery within a minute"


@pytest.mark.django_db
def test_an_event_that_cannot_be_applied_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    paid(w.build(), 3)
    bad = Payment.objects.order_by("id")[1].session_ref
    route = ROUTES[Subject.PAYMENT]

    def apply(actor: Any, found: Any, now: dt.datetime) -> object:
        if any(ref == bad for _name, ref in found):
            raise IntegrityError("a row nobody expected")
        return route.apply(actor, found, now)

    monkeypatch.setitem(ROUTES, Subject.PAYMENT, type(route)(route.fetch, apply))
    assert process_inbox(now=SOON) == 2
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["open", "paid", "paid"]
    left = ProviderEvent.objects.get(processed_at=None)
    assert left.attempts == 1 and left.due_at > SOON
