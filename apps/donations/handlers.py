from __future__ import annotations

import datetime as dt

from apps.core.actors import system
from apps.core.events import in_batches
from apps.core.pages import bump_epoch
from apps.donations import operations
from apps.donations.events import GiftListRecorded, GiftReceived, RefundFailed, RefundPaid
from apps.donations.models import Gift, Refund
from apps.payments.events import (
    DisputeChanged,
    FeeCharged,
    MoneyReturned,
    PaymentEnded,
    PaymentRefundFailed,
    PaymentSettled,
    SubscriptionCharged,
    SubscriptionFollowed,
)
from apps.payments.states import DisputeStatus

ACTOR = system("donations.provider_facts")


@in_batches
def settle_gifts(events: list[PaymentSettled], *, now: dt.datetime) -> None:
    """This will post the gifts of settled payments, many in one transaction."""
    operations.record_donations(actor=ACTOR, fact_ids=[event.fact_id for event in events], now=now)
    bump_epoch()


def settle_fee(event: FeeCharged, *, now: dt.datetime) -> None:
    """This will post a payment's fee; one transaction each, because it locks the gift's earmark."""
    operations.post_gift_fee(actor=ACTOR, fact_id=event.fact_id, now=now)


def settle_month(event: SubscriptionCharged, *, now: dt.datetime) -> None:
    """This will make a collected month a received gift."""
    operations.receive_month(actor=ACTOR, fact_id=event.fact_id, now=now)
    bump_epoch()


def follow_subscription(event: SubscriptionFollowed, *, now: dt.datetime) -> None:
    operations.follow_subscription(actor=ACTOR, subscription_id=event.subscription_id, now=now)


def settle_returned(event: MoneyReturned, *, now: dt.datetime) -> None:
    """This will post money of a refund or dispute, its fee, or what of it came back."""
    operations.post_returned(actor=ACTOR, fact_id=event.fact_id, now=now)


def free_failed_refund(event: PaymentRefundFailed, *, now: dt.datetime) -> None:
    operations.fail_refund(actor=ACTOR, payment_refund_id=event.payment_refund_id, now=now)


def answer_refund_in_red(event: RefundPaid | RefundFailed, *, now: dt.datetime) -> None:
    """This will answer the gift's receipt for a refund that was paid, or came back."""
    gift = Refund.objects.values_list("gift", flat=True).get(pk=event.refund_id)
    operations.correct_receipts(actor=ACTOR, gift_id=gift, now=now)


def answer_dispute_in_red(event: DisputeChanged, *, now: dt.datetime) -> None:
    """This will answer the gift's receipt for a dispute that was lost, or won after all."""
    if event.status in (DisputeStatus.LOST, DisputeStatus.WON):
        for gift in Gift.objects.filter(payment__disputes=event.dispute_id).values_list("pk", flat=True):
            operations.correct_receipts(actor=ACTOR, gift_id=gift, now=now)


def free_unpaid(event: PaymentEnded, *, now: dt.datetime) -> None:
    operations.end_unpaid_gift(actor=ACTOR, payment_id=event.payment_id, now=now)


@in_batches
def write_receipts(events: list[GiftReceived], *, now: dt.datetime) -> None:
    """This will issue receipts for gifts that arrived."""
    operations.issue_receipts(actor=ACTOR, gift_ids=[event.gift_id for event in events], now=now)


def close_full_campaign(event: GiftReceived, *, now: dt.datetime) -> None:
    """This will end a campaign whose target is reached (F5)."""
    operations.close_full_campaign(actor=ACTOR, gift_id=event.gift_id, now=now)


def close_full_campaign_of_list(event: GiftListRecorded, *, now: dt.datetime) -> None:
    """This will end a campaign whose target a list of offline gifts has reached (F5)."""
    if event.project_id is not None:
        operations.close_full_project(actor=ACTOR, project_id=event.project_id, now=now)
