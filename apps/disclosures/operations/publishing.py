"""Publication: the privacy gate, the frozen bytes, the public rows and the fulfilled duty, all or nothing (D5)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from apps.core.actors import Actor
from apps.core.canonical import canonical_json, sha256_hex
from apps.core.clock import civil_day
from apps.core.crash import crash_point
from apps.core.events import publish
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.core.transitions import check_move, move
from apps.disclosures import policies
from apps.disclosures.content import frozen_content
from apps.disclosures.errors import SameHands
from apps.disclosures.events import ReportPublished
from apps.disclosures.models import Duty, Report, ReportStatusChange
from apps.disclosures.operations.auditing import live_audit
from apps.disclosures.operations.duties import is_late, tell_funds, write_lateness
from apps.disclosures.operations.writing import lock_report
from apps.disclosures.rows import row_drafts
from apps.disclosures.states import FORWARD, Status
from apps.publication.privacy import check_publishable
from apps.publication.rows import publish_rows


@transaction.atomic
def publish_report(*, actor: Actor, report: Report, now: dt.datetime) -> Report:
    """This will make an audited report public for ever, in one transaction: its texts pass the privacy gate, its
    canonical bytes and their SHA-256 are frozen, one public row for it and one for each use it holds become searchable,
    and its duty is fulfilled. A qualified or adverse opinion is published as such.

    Raises NotPublishable (a text holds personal details), SameHands (the drafter).
    """
    report = lock_report(report.pk)
    if actor.person_id == report.drafted_by_id:
        raise SameHands()
    authorize(policies.can_publish, actor, report)
    check_move(report, Status.PUBLISHED, FORWARD)
    audit = live_audit(report)
    check_publishable("\n".join(public_texts(report, audit.opinion_text)), field="narrative")
    report.published_at = now
    frozen = canonical_json(frozen_content(report, audit))
    move(report, Status.PUBLISHED, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now, published_at=now,
         published_by_id=actor.person_id, frozen=frozen, sha256=sha256_hex(frozen))  # fmt: skip
    publish_rows(rows=row_drafts(report, audit), now=now)
    _fulfil(report, now)
    publish(ReportPublished(report_id=report.pk, sha256=report.sha256))
    crash_point("disclosures.report_published")
    bump_epoch()
    return report


def public_texts(report: Report, opinion_text: str) -> list[str]:
    """This will list every free text that becomes public with a report."""
    return [
        report.narrative, report.narrative_en, opinion_text,
        *(line.explanation for line in report.lines.all()),
        *(text for finding in report.findings.all() for text in (finding.title, finding.text, finding.reply)),
    ]  # fmt: skip


def _fulfil(report: Report, now: dt.datetime) -> None:
    duty = Duty.objects.select_for_update().get(pk=report.duty_id)
    if is_late(duty, now):
        write_lateness(duty, now)
    duty.fulfilled_on = civil_day(now)
    duty.save(update_fields=["fulfilled_on"])
    tell_funds(report.project_id, now)
