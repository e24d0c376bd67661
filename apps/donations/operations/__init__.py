"""Writes of donations, by verb."""

from apps.donations.operations.opening import GiftRequest, open_gift, start_gift_checkout
from apps.donations.operations.receipts import ask_for_lost_link, assign_receipt_range, issue_receipts
from apps.donations.operations.receiving import (
    close_full_campaign,
    end_unpaid_gift,
    post_gift_fee,
    record_donations,
)
from apps.donations.operations.redirecting import redirect_gift

__all__ = [
    "GiftRequest",
    "ask_for_lost_link",
    "assign_receipt_range",
    "close_full_campaign",
    "end_unpaid_gift",
    "issue_receipts",
    "open_gift",
    "post_gift_fee",
    "record_donations",
    "redirect_gift",
    "start_gift_checkout",
]
