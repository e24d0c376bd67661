"""Payments: our intent, the provider's events as they came, and the facts they proved. Nothing here knows a gift."""

from apps.payments.models.payment import Payment, PaymentStatusChange, ProviderEvent, ProviderFact
from apps.payments.models.refund import (
    ClockAlarm,
    PaymentDispute,
    PaymentDisputeStatusChange,
    PaymentRefund,
    PaymentRefundStatusChange,
)
from apps.payments.models.sandbox import SandboxDispute, SandboxRefund, SandboxSession

__all__ = [
    "ClockAlarm",
    "Payment",
    "PaymentDispute",
    "PaymentDisputeStatusChange",
    "PaymentRefund",
    "PaymentRefundStatusChange",
    "PaymentStatusChange",
    "ProviderEvent",
    "ProviderFact",
    "SandboxDispute",
    "SandboxRefund",
    "SandboxSession",
]
