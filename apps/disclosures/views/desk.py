"""What the desks of writers and auditors share: finding a report, its figures side by side, its steps."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from apps.core.http import Request
from apps.disclosures import queries
from apps.disclosures.content import changes_of, closing_of, section_total
from apps.disclosures.models import Report
from apps.disclosures.operations.duties import due_of
from apps.disclosures.states import FINAL, Section, Status


def find_report(request: Request, public_id: str) -> Report:
    return get_object_or_404(queries.visible_reports(request.actor), public_id=public_id)


def report_context(found: Report) -> dict[str, Any]:
    live = next((each for each in found.audits.all() if each.declined_at is None), None)
    lines = list(found.lines.all())
    totals = {
        which: {"income": section_total(found, Section.INCOME, which),
                "spending": section_total(found, Section.SPENDING, which), "closing": closing_of(found, which)}
        for which in ("reported", "computed")
    }  # fmt: skip
    return {
        "report": found, "live": live, "lines": [line for line in lines if line.section != Section.AUDIT],
        "audit_lines": [line for line in lines if line.section == Section.AUDIT], "totals": totals,
        "findings": found.findings.prefetch_related("messages"), "title": queries.report_title(found),
        "attachments": found.attachments.all(), "correction_changes": changes_of(found),
        "has_money": any(line.section in (Section.INCOME, Section.SPENDING, Section.BALANCE) for line in lines),
        "changes": found.changes.order_by("-id")[:30], "due": due_of(found.duty),
        "steps": _steps(found),
    }  # fmt: skip


def _steps(found: Report) -> list[dict[str, str]]:
    order = [Status.DRAFT, Status.SUBMITTED, Status.UNDER_AUDIT, Status.AUDITED, Status.PUBLISHED]
    labels = [_("起草"), _("提交"), _("审计"), _("签署意见"), _("公布")]
    at = {Status.RETURNED: 0, Status.ASSIGNED: 1, Status.SUPERSEDED: 4}.get(
        Status(found.status), order.index(Status(found.status)) if found.status in order else 0
    )
    if not found.kind.audited:
        order, labels = [Status.DRAFT, Status.SUBMITTED, Status.PUBLISHED], [_("起草"), _("提交"), _("公布")]
        at = {Status.RETURNED: 0, Status.SUPERSEDED: 2}.get(
            Status(found.status), order.index(Status(found.status)) if found.status in order else 0
        )
    done = found.status in FINAL
    return [
        {"label": label, "note": "", "state": "" if i < at or done else ("now" if i == at else "todo")}
        for i, label in enumerate(labels)
    ]
