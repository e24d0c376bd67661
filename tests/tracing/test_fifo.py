"""First in, first out against an independent, slow calculation: random histories of gifts, approvals, payments,
returns, claw-backs whole and in part, and refunds, some of the money left unspent (T2)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.core.actors import system
from apps.ledger.errors import MoreThanPaid, NotEnoughMoney, NotRefundable
from apps.ledger.models import Account, Allocation, Book, Earmark, EarmarkBalance, Entry, Lot
from apps.ledger.operations import (
    Credit,
    Payment,
    give_back_part,
    hold_refund,
    open_book,
    open_earmark,
    pay_reservation,
    pay_reservations,
    post_credit,
    reserve,
    return_payment,
    settle_refund,
)
from apps.ledger.operations.folding import lock_earmarks
from apps.ledger.queries import figures, gift_allocations
from apps.tracing.example import GIFTS, PAYMENTS, worked_example
from apps.tracing.flow import Place, draw, fit
from tests import world as w

pytestmark = pytest.mark.django_db
ACTOR = system("tests")
NO_SHRINK = (Phase.explicit, Phase.reuse, Phase.generate)
"""A failing history is told as it is: shrinking it against a database would take minutes."""
_numbers = iter(range(10**6, 10**9))


@dataclass
class Slow:
    """What the rule says, by looking at every fen's lot anew each time: no balances are carried along."""

    lots: list[tuple[int, int]] = field(default_factory=list)
    """(gift, amount) in the order of their numbers."""
    taken: list[tuple[int, int, int]] = field(default_factory=list)
    """(lot, amount, act) in order; negative gives back."""
    parts: dict[int, int] = field(default_factory=dict)
    """Which payment an act gave a part of back."""

    def left(self, lot: int) -> int:
        return self.lots[lot][1] - sum(amount for which, amount, _act in self.taken if which == lot)

    def whole(self) -> int:
        return sum(self.left(lot) for lot in range(len(self.lots)))

    def spend(self, amount: int, act: int) -> None:
        for lot in range(len(self.lots)):
            part = min(amount, self.left(lot))
            if part:
                self.taken.append((lot, part, act))
                amount -= part

    def give_back(self, act: int, by: int) -> None:
        self.taken += [(lot, -amount, by) for lot, amount, which in list(self.taken) if which == act]

    def give_back_part(self, act: int, amount: int, by: int) -> None:
        """Fen by fen's lot, from the last one that the payment still has something of."""
        for lot in reversed(range(len(self.lots))):
            still = sum(part for which, part, done in self.taken if which == lot and done == act)
            still += sum(
                part for which, part, done in self.taken if which == lot and self.parts.get(done) == act
            )
            back = min(amount, still)
            if back:
                self.taken.append((lot, -back, by))
                amount -= back
        assert not amount
        self.parts[by] = act

    def refund(self, gift: int, amount: int, act: int) -> None:
        lot = next(n for n, (whose, _amount) in enumerate(self.lots) if whose == gift)
        self.taken.append((lot, amount, act))


act = st.tuples(
    st.sampled_from(
        ["give", "give", "pay", "pay", "return", "clawback", "part", "part", "batch", "refund", "again"]
    ),
    st.integers(1, 5_000),
    st.integers(0, 10**6),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINK)
@given(st.lists(act, min_size=5, max_size=40))
def test_the_ledger_does_what_the_slow_rule_says(history: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        run(history)
        transaction.set_rollback(True)


def run(history: list[tuple[str, int, int]]) -> None:
    book = Book.objects.filter(code="federation").first() or open_book(code="federation", name="federation")
    earmark = open_earmark(book=book, kind="project", owner=next(_numbers)).pk
    slow, gifts, waiting = Slow(), list[int](), list[int]()
    paid: dict[int, tuple[Entry, int]] = {}
    entries: dict[int, int] = {}
    partly: dict[int, int] = {}
    for n, (what, amount, pick) in enumerate(history):
        now = w.NOW + dt.timedelta(minutes=n)
        key = f"fifo:{next(_numbers)}"
        if what == "give":
            gift = next(_numbers)
            post_credit(actor=ACTOR, credit=Credit(key, earmark, amount, now, origin=gift))
            gifts.append(gift)
            slow.lots.append((gift, amount))
        elif what in ("pay", "again"):
            # Never more than four fifths: some of the money is left unspent.
            room = slow.whole() - sum(a for _g, a in slow.lots) // 5
            amount = min(amount, room)
            purpose = key
            if amount <= 0:
                continue
            try:
                reserve(earmark=earmark, amount=amount, purpose=purpose, now=now)
            except NotEnoughMoney:
                continue
            entry = pay_reservation(actor=ACTOR, purpose=purpose, key=key, cost="programme", budget_line=None, now=now,
                                    effective_at=now)  # fmt: skip
            paid[n], entries[n] = (entry, amount), entry.pk
            waiting.append(n)
            slow.spend(amount, n)
        elif what == "batch":
            # One statement for many payments: each goes on in the lot where the one before stopped.
            free = min(slow.whole() - sum(a for _g, a in slow.lots) // 5, figures([earmark]).available)
            wanted = [max(amount // k, 1) for k in (3, 7, 2)]
            if sum(wanted) > free:
                continue
            payments = [Payment(f"{key}:{k}", f"{key}:{k}", "programme", None) for k in range(len(wanted))]
            for payment, sum_ in zip(payments, wanted, strict=True):
                reserve(earmark=earmark, amount=sum_, purpose=payment.purpose, now=now)
            made = pay_reservations(actor=ACTOR, payments=payments, now=now, effective_at=now)
            assert pay_reservations(actor=ACTOR, payments=payments, now=now, effective_at=now) == made
            for k, (entry, sum_) in enumerate(zip(made, wanted, strict=True)):
                which = 1000 * (n + 1) + k
                paid[which], entries[which] = (entry, sum_), entry.pk
                waiting.append(which)
                slow.spend(sum_, which)
        elif what == "part" and waiting:
            which = waiting[pick % len(waiting)]
            entry, sum_ = paid[which]
            kept = sum_ - partly.get(which, 0)
            part = min(amount, kept)
            if part == kept:
                waiting.remove(which)
            back = give_back_part(actor=ACTOR, entry=entry, amount=part, key=key, effective_at=now)
            assert give_back_part(actor=ACTOR, entry=entry, amount=part, key=key, effective_at=now) == back
            with pytest.raises(MoreThanPaid), transaction.atomic():
                give_back_part(
                    actor=ACTOR, entry=entry, amount=kept - part + 1, key=f"{key}+", effective_at=now
                )
            partly[which], entries[n] = partly.get(which, 0) + part, back.pk
            slow.give_back_part(which, part, n)
        elif what in ("return", "clawback") and [each for each in waiting if each not in partly]:
            whole = [each for each in waiting if each not in partly]
            which = whole[pick % len(whole)]
            waiting.remove(which)
            entry, sum_ = paid[which]
            back = return_payment(actor=ACTOR, entry=entry, purpose=f"again:{key}", key=key, now=now, effective_at=now,
                                  reserve_again=what == "return")  # fmt: skip
            entries[n] = back.pk
            slow.give_back(which, n)
            if what == "return":
                again = pay_reservation(actor=ACTOR, purpose=f"again:{key}", key=f"{key}:2", cost="programme",
                                        budget_line=None, now=now, effective_at=now)  # fmt: skip
                paid[-n - 1], entries[-n - 1] = (again, sum_), again.pk
                waiting.append(-n - 1)
                slow.spend(sum_, -n - 1)
        elif what == "refund" and gifts:
            gift = gifts[pick % len(gifts)]
            try:
                with transaction.atomic():
                    hold_refund(earmark=earmark, origin=gift, amount=amount, purpose=key, now=now)
            except NotRefundable:
                lot = next(i for i, (whose, _a) in enumerate(slow.lots) if whose == gift)
                assert slow.left(lot) < amount
                continue
            entry = settle_refund(actor=ACTOR, purpose=key, key=key, now=now, effective_at=now, channel=None)
            entries[n] = entry.pk
            slow.refund(gift, amount, n)
    compare(earmark, slow, entries)


def compare(earmark: int, slow: Slow, entries: dict[int, int]) -> None:
    lock_earmarks([earmark])  # folds the gifts nothing was spent after
    seqs = dict(Lot.objects.filter(earmark=earmark).values_list("pk", "seq"))
    real: dict[tuple[int, int], int] = defaultdict(int)
    for lot, entry, amount in Allocation.objects.filter(lot__earmark=earmark).values_list(
        "lot", "entry", "amount"
    ):
        real[seqs[lot] - 1, entry] += amount
    wanted: dict[tuple[int, int], int] = defaultdict(int)
    for lot, amount, which in slow.taken:
        wanted[lot, entries[which]] += amount
    assert {k: v for k, v in real.items() if v} == {k: v for k, v in wanted.items() if v}
    balance = EarmarkBalance.objects.get(earmark=earmark)
    spent = sum(
        amount for _l, amount, which in slow.taken if Entry.objects.get(pk=entries[which]).kind != "refund"
    )
    assert balance.spent == spent, "the sum over gifts is the ledger's, to the fen"
    if seqs:
        assert balance.available + balance.reserved == slow.whole()
        for n, (gift, amount) in enumerate(slow.lots):
            used = sum(each.amount for each in gift_allocations(gift))
            assert used + slow.left(n) == amount


def test_the_worked_example_is_what_the_ledger_would_do() -> None:
    """The page's example and a real earmark given the same gifts and payments agree."""
    book = open_book(code="federation", name="federation")
    assert Account.objects.filter(book=book, role="programme").exists()
    history: list[Any] = [("give", amount) for amount in GIFTS]
    earmark = open_earmark(book=book, kind="project", owner=next(_numbers)).pk
    for n, (_what, amount) in enumerate(history):
        post_credit(actor=ACTOR, credit=Credit(f"x{next(_numbers)}", earmark, amount, w.NOW, origin=n + 1))
    taken = []
    for amount in PAYMENTS:
        key = f"x{next(_numbers)}"
        reserve(earmark=earmark, amount=amount, purpose=key, now=w.NOW)
        entry = pay_reservation(actor=ACTOR, purpose=key, key=key, cost="programme", budget_line=None, now=w.NOW,
                                effective_at=w.NOW)  # fmt: skip
        rows = entry.allocations.values_list("lot__seq", "amount")
        taken.append(dict(rows))
    example = worked_example()
    for one in example:
        assert one.taken == [each.get(one.n, 0) for each in taken]
        assert one.amount == sum(one.taken) + one.left
    assert Earmark.objects.filter(pk=earmark).exists()


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=30))
def test_a_picture_loses_no_fen(amounts: list[int]) -> None:
    places = [Place(f"p{n}", amount, "f-a") for n, amount in enumerate(amounts)]
    drawn = draw(places, rest="rest")
    assert sum(band.amount for band in drawn.bands) == sum(amounts)
    assert len(drawn.bands) <= 8


@pytest.mark.parametrize(
    ("words", "cut"),
    [
        ("Serious illness aid", "Serious illness aid"), ("未使用（含办理中的救助）", "未使用（含办理中的救助）"),
        ("Unspent (including aid under way)", "Unspent (including aid…"), ("", ""),
        ("大病救助和康复训练的其他支出", "大病救助和康复训练的其…"),
    ],
)  # fmt: skip
def test_words_in_the_picture_are_cut_by_their_width(words: str, cut: str) -> None:
    assert fit(words) == cut
