"""Giving, paying late, expiring, refunding, disputing, spending, repeating, reordering and crashing, in any order that
Hypothesis thinks of: invariants 1-4 hold after every step, and at the end the books say what the provider says.

200 runs of 30 steps in two shards; with --long ten times as many. A failure prints how to reproduce it.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import Any, ClassVar

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.core import crash
from apps.core.errors import DomainError
from apps.core.events import deliver_due
from apps.core.invariants import ordered
from apps.core.models import OutboxDelivery
from apps.core.money import Money
from apps.donations import operations as donations
from apps.donations.models import Gift, Refund
from apps.donations.queries import receipts_of_gift, still_given
from apps.funds import operations as funds
from apps.ledger import operations as ledger
from apps.ledger.models import Earmark, Entry
from apps.payments.models import ProviderEvent, SandboxDispute, SandboxRefund, SandboxSession
from apps.payments.operations import process_inbox, receive_event, send_refunds
from apps.payments.operations.inbox import LEASE
from apps.payments.providers.sandbox import make_event, play, settle
from tests import world as w

KINDS = ["session.completed", "session.paid", "session.expired", "refund.created", "refund.updated", "refund.failed",
         "dispute.created", "dispute.funds_withdrawn", "dispute.funds_reinstated", "dispute.closed"]  # fmt: skip
POINTS = ["payments.event_stored", "payments.events_fetched", "donations.gifts_marked", "donations.gifts_posted",
          "donations.refund_held", "payments.before_refund_call", "payments.after_refund_call",
          "donations.refund_posted", "ledger.payment_written"]  # fmt: skip
ASKED = ["ask", "approve", "send"]
REFUNDS = [[*ASKED, "refund_fail"], [*ASKED, "refund_succeed"], [*ASKED, "refund_succeed"], ASKED,
           [*ASKED, "refund_succeed", "refund_fail"], ["ask"], ["approve"], ["refuse"], ["send"], ["ask", "approve"],
           ["refund_succeed"], ["refund_fail"]]  # fmt: skip
FATES = [["dispute_open"], ["dispute_inquire"], ["dispute_open", "dispute_win"], ["dispute_open", "dispute_lose"],
         ["dispute_open", "dispute_partly"], ["dispute_win"], ["dispute_lose"], ["refund_dashboard"],
         ["refund_dashboard", "refund_fail"]]  # fmt: skip
WHICH = st.integers(0, 4)
FAR = w._far()
MOSTLY = st.sampled_from([True, True, True, False])
"""A step mostly goes on to the next, so that thirty steps reach far."""

SCOPED = {
    "1: entries close": """
SELECT e.id FROM ledger_entry e JOIN ledger_line l ON l.entry_id = e.id
WHERE e.id IN (SELECT entry_id FROM ledger_line WHERE earmark_id = ANY(%(marks)s))
GROUP BY e.id HAVING sum(l.amount) <> 0 OR count(*) <> e.line_count""",
    "2: balances recompute": """
SELECT b.earmark_id FROM ledger_earmarkbalance b WHERE b.earmark_id = ANY(%(marks)s) AND (
  b.available < 0 OR b.reserved < 0 OR b.available + b.reserved
    + (SELECT coalesce(sum(amount), 0) FROM ledger_delta d WHERE d.earmark_id = b.earmark_id)
    <> -(SELECT coalesce(sum(amount), 0) FROM ledger_line l WHERE l.earmark_id = b.earmark_id)
  OR b.reserved <> (SELECT coalesce(sum(amount), 0) FROM ledger_reservation r
                    WHERE r.earmark_id = b.earmark_id AND r.status = 'open'))""",
    "3: allocations are what left": """
SELECT b.earmark_id FROM ledger_earmarkbalance b WHERE b.earmark_id = ANY(%(marks)s) AND
  b.spent + b.fees + b.refunded + b.disputed + b.moved_out <> (SELECT coalesce(sum(a.amount), 0)
    FROM ledger_allocation a JOIN ledger_lot l ON l.id = a.lot_id WHERE l.earmark_id = b.earmark_id)
UNION ALL
SELECT l.id FROM ledger_lot l JOIN ledger_lotbalance b ON b.lot_id = l.id WHERE l.earmark_id = ANY(%(marks)s) AND (
  b.held < 0 OR b.held > b.remaining
  OR l.amount <> b.remaining + (SELECT coalesce(sum(amount), 0) FROM ledger_allocation a WHERE a.lot_id = l.id)
  OR b.held <> (SELECT coalesce(sum(h.amount), 0) FROM ledger_refundhold h
                JOIN ledger_reservation r ON r.id = h.reservation_id WHERE h.lot_id = l.id AND r.status = 'open'))""",
    "4: one entry a fact": """
SELECT g.id FROM donations_gift g WHERE g.fund_id = %(fund)s AND (g.status = 'received') <> EXISTS (
  SELECT 1 FROM payments_providerfact f JOIN ledger_entry e ON e.idempotency_key = 'fact:' || f.id || ':gift'
  WHERE f.payment_id = g.payment_id AND f.kind = 'settled')
UNION ALL
SELECT r.id FROM donations_refund r JOIN donations_gift g ON g.id = r.gift_id WHERE g.fund_id = %(fund)s
  AND (r.status = 'approved') <> EXISTS (
    SELECT 1 FROM ledger_reservation v WHERE v.purpose = 'refund:' || r.id AND v.status = 'open')
UNION ALL
SELECT g.id FROM donations_gift g JOIN donations_refund r ON r.gift_id = g.id AND r.status IN ('approved', 'paid')
WHERE g.fund_id = %(fund)s GROUP BY g.id HAVING sum(r.amount) > g.amount""",
}


class Crash(BaseException):
    """The process died here."""


def _die(status: int) -> None:
    raise Crash


class Giving(RuleBasedStateMachine):
    city: ClassVar[w.World]
    number: ClassVar[int] = 0
    crashes: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        cls = type(self)
        cls.number += 1
        self.n = 0
        city = cls.city
        self.fund = funds.open_fund(
            actor=city.people["manager"], organization=city.organization, now=w.NOW, slug=f"f{cls.number}",
            name=f"微基金{cls.number}", category="housing", purpose="帮助困难家庭。",
        )  # fmt: skip
        self.world = w.World(city.organization, self.fund, None, city.towns, w.NOW, city.people)  # type: ignore[arg-type]
        self.project = self.world.project = w.make_project(self.world, slug=f"p{cls.number}", target=10**9)
        self.earmark = self.world.earmark
        shared = Earmark.objects.filter(kind__in=["operations", "reserve"]).values_list("pk", flat=True)
        self.marks = [self.earmark, self.world.general, *shared]
        self.gifts: list[Gift] = []
        self.doomed = ""

    def survive(self, act: Any, *, again: bool = True) -> None:
        """Does a step that may be refused, or die at the chosen point; then somebody tries again."""
        os.environ["CRASH_AT"] = self.doomed
        self.doomed = ""
        try:
            act()
        except DomainError:
            pass
        except Crash:
            os.environ["CRASH_AT"] = ""
            type(self).crashes += 1
            if again:
                self.survive(act, again=False)
        finally:
            os.environ["CRASH_AT"] = ""

    def now(self) -> dt.datetime:
        """Later than everything that waits; after a crash so much later that the dead worker's lease is over."""
        return FAR + LEASE * self.crashes

    def session(self, i: int) -> SandboxSession:
        """The i-th gift's payment at the test cashier."""
        return w.session_of(self.gifts[i % len(self.gifts)])

    @initialize(first=st.integers(500, 3_000), second=st.integers(500, 3_000))
    def begin_with_two_gifts(self, first: int, second: int) -> None:
        self.give(first, "paid", True)
        self.give(second, "paid", True)

    @rule(point=st.sampled_from(POINTS))
    def crash_soon(self, point: str) -> None:
        self.doomed = point

    @rule(fen=st.integers(100, 3_000), fate=st.sampled_from(["paid", "paid", "paid", "late", "expired", "open"]),
          worked=MOSTLY)  # fmt: skip
    def give(self, fen: int, fate: str, worked: bool) -> None:
        before = len(self.gifts)
        self.survive(lambda: self.gifts.append(w.open_gift(self.world, fen)), again=False)
        if len(self.gifts) > before:
            self.decide_payment(-1, fate, worked)

    @precondition(lambda self: self.gifts)
    @rule(i=WHICH, fate=st.sampled_from(["paid", "late", "expired"]), worked=MOSTLY)
    def decide_payment(self, i: int, fate: str, worked: bool) -> None:
        """What the payer does at the cashier; money may come after the site has heard of an expiry."""
        session = self.session(i)
        if fate in ("late", "expired") and session.status == "open":
            SandboxSession.objects.filter(pk=session.pk).update(status="expired")
            self.survive(lambda: self.tell(session, "session.expired", 1))
            self.work_if(worked)
            session.refresh_from_db()
        if fate in ("late", "paid"):
            settle(session, w.NOW)
            self.survive(lambda: self.tell(session, "session.paid", 1))
            self.work_if(worked)

    @precondition(lambda self: self.gifts)
    @rule(i=WHICH, kind=st.sampled_from(KINDS), copies=st.integers(1, 3))
    def hear(self, i: int, kind: str, copies: int) -> None:
        """Any event at any time: what it says is never believed, what the provider says now is."""
        self.survive(lambda: self.tell(self.session(i), kind, copies))

    def tell(self, session: SandboxSession, kind: str, copies: int) -> None:
        headers, body = make_event(session, kind, w.NOW)
        for _ in range(copies):
            receive_event(provider_name="sandbox", headers=headers, body=body, now=w.NOW)

    def work_if(self, wanted: bool) -> None:
        if wanted:
            self.work("all")

    @rule(how=st.sampled_from(["all", "inbox", "some"]))
    def work(self, how: str) -> None:
        def both() -> None:
            if how != "some":
                process_inbox(now=self.now())
            while (
                how != "inbox"
                and deliver_due(now=self.now(), limit=3 if how == "some" else 200)
                and how == "all"
            ):
                continue

        self.survive(both)

    @precondition(lambda self: self.gifts)
    @rule(i=WHICH, fen=st.integers(1, 1_500), way=st.sampled_from(REFUNDS), told=MOSTLY, worked=MOSTLY)
    def refund(self, i: int, fen: int, way: list[str], told: bool, worked: bool) -> None:
        """A refund as far as `way` goes: asked, decided, sent, answered; the rest may follow later or never."""
        gift = Gift.objects.get(pk=self.gifts[i % len(self.gifts)].pk)
        people = self.world.people
        for step in way:
            asked = Refund.objects.filter(gift__fund=self.fund, status="requested").first()
            if step == "ask":
                self.survive(lambda: w.ask_back(self.world, gift, fen))
            elif step == "approve" and asked:
                self.survive(
                    lambda asked=asked: donations.approve_refund(
                        actor=people["manager"], refund=asked, now=w.NOW
                    )
                )
            elif step == "refuse" and asked:
                donations.refuse_refund(actor=people["manager"], refund=asked, reason="否", now=w.NOW)
            elif step == "send":
                self.survive(lambda: send_refunds(now=self.now()))
            elif step.startswith("refund_"):
                self.play([step], gift, 0, told, worked)

    @precondition(lambda self: self.gifts)
    @rule(i=WHICH, fen=st.integers(0, 1_500), way=st.sampled_from(FATES), told=MOSTLY, worked=MOSTLY)
    def suffer(self, i: int, fen: int, way: list[str], told: bool, worked: bool) -> None:
        """Disputes, and refunds made in the provider's dashboard."""
        self.play(way, self.gifts[i % len(self.gifts)], fen, told, worked)

    def play(self, way: list[str], gift: Gift, fen: int, told: bool, worked: bool) -> None:
        for action in way:
            session = w.session_of(gift)
            if session.status == "paid":
                kinds = play(session, action, w.NOW, fen)
                if told:
                    self.survive(
                        lambda kinds=kinds, session=session: [self.tell(session, kind, 1) for kind in kinds]
                    )
                self.work_if(worked)

    @rule(fen=st.integers(1, 4_000), returned=st.booleans())
    def spend(self, fen: int, returned: bool) -> None:
        self.n += 1
        name = f"m:{type(self).number}:{self.n}"

        def pay_it() -> None:
            ledger.pay_reservation(actor=w.SETUP, purpose=name, key=name, cost="programme", budget_line=None,
                                   now=w.NOW, effective_at=w.NOW)  # fmt: skip

        try:
            ledger.reserve(earmark=self.earmark, amount=fen, purpose=name, now=w.NOW)
        except DomainError:
            return
        self.survive(pay_it)
        if returned:
            ledger.return_payment(
                actor=w.SETUP, entry=Entry.objects.get(idempotency_key=name), purpose=name, key=f"{name}:back",
                now=w.NOW, effective_at=w.NOW, reserve_again=False,
            )  # fmt: skip

    @rule(fen=st.integers(1, 500))
    def feed_the_reserve(self, fen: int) -> None:
        people = self.world.people
        asked = donations.ask_reserve_feed(
            actor=people["cashier"], money=Money(fen), reason="预留", now=w.NOW
        )
        self.survive(lambda: donations.approve_reserve_feed(actor=people["manager"], feed=asked, now=w.NOW))

    @invariant()
    def books_close(self) -> None:
        with connection.cursor() as cursor:
            for name, sql in SCOPED.items():
                cursor.execute(sql, {"marks": self.marks, "fund": self.fund.pk})
                assert not cursor.fetchall(), name

    def teardown(self) -> None:
        """Everything is told once more and worked off: then the books say what the provider says."""
        try:
            self.converge()
        finally:
            os.environ["CRASH_AT"] = ""

    def converge(self) -> None:
        self.doomed = ""
        for i in range(len(self.gifts)):
            for kind in ("session.paid", "refund.updated", "dispute.updated"):
                self.tell(self.session(i), kind, 1)
        for _ in range(3):
            self.work("all")
            send_refunds(now=self.now())
        self.books_close()
        assert not OutboxDelivery.objects.filter(done_at=None).exists(), OutboxDelivery.objects.filter(
            done_at=None
        ).values_list("handler", "last_error")
        assert not ProviderEvent.objects.filter(processed_at=None).exists()
        expected = {"gift": 0, "refund": 0, "dispute": 0}
        for gift in Gift.objects.filter(fund=self.fund):
            session = w.session_of(gift)
            paid = session.status == "paid"
            assert (gift.status == "received") is paid
            expected["gift"] += gift.amount if paid else 0
            rows = list(receipts_of_gift(gift))
            assert sum(row.amount for row in rows) == (still_given(gift) if paid else 0)
        sessions = [w.session_of(gift) for gift in Gift.objects.filter(fund=self.fund)]
        for back in SandboxRefund.objects.filter(session__in=sessions, status="succeeded"):
            expected["refund"] += back.amount
        for row in SandboxDispute.objects.filter(session__in=sessions, withdrawn_at__isnull=False):
            expected["dispute"] += row.amount - row.returned
        assert self.booked() == expected
        if type(self).number % 20 == 0:
            check_all()

    def booked(self) -> dict[str, int]:
        """What the ledger has of this fund's payments by kind of fact, net of what came back."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT split_part(replace(replace(f.kind, '_back', ''), 'settled', 'gift'), ':', 1), sum(l.amount)"
                " FROM payments_providerfact f JOIN payments_payment p ON p.id = f.payment_id"
                " JOIN donations_gift g ON g.payment_id = p.id"
                " JOIN ledger_entry e ON e.idempotency_key LIKE 'fact:' || f.id || ':%%'"
                " JOIN ledger_line l ON l.entry_id = e.id JOIN ledger_account a ON a.id = l.account_id"
                " WHERE a.role = 'clearing' AND g.fund_id = %s AND f.kind NOT IN ('fee', 'fee_back') GROUP BY 1",
                [self.fund.pk],
            )
            found = {name: int(total) for name, total in cursor.fetchall()}
        return {
            "gift": found.get("gift", 0),
            "refund": -found.get("refund", 0),
            "dispute": -found.get("dispute", 0),
        }


def check_all() -> None:
    for each in ordered():
        broken = each.check().broken
        assert not broken, (each.name, broken)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("shard", [1, 2])
def test_books_close_whatever_happens(
    shard: int, committed_db: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crash.os, "_exit", _die)
    monkeypatch.setenv("CRASH_AT", "")
    city = w.build()
    own = Earmark.objects.get(kind="operations")
    ledger.post_credit(actor=w.SETUP, credit=ledger.Credit("own", own.pk, 20_000, w.NOW, kind="income",
                                                           income="other_income", into="bank"))  # fmt: skip
    Giving.city, Giving.number = city, 0
    run_state_machine_as_test(
        Giving,
        settings=settings(
            max_examples=1_000 if request.config.getoption("--long") else 100, stateful_step_count=30, deadline=None,
            print_blob=True, database=None, phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    check_all()
