"""Tables of donations, by noun."""

from apps.donations.models.gifts import *  # noqa: F403
from apps.donations.models.imports import (
    GiftFilePart,
    GiftImport,
    GiftImportStatusChange,
    GiftSource,
    ListFault,
    StagedGift,
)

__all__ = [  # noqa: F405
    "Gift", "GiftCount", "GiftFilePart", "GiftImport", "GiftImportStatusChange", "GiftList", "GiftSource",
    "GiftStatusChange", "ListFault", "Receipt", "ReceiptRange", "StagedGift",
]  # fmt: skip
