"""Applying what a provider proved: forward-only transitions, one fact per statement, events to the rooms above."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import structlog
from django.db import transaction

from apps.core.actors import Actor
from apps.core.bulk import set_columns
from apps.core.events import Event, publish
from apps.payments.events import FeeCharged, MoneyReturned, PaymentEnded, PaymentSettled
from apps.payments.models import Payment, PaymentStatusChange, ProviderFact
from apps.payments.provider import Snapshot
from apps.payments.states import FORWARD, FactKind, PaymentStatus

log = structlog.get_logger(__name__)


@transaction.atomic(savepoint=False)
def apply_snapshots(
    *, actor: Actor, snapshots: Mapping[tuple[str, str], Snapshot], now: dt.datetime
) -> set[tuple[str, str]]:
    """This will apply fetched payments to our records, all in one transaction, rows locked in id order.

    A snapshot counts only when our reference, amount and currency agree; any other is logged and left alone.
    Returns the keys (provider, session) that belong to a payment of ours.
    """
    refs = {snapshot.reference for snapshot in snapshots.values() if is_uuid(snapshot.reference)}
    payments = {
        (payment.provider, str(payment.uuid)): payment
        for payment in Payment.objects.select_for_update().filter(uuid__in=refs).order_by("id")
    }
    events: list[Event] = []
    changes: list[PaymentStatusChange] = []
    facts: list[ProviderFact] = []
    known: set[tuple[str, str]] = set()
    touched: list[Payment] = []
    for key, snapshot in snapshots.items():
        payment = payments.get((key[0], snapshot.reference))
        if payment is None:
            continue
        known.add(key)
        if (payment.session_ref or snapshot.session_ref) != snapshot.session_ref:
            log.error("payments.session_differs", payment=payment.pk)
            continue
        if (snapshot.amount, snapshot.currency) != (payment.amount, payment.currency):
            log.error("payments.amount_differs", payment=payment.pk)
            continue
        payment.checked_at = now
        payment.session_ref = snapshot.session_ref
        payment.charge_ref = snapshot.charge_ref or payment.charge_ref
        if snapshot.status != payment.status and snapshot.status in FORWARD.get(payment.status, frozenset()):
            changes.append(
                PaymentStatusChange(record=payment, from_status=payment.status, to_status=snapshot.status, at=now,
                                    actor_person=actor.person_id, actor_label=actor.label)
            )  # fmt: skip
            payment.status = PaymentStatus(snapshot.status)
            if payment.status == PaymentStatus.PAID:
                payment.paid_at = snapshot.settled_at or now
            elif payment.status in (PaymentStatus.EXPIRED, PaymentStatus.FAILED):
                events.append(PaymentEnded(payment_id=payment.pk, status=str(payment.status)))
        touched.append(payment)
        facts += _facts(payment, snapshot, now)
    set_columns(touched, ["status", "paid_at", "checked_at", "session_ref", "charge_ref"])
    PaymentStatusChange.objects.bulk_create(changes)
    events += record_facts(facts)
    publish(*events)
    for key in snapshots.keys() - known:
        log.warning("payments.unknown_session", provider=key[0])
    return known


def _facts(payment: Payment, snapshot: Snapshot, now: dt.datetime) -> list[ProviderFact]:
    if payment.status != PaymentStatus.PAID or snapshot.status != "paid":
        return []
    settled = ProviderFact(
        payment=payment, provider=payment.provider, kind=FactKind.SETTLED, fact_ref=snapshot.session_ref,
        amount=snapshot.amount, currency=snapshot.currency, occurred_at=snapshot.settled_at or now,
    )  # fmt: skip
    fees = [
        ProviderFact(payment=payment, provider=payment.provider, kind=FactKind.FEE, fact_ref=fee.ref, amount=fee.amount,
                     currency=fee.currency, occurred_at=fee.occurred_at)
        for fee in snapshot.fees
    ]  # fmt: skip
    return [settled, *fees]


def record_facts(facts: list[ProviderFact]) -> list[Event]:
    """This will insert the facts that are not known yet and give their events; what belongs to a refund or dispute
    has an event of its own. The payments' rows are locked by the caller, so nobody else inserts theirs now."""
    if not facts:
        return []
    rows = ProviderFact.objects.filter(payment__in={fact.payment_id for fact in facts})
    known = set(rows.values_list("provider", "kind", "fact_ref"))
    fresh: list[ProviderFact] = []
    for fact in facts:
        key = (fact.provider, str(fact.kind), fact.fact_ref)
        if key not in known:
            known.add(key)
            fresh.append(fact)
    return [_event(fact) for fact in ProviderFact.objects.bulk_create(fresh)]


def _event(fact: ProviderFact) -> Event:
    if fact.refund_id or fact.dispute_id:
        return MoneyReturned(fact_id=fact.pk)
    return (PaymentSettled if fact.kind == FactKind.SETTLED else FeeCharged)(fact_id=fact.pk)


def is_uuid(text: str) -> bool:
    """This will tell whether a reference could be one of our uuids, before the database is asked."""
    return len(text) == 36 and text.count("-") == 4 and all(c in "0123456789abcdef-" for c in text)
