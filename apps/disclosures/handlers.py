"""What disclosures does when something happens below: duties begin, auditors are drawn."""

from __future__ import annotations

import datetime as dt

from apps.core.actors import system
from apps.disbursements.events import DisbursementPaid
from apps.disbursements.models import Disbursement
from apps.disclosures.errors import NoIndependentAuditor
from apps.disclosures.events import ReportSubmitted
from apps.disclosures.models import Report
from apps.disclosures.operations import begin_duties, draw_auditor
from apps.disclosures.states import Status
from apps.funds.events import ProjectStatusChanged
from apps.funds.states import ProjectStatus

ACTOR = system("disclosures")


def begin_on_payment(event: DisbursementPaid, *, now: dt.datetime) -> None:
    """This will open a project's first duty with its first payment (D1)."""
    project = Disbursement.objects.values_list("project", flat=True).get(pk=event.disbursement_id)
    begin_duties(project_id=project, event=event.name)


def begin_on_executing(event: ProjectStatusChanged, *, now: dt.datetime) -> None:
    """This will open a project's first duty when its work starts (D1)."""
    if event.status == ProjectStatus.EXECUTING:
        begin_duties(project_id=event.project_id, event=event.name)


def draw_on_submission(event: ReportSubmitted, *, now: dt.datetime) -> None:
    """This will draw the auditor of a report that was handed in; when nobody is eligible the clock tries again."""
    report = Report.objects.get(pk=event.report_id)
    if report.status == Status.SUBMITTED:
        try:
            draw_auditor(actor=ACTOR, report=report, now=now)
        except NoIndependentAuditor:
            return
