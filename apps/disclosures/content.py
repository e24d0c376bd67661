"""What is signed and what is frozen: plain values in RFC 8785 bytes (D5). Nothing here names a household."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet

from apps.core.clock import SHANGHAI
from apps.disclosures.figures import closing
from apps.disclosures.models import Audit, Report, ReportLine, ReportUse
from apps.disclosures.sampling import LARGEST, SMALLEST
from apps.disclosures.states import FINAL, SampleResult, Section
from apps.funds.models import BudgetLine
from apps.places.queries import town_names

FORMAT = "charity-report/2"


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
    """This will give exactly what an auditor signs: the report's words, figures and files, the sample, the findings and
    the opinion."""
    return {
        "report": report.public_id,
        "period": _period(report),
        "cutoff": moment(report.cutoff_at),
        "narrative": {"zh": report.narrative, "en": report.narrative_en},
        "lines": [_line(line) for line in report.lines.all()],
        "uses": uses_of(report),
        "attachments": _attachments(report),
        "sample": _sample(audit),
        "findings": [_finding(f) for f in report.findings.all()],
        "opinion": {"kind": audit.opinion, "text": audit.opinion_text},
        "signed": {"name": audit.signed_name, "firm": audit.firm.uscc, "at": moment(audit.signed_at)},
    }


def frozen_content(report: Report, audit: Audit | None) -> dict[str, Any]:
    """This will give the whole published report: what the page shows, and nothing else."""
    project = report.project
    publisher = project.fund.organization if project else report.organization
    return {
        "format": FORMAT,
        "public_id": report.public_id,
        "address": f"/disclosures/{report.public_id}/",
        "kind": {"code": report.kind.code, "zh": report.kind.name_zh, "en": report.kind.name_en,
                 "legal_source": report.kind.legal_source, "audited": report.kind.audited},
        "n": report.duty.n,
        "which": report.duty.which,
        "version": report.version,
        "corrects": _corrected(report),
        "project": {"slug": project.slug, "zh": project.name, "en": project.name_en, "category": project.category,
                    "filing_number": project.filing_number} if project else None,
        "fund": {"slug": project.fund.slug, "zh": project.fund.name, "en": project.fund.name_en} if project else None,
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
        "attachments": _attachments(report),
        "audit": _audit(report, audit) if audit else None,
        "findings": [{**_finding(f), "reply": f.reply} for f in report.findings.all()],
    }  # fmt: skip


def changes_of(report: Report) -> list[dict[str, Any]]:
    """This will list what a correction changes of the report it corrects: each line, text or file with old and new."""
    old = report.corrects
    if old is None:
        return []
    was = {(line.section, line.key): line for line in public_lines(old)}
    now = {(line.section, line.key): line for line in public_lines(report)}
    made: list[dict[str, Any]] = []
    for key in [*was, *(key for key in now if key not in was)]:
        before, after = was.get(key), now.get(key)
        one = after or before
        assert one is not None
        for field in ("reported", "computed", "explanation"):
            values = [getattr(each, field) if each else None for each in (before, after)]
            if values[0] != values[1]:
                made.append({"field": field, "section": one.section, "key": one.key, "zh": one.label_zh,
                             "en": one.label_en, "unit": one.unit, "old": values[0], "new": values[1]})  # fmt: skip
    for field, text in (("narrative", "zh"), ("narrative_en", "en")):
        if getattr(old, field) != getattr(report, field):
            made.append({"field": "narrative", "language": text, "old": getattr(old, field),
                         "new": getattr(report, field)})  # fmt: skip
    files = [{each.sha256: each.name for each in one.attachments.all()} for one in (old, report)]
    for digest in files[0].keys() ^ files[1].keys():
        made.append({"field": "attachment", "old": files[0].get(digest), "new": files[1].get(digest),
                     "sha256": digest})  # fmt: skip
    return made


def _corrected(report: Report) -> dict[str, Any] | None:
    old = report.corrects
    if old is None:
        return None
    return {
        "public_id": old.public_id, "sha256": old.sha256, "published_at": moment(old.published_at),
        "reason": report.correction_reason, "by": report.drafted_by.display_name, "changes": changes_of(report),
    }  # fmt: skip


def _audit(report: Report, audit: Audit) -> dict[str, Any]:
    return {
        "firm": {"zh": audit.firm.name, "en": audit.firm.name_en, "uscc": audit.firm.uscc,
                 "licence": audit.firm.licence},
        "auditor": audit.signed_name,
        "draw": {"at": moment(audit.drawn_at), "seed": report.draw_seed, "seed_sha256": audit.seed_sha256,
                 "round": Audit.objects.filter(report=report, pk__lt=audit.pk).count(),
                 "eligible": audit.eligible, "place": audit.place},
        "sample": _sample(audit),
        "opinion": audit.opinion,
        "text": audit.opinion_text,
        "signed_at": moment(audit.signed_at),
        "signed_sha256": audit.signed_sha256,
    }  # fmt: skip


def _sample(audit: Audit) -> dict[str, Any]:
    """How the payments to look at were drawn, in numbers only: single payments stay inside (C4)."""
    items = list(audit.sample.all())
    return {
        "rule": f"sha256(seed:report:sample:entry); a tenth, {SMALLEST} to {LARGEST}",
        "population": audit.population, "population_sha256": audit.population_sha256, "drawn": len(items),
        "checked": sum(item.result != "" for item in items),
        "faults": sum(item.result == SampleResult.FAULT for item in items),
    }  # fmt: skip


def _finding(finding: Any) -> dict[str, Any]:
    return {"severity": finding.severity, "title": finding.title, "text": finding.text,
            "resolved": finding.resolved_at is not None}  # fmt: skip


def _attachments(report: Report) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "type": each.content_type, "size": each.size, "sha256": each.sha256,
         "public_id": each.public_id}
        for each in report.attachments.all()
    ]  # fmt: skip


def chain_uses(report: Report) -> QuerySet[ReportUse]:
    """This will give the uses that a report stands on: its own and those of the versions it corrects."""
    chain = Report.objects.filter(Q(pk=report.first) | Q(root=report.first), version__lt=report.version)
    held = ReportUse.objects.filter(Q(report=report) | Q(report__in=chain.filter(status__in=FINAL)))
    return held.select_related("release", "expense", "residual").order_by("id")


def uses_of(report: Report) -> list[dict[str, Any]]:
    """This will list the releases, the public expenses and the rest of aid that a report holds, in the order they were
    held."""
    names = town_names()
    held = list(chain_uses(report))
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
        elif use.residual:
            made.append(
                {"kind": "residual", "public_id": use.residual.public_id, "amount": use.residual.amount,
                 "closed_on": use.residual.closed_on.isoformat()}
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
