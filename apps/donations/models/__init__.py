"""Tables of donations, by noun."""

from apps.donations.models.gifts import *  # noqa: F403

__all__ = ["Gift", "GiftCount", "GiftList", "GiftStatusChange", "Receipt", "ReceiptRange"]  # noqa: F405
