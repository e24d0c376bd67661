from apps.disclosures.models.audits import Audit, Finding, FindingMessage, SampleItem
from apps.disclosures.models.duties import (
    Duty,
    DutyExtension,
    DutyKind,
    DutyLateness,
    DutyReminder,
    Occurrence,
)
from apps.disclosures.models.goods import GoodsFold, GoodsSum
from apps.disclosures.models.reports import (
    Report,
    ReportAttachment,
    ReportLine,
    ReportStatusChange,
    ReportUse,
)
from apps.disclosures.models.statements import StatementLine, YearSum

__all__ = [
    "Audit",
    "Duty",
    "DutyExtension",
    "DutyKind",
    "DutyLateness",
    "DutyReminder",
    "Finding",
    "FindingMessage",
    "GoodsFold",
    "GoodsSum",
    "Occurrence",
    "Report",
    "ReportAttachment",
    "ReportLine",
    "ReportStatusChange",
    "ReportUse",
    "SampleItem",
    "StatementLine",
    "YearSum",
]
