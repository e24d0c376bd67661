from __future__ import annotations

import datetime as dt

from apps.core.actors import system
from apps.core.events import in_batches
from apps.core.pages import bump_epoch
from apps.donations import operations
from apps.donations.events import GiftListRecorded, GiftReceived
from apps.payments.events import FactRecorded, PaymentEnded

ACTOR = system("donations.provider_facts")


@in_batches
def settle_gifts(events: list[FactRecorded], *, now: dt.datetime) -> None:
    """This will post the gifts of settled payments, many in one transaction."""
    operations.record_donations(actor=ACTOR, fact_ids=[event.fact_id for event in events], now=now)
    bump_epoch()


def settle_fee(event: FactRecorded, *, now: dt.datetime) -> None:
    """This will post a payment's fee; one transaction each, because it locks the gift's earmark."""
    operations.post_gift_fee(actor=ACTOR, fact_id=event.fact_id, now=now)


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
