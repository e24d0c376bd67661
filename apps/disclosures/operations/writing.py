"""Writing a report: figures beside the books', and no difference without its explanation (D3)."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from apps.core.actors import Actor
from apps.core.clock import SHANGHAI, civil_day
from apps.core.errors import WrongState
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.transitions import check_move, move, note_status
from apps.disclosures import attachments, policies
from apps.disclosures.computing import books_of
from apps.disclosures.errors import (
    BadAttachment,
    CorrectionEmpty,
    DifferenceUnexplained,
    DraftChanged,
    FiguresMissing,
    NarrativeMissing,
    NoDuty,
    ReasonMissing,
)
from apps.disclosures.events import ReportReturned, ReportSubmitted
from apps.disclosures.figures import Books
from apps.disclosures.models import (
    Audit,
    Duty,
    Report,
    ReportAttachment,
    ReportLine,
    ReportStatusChange,
    ReportUse,
)
from apps.disclosures.periods import period_of
from apps.disclosures.states import EDITABLE, FORWARD, Section, Status
from apps.funds.operations import lock_project
from apps.funds.queries import project_earmarks
from apps.publication.releases import lock_earmark

SHORTEST = 20
LONGEST = 8_000
MOST_ATTACHMENTS = 20
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LineInput:
    """What an officer reports for a line: fen or households, and why it differs from the books."""

    reported: int
    explanation: str = ""


@transaction.atomic
def start_report(*, actor: Actor, duty: Duty, now: dt.datetime, until: dt.date | None = None) -> Report:
    """This will open the draft of a duty's report, with its figures as the books have them. `until` says how far a
    recurring report reaches (its last day, at most today); other periods follow from what began the duty.

    Raises NoDuty (fulfilled, lapsed, drafted already), PeriodWrong.
    """
    authorize(policies.can_write, actor, duty)
    assert actor.person_id is not None
    project = lock_project(duty.project_id) if duty.project_id else None
    duty = (
        Duty.objects.select_for_update(of=("self",))
        .select_related("kind", "project", "organization")
        .get(pk=duty.pk)
    )
    if duty.fulfilled_on or duty.lapsed_on or Report.objects.filter(duty=duty).exists():
        raise NoDuty()
    start, end = period_of(duty, until, civil_day(now))
    report = Report.objects.create(
        kind_id=duty.kind_id, project=project, organization_id=duty.organization_id, duty=duty, period_start=start,
        period_end=end, currency=project.currency if project else "CNY", drafted_by_id=actor.person_id,
        created_at=now, edited_by_id=actor.person_id, edited_at=now,
    )  # fmt: skip
    note_status(report, "", history=ReportStatusChange, actor=actor, now=now)
    write_lines(report, books_of(report, now), {})
    return report


@transaction.atomic
def save_draft(
    *, actor: Actor, report: Report, narrative: str, lines: Mapping[Key, LineInput], now: dt.datetime,
    narrative_en: str = "", revision: int | None = None, correction_reason: str | None = None,
) -> Report:  # fmt: skip
    """This will keep what was typed so far and set the books' figures anew beside it. `lines` by (section, key).

    `revision` is the one the writer had before them: when somebody else saved since, DraftChanged is raised and nothing
    is overwritten. A save by the same person goes through: it is another window of theirs.
    """
    report = lock_report(report.pk)
    authorize(policies.can_write, actor, report.duty)
    _check_editable(report)
    _check_revision(report, revision, actor)
    _keep_words(report, narrative, narrative_en, correction_reason, actor, now)
    write_lines(report, books_of(report, now), lines)
    return report


@transaction.atomic
def submit_report(
    *, actor: Actor, report: Report, narrative: str, lines: Mapping[Key, LineInput], now: dt.datetime,
    narrative_en: str = "", revision: int | None = None, correction_reason: str | None = None,
) -> Report:  # fmt: skip
    """This will hand a report in: every figure is recomputed at a cut-off of the database's clock, the uses it holds
    are fixed, and the seed of the auditor's draw and sample is chosen, before anybody knows who is eligible.

    Raises DifferenceUnexplained, FiguresMissing (a line of the books without a reported figure), NarrativeMissing; for
    a correction ReasonMissing and CorrectionEmpty. A report that was returned goes back to the same auditor.
    """
    report = lock_report(report.pk)
    authorize(policies.can_write, actor, report.duty)
    check_move(report, Status.SUBMITTED, FORWARD)
    _check_revision(report, revision, actor)
    if len(narrative.strip()) < SHORTEST:
        raise NarrativeMissing()
    if report.project_id is not None:
        for mark in sorted(project_earmarks([report.project_id]).values()):
            lock_earmark(mark)  # no release slips in between the figures and the uses
    books = books_of(report, now)
    public = {(str(each.section), each.key) for each in books.figures if each.section != Section.AUDIT}
    if not public <= set(lines):
        raise FiguresMissing()
    _keep_words(report, narrative, narrative_en, correction_reason, actor, now)
    write_lines(report, books, lines)
    _check_explained(report)
    if report.corrects_id is not None:
        _check_correction(report)
    _hold(report, books)
    move(report, Status.SUBMITTED, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now,
         submitted_at=now, cutoff_at=books.cutoff, draw_seed=report.draw_seed or secrets.token_hex(32))  # fmt: skip
    if Audit.objects.filter(report=report, declined_at=None).exists():
        move(report, Status.ASSIGNED, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now)
    else:
        publish(ReportSubmitted(report_id=report.pk))
    return report


@transaction.atomic
def send_back_report(*, actor: Actor, report: Report, reason: str, now: dt.datetime) -> Report:
    """This will send a report that needs no audit back to its writer (the manager who would publish it)."""
    report = lock_report(report.pk)
    authorize(policies.can_publish, actor, report)
    if report.kind.audited:
        raise WrongState()
    if not reason.strip():
        raise ReasonMissing()
    move(report, Status.RETURNED, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now,
         reason=reason.strip()[:300])  # fmt: skip
    publish(ReportReturned(report_id=report.pk))
    return report


@transaction.atomic
def add_attachment(
    *, actor: Actor, report: Report, name: str, content: bytes, now: dt.datetime
) -> ReportAttachment:
    """This will keep a file with a draft: a PDF or a photo by its content, under its own hash. Raises BadAttachment."""
    report = lock_report(report.pk)
    authorize(policies.can_write, actor, report.duty)
    _check_editable(report)
    if report.attachments.count() >= MOST_ATTACHMENTS:
        raise BadAttachment()
    kept = attachments.keep(content)
    row, _created = ReportAttachment.objects.get_or_create(
        report=report, sha256=kept.sha256,
        defaults={"name": _file_name(name, kept.content_type), "content_type": kept.content_type, "size": kept.size,
                  "added_by": actor.person_id or 0, "added_at": now},
    )  # fmt: skip
    return row


@transaction.atomic
def remove_attachment(*, actor: Actor, attachment: ReportAttachment, now: dt.datetime) -> None:
    """This will take a file off a draft; the bytes stay on disk, other reports may name them."""
    report = lock_report(attachment.report_id)
    authorize(policies.can_write, actor, report.duty)
    _check_editable(report)
    ReportAttachment.objects.filter(pk=attachment.pk).delete()


def lock_report(pk: int) -> Report:
    """This will lock a report's row for the rest of the transaction."""
    return (
        Report.objects.select_for_update(of=("self",))
        .select_related(
            "project__fund__organization", "project__partner", "kind", "duty__project__fund", "duty__kind",
            "organization",
        )
        .get(pk=pk)
    )  # fmt: skip


def write_lines(report: Report, books: Books, typed: Mapping[Key, LineInput]) -> None:
    """This will set a draft's lines to what the books have, with what was typed beside it."""
    known = {(line.section, line.key): line for line in report.lines.all()}
    gone = set(known) - {(str(each.section), each.key) for each in books.figures}
    report.lines.filter(pk__in=[known[key].pk for key in gone]).delete()
    for position, figure in enumerate(books.figures, start=1):
        key = (str(figure.section), figure.key)
        line = known.get(key) or ReportLine(report=report, section=figure.section, key=figure.key)
        entered = typed.get(key)
        if figure.section == Section.AUDIT or (entered is None and line.pk is None):
            line.reported = figure.amount
        elif entered is not None:
            line.reported, line.explanation = entered.reported, entered.explanation.strip()[:300]
        line.position, line.computed, line.unit = position, figure.amount, figure.unit
        line.label_zh, line.label_en = figure.label_zh[:80], figure.label_en[:100]
        line.save()


def _check_editable(report: Report) -> None:
    if report.status not in EDITABLE:
        raise WrongState()


def _check_revision(report: Report, revision: int | None, actor: Actor) -> None:
    if revision is None or revision == report.revision or report.edited_by_id == actor.person_id:
        return
    at = (report.edited_at or report.created_at).astimezone(SHANGHAI)
    raise DraftChanged(report.edited_by.display_name if report.edited_by else "", f"{at:%H:%M}")


def _keep_words(
    report: Report, narrative: str, narrative_en: str, reason: str | None, actor: Actor, now: dt.datetime
) -> None:
    report.narrative, report.narrative_en = narrative.strip()[:LONGEST], narrative_en.strip()[:LONGEST]
    if reason is not None and report.corrects_id is not None:
        report.correction_reason = reason.strip()[:300]
    report.revision += 1
    report.edited_by_id, report.edited_at = actor.person_id, now
    report.save(
        update_fields=["narrative", "narrative_en", "correction_reason", "revision", "edited_by", "edited_at"]
    )


def _check_explained(report: Report) -> None:
    wrong = [
        line.label_zh
        for line in report.lines.all()
        if line.reported != line.computed and not line.explanation
    ]
    if wrong:
        raise DifferenceUnexplained(wrong)


def _check_correction(report: Report) -> None:
    from apps.disclosures.content import changes_of

    if not report.correction_reason:
        raise ReasonMissing(field="correction_reason")
    if not changes_of(report):
        raise CorrectionEmpty()


def _hold(report: Report, books: Books) -> None:
    """Fix the uses. What an earlier version of the same report holds stays with that version."""
    ReportUse.objects.filter(report=report).delete()
    earlier = ReportUse.objects.filter(Q(report=report.first) | Q(report__root=report.first))
    have = list(earlier.values_list("release", "expense", "residual"))
    releases, expenses, residuals = ({row[n] for row in have} for n in range(3))
    ReportUse.objects.bulk_create(
        [
            *(ReportUse(report=report, release=each, amount=each.amount)
              for each in books.releases if each.pk not in releases),
            *(ReportUse(report=report, expense=each, amount=each.amount)
              for each in books.expenses if each.pk not in expenses),
            *(ReportUse(report=report, residual=each, amount=each.amount)
              for each in books.residuals if each.pk not in residuals),
        ]
    )  # fmt: skip


def _file_name(name: str, content_type: str) -> str:
    stem = "".join(
        c for c in name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1] if c.isprintable() and c not in '"<>|:*?'
    )
    stem = stem.rsplit(".", 1)[0].strip(" .")[:100] or "file"
    return f"{stem}.{'pdf' if content_type == 'application/pdf' else 'jpg'}"
