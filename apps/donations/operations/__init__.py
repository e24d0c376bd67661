"""Writes of donations, by verb."""

from apps.donations.operations.opening import GiftRequest, open_gift, start_gift_checkout
from apps.donations.operations.receipts import assign_receipt_range, issue_receipts
from apps.donations.operations.receiving import (
    close_full_campaign,
    close_full_project,
    end_unpaid_gift,
    post_gift_fee,
    record_donations,
)

__all__ = [
    "GiftRequest",
    "assign_receipt_range",
    "close_full_campaign",
    "close_full_project",
    "end_unpaid_gift",
    "issue_receipts",
    "open_gift",
    "post_gift_fee",
    "record_donations",
    "start_gift_checkout",
]
