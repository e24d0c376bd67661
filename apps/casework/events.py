"""What casework tells the rooms above: ids and codes only."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from apps.core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class ConsentWithdrawn(Event):
    """A consent ended; whatever was published under its code has to go at once."""

    name: ClassVar[str] = "casework.consent_withdrawn"
    consent_id: int
    code: str
    purpose: str


@dataclasses.dataclass(frozen=True, slots=True)
class BankDetailsChanged(Event):
    """A family's payee account was replaced; whatever was approved for the old one has to be approved again (P3)."""

    name: ClassVar[str] = "casework.bank_details_changed"
    household_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class HouseholdErased(Event):
    """A family's key was destroyed."""

    name: ClassVar[str] = "casework.household_erased"
    household_id: int
