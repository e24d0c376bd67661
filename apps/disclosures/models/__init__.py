from apps.disclosures.models.audits import Audit, Finding
from apps.disclosures.models.duties import Duty, DutyKind, DutyLateness
from apps.disclosures.models.reports import Report, ReportLine, ReportStatusChange, ReportUse

__all__ = [
    "Audit",
    "Duty",
    "DutyKind",
    "DutyLateness",
    "Finding",
    "Report",
    "ReportLine",
    "ReportStatusChange",
    "ReportUse",
]
