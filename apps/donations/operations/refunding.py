"""What a provider proved of money that went back: refunds of ours, those of its dashboard, failed ones, disputes.

Facts may be handled in any order: each first posts what must stand before it, and each is one entry by its own key.
"""

from __future__ import annotations

import datetime as dt
import secrets

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
from apps.donations.operations.receiving import record_donations
from apps.donations.states import REFUND_FORWARD, RefundSource, RefundStatus, RefundWay
from apps.ledger.models import Entry
from apps.ledger.operations import (
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
def settle_refund_fact(*, actor: Actor, fact_id: int, now: dt.datetime) -> None:
    """This will post a refund that the provider proved: from what was held, or, for one made in its dashboard, from the
    gift's own lot, then the reserve, then as receivable. Safe to repeat, in any order."""
    authorize(policies.can_record_donation, actor)
    fact = _fact(fact_id, FactKind.REFUND)
    if fact is None:
        return
    gift = _received(actor, fact.payment, now)
    assert fact.refund is not None and gift.earmark_id is not None
    key = f"fact:{fact.pk}:refund"
    if Entry.objects.filter(idempotency_key=key).exists():
        return
    if fact.refund.purpose:
        refund = Refund.objects.select_for_update(of=("self",)).get(payment_refund=fact.refund)
        settle_refund(actor=actor, purpose=purpose_of(refund), key=key, now=now, effective_at=fact.occurred_at,
                      channel=gift.channel)  # fmt: skip
        crash_point("donations.refund_posted")
        move(refund, RefundStatus.PAID, forward=REFUND_FORWARD, history=RefundStatusChange, actor=actor, now=now,
             paid_at=fact.occurred_at)  # fmt: skip
    else:
        post_foreign_refund(actor=actor, earmark=gift.earmark_id, origin=gift.pk, amount=fact.amount, key=key,
                            effective_at=fact.occurred_at, channel=gift.channel)  # fmt: skip
        refund = _of_dashboard(actor, gift, fact.refund, fact.occurred_at, now)
    publish(RefundPaid(refund_id=refund.pk))
    bump_epoch()


@transaction.atomic
def return_refund_fact(*, actor: Actor, fact_id: int, now: dt.datetime) -> None:
    """This will post a refund that came back after it was made: a linked reversal, the money with the gift again."""
    authorize(policies.can_record_donation, actor)
    fact = _fact(fact_id, FactKind.REFUND_BACK)
    if fact is None:
        return
    _received(actor, fact.payment, now)
    made = ProviderFact.objects.get(refund=fact.refund, kind=FactKind.REFUND)
    settle_refund_fact(actor=actor, fact_id=made.pk, now=now)
    refund = Refund.objects.select_for_update(of=("self",)).get(payment_refund=fact.refund)
    if refund.status == RefundStatus.FAILED:
        return
    entry = Entry.objects.get(idempotency_key=f"fact:{made.pk}:refund")
    reverse_entry(actor=actor, entry=entry, key=f"fact:{fact.pk}:refund_back", effective_at=fact.occurred_at)
    _fail(actor, refund, fact.refund, now)


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


@transaction.atomic
def post_dispute_fact(*, actor: Actor, fact_id: int, now: dt.datetime) -> None:
    """This will post money that a dispute took (G9): from the gift's own lot as far as free, then the reserve, then as
    receivable. Never refused for lack of balance. Safe to repeat."""
    authorize(policies.can_record_donation, actor)
    fact = _fact(fact_id, FactKind.DISPUTE)
    if fact is None:
        return
    gift = _received(actor, fact.payment, now)
    assert gift.earmark_id is not None
    post_dispute(actor=actor, earmark=gift.earmark_id, origin=gift.pk, amount=fact.amount,
                 key=f"fact:{fact.pk}:dispute", effective_at=fact.occurred_at, channel=gift.channel)  # fmt: skip
    bump_epoch()


@transaction.atomic
def return_dispute_fact(*, actor: Actor, fact_id: int, now: dt.datetime) -> None:
    """This will post money that a dispute gave back: the dispute's entry reversed, and where only a part came back, the
    rest posted anew. Raises MovementUnknown for more than was taken."""
    authorize(policies.can_record_donation, actor)
    fact = _fact(fact_id, FactKind.DISPUTE_BACK)
    if fact is None:
        return
    gift = _received(actor, fact.payment, now)
    for taken in ProviderFact.objects.filter(dispute=fact.dispute, kind=FactKind.DISPUTE).order_by("id"):
        post_dispute_fact(actor=actor, fact_id=taken.pk, now=now)
    rest = _reverse(actor, fact, FactKind.DISPUTE, "dispute", "dispute_back")
    if rest:
        assert gift.earmark_id is not None
        post_dispute(actor=actor, earmark=gift.earmark_id, origin=gift.pk, amount=rest,
                     key=f"fact:{fact.pk}:dispute_rest", effective_at=fact.occurred_at,
                     channel=gift.channel)  # fmt: skip
    bump_epoch()


@transaction.atomic
def return_fee_fact(*, actor: Actor, fact_id: int, now: dt.datetime) -> None:
    """This will post a dispute's fee that the provider gave back, whole or in part."""
    authorize(policies.can_record_donation, actor)
    fact = _fact(fact_id, FactKind.FEE_BACK)
    if fact is None:
        return
    gift = _received(actor, fact.payment, now)
    assert gift.earmark_id is not None
    for taken in ProviderFact.objects.filter(dispute=fact.dispute, kind=FactKind.FEE).order_by("id"):
        post_fee(actor=actor, earmark=gift.earmark_id, origin=gift.pk, amount=taken.amount, key=f"fact:{taken.pk}:fee",
                 effective_at=taken.occurred_at, channel=gift.channel)  # fmt: skip
    rest = _reverse(actor, fact, FactKind.FEE, "fee", "fee_back")
    if rest:
        post_fee(actor=actor, earmark=gift.earmark_id, origin=gift.pk, amount=rest, key=f"fact:{fact.pk}:fee_rest",
                 effective_at=fact.occurred_at, channel=gift.channel)  # fmt: skip


def _reverse(actor: Actor, fact: ProviderFact, of: str, was: str, becomes: str) -> int:
    """Reverses the earliest entry of the dispute that still stands and covers what came back; gives what of it doesn't
    come back. 0 also when it was done before."""
    if Entry.objects.filter(idempotency_key=f"fact:{fact.pk}:{becomes}").exists():
        return 0
    keys = []
    for taken in ProviderFact.objects.filter(dispute=fact.dispute, kind=of).order_by("id"):
        keys.append((f"fact:{taken.pk}:{was}", taken.amount))
    for entry_key, amount in keys:
        entry = Entry.objects.filter(idempotency_key=entry_key, reversed_by__isnull=True).first()
        if entry and amount >= fact.amount:
            reverse_entry(
                actor=actor, entry=entry, key=f"fact:{fact.pk}:{becomes}", effective_at=fact.occurred_at
            )
            return amount - fact.amount
    raise MovementUnknown()


def _fact(fact_id: int, kind: str) -> ProviderFact | None:
    fact = ProviderFact.objects.select_related("payment", "refund", "dispute").get(pk=fact_id)
    return fact if fact.kind == kind and fact.payment.purpose.startswith("gift:") else None


def _received(actor: Actor, payment: Payment, now: dt.datetime) -> Gift:
    """The payment's gift, posted and locked: everything that touches its money comes one after the other."""
    settled = ProviderFact.objects.filter(payment=payment, kind=FactKind.SETTLED).values_list("pk", flat=True)
    record_donations(actor=actor, fact_ids=settled, now=now)
    return Gift.objects.select_for_update(of=("self",)).get(pk=int(payment.purpose.removeprefix("gift:")))


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
