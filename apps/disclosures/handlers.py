"""What disclosures does when something happens below: duties begin, auditors are drawn."""

from __future__ import annotations

import datetime as dt

from apps.core.actors import system
from apps.disbursements.events import DisbursementPaid
from apps.disbursements.models import Disbursement
from apps.disclosures.errors import NoIndependentAuditor
from apps.disclosures.events import ReportSubmitted
from apps.disclosures.models import Report
from apps.disclosures.operations import draw_auditor, open_project_duties
from apps.disclosures.states import Status
from apps.funds.events import ProjectStatusChanged
from apps.funds.models import ProjectStatusChange

ACTOR = system("disclosures")


def open_on_payment(event: DisbursementPaid, *, now: dt.datetime) -> None:
    """This will open what a project owed at its payment (D1); later windows are the clock's."""
    paid = Disbursement.objects.get(pk=event.disbursement_id)
    open_project_duties(project_id=paid.project_id, event=event.name, now=paid.paid_at or now)


def open_on_status(event: ProjectStatusChanged, *, now: dt.datetime) -> None:
    """This will open what a project owes since its plan was filed, its campaign began or ended, its work began or was
    completed (D1); later windows are the clock's."""
    moved = ProjectStatusChange.objects.filter(record=event.project_id, to_status=event.status).last()
    open_project_duties(project_id=event.project_id, event=event.name, now=moved.at if moved else now)


def draw_on_submission(event: ReportSubmitted, *, now: dt.datetime) -> None:
    """This will draw the auditor of a report that was handed in; when nobody is eligible the clock tries again."""
    report = Report.objects.select_related("kind").get(pk=event.report_id)
    if report.status == Status.SUBMITTED and report.kind.audited:
        try:
            draw_auditor(actor=ACTOR, report=report, now=now)
        except NoIndependentAuditor:
            return
