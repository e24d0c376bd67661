"""What is signed and what is frozen: plain values in RFC 8785 bytes (D5). Nothing here names a household."""

from __future__ import annotations

import datetime as dt
from typing import Any

from apps.core.clock import SHANGHAI
from apps.disclosures.figures import closing
from apps.disclosures.models import Audit, Report, ReportLine, ReportUse
from apps.disclosures.states import Section
from apps.funds.models import BudgetLine
from apps.places.queries import town_names

FORMAT = "charity-report/1"


def public_lines(report: Report) -> list[ReportLine]:
    """This will list the lines that become public: all but the auditor's own."""
    return [line for line in report.lines.all() if line.section != Section.AUDIT]


def closing_of(report: Report, which: str) -> int:
    """This will give the unspent rest at the end, of the "reported" or the "computed" figures."""
    return closing({(line.section, line.key): getattr(line, which) for line in report.lines.all()})


def section_total(report: Report, section: str, which: str) -> int:
    """This will sum a section."""
    return sum(getattr(line, which) for line in report.lines.all() if line.section == section)


def signed_content(report: Report, audit: Audit) -> dict[str, Any]:
    """This will give exactly what an auditor signs: the report's words and figures, the findings and the opinion."""
    return {
        "report": report.public_id,
        "period": _period(report),
        "cutoff": moment(report.cutoff_at),
        "narrative": {"zh": report.narrative, "en": report.narrative_en},
        "lines": [_line(line) for line in report.lines.all()],
        "uses": uses_of(report),
        "findings": [
            {"severity": f.severity, "title": f.title, "text": f.text} for f in report.findings.all()
        ],
        "opinion": {"kind": audit.opinion, "text": audit.opinion_text},
        "signed": {"name": audit.signed_name, "firm": audit.firm.uscc, "at": moment(audit.signed_at)},
    }


def frozen_content(report: Report, audit: Audit) -> dict[str, Any]:
    """This will give the whole published report: what the page shows, and nothing else."""
    project, publisher = report.project, report.project.fund.organization
    return {
        "format": FORMAT,
        "public_id": report.public_id,
        "address": f"/disclosures/{report.public_id}/",
        "kind": {"code": report.kind.code, "zh": report.kind.name_zh, "en": report.kind.name_en,
                 "legal_source": report.kind.legal_source},
        "n": report.duty.n,
        "project": {"slug": project.slug, "zh": project.name, "en": project.name_en, "category": project.category,
                    "filing_number": project.filing_number},
        "fund": {"slug": project.fund.slug, "zh": project.fund.name, "en": project.fund.name_en},
        "organization": _organization(publisher),
        "reported_by": _organization(report.organization),
        "period": _period(report),
        "currency": report.currency,
        "due_on": report.duty.due_on.isoformat(),
        "extended_due_on": report.duty.extended_due_on.isoformat() if report.duty.extended_due_on else None,
        "extension_reason": report.duty.extension_reason,
        "submitted_at": moment(report.submitted_at),
        "cutoff": moment(report.cutoff_at),
        "published_at": moment(report.published_at),
        "narrative": {"zh": report.narrative, "en": report.narrative_en},
        "lines": [_line(line) for line in public_lines(report)],
        "totals": {
            which: {
                "income": section_total(report, Section.INCOME, which),
                "spending": section_total(report, Section.SPENDING, which),
                "closing": closing_of(report, which),
            }
            for which in ("reported", "computed")
        },
        "uses": uses_of(report),
        "audit": {
            "firm": {"zh": audit.firm.name, "en": audit.firm.name_en, "uscc": audit.firm.uscc,
                     "licence": audit.firm.licence},
            "auditor": audit.signed_name,
            "draw": {"at": moment(audit.drawn_at), "seed": report.draw_seed, "seed_sha256": audit.seed_sha256,
                     "round": Audit.objects.filter(report=report, pk__lt=audit.pk).count(),
                     "eligible": audit.eligible, "place": audit.place},
            "opinion": audit.opinion,
            "text": audit.opinion_text,
            "signed_at": moment(audit.signed_at),
            "signed_sha256": audit.signed_sha256,
        },
        "findings": [
            {"severity": f.severity, "title": f.title, "text": f.text, "reply": f.reply} for f in report.findings.all()
        ],
    }  # fmt: skip


def uses_of(report: Report) -> list[dict[str, Any]]:
    """This will list the releases and public expenses a report holds, in the order they were held."""
    names = town_names()
    held = list(ReportUse.objects.filter(report=report).select_related("release", "expense").order_by("id"))
    lines = BudgetLine.objects.in_bulk([use.expense.budget_line for use in held if use.expense])
    made: list[dict[str, Any]] = []
    for use in held:
        if use.release:
            town = names.get(use.release.town or 0)
            made.append(
                {"kind": "aid", "public_id": use.release.public_id, "category": use.release.category,
                 "town": {"zh": town[0], "en": town[1]} if town else None, "period": use.release.period,
                 "from": use.release.starts_on.isoformat(), "amount": use.release.amount,
                 "households": use.release.households, "confirmed": use.release.confirmed}
            )  # fmt: skip
        elif use.expense:
            line = lines[use.expense.budget_line]
            made.append(
                {"kind": "expense", "public_id": use.expense.public_id, "category": use.expense.category,
                 "line": {"code": line.code, "zh": line.name, "en": line.name_en}, "purpose": use.expense.purpose,
                 "paid_on": use.expense.paid_on.isoformat(), "amount": use.expense.amount}
            )  # fmt: skip
    return made


def moment(value: dt.datetime | None) -> str | None:
    """This will write a moment in Asia/Shanghai to the second."""
    return value.astimezone(SHANGHAI).isoformat(timespec="seconds") if value else None


def _period(report: Report) -> dict[str, str]:
    last = report.period_end - dt.timedelta(days=1)
    return {"first_day": report.period_start.isoformat(), "last_day": last.isoformat()}


def _organization(organization: Any) -> dict[str, str]:
    return {"zh": organization.name, "en": organization.name_en, "uscc": organization.uscc}


def _line(line: ReportLine) -> dict[str, Any]:
    return {
        "section": line.section, "key": line.key, "zh": line.label_zh, "en": line.label_en, "unit": line.unit,
        "reported": line.reported, "computed": line.computed, "difference": line.reported - line.computed,
        "explanation": line.explanation,
    }  # fmt: skip
