"""Correcting what was published (D5): a report of its own that names the one it takes the place of; both stay."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import WrongState
from apps.core.policies import authorize
from apps.core.transitions import note_status
from apps.disclosures import policies
from apps.disclosures.computing import books_of
from apps.disclosures.errors import CorrectionOpen
from apps.disclosures.models import Report, ReportAttachment, ReportStatusChange
from apps.disclosures.operations.writing import LineInput, lock_report, write_lines
from apps.disclosures.states import Section, Status
from apps.funds.operations import lock_project


@transaction.atomic
def start_correction(*, actor: Actor, report: Report, reason: str, now: dt.datetime) -> Report:
    """This will open the correction of a published report: the same period and duty, its words, figures and files as
    they were published, the books' figures as of now beside them. It goes the same way as the report did.

    Raises WrongState for a report that isn't public, CorrectionOpen when a correction is under way or done.
    """
    old = lock_report(report.pk)
    authorize(policies.can_write, actor, old.duty)
    assert actor.person_id is not None
    if Report.objects.filter(corrects=old).exists():
        raise CorrectionOpen()
    if old.status != Status.PUBLISHED:
        raise WrongState()
    if old.project_id is not None:
        lock_project(old.project_id)
    made = Report.objects.create(
        kind_id=old.kind_id, project_id=old.project_id, organization_id=old.organization_id, duty_id=old.duty_id,
        period_start=old.period_start, period_end=old.period_end, currency=old.currency, narrative=old.narrative,
        narrative_en=old.narrative_en, corrects=old, root_id=old.first, version=old.version + 1,
        correction_reason=reason.strip()[:300], drafted_by_id=actor.person_id, created_at=now,
        edited_by_id=actor.person_id, edited_at=now,
    )  # fmt: skip
    note_status(made, "", history=ReportStatusChange, actor=actor, now=now, reason=reason.strip()[:300])
    said = {
        (line.section, line.key): LineInput(line.reported, line.explanation)
        for line in old.lines.exclude(section=Section.AUDIT)
    }
    write_lines(made, books_of(made, now), said)
    for each in old.attachments.all():
        ReportAttachment.objects.create(
            report=made, name=each.name, content_type=each.content_type, size=each.size, sha256=each.sha256,
            added_by=each.added_by, added_at=each.added_at,
        )  # fmt: skip
    return made
