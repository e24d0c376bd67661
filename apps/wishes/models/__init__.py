"""Wishes, their units and claims, purchases for them, and what families say."""

from apps.wishes.models.claim import (
    Claim,
    ClaimStatusChange,
    Pledge,
    Purchase,
    PurchaseStatusChange,
    Quote,
)
from apps.wishes.models.confirming import Confirmation, Thanks, WishCode
from apps.wishes.models.errand import Errand, ErrandStatusChange, HoursCertificate, Volunteer
from apps.wishes.models.wish import (
    MOST_CAP,
    MOST_UNITS,
    SHOWN,
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
    "SHOWN",
    "Claim",
    "ClaimStatusChange",
    "Confirmation",
    "Errand",
    "ErrandStatusChange",
    "HoursCertificate",
    "Pledge",
    "Purchase",
    "PurchaseStatusChange",
    "Quote",
    "Shop",
    "Thanks",
    "Unit",
    "Volunteer",
    "Wish",
    "WishCode",
    "WishPhoto",
    "WishStatusChange",
    "WishTemplate",
]
