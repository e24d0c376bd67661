"""Publication: the privacy gate, the frozen bytes, the public rows and the fulfilled duty, all or nothing (D5)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from apps.core.actors import Actor
from apps.core.canonical import canonical_json, sha256_hex
from apps.core.clock import civil_day
from apps.core.crash import crash_point
from apps.core.events import publish
from apps.core.pages import bump_epoch
from apps.core.policies import authorize
from apps.core.transitions import check_move, move
from apps.disclosures import attachments, policies
from apps.disclosures.content import frozen_content
from apps.disclosures.errors import BadAttachment, NotWithoutAudit, SameHands
from apps.disclosures.events import ReportCorrected, ReportPublished
from apps.disclosures.models import Audit, Duty, Occurrence, Report, ReportStatusChange
from apps.disclosures.operations.auditing import live_audit
from apps.disclosures.operations.duties import CORRECTION, is_late, tell_below, write_lateness
from apps.disclosures.operations.writing import lock_report
from apps.disclosures.rows import row_drafts
from apps.disclosures.states import FORWARD, Status
from apps.publication.privacy import check_publishable
from apps.publication.rows import publish_rows, withdraw_rows


@transaction.atomic
def publish_report(*, actor: Actor, report: Report, now: dt.datetime) -> Report:
    """This will make a report public for ever, in one transaction: its texts pass the privacy gate, its canonical bytes
    and their SHA-256 are frozen, one public row for it and one for each use it holds become searchable, and its duty is
    fulfilled. A qualified or adverse opinion is published as such; kinds without audit are published with none.

    A correction takes the place of the version it corrects, whose rows leave the search and whose page stays.
    Raises NotPublishable (a text holds personal details), SameHands (the drafter), NotWithoutAudit.
    """
    report = lock_report(report.pk)
    if actor.person_id == report.drafted_by_id:
        raise SameHands()
    authorize(policies.can_publish, actor, report)
    check_move(report, Status.PUBLISHED, FORWARD)
    if report.kind.audited and report.status != Status.AUDITED:
        raise NotWithoutAudit()
    audit = live_audit(report) if report.kind.audited else None
    check_publishable("\n".join(public_texts(report, audit)), field="narrative")
    _check_files(report)
    report.published_at = now
    frozen = canonical_json(frozen_content(report, audit))
    move(report, Status.PUBLISHED, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now, published_at=now,
         published_by_id=actor.person_id, frozen=frozen, sha256=sha256_hex(frozen))  # fmt: skip
    publish_rows(rows=row_drafts(report, audit), now=now)
    if report.corrects_id is not None:
        _supersede(report, actor, now)
    else:
        _fulfil(report.duty_id, now)
    publish(ReportPublished(report_id=report.pk, sha256=report.sha256))
    crash_point("disclosures.report_published")
    bump_epoch()
    return report


def public_texts(report: Report, audit: Audit | None) -> list[str]:
    """This will list every free text that becomes public with a report."""
    return [
        report.narrative, report.narrative_en, report.correction_reason, audit.opinion_text if audit else "",
        *(line.explanation for line in report.lines.all()),
        *(each.name for each in report.attachments.all()),
        *(text for finding in report.findings.all() for text in (finding.title, finding.text, finding.reply)),
    ]  # fmt: skip


def _check_files(report: Report) -> None:
    """What is frozen by its hash must be there, byte for byte, at that moment."""
    if not all(attachments.is_whole(each.sha256) for each in report.attachments.all()):
        raise BadAttachment()


def _supersede(report: Report, actor: Actor, now: dt.datetime) -> None:
    """The version before steps back: its own row leaves the search; the uses already stand with the correction."""
    old = lock_report(report.corrects_id or 0)
    move(old, Status.SUPERSEDED, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now,
         reason=report.correction_reason)  # fmt: skip
    withdraw_rows(batch=old.public_id, now=now)
    versions = Report.objects.filter(Q(pk=report.first) | Q(root=report.first)).values("public_id")
    orders = Occurrence.objects.filter(code=CORRECTION, about__in=versions).values("public_id")
    for duty in Duty.objects.filter(code=CORRECTION, subject__in=orders, fulfilled_on=None).order_by("id"):
        _fulfil(duty.pk, now)
    if report.project_id is not None:
        tell_below(report.duty, now)
    publish(ReportCorrected(report_id=report.pk, corrects_id=old.pk))


def _fulfil(duty_id: int, now: dt.datetime) -> None:
    duty = (
        Duty.objects.select_for_update(of=("self",)).select_related("project", "organization").get(pk=duty_id)
    )
    if is_late(duty, now):
        write_lateness(duty, now)
    duty.fulfilled_on = civil_day(now)
    duty.save(update_fields=["fulfilled_on"])
    tell_below(duty, now)
