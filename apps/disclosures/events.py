from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, slots=True)
class ReportSubmitted(Event):
    """A report waits for its auditor to be drawn."""

    name: ClassVar[str] = "disclosures.report_submitted"
    report_id: int


@dataclass(frozen=True, slots=True)
class AuditorDrawn(Event):
    name: ClassVar[str] = "disclosures.auditor_drawn"
    report_id: int
    person_id: int


@dataclass(frozen=True, slots=True)
class OpinionGiven(Event):
    name: ClassVar[str] = "disclosures.opinion_given"
    report_id: int
    opinion: str


@dataclass(frozen=True, slots=True)
class ReportPublished(Event):
    """A report is public for ever (D5)."""

    name: ClassVar[str] = "disclosures.report_published"
    report_id: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DutyOverdue(Event):
    """A duty passed its date without its report (D2)."""

    name: ClassVar[str] = "disclosures.duty_overdue"
    duty_id: int


@dataclass(frozen=True, slots=True)
class DutyReminded(Event):
    """A duty's date is near: `days` is the distance that is announced, `due_on` the date (ISO)."""

    name: ClassVar[str] = "disclosures.duty_reminded"
    duty_id: int
    due_on: str
    days: int


@dataclass(frozen=True, slots=True)
class DutyExtended(Event):
    """The supervisor gave a duty a later date."""

    name: ClassVar[str] = "disclosures.duty_extended"
    duty_id: int


@dataclass(frozen=True, slots=True)
class ReportReturned(Event):
    """A report went back to its writer with a reason."""

    name: ClassVar[str] = "disclosures.report_returned"
    report_id: int


@dataclass(frozen=True, slots=True)
class ReportCorrected(Event):
    """A correction took the place of a published report, which stays at its address."""

    name: ClassVar[str] = "disclosures.report_corrected"
    report_id: int
    corrects_id: int
