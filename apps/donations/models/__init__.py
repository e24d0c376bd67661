"""Tables of donations, by noun."""

from apps.donations.models.gifts import *  # noqa: F403
from apps.donations.models.redirects import GiftRedirect

__all__ = ["Gift", "GiftCount", "GiftList", "GiftRedirect", "GiftStatusChange", "Receipt", "ReceiptRange"]  # noqa: F405
