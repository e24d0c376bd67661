"""Refunds by two people: provider's way and the bank's, whole and in part, failed and returned; receipts in red."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction

from apps.core.actors import PUBLIC, Actor
from apps.core.errors import DomainError, PermissionRefused, WrongState
from apps.core.invariants import ordered
from apps.core.money import Money
from apps.donations import operations as donations
from apps.donations.models import BankDetailsRead, Gift, Receipt, Refund
from apps.donations.queries import receipts_of_gift, refund_offer, still_given, target_room
from apps.ledger.models import Entry, LotBalance
from apps.ledger.queries import figures
from apps.payments.models import PaymentRefund, SandboxRefund
from apps.payments.operations import send_refunds
from tests import world as w

pytestmark = pytest.mark.django_db
BANK = donations.BankDetails("付款人", "演示银行", "6222 0000 1234 5678")


def check() -> None:
    for invariant in ordered():
        found = invariant.check()
        assert not found.broken, (invariant.name, found.broken)


def fails(code: str, act: Any) -> None:
    with pytest.raises(DomainError) as caught, transaction.atomic():
        act()
    assert caught.value.code == code


def receipts(gift: Gift) -> list[int]:
    return list(receipts_of_gift(gift).values_list("amount", flat=True))


def test_whole_refund_through_the_provider() -> None:
    city = w.build()
    gift = w.give(city, 20_000, email="donor@example.org")
    assert refund_offer(gift, w.NOW).amount == 20_000 - 120, "the fee is gone"
    asked = w.refund(city, gift, 19_880)
    assert (asked.status, asked.payment_refund.status) == ("approved", "sent")
    assert figures([city.earmark]).refunded == 0, "the provider's answer is not believed"
    assert figures([city.earmark]).available == 0, "but its money is held"
    w.act(gift, "refund_succeed", copies=3)
    w.work()
    w.work()
    asked.refresh_from_db()
    assert asked.status == "paid" and asked.paid_at is not None
    shown = figures([city.earmark])
    assert (shown.raised, shown.refunded, shown.net_raised, shown.unspent) == (20_000, 19_880, 120, 0)
    assert Entry.objects.filter(kind="refund").count() == 1
    assert target_room(city.project) == city.project.target - 120
    assert receipts(gift) == [20_000, -19_880] and still_given(gift) == 120
    numbers = list(Receipt.objects.order_by("id").values_list("number", flat=True))
    assert numbers == ["0000000001", "0000000002"], "red letters stand in the same numbering"
    red = Receipt.objects.get(gift=None)
    assert red.is_red and red.answers == gift.receipt
    assert [m.subject.split("：")[0] for m in mail.outbox[1:]] == [
        "已收到退款申请",
        "退款已批准",
        "退款已退出",
    ]
    check()


def test_partial_refunds_and_never_more_than_is_left() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    w.help_family(city, 1, 12_000)
    assert refund_offer(gift, w.NOW, inside=True).amount == 7_880, "spent money is not given back"
    fails("past_refundable", lambda: by_officer(city, gift, 7_881))
    w.refund(city, gift, 3_000)
    w.act(gift, "refund_succeed")
    w.work()
    assert refund_offer(gift, w.NOW, inside=True).amount == 4_880
    fails("past_refundable", lambda: by_officer(city, gift, 4_881))
    asked = w.ask_back(city, gift, 4_880)
    assert w.ask_back(city, gift, 4_880) == asked, "a double click is one request"
    fails("refund_waiting", lambda: w.ask_back(city, gift, 1))
    w.approve(city, w.apply_aid(city, w.household(city, 2), 1_000))
    fails(
        "not_refundable",
        lambda: donations.approve_refund(actor=city.people["manager"], refund=asked, now=w.NOW),
    )
    asked.refresh_from_db()
    assert asked.status == "requested" and PaymentRefund.objects.count() == 1, "nothing half done"
    donations.refuse_refund(actor=city.people["manager"], refund=asked, reason="钱已用于救助", now=w.NOW)
    assert receipts(gift) == [20_000, -3_000]
    check()


def by_officer(city: w.World, gift: Gift, fen: int) -> Refund:
    return donations.ask_refund(
        actor=city.people["officer"], gift=gift, money=Money(fen), reason="多付", now=w.NOW, by_staff=True
    )


def test_two_people_and_who_they_are() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    officer, manager, manager2 = (city.people[n] for n in ("officer", "manager", "manager2"))
    for nobody in (manager, city.people["caseworker_shiqiao"], PUBLIC):
        with pytest.raises(PermissionRefused):
            donations.ask_refund(actor=nobody, gift=gift, money=Money(1), reason="", now=w.NOW, by_staff=True)
    asked = donations.ask_refund(
        actor=officer, gift=gift, money=Money(100), reason="多付", now=w.NOW, by_staff=True
    )
    both = w.person("both", ("manager", "organization", city.organization.pk))
    Refund.objects.filter(pk=asked.pk).update(asked_by=both.person_id)
    with pytest.raises(PermissionRefused):
        donations.approve_refund(actor=both, refund=asked, now=w.NOW)
    with pytest.raises(PermissionRefused):
        donations.approve_refund(actor=officer, refund=asked, now=w.NOW)
    far = w.person("far", ("manager", "organization", city.organization.pk + 1))
    with pytest.raises(PermissionRefused):
        donations.approve_refund(actor=far, refund=asked, now=w.NOW)
    with pytest.raises(PermissionRefused):
        donations.withdraw_refund(actor=manager, refund=asked, now=w.NOW)
    donations.approve_refund(actor=manager2, refund=asked, now=w.NOW)
    with pytest.raises(PermissionRefused):
        donations.withdraw_refund(actor=officer, refund=asked, now=w.NOW)
    other = donations.ask_refund(
        actor=officer, gift=gift, money=Money(100), reason="", now=w.NOW, by_staff=True
    )
    donations.withdraw_refund(actor=officer, refund=other, now=w.NOW)
    with pytest.raises(WrongState):
        donations.withdraw_refund(actor=officer, refund=other, now=w.NOW)
    mine = w.ask_back(city, gift, 100)
    with pytest.raises(PermissionRefused):
        donations.withdraw_refund(actor=officer, refund=mine, now=w.NOW)
    assert donations.withdraw_refund(actor=PUBLIC, refund=mine, now=w.NOW).status == "withdrawn"


def test_window_closes_by_method_and_the_bank_takes_over() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    late = w.NOW + dt.timedelta(days=180, seconds=1)
    assert refund_offer(gift, w.NOW + dt.timedelta(days=179)).through_provider
    assert not refund_offer(gift, late).through_provider
    fails("wrong_refund_way", lambda: w.ask_back(city, gift, 5_000, now=late))
    fails("wrong_refund_way", lambda: w.ask_back(city, gift, 5_000, bank=BANK))
    asked = w.ask_back(city, gift, 5_000, now=late, bank=BANK)
    assert asked.account_tail == "5678" and b"12345678" not in bytes(asked.bank_details)
    manager, cashier = city.people["manager"], city.people["cashier"]
    donations.approve_refund(actor=manager, refund=asked, now=late)

    def pay(who: Actor) -> Refund:
        return donations.pay_bank_refund(actor=who, refund=asked, reference="B1", paid_at=late, now=late)

    with pytest.raises(PermissionRefused):
        pay(manager)
    with pytest.raises(PermissionRefused):
        donations.read_bank_details(actor=manager, refund=asked, now=late)
    assert donations.read_bank_details(actor=cashier, refund=asked, now=late).account == "6222000012345678"
    assert BankDetailsRead.objects.get().person == cashier.person_id
    fails(
        "bad_input",
        lambda: donations.pay_bank_refund(actor=cashier, refund=asked, reference=" ", paid_at=late, now=late),
    )
    pay(cashier)
    with pytest.raises(WrongState):
        pay(city.people["cashier2"])
    w.work(late)
    lines = dict(Entry.objects.get(kind="refund").lines.values_list("account__role", "amount"))
    assert lines == {"gift_income": 5_000, "bank": -5_000}
    assert receipts(gift) == [20_000, -5_000]
    donations.fail_bank_refund(actor=cashier, refund=asked, reason="户名不符", now=late)
    w.work(late)
    assert receipts(gift) == [20_000, -5_000, 5_000], "money that came back answers the red receipt"
    assert figures([city.earmark]).refunded == 0
    check()


def test_window_that_closed_between_request_and_approval() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    asked = w.ask_back(city, gift, 5_000, now=w.NOW + dt.timedelta(days=179))
    late = w.NOW + dt.timedelta(days=181)
    fails(
        "refund_way_closed",
        lambda: donations.approve_refund(actor=city.people["manager"], refund=asked, now=late),
    )
    assert figures([city.earmark]).reserved == 0, "the hold went with it"


def test_provider_fails_before_and_after() -> None:
    city = w.build()
    gift = w.give(city, 20_000, email="donor@example.org")
    first = w.refund(city, gift, 4_000)
    w.act(gift, "refund_fail")
    w.work()
    first.refresh_from_db()
    assert (first.status, first.answer) == ("failed", "account_closed")
    assert figures([city.earmark]).reserved == 0 and receipts(gift) == [20_000]
    assert not refund_offer(gift, w.NOW).through_provider, "now the bank is offered"
    other = w.give(city, 20_000)
    second = w.refund(city, other, 4_000)
    w.act(other, "refund_succeed")
    w.work()
    w.act(other, "refund_fail")
    w.work()
    second.refresh_from_db()
    assert second.status == "failed"
    assert receipts(other) == [20_000, -4_000, 4_000]
    assert figures([city.earmark]).refunded == 0
    assert Entry.objects.filter(kind="reversal").count() == 1
    assert "退款没有退成" in mail.outbox[-1].subject or "退款没有退成" in mail.outbox[-2].subject
    check()


def test_success_and_failure_heard_of_at_once() -> None:
    """Both events wait in the inbox; what the provider says now is what counts."""
    city = w.build()
    gift = w.give(city, 20_000)
    w.refund(city, gift, 4_000)
    w.act(gift, "refund_succeed")
    w.act(gift, "refund_fail")
    w.work()
    assert Refund.objects.get().status == "failed" and Entry.objects.filter(kind="refund").count() == 0
    check()


def test_refusal_of_the_provider_frees_the_money() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    w.act(gift, "dispute_open", amount=1_000)  # the site hasn't heard of it yet
    asked = w.refund(city, gift, 4_000)
    w.work()
    asked.refresh_from_db()
    assert (asked.status, asked.answer) == ("failed", "charge_disputed")
    fails("gift_disputed", lambda: w.ask_back(city, gift, 1_000))
    check()


def test_refund_of_the_dashboard_is_found_and_booked() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    w.help_family(city, 1, 15_000)
    w.act(gift, "refund_dashboard", amount=8_000, copies=2)
    w.work()
    found = Refund.objects.get()
    assert (found.source, found.status, found.amount, found.asked_by) == ("provider", "paid", 8_000, None)
    entry = Entry.objects.get(kind="refund")
    lines = {
        (each.account.role, each.earmark_id): each.amount for each in entry.lines.select_related("account")
    }
    assert lines[("gift_income", city.earmark)] == 4_880 and lines[("receivable", None)] == 3_120
    assert figures([city.earmark]).available == 0, "never below zero"
    assert receipts(gift) == [20_000, -8_000]
    check()


def test_lost_answer_is_looked_up_before_it_is_sent_again() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    asked = w.refund(city, gift, 4_000)
    PaymentRefund.objects.update(ref="", status="created", due_at=w.NOW)
    SandboxRefund.objects.update(key="forgotten after a day")
    send_refunds(now=w.NOW + dt.timedelta(days=2))
    asked.refresh_from_db()
    assert (
        SandboxRefund.objects.count() == 1
        and PaymentRefund.objects.get().ref == SandboxRefund.objects.get().ref
    )


def test_silent_provider_is_asked() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    w.refund(city, gift, 4_000)
    SandboxRefund.objects.update(status="succeeded")  # and no event at all
    send_refunds(now=w.NOW + dt.timedelta(minutes=5))
    w.work()
    assert Refund.objects.get().status == "paid"
    check()


RULES = {
    "refund_two_people": "decided_by_id = asked_by_id, decided_at = now(), status = 'approved'",
    "refund_decided_by_someone": "status = 'approved'",
    "refund_way_fields": "payer_id = {manager}, decided_by_id = {other}, decided_at = now(), status = 'approved'",
    "refund_payer_not_approver": "payer_id = {other}, decided_by_id = {other}, decided_at = now(), status = 'approved'",
    "refund_paid_is_proven": "status = 'paid', decided_by_id = {manager}, decided_at = now()",
    "refund_source_fields": "asked_by_id = NULL",
    "refund_decision_has_time": "decided_at = now()",
    "Cannot update": "amount = 1",
}


@pytest.mark.parametrize("rule", RULES)
def test_rules_of_the_row(rule: str) -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    donations.ask_refund(
        actor=city.people["officer"], gift=gift, money=Money(100), reason="", now=w.NOW, by_staff=True
    )
    change = RULES[rule].format(
        manager=city.people["manager"].person_id, other=city.people["manager2"].person_id
    )
    with pytest.raises(Exception, match=rule), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE donations_refund SET {change}")


def test_database_refuses_more_than_the_gift() -> None:
    city = w.build()
    gift = w.give(city, 20_000)

    def row(number: str, fen: int) -> Refund:
        return Refund.objects.create(
            number=number, gift=gift, source="donor", way="provider", amount=fen, currency="CNY", asked_at=w.NOW
        )  # fmt: skip

    Refund.objects.filter(pk=row("R-1", 20_000).pk).update(status="withdrawn")
    decided = {"status": "approved", "decided_by": city.people["manager"].person_id, "decided_at": w.NOW}
    Refund.objects.filter(pk=row("R-2", 15_000).pk).update(**decided)
    with pytest.raises(IntegrityError, match="pass its amount"), transaction.atomic():
        row("R-3", 5_001)
    row("R-4", 5_000)

    def sent(fen: int) -> PaymentRefund:
        return PaymentRefund.objects.create(
            payment=gift.payment, purpose=f"x:{fen}", provider="sandbox", amount=fen, currency="CNY", opened_at=w.NOW,
            due_at=w.NOW,
        )  # fmt: skip

    sent(15_000)
    with pytest.raises(IntegrityError, match="pass its amount"), transaction.atomic():
        sent(5_001)
    sent(5_000)


def test_receipts_never_answer_more_than_they_say() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    blue = gift.receipt
    common = {"code": blue.code, "item": "x", "currency": "CNY", "issued_at": w.NOW, "answers": blue}
    Receipt.objects.create(number="1000000001", amount=-15_000, **common)
    for n, amount in enumerate((-5_001, 1)):
        with pytest.raises(IntegrityError, match="more than it says"), transaction.atomic():
            Receipt.objects.create(number=f"100000001{n}", amount=amount, **common)
    with pytest.raises(IntegrityError, match="receipt_gives_or_answers"), transaction.atomic():
        Receipt.objects.create(number="1000000020", amount=5, **{**common, "answers": None})


def test_held_money_is_not_spent_meanwhile() -> None:
    city = w.build()
    gift = w.give(city, 20_000)
    w.refund(city, gift, 10_000)
    fails("not_enough_money", lambda: w.approve(city, w.apply_aid(city, w.household(city, 1), 9_900)))
    w.help_family(city, 2, 9_880)
    assert LotBalance.objects.get().remaining == 10_000 == LotBalance.objects.get().held


def test_money_that_goes_back_and_comes_again_many_times() -> None:
    """Each time a receipt answers the newest one that is open; found by the state machine at the third return."""
    city = w.build()
    gift = w.give(city, 20_000)
    late = w.NOW + dt.timedelta(days=200)
    manager, cashier = city.people["manager"], city.people["cashier"]
    for fen in (5_000, 4_000, 6_000, 3_000):
        asked = w.ask_back(city, gift, fen, now=late, bank=BANK)
        donations.approve_refund(actor=manager, refund=asked, now=late)
        donations.pay_bank_refund(actor=cashier, refund=asked, reference="B", paid_at=late, now=late)
        w.work(late)
        assert sum(receipts(gift)) == still_given(gift) == 20_000 - fen
        donations.fail_bank_refund(actor=cashier, refund=asked, reason="户名不符", now=late)
        w.work(late)
        assert sum(receipts(gift)) == still_given(gift) == 20_000
    numbers = [int(n) for n in Receipt.objects.order_by("id").values_list("number", flat=True)]
    assert numbers == list(range(1, len(numbers) + 1)), "no gap"
    check()
