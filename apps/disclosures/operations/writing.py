"""Writing a report: figures beside the books', and no difference without its explanation (D3)."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import WrongState
from apps.core.events import publish
from apps.core.policies import authorize
from apps.core.transitions import check_move, move, note_status
from apps.disclosures import policies
from apps.disclosures.errors import (
    DifferenceUnexplained,
    FiguresMissing,
    NarrativeMissing,
    NoDuty,
    PeriodWrong,
)
from apps.disclosures.events import ReportSubmitted
from apps.disclosures.figures import Books, compute, database_clock, last_period_end
from apps.disclosures.models import Audit, Duty, Report, ReportLine, ReportStatusChange, ReportUse
from apps.disclosures.states import EDITABLE, FORWARD, Section, Status
from apps.funds.models import Project
from apps.funds.operations import lock_project
from apps.funds.queries import project_earmarks
from apps.publication.releases import lock_earmark

SHORTEST = 20
LONGEST = 8_000
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LineInput:
    """What an officer reports for a line: fen or households, and why it differs from the books."""

    reported: int
    explanation: str = ""


@transaction.atomic
def start_report(*, actor: Actor, project: Project, until: dt.date, now: dt.datetime) -> Report:
    """This will open the draft of a project's oldest duty that has no report, from the last report's end up to and with
    `until` (at most today). Its figures begin as the books have them.

    Raises NoDuty, PeriodWrong.
    """
    authorize(policies.can_write, actor, project)
    assert actor.person_id is not None
    project = lock_project(project.pk)
    duty = Duty.objects.filter(project=project, report=None).order_by("n").first()
    if duty is None:
        raise NoDuty()
    start = last_period_end(project, duty.kind_id) or duty.starts_on
    end = until + dt.timedelta(days=1)
    if end <= start or until > civil_day(now):
        raise PeriodWrong()
    report = Report.objects.create(
        kind_id=duty.kind_id, project=project, organization_id=duty.organization_id, duty=duty, period_start=start,
        period_end=end, currency=project.currency, drafted_by_id=actor.person_id, created_at=now,
    )  # fmt: skip
    note_status(report, "", history=ReportStatusChange, actor=actor, now=now)
    _write_lines(report, books_of(report, now), {})
    return report


@transaction.atomic
def save_draft(
    *, actor: Actor, report: Report, narrative: str, lines: Mapping[Key, LineInput], now: dt.datetime,
    narrative_en: str = "",
) -> Report:  # fmt: skip
    """This will keep what was typed so far and set the books' figures anew beside it. `lines` by (section, key)."""
    report = lock_report(report.pk)
    authorize(policies.can_write, actor, report.project)
    _check_editable(report)
    report.narrative, report.narrative_en = narrative.strip()[:LONGEST], narrative_en.strip()[:LONGEST]
    report.save(update_fields=["narrative", "narrative_en"])
    _write_lines(report, books_of(report, now), lines)
    return report


@transaction.atomic
def submit_report(
    *, actor: Actor, report: Report, narrative: str, lines: Mapping[Key, LineInput], now: dt.datetime,
    narrative_en: str = "",
) -> Report:  # fmt: skip
    """This will hand a report in: every figure is recomputed at a cut-off of the database's clock, the uses it holds
    are fixed, and the seed of the auditor's draw is chosen, before anybody knows who is eligible.

    Raises DifferenceUnexplained, FiguresMissing (a line of the books without a reported figure), NarrativeMissing.
    A report that was returned goes back to the same auditor.
    """
    report = lock_report(report.pk)
    authorize(policies.can_write, actor, report.project)
    check_move(report, Status.SUBMITTED, FORWARD)
    if len(narrative.strip()) < SHORTEST:
        raise NarrativeMissing()
    for mark in sorted(project_earmarks([report.project_id]).values()):
        lock_earmark(mark)  # no release slips in between the figures and the uses
    books = books_of(report, now)
    public = {(each.section, each.key) for each in books.figures if each.section != Section.AUDIT}
    if not public <= set(lines):
        raise FiguresMissing()
    report.narrative, report.narrative_en = narrative.strip()[:LONGEST], narrative_en.strip()[:LONGEST]
    report.save(update_fields=["narrative", "narrative_en"])
    _write_lines(report, books, lines)
    _check_explained(report)
    ReportUse.objects.filter(report=report).delete()
    ReportUse.objects.bulk_create(
        [
            *(ReportUse(report=report, release=each, amount=each.amount) for each in books.releases),
            *(ReportUse(report=report, expense=each, amount=each.amount) for each in books.expenses),
        ]
    )
    move(report, Status.SUBMITTED, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now,
         submitted_at=now, cutoff_at=books.cutoff, draw_seed=report.draw_seed or secrets.token_hex(32))  # fmt: skip
    if Audit.objects.filter(report=report, declined_at=None).exists():
        move(report, Status.ASSIGNED, forward=FORWARD, history=ReportStatusChange, actor=actor, now=now)
    else:
        publish(ReportSubmitted(report_id=report.pk))
    return report


def books_of(report: Report, now: dt.datetime) -> Books:
    """This will compute a report's figures as of now."""
    return compute(
        project=report.project, period_start=report.period_start, period_end=report.period_end, now=now,
        cutoff=database_clock(), report=report,
    )  # fmt: skip


def lock_report(pk: int) -> Report:
    """This will lock a report's row for the rest of the transaction."""
    return (
        Report.objects.select_for_update(of=("self",))
        .select_related("project__fund__organization", "project__partner", "kind", "duty", "organization")
        .get(pk=pk)
    )


def _check_editable(report: Report) -> None:
    if report.status not in EDITABLE:
        raise WrongState()


def _write_lines(report: Report, books: Books, typed: Mapping[Key, LineInput]) -> None:
    known = {(line.section, line.key): line for line in report.lines.all()}
    gone = set(known) - {(each.section, each.key) for each in books.figures}
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


def _check_explained(report: Report) -> None:
    wrong = [
        line.label_zh
        for line in report.lines.all()
        if line.reported != line.computed and not line.explanation
    ]
    if wrong:
        raise DifferenceUnexplained(wrong)
