"""Writes of donations, by verb."""

from apps.donations.operations.asking import BankDetails, ask_refund, withdraw_refund
from apps.donations.operations.bundling import cancel_bundle, start_bundle
from apps.donations.operations.deciding import (
    approve_refund,
    fail_bank_refund,
    pay_bank_refund,
    read_bank_details,
    refuse_refund,
)
from apps.donations.operations.in_kind import GoodsLine, answer_in_kind_receipt, issue_in_kind_receipt
from apps.donations.operations.issuing import issue_offline_receipts
from apps.donations.operations.monthly import (
    change_monthly_gift,
    follow_subscription,
    open_monthly_gift,
    receive_month,
    start_monthly_checkout,
)
from apps.donations.operations.opening import GiftRequest, open_gift, start_gift_checkout
from apps.donations.operations.receipts import (
    ask_for_lost_link,
    assign_receipt_range,
    correct_receipts,
    issue_receipts,
)
from apps.donations.operations.receiving import (
    close_full_campaign,
    close_full_project,
    end_unpaid_gift,
    post_gift_fee,
    record_donations,
)
from apps.donations.operations.redirecting import redirect_gift
from apps.donations.operations.refunding import (
    fail_refund,
    post_returned,
)
from apps.donations.operations.reserving import approve_reserve_feed, ask_reserve_feed
from apps.donations.operations.teaming import TeamDraft, change_team, close_team, hide_team, open_team

__all__ = [
    "BankDetails",
    "GiftRequest",
    "GoodsLine",
    "TeamDraft",
    "answer_in_kind_receipt",
    "approve_refund",
    "approve_reserve_feed",
    "ask_for_lost_link",
    "ask_refund",
    "ask_reserve_feed",
    "assign_receipt_range",
    "cancel_bundle",
    "change_monthly_gift",
    "change_team",
    "close_full_campaign",
    "close_full_project",
    "close_team",
    "correct_receipts",
    "end_unpaid_gift",
    "fail_bank_refund",
    "fail_refund",
    "follow_subscription",
    "hide_team",
    "issue_in_kind_receipt",
    "issue_offline_receipts",
    "issue_receipts",
    "open_gift",
    "open_monthly_gift",
    "open_team",
    "pay_bank_refund",
    "post_gift_fee",
    "post_returned",
    "read_bank_details",
    "receive_month",
    "record_donations",
    "redirect_gift",
    "refuse_refund",
    "start_bundle",
    "start_gift_checkout",
    "start_monthly_checkout",
    "withdraw_refund",
]
