"""Days closed on what the ledger held, each following from the one before (G12)."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from apps.core.errors import DomainError
from apps.ledger.queries import figures
from apps.payments.models import (
    BankLine,
    DayClose,
    DayFigure,
    Difference,
    StatementDraft,
)
from apps.payments.operations import reconciling
from apps.payments.operations.reconciling import closing
from tests import world as w
from tests.payments.desk import (
    DAY,
    HEAD,
    NEXT,
    RUNNING,
    account,
    book,
    bring,
    cashier,
    check,
    take_in,
)

# Closing


def close(city: w.World, day: dt.date = DAY, now: dt.datetime = NEXT) -> DayClose:
    return reconciling.close_day(actor=cashier(city), book=book(), day=day, now=now)


def test_a_day_is_closed_on_what_the_ledger_held(city: w.World) -> None:
    for n in range(6):
        w.help_family(city, n, 1_000) if w.give(city, 10_000) else None
    closed = close(city)
    figure = DayFigure.objects.get(close=closed, earmark=city.earmark)
    live = figures([city.earmark])
    assert (figure.raised, figure.spent, figure.fees, figure.held, figure.gifts) == (
        live.raised, live.spent, live.fees, live.unspent, 6)  # fmt: skip
    assert figure.raised == 60_000 and figure.spent == 6_000
    w.give(city, 700, now=w.NOW + dt.timedelta(days=1))
    second = close(city, DAY + dt.timedelta(days=1), NEXT + dt.timedelta(days=1))
    assert second.previous == closed
    assert DayFigure.objects.get(close=second, earmark=city.earmark).raised == 60_700
    assert DayFigure.objects.get(close=closed, earmark=city.earmark).raised == 60_000
    check()


def test_what_is_recorded_later_for_a_closed_day_stands_in_the_next(committed_db: Any) -> None:
    city = w.build()
    w.give(city, 10_000)
    closed = close(city)
    w.give(city, 300)
    later = close(city, DAY + dt.timedelta(days=1), NEXT + dt.timedelta(days=1))
    figures_of = {each.close_id: each.raised for each in DayFigure.objects.filter(earmark=city.earmark)}
    assert figures_of == {closed.pk: 10_000, later.pk: 10_300}
    check()


def test_days_follow_one_by_one_and_are_over(city: w.World) -> None:
    with pytest.raises(closing.DayNotOver):
        close(city, DAY + dt.timedelta(days=1))
    close(city)
    for day in (DAY, DAY + dt.timedelta(days=2), DAY - dt.timedelta(days=1)):
        with pytest.raises(closing.DayOutOfTurn):
            close(city, day, NEXT + dt.timedelta(days=5))


def test_a_day_with_an_unexplained_difference_stays_open(city: w.World) -> None:
    own = account(city)
    take_in(city, own, HEAD + "2026-11-23,不明来款,88.00,,188.00,某人,Z1\n2026-11-24,利息,1.00,,189.00,,Z2\n")
    with pytest.raises(closing.DifferencesLeft) as refused:
        close(city)
    assert "1" in str(refused.value.message)
    key = Difference.objects.get(day=DAY).key
    reconciling.explain_differences(
        actor=cashier(city), book=book(), keys=[key], reason="不明来款，正在联系", now=NEXT
    )
    assert close(city).day == DAY


def _flush_checks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_the_database_refuses_a_close_that_does_not_follow(
    city: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    w.give(city, 10_000)
    wrong = closing._WRITE.replace("coalesce(m.raised, 0)", "coalesce(m.raised, 0) + 5").replace(
        "coalesce(m.held, 0)", "coalesce(m.held, 0) + 5"
    )
    monkeypatch.setattr(closing, "_WRITE", wrong)
    with pytest.raises(IntegrityError, match="do not follow"), transaction.atomic():
        close(city)
        _flush_checks()
    monkeypatch.setattr(
        closing, "_WRITE", closing._WRITE.replace("WHERE k.book_id", "WHERE false AND k.book_id")
    )
    with pytest.raises(IntegrityError, match="do not follow"), transaction.atomic():
        close(city)
        _flush_checks()


def test_the_database_refuses_a_close_over_a_difference(
    city: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = account(city)
    take_in(city, own, HEAD + "2026-11-23,不明来款,88.00,,188.00,某人,Z1\n2026-11-24,利息,1.00,,189.00,,Z2\n")
    monkeypatch.setattr(closing, "DifferencesLeft", lambda count: _never())
    monkeypatch.setattr(closing.Difference.objects, "filter", lambda **_: closing.Difference.objects.none())
    with pytest.raises(IntegrityError, match="unexplained"), transaction.atomic():
        close(city)
        _flush_checks()


def _never() -> Exception:
    raise AssertionError("the operation's own check was taken out")


def test_figures_are_never_added_to_a_day_that_is_closed(committed_db: Any) -> None:
    city = w.build()
    closed = close(city)
    from apps.ledger.operations import open_earmark

    mark = open_earmark(book=book(), kind="wish", owner=1)
    with pytest.raises(IntegrityError, match="together with their day"):
        DayFigure.objects.create(
            close=closed,
            earmark=mark,
            **dict.fromkeys(
                (
                    "raised",
                    "income",
                    "refunded",
                    "disputed",
                    "fees",
                    "spent",
                    "moved_in",
                    "moved_out",
                    "held",
                    "reserved",
                    "gifts",
                ),
                0,
            ),
        )
    for sql in (
        "UPDATE payments_dayfigure SET raised = 1",
        "DELETE FROM payments_dayclose",
        "UPDATE payments_dayclose SET day = day + 1",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_one_day_is_closed_once_by_eight_at_once(committed_db: Any) -> None:
    city = w.build()
    w.give(city, 10_000)
    barrier, outcomes = threading.Barrier(8), []

    def run() -> None:
        try:
            barrier.wait(30)
            close(city)
            outcomes.append("closed")
        except DomainError as error:
            outcomes.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["closed"] + ["day_out_of_turn"] * 7
    assert DayClose.objects.count() == 1
    check()


def test_one_statement_by_eight_at_once_is_taken_in_once(committed_db: Any) -> None:
    city = w.build()
    own = account(city)
    drafts = [bring(city, own, RUNNING) for _ in range(8)]
    barrier, outcomes = threading.Barrier(8), []

    def run(draft: StatementDraft) -> None:
        try:
            barrier.wait(30)
            done = reconciling.record_statement(actor=cashier(city), draft=draft, now=NEXT)
            outcomes.append("taken" if done else "known")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["known"] * 7 + ["taken"] and BankLine.objects.count() == 8
