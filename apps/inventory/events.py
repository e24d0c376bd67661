from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, slots=True)
class GoodsAccepted(Event):
    """Every lot of a consignment has been inspected; what was fit is in stock and in the ledger."""

    name: ClassVar[str] = "inventory.goods_accepted"
    consignment_id: int


@dataclass(frozen=True, slots=True)
class GoodsSent(Event):
    """A dispatch is on the road; its town's caseworkers wait for it."""

    name: ClassVar[str] = "inventory.goods_sent"
    dispatch_id: int


@dataclass(frozen=True, slots=True)
class GoodsHandedOver(Event):
    """A caseworker says goods were handed over; `confirmed` tells whether the family said so too (W5)."""

    name: ClassVar[str] = "inventory.goods_handed_over"
    handover_id: int
    confirmed: str
