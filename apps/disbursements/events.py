from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, slots=True)
class DisbursementPaid(Event):
    """A payment went out of the bank and is in the ledger."""

    name: ClassVar[str] = "disbursements.paid"
    disbursement_id: int


@dataclass(frozen=True, slots=True)
class DisbursementReturned(Event):
    """The bank sent a payment back."""

    name: ClassVar[str] = "disbursements.returned"
    disbursement_id: int


@dataclass(frozen=True, slots=True)
class DisbursementReversed(Event):
    """A payment was clawed back, whole or in part; that money is its earmark's again."""

    name: ClassVar[str] = "disbursements.reversed"
    disbursement_id: int


@dataclass(frozen=True, slots=True)
class ConfirmationCodeAsked(Event):
    """A family should get a one-time code on its phone. Neither number nor code is in here."""

    name: ClassVar[str] = "disbursements.confirmation_code_asked"
    code_id: int
