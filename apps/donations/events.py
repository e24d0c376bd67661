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
class GiftListRecorded(Event):
    """A list of offline gifts is in the ledger, all of it. `project_id` is None for a micro-fund's general money."""

    name: ClassVar[str] = "donations.gift_list_recorded"
    list_id: int
    project_id: int | None
