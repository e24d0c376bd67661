from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, slots=True)
class FactRecorded(Event):
    """A provider stated something of a payment's money; rooms above post it by the fact's id."""

    name: ClassVar[str] = "payments.fact_recorded"
    fact_id: int


@dataclass(frozen=True, slots=True)
class PaymentEnded(Event):
    """A payment expired or failed without money."""

    name: ClassVar[str] = "payments.payment_ended"
    payment_id: int
    status: str


@dataclass(frozen=True, slots=True)
class DayClosed(Event):
    """A day's books were closed; its snapshot is for the cashier, never public (C4)."""

    name: ClassVar[str] = "payments.day_closed"
    close_id: int
