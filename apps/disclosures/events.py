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
