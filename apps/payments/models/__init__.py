"""Payments: our intent, the provider's events as they came, and the facts they proved. Nothing here knows a gift."""

from apps.payments.models.closing import DayClose, DayFigure
from apps.payments.models.payment import (
    Payment,
    PaymentStatusChange,
    ProviderEvent,
    ProviderFact,
    WalletCode,
)
from apps.payments.models.reconciliation import (
    BalanceLine,
    BankAccount,
    BankLine,
    BankStatement,
    Difference,
    Explanation,
    Match,
    Payout,
    ProviderReading,
    StatementDraft,
)
from apps.payments.models.refund import (
    ClockAlarm,
    PaymentDispute,
    PaymentDisputeStatusChange,
    PaymentRefund,
    PaymentRefundStatusChange,
)
from apps.payments.models.sandbox import SandboxDispute, SandboxRefund, SandboxSession, SandboxSubscription
from apps.payments.models.subscription import (
    FailedCharge,
    Subscription,
    SubscriptionOrder,
    SubscriptionStatusChange,
)

__all__ = [
    "BalanceLine",
    "BankAccount",
    "BankLine",
    "BankStatement",
    "ClockAlarm",
    "DayClose",
    "DayFigure",
    "Difference",
    "Explanation",
    "FailedCharge",
    "Match",
    "Payment",
    "PaymentDispute",
    "PaymentDisputeStatusChange",
    "PaymentRefund",
    "PaymentRefundStatusChange",
    "PaymentStatusChange",
    "Payout",
    "ProviderEvent",
    "ProviderFact",
    "ProviderReading",
    "SandboxDispute",
    "SandboxRefund",
    "SandboxSession",
    "SandboxSubscription",
    "StatementDraft",
    "Subscription",
    "SubscriptionOrder",
    "SubscriptionStatusChange",
    "WalletCode",
]
