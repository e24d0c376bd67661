from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction

from apps.core.actors import Actor
from apps.core.crash import crash_point
from apps.core.events import publish
from apps.core.policies import authorize
from apps.ledger.models import Book, Entry
from apps.ledger.operations import post_payout, reverse_entry
from apps.ledger.states import FEDERATION_BOOK
from apps.payments import policies
from apps.payments.models import BalanceLine, Payment, Payout, ProviderFact, ProviderReading
from apps.payments.operations.applying import record_facts
from apps.payments.operations.reconciling.matching import match_bank, match_provider
from apps.payments.provider import BalanceItem, PayoutItem, Provider, ProviderUnavailable
from apps.payments.registry import providers
from apps.payments.states import BalanceKind, BalancePart, FactKind, PaymentStatus, PayoutStatus

log = structlog.get_logger(__name__)

OVERLAP = dt.timedelta(days=3)
"""Each reading asks again for these days: providers add to the recent past."""

LAG = dt.timedelta(minutes=15)
"""What is younger may still be on its way between them and us, and is no difference yet."""

PAYOUT_DAYS = dt.timedelta(days=30)
"""A payout may fail for so long after it was sent."""


def read_balances(*, actor: Actor, now: dt.datetime) -> int:
    """This will read every provider's balance transactions and payouts, outside any transaction, keep what is new, post
    payouts that arrived, and match. A provider that is away is asked next time. Returns how many lines were new."""
    authorize(policies.can_read_balances, actor)
    book = Book.objects.filter(code=FEDERATION_BOOK).first()
    if book is None:
        return 0
    new = 0
    for each in providers():
        reading = ProviderReading.objects.filter(provider=each.name).first()
        since = max(reading.since, reading.until - OVERLAP) if reading else now - dt.timedelta(days=365)
        try:
            lines = list(each.balance_lines(since, now))
            payouts = list(each.payouts(min(since, now - PAYOUT_DAYS), now))
        except ProviderUnavailable:
            continue
        crash_point("payments.balances_fetched")
        new += _keep(actor, book, each, lines, payouts, since, now)
    match_bank(actor=actor, book=book)
    return new


@transaction.atomic
def _keep(
    actor: Actor, book: Book, way: Provider, lines: list[BalanceItem], payouts: list[PayoutItem], since: dt.datetime,
    now: dt.datetime,
) -> int:  # fmt: skip
    name, until = way.name, min(now - LAG, way.balance_until(now))
    Book.objects.select_for_update(no_key=True).get(pk=book.pk)
    known = set(
        BalanceLine.objects.filter(provider=name, ref__in=[line.ref for line in lines]).values_list(
            "ref", "part"
        )
    )
    fresh = []
    for line in lines:
        for part, amount in ((BalancePart.GROSS, line.amount), (BalancePart.FEE, -line.fee)):
            if amount and (line.ref, str(part)) not in known:
                fresh.append(
                    BalanceLine(provider=name, ref=line.ref, part=part, kind=line.kind, source_ref=line.source_ref,
                                amount=amount, currency=line.currency, occurred_at=line.occurred_at)
                )  # fmt: skip
    BalanceLine.objects.bulk_create(fresh, batch_size=2000)
    if way.bills_fees:
        _take_fees(name, lines)
    for payout in payouts:
        _payout(actor, book, name, payout, now)
    reading, made = ProviderReading.objects.get_or_create(
        provider=name, defaults={"book": book, "since": since, "until": until}
    )
    if not made:
        reading.until = max(reading.until, until)
        reading.save(update_fields=["until"])
    match_provider(book=book, provider=name)
    return len(fresh)


def _take_fees(name: str, lines: list[BalanceItem]) -> None:
    """A provider that states its fees in its bill only: each becomes a fact of its payment, once (G7)."""
    charged = {line.source_ref: line for line in lines if line.kind == BalanceKind.CHARGE and line.fee > 0}
    payments = Payment.objects.select_for_update().filter(
        provider=name, charge_ref__in=charged, status=PaymentStatus.PAID
    )
    facts = []
    for payment in payments.order_by("id"):
        line = charged[payment.charge_ref]
        facts.append(
            ProviderFact(payment=payment, provider=name, kind=FactKind.FEE, fact_ref=line.ref, amount=line.fee,
                         currency=line.currency, occurred_at=line.occurred_at)
        )  # fmt: skip
    publish(*record_facts(facts))


def _payout(actor: Actor, book: Book, name: str, item: PayoutItem, now: dt.datetime) -> None:
    """A payout that arrived is posted once; one that came back later is reversed once."""
    Payout.objects.update_or_create(
        provider=name, ref=item.ref,
        defaults={"amount": item.amount, "currency": item.currency, "status": item.status, "seen_at": now,
                  "arrives_at": item.arrives_at},
    )  # fmt: skip
    key = f"payout:{name}:{item.ref}"
    if item.status == PayoutStatus.PAID:
        post_payout(actor=actor, book=book.pk, amount=item.amount, currency=item.currency, key=key,
                    effective_at=item.arrives_at, channel=None)  # fmt: skip
    elif item.status == PayoutStatus.FAILED:
        posted = Entry.objects.filter(idempotency_key=key).first()
        if posted is not None:
            reverse_entry(actor=actor, entry=posted, key=f"{key}:failed", effective_at=item.failed_at or now)
