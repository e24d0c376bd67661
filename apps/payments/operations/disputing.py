"""Disputes as the provider has them: every movement of money a fact of its own, states forward only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import structlog
from django.db import transaction

from apps.core.actors import Actor, system
from apps.core.errors import NotFound
from apps.core.events import Event, publish
from apps.core.transitions import move, note_status
from apps.payments.events import DisputeChanged
from apps.payments.models import Payment, PaymentDispute, PaymentDisputeStatusChange, ProviderFact
from apps.payments.operations.applying import record_facts
from apps.payments.operations.refunding import lock_payments
from apps.payments.provider import DisputeSnapshot, ProviderUnavailable
from apps.payments.registry import provider
from apps.payments.states import DISPUTE_FORWARD, DisputeStatus, FactKind, PaymentStatus

log = structlog.get_logger(__name__)

ASK_AGAIN = dt.timedelta(hours=6)
LIVE = (DisputeStatus.INQUIRY, DisputeStatus.OPEN)


@transaction.atomic
def apply_disputes(
    *, actor: Actor, snapshots: Mapping[tuple[str, str], DisputeSnapshot], now: dt.datetime
) -> set[tuple[str, str]]:
    """This will apply fetched disputes in one transaction: the dispute, its state, and a fact for each movement
    of money and each fee. Returns the keys that belong to a payment of ours."""
    payments = lock_payments(snapshots)
    refs = [key[1] for key in snapshots]
    rows = {
        (row.provider, row.ref): row
        for row in PaymentDispute.objects.select_for_update().filter(ref__in=refs).order_by("id")
    }
    events: list[Event] = []
    facts: list[ProviderFact] = []
    known: set[tuple[str, str]] = set()
    for key, found in sorted(snapshots.items()):
        payment = payments.get((key[0], found.charge_ref)) or payments.get((key[0], found.payment_reference))
        if payment is None or payment.status != PaymentStatus.PAID:
            log.warning("payments.dispute_of_unknown_payment", provider=key[0])
            continue
        known.add(key)
        if found.currency != payment.currency or not 0 < found.amount <= payment.amount:
            log.error("payments.dispute_differs", payment=payment.pk)
            continue
        dispute = rows.get(key)
        if dispute is None:
            dispute = _open(actor, payment, key[0], found, now)
            events.append(DisputeChanged(dispute_id=dispute.pk, status=str(dispute.status)))
        elif dispute.payment_id != payment.pk:
            log.error("payments.dispute_differs", payment=payment.pk)
            continue
        else:
            events += _advance(actor, dispute, found, now)
        facts += _facts(payment, dispute, found)
    publish(*record_facts(facts), *events)
    return known


def poll_disputes(*, now: dt.datetime) -> int:
    """This will ask after disputes that are still open and were not heard of for hours. Returns how many."""
    waiting = PaymentDispute.objects.filter(status__in=LIVE, checked_at__lte=now - ASK_AGAIN)
    rows = list(waiting.order_by("checked_at", "id")[:50])
    for dispute in rows:
        PaymentDispute.objects.filter(pk=dispute.pk).update(checked_at=now)
        try:
            found = provider(dispute.provider).fetch_dispute(dispute.ref)
        except (ProviderUnavailable, NotFound):
            continue
        if found:
            apply_disputes(
                actor=system("payments.poller"), snapshots={(dispute.provider, dispute.ref): found}, now=now
            )
    return len(rows)


def _open(
    actor: Actor, payment: Payment, name: str, found: DisputeSnapshot, now: dt.datetime
) -> PaymentDispute:
    dispute = PaymentDispute.objects.create(
        payment=payment, provider=name, ref=found.ref, amount=found.amount, currency=found.currency,
        reason=found.reason[:60], status=found.status, opened_at=found.opened_at, answer_by=found.answer_by,
        ended_at=None if found.status in LIVE else now, checked_at=now,
    )  # fmt: skip
    note_status(dispute, "", history=PaymentDisputeStatusChange, actor=actor, now=now, reason=found.reason)
    return dispute


def _advance(actor: Actor, dispute: PaymentDispute, found: DisputeSnapshot, now: dt.datetime) -> list[Event]:
    dispute.checked_at, dispute.answer_by = now, found.answer_by
    dispute.save(update_fields=["checked_at", "answer_by"])
    if found.status == dispute.status or found.status not in DISPUTE_FORWARD.get(dispute.status, frozenset()):
        return []
    move(dispute, found.status, forward=DISPUTE_FORWARD, history=PaymentDisputeStatusChange, actor=actor, now=now,
         ended_at=None if found.status in LIVE else now)  # fmt: skip
    return [DisputeChanged(dispute_id=dispute.pk, status=str(dispute.status))]


def _facts(payment: Payment, dispute: PaymentDispute, found: DisputeSnapshot) -> list[ProviderFact]:
    facts = []
    for moved in found.movements:
        kinds = [
            (FactKind.DISPUTE if moved.amount > 0 else FactKind.DISPUTE_BACK, abs(moved.amount)),
            (FactKind.FEE if moved.fee > 0 else FactKind.FEE_BACK, abs(moved.fee)),
        ]
        facts += [
            ProviderFact(payment=payment, provider=payment.provider, kind=kind, fact_ref=moved.ref, amount=amount,
                         currency=moved.currency, occurred_at=moved.occurred_at, dispute=dispute)
            for kind, amount in kinds if amount
        ]  # fmt: skip
    return facts
