"""Every rule of the ledger that the database holds, broken on purpose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.core.actors import system
from apps.ledger.errors import AlreadyReversed, NotEnoughMoney, NotRefundable, ReservationClosed
from apps.ledger.models import Account, Channel, Earmark, EarmarkBalance, Entry, Line, LotBalance
from apps.ledger.operations import (
    Credit,
    hold_refund,
    open_book,
    open_earmark,
    pay_reservation,
    post_credit,
    post_credits,
    post_dispute,
    post_fee,
    release_refund,
    reserve,
    return_payment,
    reverse_entry,
    settle_refund,
    transfer,
    void_reservation,
)
from apps.ledger.operations.folding import lock_earmarks
from apps.ledger.queries import figures, gift_allocations, refundable
from tests.world import NOW

pytestmark = pytest.mark.django_db
ACTOR = system("tests")


@pytest.fixture
def earmark() -> Earmark:
    return open_earmark(book=open_book(code="federation", name="总会"), kind="project", owner=1)


def credit(earmark: Earmark, amount: int, origin: int, key: str = "", at: dt.datetime = NOW) -> None:
    post_credit(
        actor=ACTOR, credit=Credit(key or f"gift:{origin}", earmark.pk, amount, at, origin, "wechat_pay")
    )


def make_entry(
    lines: list[tuple[str, int, Earmark | None]], *, count: int | None = None, currency: str = "CNY"
) -> Entry:
    entry = Entry.objects.create(
        kind="gift", idempotency_key=f"k{Entry.objects.count()}", currency=currency,
        line_count=count or len(lines), effective_at=NOW, actor_label="tests",
    )  # fmt: skip
    for n, (role, amount, mark) in enumerate(lines, start=1):
        account = Account.objects.get(role=role, currency=currency)
        Line.objects.create(entry=entry, n=n, account=account, bears_earmark=account.bears_earmark, earmark=mark,
                            currency=currency, amount=amount)  # fmt: skip
    return entry


def at_commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def refused(act: Callable[[], object], name: str = "") -> None:
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        act()
        at_commit()
    assert name in str(error.value)


def test_entry_without_lines_is_refused(earmark: Earmark) -> None:
    refused(lambda: make_entry([], count=2), "does not close")


def test_unbalanced_entry_is_refused(earmark: Earmark) -> None:
    refused(lambda: make_entry([("bank", 100, None), ("gift_income", -99, earmark)]), "does not close")


def test_pair_appended_later_is_refused(earmark: Earmark) -> None:
    entry = make_entry([("bank", 100, None), ("gift_income", -100, earmark)])
    at_commit()
    bank, income = Account.objects.get(role="bank"), Account.objects.get(role="gift_income")

    def append() -> None:
        Line.objects.create(entry=entry, n=3, account=bank, bears_earmark=False, currency="CNY", amount=5)
        Line.objects.create(entry=entry, n=4, account=income, bears_earmark=True, earmark=earmark, currency="CNY",
                            amount=-5)  # fmt: skip

    refused(append, "does not close")


def test_mixed_currencies_are_refused(earmark: Earmark) -> None:
    open_book(code="federation", name="总会", currency="USD")
    dollars = Account.objects.get(role="bank", currency="USD")
    entry = make_entry([("bank", 100, None), ("gift_income", -100, earmark)])

    def mix() -> None:
        Line.objects.create(entry=entry, n=3, account=dollars, bears_earmark=False, currency="CNY", amount=5)

    refused(mix, "line_account_same_currency")
    other = open_earmark(book=earmark.book, kind="project", owner=2, currency="USD")
    refused(lambda: make_entry([("bank", 1, None), ("gift_income", -1, other)]), "line_earmark_same_currency")


def test_earmark_stands_only_where_it_may(earmark: Earmark) -> None:
    refused(
        lambda: make_entry([("bank", 1, earmark), ("gift_income", -1, earmark)]), "line_earmark_by_account"
    )
    refused(lambda: make_entry([("bank", 1, None), ("gift_income", -1, None)]), "line_earmark_by_account")


@pytest.mark.parametrize("sql", ["UPDATE {t} SET id = id", "DELETE FROM {t}", "TRUNCATE {t} CASCADE"])
@pytest.mark.parametrize(
    "table", ["ledger_entry", "ledger_line", "ledger_lot", "ledger_allocation", "core_outboxevent", "donations_receipt",
              "payments_providerfact", "publication_release", "publication_expenseuse", "casework_accessrow"],
)  # fmt: skip
def test_history_refuses_change(earmark: Earmark, table: str, sql: str) -> None:
    credit(earmark, 100, 1)

    def change() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql.format(t=table))

    refused(change, "permission denied")


def test_balance_never_below_zero(earmark: Earmark) -> None:
    credit(earmark, 100, 1)
    lock_earmarks([earmark.pk])
    rows = EarmarkBalance.objects.filter(earmark=earmark)
    refused(lambda: rows.update(available=-1, reserved=101), "earmark_never_below_zero")
    refused(lambda: rows.update(available=99), "earmark_columns_close")
    refused(lambda: LotBalance.objects.update(held=101), "lot_held_within")


def test_key_posts_once_and_in_batches(earmark: Earmark) -> None:
    one = Credit("a", earmark.pk, 100, NOW, 1, "card")
    two = Credit("b", earmark.pk, 200, NOW, 2, "alipay")
    assert set(post_credits(actor=ACTOR, credits=[one, two])) == {"a", "b"}
    assert post_credits(actor=ACTOR, credits=[one]) == {}
    assert figures([earmark.pk]).raised == 300
    at_commit()


def test_pay_and_return_give_back_to_the_same_lots(earmark: Earmark) -> None:
    credit(earmark, 100, 1)
    credit(earmark, 50, 2, at=NOW + dt.timedelta(seconds=1))
    reserve(earmark=earmark.pk, amount=120, purpose="d:1", now=NOW)
    with pytest.raises(NotEnoughMoney):
        reserve(earmark=earmark.pk, amount=31, purpose="d:2", now=NOW)
    entry = pay_reservation(actor=ACTOR, purpose="d:1", key="pay1", cost="programme", budget_line=7, now=NOW,
                            effective_at=NOW)  # fmt: skip
    assert pay_reservation(actor=ACTOR, purpose="d:1", key="pay1", cost="programme", budget_line=7, now=NOW,
                           effective_at=NOW) == entry  # fmt: skip
    assert [(a.amount, a.kind) for a in gift_allocations(1)] == [(100, "spent")]
    assert [(a.amount, a.kind) for a in gift_allocations(2)] == [(20, "spent")]
    return_payment(actor=ACTOR, entry=entry, purpose="d:1", key="ret1", now=NOW, effective_at=NOW)
    now = figures([earmark.pk])
    assert (now.spent, now.reserved, now.available) == (0, 120, 30)
    with pytest.raises(AlreadyReversed):
        reverse_entry(actor=ACTOR, entry=entry, key="again", effective_at=NOW)
    void_reservation(purpose="d:1", now=NOW)
    with pytest.raises(ReservationClosed):
        void_reservation(purpose="d:1", now=NOW)
    assert figures([earmark.pk]).available == 150
    at_commit()


def test_refund_takes_only_the_gifts_own_unspent_money(earmark: Earmark) -> None:
    credit(earmark, 100, 1)
    credit(earmark, 50, 2, at=NOW + dt.timedelta(seconds=1))
    assert refundable(earmark.pk, 1) == 100
    reserve(earmark=earmark.pk, amount=70, purpose="d:1", now=NOW)
    pay_reservation(
        actor=ACTOR, purpose="d:1", key="p", cost="programme", budget_line=None, now=NOW, effective_at=NOW
    )
    with pytest.raises(NotRefundable):
        hold_refund(earmark=earmark.pk, origin=1, amount=31, purpose="r:1", now=NOW)
    hold_refund(earmark=earmark.pk, origin=1, amount=30, purpose="r:1", now=NOW)
    assert refundable(earmark.pk, 1) == 0
    release_refund(purpose="r:1", now=NOW)
    hold_refund(earmark=earmark.pk, origin=1, amount=30, purpose="r:2", now=NOW)
    entry = settle_refund(actor=ACTOR, purpose="r:2", key="s", now=NOW, effective_at=NOW, channel="card")
    assert figures([earmark.pk]).refunded == 30
    reverse_entry(actor=ACTOR, entry=entry, key="failed", effective_at=NOW)
    assert (figures([earmark.pk]).refunded, refundable(earmark.pk, 1)) == (0, 30)
    at_commit()


def test_fee_and_dispute_fall_through_when_money_is_gone(earmark: Earmark) -> None:
    book = earmark.book
    operations = open_earmark(book=book, kind="operations", owner=9)
    reserve_mark = open_earmark(book=book, kind="reserve", owner=9)
    credit(earmark, 100, 1)
    credit(operations, 3, 99, key="own")
    credit(reserve_mark, 40, 98, key="reserve")
    reserve(earmark=earmark.pk, amount=98, purpose="d:1", now=NOW)
    entry = post_fee(
        actor=ACTOR, earmark=earmark.pk, origin=1, amount=6, key="fee", effective_at=NOW, channel="card"
    )
    amounts = dict(entry.lines.values_list("n", "amount"))
    assert list(amounts.values()) == [2, 3, 1, -6], "own lot, operations, receivable"
    assert post_fee(actor=ACTOR, earmark=earmark.pk, origin=1, amount=6, key="fee", effective_at=NOW,
                    channel="card") == entry  # fmt: skip
    lost = post_dispute(
        actor=ACTOR, earmark=earmark.pk, origin=1, amount=100, key="x", effective_at=NOW, channel="card"
    )
    assert figures([reserve_mark.pk]).disputed == 40
    reverse_entry(actor=ACTOR, entry=lost, key="won", effective_at=NOW)
    assert figures([reserve_mark.pk]).available == 40
    at_commit()


def test_transfer_keeps_origins(earmark: Earmark) -> None:
    other = open_earmark(book=earmark.book, kind="general", owner=1)
    credit(earmark, 100, 1)
    transfer(actor=ACTOR, source=earmark.pk, target=other.pk, amount=60, key="t", effective_at=NOW)
    reserve(earmark=other.pk, amount=60, purpose="d:9", now=NOW)
    pay_reservation(
        actor=ACTOR, purpose="d:9", key="p9", cost="programme", budget_line=None, now=NOW, effective_at=NOW
    )
    assert [(a.kind, a.amount) for a in gift_allocations(1)] == [("moved", 60), ("spent", 60)]
    with pytest.raises(NotEnoughMoney):
        transfer(actor=ACTOR, source=earmark.pk, target=other.pk, amount=41, key="t2", effective_at=NOW)
    at_commit()


def test_channels_and_chart_are_data() -> None:
    assert Channel.objects.filter(code="wechat_pay").exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Channel.objects.create(code="wechat_pay", name_zh="x", name_en="x")
