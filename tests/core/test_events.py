"""The outbox: what is published with its fact is delivered once per handler, whoever fails or dies."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import ClassVar

import pytest
from django.db import transaction

from apps.core import events, idempotency
from apps.core.idempotency import KeyReused
from apps.core.models import IdempotencyKey, OutboxDelivery, OutboxEvent

FAR = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
heard: list[str] = []
broken: set[str] = set()


@dataclasses.dataclass(frozen=True, slots=True)
class Rang(events.Event):
    name: ClassVar[str] = "tests.rang"
    number: int


def _note(who: str) -> None:
    if who in broken:
        raise RuntimeError("13800001234 typed by a person")
    IdempotencyKey.objects.create(scope="tests", key=f"{who}:{len(heard)}")
    heard.append(who)


def one(event: Rang, *, now: dt.datetime) -> None:
    _note("one")


def two(event: Rang, *, now: dt.datetime) -> None:
    _note("two")


@events.in_batches
def many(batch: list[Rang], *, now: dt.datetime) -> None:
    for event in batch:
        _note(f"many:{event.number}")


class Dies(BaseException):
    """A process that ends between two statements."""


@pytest.fixture(autouse=True)
def subscribed(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    heard.clear()
    broken.clear()
    monkeypatch.setitem(events._EVENTS, Rang.name, Rang)
    monkeypatch.setitem(events._HANDLERS, Rang.name, {events.handler_name(h): h for h in (one, two, many)})
    monkeypatch.setattr(events, "_doorbell", [])
    return


def test_an_event_without_its_transaction_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Outside:
        in_atomic_block = False

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(transaction, "get_connection", lambda: Outside())
        events.publish(Rang(1))


def test_a_rolled_back_fact_takes_its_event_along() -> None:
    with pytest.raises(Dies), transaction.atomic():
        events.publish(Rang(1))
        raise Dies
    assert OutboxEvent.objects.count() == OutboxDelivery.objects.count() == 0


def test_a_failing_handler_repeats_nobody_elses_work() -> None:
    events.publish(Rang(1))
    broken.add("one")
    assert events.deliver_due(now=FAR) == 2
    later = FAR + dt.timedelta(days=1)
    assert events.deliver_due(now=later) == 0
    assert heard == ["two", "many:1"]
    broken.clear()
    events.deliver_due(now=later + dt.timedelta(days=1))
    assert heard == ["two", "many:1", "one"]
    assert events.deliver_due(now=later + dt.timedelta(days=2)) == 0


def test_what_a_failing_handler_wrote_is_gone_and_its_words_are_not_kept() -> None:
    events.publish(Rang(1))
    broken.add("one")
    events.deliver_due(now=FAR)
    row = OutboxDelivery.objects.get(handler__endswith=".one")
    assert (row.done_at, row.attempts) == (None, 1)
    assert row.last_error.startswith("RuntimeError at ") and "1380000" not in row.last_error
    assert row.due_at > FAR


def test_a_crash_between_the_handler_and_its_mark_takes_both_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the handler wrote and the mark that it is done are one transaction: after a crash neither stands."""
    events.publish(Rang(1))
    real = events._run

    def dies(rows: list[events._Due], now: dt.datetime) -> None:
        real(rows, now)
        raise Dies

    monkeypatch.setattr(events, "_run", dies)
    with pytest.raises(Dies):
        events.deliver_due(now=FAR)
    assert IdempotencyKey.objects.filter(scope="tests").count() == 0
    assert OutboxDelivery.objects.filter(done_at=None).count() == 3
    monkeypatch.setattr(events, "_run", real)
    assert events.deliver_due(now=FAR) == 3
    assert IdempotencyKey.objects.filter(scope="tests").count() == 3


def test_one_bad_event_of_a_batch_holds_up_no_other() -> None:
    events.publish(*(Rang(n) for n in range(5)))
    broken.update({"many:2", "one", "two"})
    events.deliver_due(now=FAR)
    assert IdempotencyKey.objects.filter(key__startswith="many").count() == 4
    left = OutboxDelivery.objects.filter(done_at=None, handler__endswith=".many")
    assert [row.event.payload["number"] for row in left] == [2]


@pytest.mark.django_db
def test_a_key_under_other_content_is_refused() -> None:
    assert idempotency.claim("s", "k", "first")
    assert not idempotency.claim("s", "k", "first")
    assert idempotency.claim("other", "k", "second")
    with pytest.raises(KeyReused):
        idempotency.claim("s", "k", "second")
