"""What a provider proved of money that went back: refunds of ours, those of its dashboard, failed ones, disputes.

Facts may be handled in any order: each first posts what must stand before it, and each is one entry by its own key.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.crash import crash_point
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.core.transitions import move, note_status
from apps.donations import policies
from apps.donations.events import RefundFailed, RefundPaid
from apps.donations.models import Gift, Refund, RefundStatusChange
from apps.donations.operations.deciding import purpose_of
from apps.donations.operations.months import gift_of_month
from apps.donations.operations.receiving import FeeInOtherCurrency, post_gift_fee, record_donations
from apps.donations.states import REFUND_FORWARD, RefundSource, RefundStatus, RefundWay
from apps.ledger.models import Entry
from apps.ledger.operations import (
    known_entry,
    post_dispute,
    post_fee,
    post_foreign_refund,
    release_refund,
    reverse_entry,
    settle_refund,
)
from apps.payments.models import Payment, PaymentRefund, ProviderFact
from apps.payments.states import FactKind


class MovementUnknown(Conflict):
    code = "movement_unknown"
    message = _("支付渠道退回的钱多于它扣过的钱，不能直接入账。请出纳核对渠道账单。")


@transaction.atomic
def post_returned(*, actor: Actor, fact_id: int, now: dt.datetime) -> None:
    """This will post one fact of a refund or dispute, after everything that must stand before it: the gift, its fee,
    the refund or withdrawal that this one undoes. Safe to repeat, in any order. Raises MovementUnknown."""
    authorize(policies.can_record_donation, actor)
    fact = ProviderFact.objects.select_related("payment", "refund", "dispute").get(pk=fact_id)
    if not fact.payment.purpose.startswith(("gift:", "monthly:")):
        return
    gift = _received(actor, fact.payment, now)
    posting = {
        FactKind.REFUND: _refund,
        FactKind.REFUND_BACK: _refund_back,
        FactKind.DISPUTE: _dispute,
        FactKind.DISPUTE_BACK: _dispute_back,
        FactKind.FEE: _fee,
        FactKind.FEE_BACK: _fee_back,
    }
    posting[FactKind(fact.kind)](actor, gift, fact, now)
    bump_epoch()


@transaction.atomic
def fail_refund(*, actor: Actor, payment_refund_id: int, now: dt.datetime) -> None:
    """This will free what was held for a refund that the provider didn't make. One that was made and came back is
    posted by its own fact. Safe to repeat."""
    authorize(policies.can_record_donation, actor)
    sent = PaymentRefund.objects.get(pk=payment_refund_id)
    if not sent.purpose.startswith("refund:") or sent.facts.filter(kind=FactKind.REFUND).exists():
        return
    gift_id = Refund.objects.values_list("gift", flat=True).get(payment_refund=sent)
    Gift.objects.select_for_update(of=("self",)).get(pk=gift_id)
    refund = Refund.objects.select_for_update(of=("self",)).get(payment_refund=sent)
    if refund.status != RefundStatus.APPROVED:
        return
    release_refund(purpose=purpose_of(refund), now=now)
    _fail(actor, refund, sent, now)


def _refund(actor: Actor, gift: Gift, fact: ProviderFact, now: dt.datetime) -> None:
    """From what was held; for one made in the dashboard, from the gift's own lot, the reserve, then as receivable."""
    assert fact.refund is not None
    key = f"fact:{fact.pk}:refund"
    if known_entry(key):
        return
    if fact.refund.purpose:
        refund = Refund.objects.select_for_update(of=("self",)).get(payment_refund=fact.refund)
        settle_refund(actor=actor, purpose=purpose_of(refund), key=key, now=now, effective_at=fact.occurred_at,
                      channel=gift.channel)  # fmt: skip
        crash_point("donations.refund_posted")
        move(refund, RefundStatus.PAID, forward=REFUND_FORWARD, history=RefundStatusChange, actor=actor, now=now,
             paid_at=fact.occurred_at)  # fmt: skip
    else:
        post_foreign_refund(key=key, amount=fact.amount, **_where(actor, gift, fact))
        refund = _of_dashboard(actor, gift, fact.refund, fact.occurred_at, now)
    publish(RefundPaid(refund_id=refund.pk))


def _refund_back(actor: Actor, gift: Gift, fact: ProviderFact, now: dt.datetime) -> None:
    """It came back after it was made: a linked reversal, the money with the gift again."""
    made = ProviderFact.objects.select_related("refund").get(refund=fact.refund, kind=FactKind.REFUND)
    _refund(actor, gift, made, now)
    refund = Refund.objects.select_for_update(of=("self",)).get(payment_refund=fact.refund)
    if refund.status == RefundStatus.FAILED:
        return
    entry = Entry.objects.get(idempotency_key=f"fact:{made.pk}:refund")
    reverse_entry(actor=actor, entry=entry, key=f"fact:{fact.pk}:refund_back", effective_at=fact.occurred_at)
    _fail(actor, refund, fact.refund, now)


def _dispute(actor: Actor, gift: Gift, fact: ProviderFact, now: dt.datetime) -> None:
    """From the gift's own lot as far as free, then the reserve, then as receivable: never refused (G9)."""
    post_dispute(key=f"fact:{fact.pk}:dispute", amount=fact.amount, **_where(actor, gift, fact))


def _dispute_back(actor: Actor, gift: Gift, fact: ProviderFact, now: dt.datetime) -> None:
    """The dispute's entry reversed; where only a part came back, the rest posted anew."""
    _taken_first(actor, gift, fact, now)
    rest = _reverse(actor, fact, FactKind.DISPUTE, "dispute", "dispute_back")
    if rest:
        post_dispute(key=f"fact:{fact.pk}:dispute_rest", amount=rest, **_where(actor, gift, fact))


def _fee(actor: Actor, gift: Gift, fact: ProviderFact, now: dt.datetime) -> None:
    """A fee of a refund or dispute falls after the money itself, so that the gift's own lot bears that first."""
    if fact.refund:
        for made in ProviderFact.objects.select_related("refund").filter(
            refund=fact.refund, kind=FactKind.REFUND
        ):
            _refund(actor, gift, made, now)
    _taken_first(actor, gift, fact, now)
    if fact.currency != gift.currency:
        raise FeeInOtherCurrency()
    _post_fee(actor, gift, fact, f"fact:{fact.pk}:fee", fact.amount)


def _fee_back(actor: Actor, gift: Gift, fact: ProviderFact, now: dt.datetime) -> None:
    _taken_first(actor, gift, fact, now)
    rest = _reverse(actor, fact, FactKind.FEE, "fee", "fee_back")
    if rest:
        _post_fee(actor, gift, fact, f"fact:{fact.pk}:fee_rest", rest)


def _taken_first(actor: Actor, gift: Gift, fact: ProviderFact, now: dt.datetime) -> None:
    """What a dispute took and what that cost, before anything that follows from it."""
    if fact.dispute_id is None:
        return
    taken = ProviderFact.objects.filter(dispute=fact.dispute_id).order_by("id")
    for each in taken.filter(kind=FactKind.DISPUTE):
        _dispute(actor, gift, each, now)
    for each in taken.filter(kind=FactKind.FEE).exclude(pk=fact.pk):
        _post_fee(actor, gift, each, f"fact:{each.pk}:fee", each.amount)


def _post_fee(actor: Actor, gift: Gift, fact: ProviderFact, key: str, amount: int) -> None:
    post_fee(key=key, amount=amount, own_money=not gift.fee_on_federation, **_where(actor, gift, fact))


def _where(actor: Actor, gift: Gift, fact: ProviderFact) -> dict[str, Any]:
    """The gift's own lot first, at the provider's time."""
    assert gift.earmark_id is not None
    return {"actor": actor, "earmark": gift.earmark_id, "origin": gift.pk, "effective_at": fact.occurred_at,
            "channel": gift.channel}  # fmt: skip


def _reverse(actor: Actor, fact: ProviderFact, of: str, was: str, becomes: str) -> int:
    """Reverses the earliest entry of the dispute that still stands and covers what came back; gives what of it doesn't
    come back. 0 also when it was done before."""
    if known_entry(f"fact:{fact.pk}:{becomes}"):
        return 0
    for taken in ProviderFact.objects.filter(dispute=fact.dispute, kind=of).order_by("id"):
        standing = Entry.objects.filter(idempotency_key=f"fact:{taken.pk}:{was}", reversed_by__isnull=True)
        entry = standing.first()
        if entry and taken.amount >= fact.amount:
            reverse_entry(
                actor=actor, entry=entry, key=f"fact:{fact.pk}:{becomes}", effective_at=fact.occurred_at
            )
            return taken.amount - fact.amount
    raise MovementUnknown()


def _received(actor: Actor, payment: Payment, now: dt.datetime) -> Gift:
    """The payment's gift, posted with its own fees and locked: what touches its money comes one after the other."""
    facts = ProviderFact.objects.filter(
        payment=payment, refund=None, dispute=None, currency=payment.currency
    ).order_by("id")
    by_kind = list(facts.values_list("kind", "pk"))
    gift_of_month(actor=actor, payment=payment, now=now)
    record_donations(actor=actor, fact_ids=[pk for kind, pk in by_kind if kind == FactKind.SETTLED], now=now)
    gift = Gift.objects.select_for_update(of=("self",)).get(payment=payment)
    for kind, pk in by_kind:
        if kind == FactKind.FEE and not known_entry(f"fact:{pk}:fee"):
            post_gift_fee(actor=actor, fact_id=pk, now=now)
    return gift


def _fail(actor: Actor, refund: Refund, sent: PaymentRefund | None, now: dt.datetime) -> None:
    why = sent.failure if sent else ""
    move(refund, RefundStatus.FAILED, forward=REFUND_FORWARD, history=RefundStatusChange, actor=actor, now=now,
         reason=why, answer=why)  # fmt: skip
    publish(RefundFailed(refund_id=refund.pk))
    bump_epoch()


def _of_dashboard(
    actor: Actor, gift: Gift, sent: PaymentRefund, paid_at: dt.datetime, now: dt.datetime
) -> Refund:
    refund = Refund.objects.create(
        number=f"R-{civil_day(now):%y%m}-{secrets.token_hex(3)}", gift=gift, source=RefundSource.PROVIDER,
        way=RefundWay.PROVIDER, status=RefundStatus.PAID, amount=sent.amount, currency=sent.currency,
        asked_at=sent.opened_at, payment_refund=sent, paid_at=paid_at,
    )  # fmt: skip
    note_status(refund, "", history=RefundStatusChange, actor=actor, now=now)
    return refund
