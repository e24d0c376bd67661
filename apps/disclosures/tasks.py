from __future__ import annotations

import datetime as dt

from celery import shared_task

from apps.core import clock
from apps.core.actors import system
from apps.disclosures.errors import NoIndependentAuditor
from apps.disclosures.models import Report
from apps.disclosures.operations import (
    advance_duties,
    draw_auditor,
    fold_goods,
    note_lateness,
    remind_of_duties,
)
from apps.disclosures.ratios import count_years
from apps.disclosures.states import Status
from apps.organizations.models import Organization

COUNTED_EVERY = dt.timedelta(hours=6)


@shared_task(name="apps.disclosures.tasks.keep_duties")  # type: ignore[misc]
def keep_duties() -> int:
    """This will open the duties whose window began, write down those that passed their date, remind of those that are
    near, fold movements of goods, and draw auditors for reports that still wait for one."""
    now = clock.now()
    fold_goods()
    changed = advance_duties(now=now) + note_lateness(now=now) + remind_of_duties(now=now)
    for report in Report.objects.filter(status=Status.SUBMITTED, kind__audited=True).order_by("id"):
        try:
            draw_auditor(actor=system("disclosures.clock"), report=report, now=now)
        except NoIndependentAuditor:
            continue
        changed += 1
    for organization in Organization.objects.order_by("id"):
        last = organization.year_sums.order_by("-as_of").first()
        if last is None or last.as_of < now - COUNTED_EVERY:
            changed += count_years(organization=organization, now=now)
    return changed
