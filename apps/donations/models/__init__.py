"""Gifts, receipts, refunds, lists and teams. A gift's amount never changes; what became of it is in the ledger."""

from apps.donations.models.bundle import ReceiptBundle, ReceiptBundleStatusChange
from apps.donations.models.gift import Gift, GiftCount, GiftList, GiftStatusChange, Receipt, ReceiptRange
from apps.donations.models.imports import (
    GiftFilePart,
    GiftImport,
    GiftImportStatusChange,
    GiftSource,
    ListFault,
    StagedGift,
)
from apps.donations.models.in_kind import ReceiptLine
from apps.donations.models.monthly import MonthlyGift, MonthlyGiftStatusChange
from apps.donations.models.redirect import GiftRedirect
from apps.donations.models.refund import BankDetailsRead, Refund, RefundStatusChange, ReserveFeed
from apps.donations.models.stopped import StoppedAttempt
from apps.donations.models.team import Team

__all__ = [
    "BankDetailsRead",
    "Gift",
    "GiftCount",
    "GiftFilePart",
    "GiftImport",
    "GiftImportStatusChange",
    "GiftList",
    "GiftRedirect",
    "GiftSource",
    "GiftStatusChange",
    "ListFault",
    "MonthlyGift",
    "MonthlyGiftStatusChange",
    "Receipt",
    "ReceiptBundle",
    "ReceiptBundleStatusChange",
    "ReceiptLine",
    "ReceiptRange",
    "Refund",
    "RefundStatusChange",
    "ReserveFeed",
    "StagedGift",
    "StoppedAttempt",
    "Team",
]
