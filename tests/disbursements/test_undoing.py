"""Taking a payment back: returned by the bank or clawed back, by two people, with the trace right."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Sum

from apps.core.errors import DomainError
from apps.core.invariants import ordered
from apps.disbursements import operations
from apps.disbursements.errors import FourEyes
from apps.disbursements.models import Disbursement, Undo
from apps.disbursements.operations.undoing import UndoOpen, WrongClawBack
from apps.donations.models import Gift
from apps.ledger.errors import AlreadyReversed
from apps.ledger.models import Book, EarmarkBalance, Entry, GiveBack, Line
from apps.ledger.operations import return_payment
from apps.ledger.operations.entries import Posting, write_entry
from apps.ledger.queries import gift_allocations
from apps.publication.models import AidItem
from apps.publication.queries import public_money
from apps.publication.releases import release_due
from apps.tracing.queries import trace_gift
from tests import world as w

pytestmark = pytest.mark.django_db


def check() -> None:
    for invariant in ordered():
        assert not invariant.check().broken, invariant.name


def test_one_person_can_not_do_both() -> None:
    city = w.build()
    w.give(city, 100_000)
    item = w.help_family(city, 1, 30_000)
    for kind in ("returned", "clawback"):
        asked = operations.ask_undo(
            actor=city.people["cashier"], disbursement=item, kind=kind, reason="退汇", now=w.NOW
        )
        with pytest.raises(FourEyes):
            operations.agree_undo(actor=city.people["cashier"], undo=asked, effective_at=w.NOW, now=w.NOW)
        with pytest.raises(IntegrityError, match="undo_two_people"), transaction.atomic():
            Undo.objects.filter(pk=asked.pk).update(
                decided_by=asked.asked_by_id, decided_at=w.NOW, agreed=True, entry=1
            )
        with pytest.raises(UndoOpen):
            operations.ask_undo(
                actor=city.people["manager"], disbursement=item, kind=kind, reason="又一次", now=w.NOW
            )
        operations.refuse_undo(actor=city.people["cashier"], undo=asked, now=w.NOW)
    assert Entry.objects.filter(kind="reversal").count() == 0
    with pytest.raises(DomainError):
        operations.ask_undo(
            actor=city.people["caseworker_shiqiao"], disbursement=item, kind="returned", reason="x", now=w.NOW
        )


def test_money_clawed_back_is_its_earmarks_again_and_can_be_spent_on_another_family() -> None:
    city = w.build()
    gift = w.give(city, 100_000)
    item = w.help_family(city, 1, 30_000)
    before = EarmarkBalance.objects.get(earmark=city.earmark)
    committed = city.line.committed
    item = w.undo(city, item, "clawback")
    after = EarmarkBalance.objects.get(earmark=city.earmark)
    assert item.status == "reversed" and item.entry and item.paid_at, "what was paid stays told"
    assert after.available == before.available + 30_000 and after.reserved == before.reserved
    assert after.spent == before.spent - 30_000 and city.line.committed == committed - 30_000
    trace = trace_gift(gift)
    assert trace.used == 0 and trace.unspent + trace.fee == gift.amount
    with pytest.raises(DomainError):
        w.undo(city, item, "returned")
    with pytest.raises(DomainError):
        w.pay_out(city, [item])
    w.help_family(city, 2, after.available)
    check()


def test_returned_twice_and_paid_three_times_closes() -> None:
    city = w.build()
    gift = w.give(city, 100_000)
    item = w.help_family(city, 1, 30_000)
    for _ in range(2):
        w.undo(city, item, "returned")
        w.pay_out(city, [item])
    item.refresh_from_db()
    assert item.status == "paid" and item.attempts == 3
    assert Entry.objects.filter(kind="payment").count() == 3
    assert EarmarkBalance.objects.get(earmark=city.earmark).spent == 30_000
    trace = trace_gift(gift)
    assert trace.fee + trace.used + trace.unspent == gift.amount
    check()


def in_part(city: w.World) -> tuple[list[Gift], Disbursement]:
    """Three gifts of 100 yuan, 250 of them paid to a family."""
    gifts = [w.give(city, 10_000) for _ in range(3)]
    return gifts, w.help_family(city, 1, 25_000)


def spent_of(gifts: list[Gift]) -> list[int]:
    """What each gift's lots stand for, by the ledger, fen."""
    return [sum(each.amount for each in gift_allocations(gift.pk) if each.kind == "spent") for gift in gifts]


def test_a_part_clawed_back_leaves_the_rest_paid_and_goes_back_to_the_gifts_taken_last() -> None:
    city = w.build()
    gifts, item = in_part(city)
    before, committed = EarmarkBalance.objects.get(earmark=city.earmark), city.line.committed
    all_spent = spent_of(gifts)
    item = w.undo(city, item, "clawback", amount=6_000)
    after = EarmarkBalance.objects.get(earmark=city.earmark)
    assert (item.status, item.clawed_back, item.kept) == ("paid", 6_000, 19_000)
    assert item.entry and item.paid_at, "the rest stays paid with its entry"
    assert (after.available, after.spent) == (before.available + 6_000, before.spent - 6_000)
    assert after.reserved == before.reserved and city.line.committed == committed - 6_000
    last = all_spent[2]
    assert spent_of(gifts) == [all_spent[0], all_spent[1] - (6_000 - last), 0], (
        "as a payment of 190 had taken"
    )
    entry = Undo.objects.get(disbursement=item).entry
    lines = dict(Line.objects.filter(entry=entry).values_list("account__role", "amount"))
    assert lines == {"bank": 6_000, "programme": -6_000}
    check()
    again = w.undo(city, item, "clawback", amount=1)
    assert (again.status, again.kept) == ("paid", 18_999)
    with pytest.raises(WrongClawBack):
        operations.ask_undo(
            actor=city.people["cashier"], disbursement=item, kind="returned", reason="退汇", now=w.NOW
        )
    for amount in (0, -1, 19_000, 25_000):
        with pytest.raises(WrongClawBack):
            operations.ask_undo(
                actor=city.people["cashier"], disbursement=item, kind="clawback", amount=amount, reason="x",
                now=w.NOW,
            )  # fmt: skip
    rest = w.undo(city, item, "clawback")
    assert (rest.status, rest.kept) == ("reversed", 0) and spent_of(gifts) == [0, 0, 0]
    assert EarmarkBalance.objects.get(earmark=city.earmark).spent == 0
    w.help_family(city, 2, 25_000)
    assert sum(spent_of(gifts)) == 25_000
    check()


def test_a_part_clawed_back_shows_in_releases_trace_and_the_funds_figures_to_the_fen() -> None:
    """Before the release it is netted in the payment's own month; after it, in a later release (C4)."""
    city = w.build()
    gift = w.give(city, 100_000)
    items = [w.help_family(city, n, 10_000) for n in range(1, 6)]
    december = dt.datetime(2026, 12, 2, 10, 0, tzinfo=w.SHANGHAI)
    w.undo(city, items[0], "clawback", amount=4_000, now=december)
    [one] = release_due(now=december)
    assert (one.amount, one.households, one.starts_on) == (46_000, 5, dt.date(2026, 11, 1))
    w.undo(city, items[1], "clawback", amount=10, now=december)
    assert release_due(now=december) == [] and public_money([city.earmark]).aid == 46_000
    trace = trace_gift(gift)
    assert trace.used == 46_000 and trace.fee + trace.used + trace.unspent == gift.amount
    for n in range(6, 11):
        w.help_family(city, n, 1_000, now=december)
    [other] = release_due(now=december)
    assert (other.amount, other.households) == (4_990, 5)
    trace = trace_gift(gift)
    assert [use.amount for use in trace.uses] == [46_000, 4_990]
    assert trace.fee + trace.used + trace.unspent == gift.amount
    balance, told = EarmarkBalance.objects.get(earmark=city.earmark), public_money([city.earmark])
    assert told.aid == balance.spent == 50_990 and told.unspent == balance.available
    check()


def test_what_is_left_of_a_payment_clawed_back_twice_before_its_release_cancels_out() -> None:
    city = w.build()
    w.give(city, 100_000)
    item = w.help_family(city, 1, 10_000)
    w.undo(city, item, "clawback", amount=4_000)
    w.undo(city, item, "clawback")
    assert set(AidItem.objects.values_list("dropped", flat=True)) == {True}
    assert AidItem.objects.aggregate(n=Sum("amount"))["n"] == 0
    check()


def test_the_database_keeps_claw_backs_within_their_payment() -> None:
    city = w.build()
    w.give(city, 100_000)
    item = w.undo(city, w.help_family(city, 1, 10_000), "clawback", amount=4_000)
    payment = Entry.objects.get(pk=item.entry)
    for sql, name in (
        ("UPDATE disbursements_disbursement SET clawed_back = 10001 WHERE id = %s", "clawed_back_within_paid"),
        ("UPDATE disbursements_disbursement SET clawed_back = 10000 WHERE id = %s", "clawed_back_within_paid"),
        ("UPDATE disbursements_disbursement SET status = 'reversed' WHERE id = %s", "clawed_back_within_paid"),
        ("UPDATE disbursements_disbursement SET clawed_back = 5000 WHERE id = %s", "its requests say"),
        ("UPDATE disbursements_undo SET amount = 5000 WHERE disbursement_id = %s", "its requests say"),
        ("UPDATE disbursements_undo SET amount = 0 WHERE disbursement_id = %s", "undo_positive"),
        ("DELETE FROM disbursements_undo WHERE disbursement_id = %s", "its requests say"),
        ("UPDATE disbursements_disbursement SET status = 'reversed', clawed_back = 0 WHERE id = %s",
         "reversed_is_clawed_back_whole"),
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [item.pk])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    with pytest.raises(AlreadyReversed):
        return_payment(actor=w.SETUP, entry=payment, purpose="x", key="x", now=w.NOW, effective_at=w.NOW)
    for n, amount, name in ((1, 1_000, "give back|give_back_in_order"), (2, 6_001, "give back"),
                            (3, 1_000, "give back")):  # fmt: skip
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            back = given(city, amount)
            GiveBack.objects.create(entry=back, payment=payment, n=n, amount=amount)
    with pytest.raises(IntegrityError, match="not reversed whole"), transaction.atomic():
        Entry.objects.create(kind="reversal", idempotency_key="r", currency="CNY", line_count=2, reverses=payment,
                             effective_at=w.NOW, actor_label="x")  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic():
        GiveBack.objects.update(amount=1)


def given(city: w.World, amount: int) -> Entry:
    return write_entry(
        kind="giveback", key=f"by hand {amount}", book=Book.objects.get(code="federation").pk, currency="CNY",
        postings=[Posting("bank", amount), Posting("programme", -amount, earmark=city.earmark)],
        effective_at=w.NOW, actor=w.SETUP,
    )  # fmt: skip
