from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, slots=True)
class PaymentSettled(Event):
    """A payment's money arrived; rooms above post it by the fact's id."""

    name: ClassVar[str] = "payments.payment_settled"
    fact_id: int


@dataclass(frozen=True, slots=True)
class FeeCharged(Event):
    """A provider charged for collecting a payment; rooms above post it by the fact's id."""

    name: ClassVar[str] = "payments.fee_charged"
    fact_id: int


@dataclass(frozen=True, slots=True)
class MoneyReturned(Event):
    """A provider stated money of a refund or dispute, fees included; rooms above post it by the fact's id."""

    name: ClassVar[str] = "payments.money_returned"
    fact_id: int


@dataclass(frozen=True, slots=True)
class PaymentEnded(Event):
    """A payment expired or failed without money."""

    name: ClassVar[str] = "payments.payment_ended"
    payment_id: int
    status: str


@dataclass(frozen=True, slots=True)
class PaymentRefundFailed(Event):
    """A refund of ours will not happen, or came back after it was made."""

    name: ClassVar[str] = "payments.refund_failed"
    payment_refund_id: int


@dataclass(frozen=True, slots=True)
class DisputeChanged(Event):
    """A dispute was opened, or moved on to `status`."""

    name: ClassVar[str] = "payments.dispute_changed"
    dispute_id: int
    status: str


@dataclass(frozen=True, slots=True)
class DayClosed(Event):
    """A day's books were closed; its snapshot is for the cashier, never public (C4)."""

    name: ClassVar[str] = "payments.day_closed"
    close_id: int


@dataclass(frozen=True, slots=True)
class SubscriptionFollowed(Event):
    """A standing order moved on to `status`, or to another amount."""

    name: ClassVar[str] = "payments.subscription_followed"
    subscription_id: int
    status: str


@dataclass(frozen=True, slots=True)
class SubscriptionCharged(Event):
    """A month of a standing order was collected; rooms above make it a gift by the fact's id."""

    name: ClassVar[str] = "payments.subscription_charged"
    fact_id: int


@dataclass(frozen=True, slots=True)
class ChargeFailed(Event):
    """A month could not be collected; the provider tries again, or no more."""

    name: ClassVar[str] = "payments.charge_failed"
    failed_charge_id: int
