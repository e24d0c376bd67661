"""A wish is bought at exactly its price: the provider's fee falls on the federation, never on the gift (ADR 15)."""

from __future__ import annotations

import datetime as dt

import pytest

from apps.disbursements import operations as disbursements
from apps.disclosures.figures import compute, database_clock
from apps.donations.queries import receivable_of_federation, refund_offer, reserve_earmarks
from apps.ledger.models import Entry, Line
from apps.ledger.operations import Credit, post_credit
from apps.ledger.queries import figures
from apps.payments.models import ProviderFact
from apps.tracing.queries import trace_gift
from apps.wishes import operations as ops
from apps.wishes.models import Wish
from tests import world as w
from tests.wishes import shop as s
from tests.wishes.test_claims import end_payment

pytestmark = pytest.mark.django_db
FEE = 120
"""What the test cashier charges for ¥201.00."""


def operations_hold(fen: int) -> int:
    own, _reserve = reserve_earmarks()
    post_credit(
        actor=w.SETUP,
        credit=Credit("own", own, fen, w.NOW, kind="income", income="other_income", into="bank"),
    )
    return own


def buy(store: s.Store, wish: Wish, item: int, delivery: int) -> None:
    """This will order, apply, verify, approve and pay."""
    people = store.city.people
    purchase = ops.order_purchase(
        actor=store.purchaser, wish=wish, order=s.order(item=item, delivery=delivery), now=s.NOW
    )
    purchase = ops.apply_for_purchase(
        actor=people["officer"], purchase=purchase, now=s.NOW, payee_bank="某银行", payee_account="6222000011112222",
        budget_line=store.city.project.budget_lines.get(code="materials"), invoice_number=f"{purchase.pk:04d}",
    )  # fmt: skip
    expense = purchase.disbursement
    assert expense is not None
    disbursements.verify_disbursement(
        actor=people["officer2"], disbursement=expense, note="货已看过", now=s.NOW
    )
    disbursements.approve_disbursement(actor=people["manager"], disbursement=expense, now=s.NOW)
    w.pay_out(store.city, [expense])
    w.work()


@pytest.mark.parametrize("held", [0, 50, 10_000])
def test_bought_at_exactly_its_cap(held: int) -> None:
    """Operations bear the fee as far as they hold money, the rest is owed by the federation: to the fen."""
    store = s.build()
    own = operations_hold(held) if held else reserve_earmarks()[0]
    wish = s.opened(store)
    gift = s.paid(wish)
    assert gift.amount == wish.cap == 20_100 and gift.fee_on_federation
    by_operations = min(held, FEE)
    assert figures([own]).fees == by_operations
    assert receivable_of_federation() == FEE - by_operations
    assert refund_offer(gift, s.NOW).amount == 20_100, "all of it could still go back"
    buy(store, wish, 18_900, 1_200)
    sums = figures([store.city.earmark])
    assert (sums.net_raised, sums.spent, sums.fees, sums.available) == (20_100, 20_100, 0, 0)
    trace = trace_gift(gift)
    assert (trace.fee, trace.used, trace.unspent, trace.fee_elsewhere) == (0, 20_100, 0, FEE)
    (fact,) = ProviderFact.objects.filter(kind="fee")
    entry = Entry.objects.get(idempotency_key=f"fact:{fact.pk}:fee")
    clearing = Line.objects.filter(account__role="clearing")
    assert fact.amount == FEE and -sum(clearing.filter(entry=entry).values_list("amount", flat=True)) == FEE
    assert sum(clearing.values_list("amount", flat=True)) == 20_100 - FEE, "what the provider will pay out"
    s.check()


def test_the_report_shows_no_fee_and_the_day_adds_up() -> None:
    store = s.build()
    wish = s.opened(store)
    s.paid(wish)
    buy(store, wish, 18_900, 1_200)
    later = s.NOW.date() + dt.timedelta(days=1)
    books = compute(
        project=store.city.project, period_start=s.NOW.date() - dt.timedelta(days=9), period_end=later,
        now=s.NOW + dt.timedelta(days=1), cutoff=database_clock() + dt.timedelta(seconds=1),
    )  # fmt: skip
    shown = {each.key: each.amount for each in books.figures}
    assert (shown["fees"], shown["paid"], shown["ledger_closing"]) == (0, 20_100, 0), shown


def test_a_wish_given_for_too_late_keeps_its_whole_amount_and_a_plain_gift_bears_its_fee() -> None:
    store = s.build()
    wish = s.opened(store)
    gift = s.claim(wish)
    end_payment(gift, "expired")
    w.pay(gift)
    w.work()
    gift.refresh_from_db()
    assert gift.late and figures([store.city.general]).available == 20_100
    again = ops.claim_with_gift(actor=w.PUBLIC, gift=gift, lines={wish: 1}, now=s.NOW)
    assert again.pk == gift.pk and figures([store.city.earmark]).available == 20_100
    plain = w.give(store.city, 20_000)
    assert trace_gift(plain).fee == 120 and trace_gift(plain).fee_elsewhere == 0
    s.check()


def test_a_refunded_wish_gives_all_of_it_back_and_its_fee_stays_with_the_federation() -> None:
    store = s.build()
    gift = s.paid(s.opened(store))
    ops.cancel_claims(actor=w.PUBLIC, gift=gift, now=s.NOW)
    w.refund(store.city, gift, 20_100)
    w.act(gift, "refund_succeed")
    w.work()
    trace = trace_gift(gift)
    assert (trace.refunded, trace.fee, trace.unspent) == (20_100, 0, 0)
    assert receivable_of_federation() == FEE
    s.check()


def test_a_dispute_takes_the_gift_and_its_own_fee_the_federation() -> None:
    store = s.build()
    gift = s.paid(s.opened(store))
    w.act(gift, "dispute_open")
    w.work()
    assert figures([store.city.earmark]).disputed == 20_100
    assert receivable_of_federation() == FEE + 1_500
    w.act(gift, "dispute_win")
    w.work()
    assert figures([store.city.earmark]).net_raised == 20_100
    s.check()
