"""Payments: our intent, the provider's events as they came, and the facts they proved. Nothing here knows a gift."""

from apps.payments.models.closing import DayClose, DayFigure
from apps.payments.models.payment import (
    Payment,
    PaymentStatusChange,
    ProviderEvent,
    ProviderFact,
    SandboxSession,
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

__all__ = [
    "BalanceLine",
    "BankAccount",
    "BankLine",
    "BankStatement",
    "DayClose",
    "DayFigure",
    "Difference",
    "Explanation",
    "Match",
    "Payment",
    "PaymentStatusChange",
    "Payout",
    "ProviderEvent",
    "ProviderFact",
    "ProviderReading",
    "SandboxSession",
    "StatementDraft",
]
