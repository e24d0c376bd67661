"""Wishes, their units and claims, purchases for them, and what families say."""

from apps.wishes.models.claim import (
    Claim,
    ClaimStatusChange,
    Pledge,
    Purchase,
    PurchaseStatusChange,
    Quote,
)
from apps.wishes.models.confirming import TRIES, Confirmation, Thanks, WishCode
from apps.wishes.models.wish import (
    MOST_CAP,
    MOST_UNITS,
    Shop,
    Unit,
    Wish,
    WishPhoto,
    WishStatusChange,
    WishTemplate,
)

__all__ = [
    "MOST_CAP",
    "MOST_UNITS",
    "TRIES",
    "Claim",
    "ClaimStatusChange",
    "Confirmation",
    "Pledge",
    "Purchase",
    "PurchaseStatusChange",
    "Quote",
    "Shop",
    "Thanks",
    "Unit",
    "Wish",
    "WishCode",
    "WishPhoto",
    "WishStatusChange",
    "WishTemplate",
]
