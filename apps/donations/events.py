from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, slots=True)
class GiftReceived(Event):
    """A gift's money arrived and is in the ledger."""

    name: ClassVar[str] = "donations.gift_received"
    gift_id: int


@dataclass(frozen=True, slots=True)
class LinkAsked(Event):
    """Somebody who holds a receipt asked for the lost link of its gift; only the donor's own address gets it."""

    name: ClassVar[str] = "donations.link_asked"
    gift_id: int
    day: str
