"""Duties come by themselves (D1, D2): what happened to a project or organization is compared with the table of kinds,
and what is owed and not yet written down is opened. Safe to repeat, in any order of events; the clock does the same."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Min, Q

from apps.core.clock import add_months, civil_day
from apps.core.pages import bump_epoch
from apps.disbursements.models import Disbursement
from apps.disclosures.figures import PROGRESS
from apps.disclosures.goods import received_goods
from apps.disclosures.models import Duty, DutyKind, Occurrence
from apps.disclosures.states import RECURRING, Applies, Scope, Trigger
from apps.disclosures.timetable import Window, once, recurring, yearly
from apps.funds.models import Project
from apps.funds.operations import lock_project
from apps.funds.queries import project_earmarks
from apps.funds.states import PUBLIC
from apps.ledger.queries import figures
from apps.organizations.models import Organization
from apps.places.queries import add_working_days

LASTS_LONGER_THAN = 6
"""Months above which progress must be reported (CL79, Order 81 arts. 8, 10)."""
TRUST = "trust_set_up"
Kinds = Mapping[str, Sequence[DutyKind]]


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a project matters for its duties: civil days of Asia/Shanghai, None where it hasn't happened."""

    filed: dt.date | None
    raising: dt.date | None
    closed: dt.date | None
    began: dt.date | None
    completed: dt.date | None
    is_long: bool
    is_emergency: bool
    has_partner: bool
    has_surplus: bool


@dataclass(frozen=True, slots=True)
class Owed:
    """A duty that a project has: its kind's code, its window, and the day its counting began."""

    code: str
    window: Window[DutyKind]
    began: dt.date


def owed_by_project(facts: Facts, kinds: Kinds, today: dt.date) -> Iterator[Owed]:
    """This will list every duty that a project has had up to today, by the kinds as they were in force."""
    for code, rows in kinds.items():
        trigger, applies = rows[-1].trigger, rows[-1].applies
        if applies == Applies.EMERGENCY and not facts.is_emergency:
            continue
        if applies == Applies.PARTNER and not facts.has_partner:
            continue
        if applies == Applies.SURPLUS and not facts.has_surplus:
            continue
        begin, end = _span(facts, trigger)
        if begin is None or begin > today:
            continue
        if rows[-1].rule not in RECURRING:
            window = once(begin, rows, add_working_days)
            if window is not None:
                yield Owed(code, window, begin)
            continue
        for window in recurring(begin, rows, today, end):
            long = facts.is_long or window.starts_on >= add_months(begin, LASTS_LONGER_THAN)
            if applies != Applies.LONG or long:
                yield Owed(code, window, begin)


def _span(facts: Facts, trigger: str) -> tuple[dt.date | None, dt.date | None]:
    """The day a trigger happened, and the day from which it no longer asks for new windows."""
    return {
        Trigger.CAMPAIGN_FILED.value: (facts.filed, None),
        Trigger.CAMPAIGN_BEGAN.value: (facts.raising, facts.closed),
        Trigger.CAMPAIGN_ENDED.value: (facts.closed, None),
        Trigger.IMPLEMENTATION_BEGAN.value: (facts.began, facts.completed),
        Trigger.PROJECT_COMPLETED.value: (facts.completed, None),
    }.get(trigger, (None, None))


@transaction.atomic
def open_project_duties(*, project_id: int, event: str, now: dt.datetime) -> int:
    """This will open what a project owes by now and let lapse what another report covers; returns how many are new.

    A recurring duty whose window still ran when its campaign closed or its work was completed lapses: the result or
    closing report covers it. One that was late by then stays.
    """
    project = lock_project(project_id)
    kinds, today = kinds_by_code(Scope.PROJECT), civil_day(now)
    facts = facts_of(project)
    made = 0
    for owed in owed_by_project(facts, kinds, today):
        made += _open(project, owed.code, owed.window, owed.began, event)
    for code, rows in kinds.items():
        _begin, ended = _span(facts, rows[-1].trigger)
        if ended is not None and rows[-1].rule in RECURRING:
            open_ones = Duty.objects.filter(project=project, code=code, fulfilled_on=None, lapsed_on=None)
            made += open_ones.filter(due_on__gt=ended, reports=None).update(lapsed_on=ended)
    if made:
        bump_epoch()
    return made


@transaction.atomic
def open_organization_duties(*, organization_id: int, event: str, now: dt.datetime) -> int:
    """This will open an organization's yearly duties for the years that are over; returns how many are new."""
    organization = Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
    made = 0
    for code, subject, window in _owed_by_organization(organization, civil_day(now)):
        _duty, created = Duty.objects.get_or_create(
            project=None, organization=organization, code=code, subject=subject, n=window.n,
            defaults={"kind": window.kind, "began_on": window.starts_on, "starts_on": window.starts_on,
                      "due_on": window.due_on, "created_by_event": event},
        )  # fmt: skip
        made += created
    if made:
        bump_epoch()
    return made


def _owed_by_organization(
    organization: Organization, today: dt.date
) -> Iterator[tuple[str, str, Window[DutyKind]]]:
    kinds = kinds_by_code(Scope.ORGANIZATION)
    trusts = list(Occurrence.objects.filter(organization=organization, code=TRUST))
    for year in range(organization.first_report_year, today.year):
        for code, rows in kinds.items():
            window = yearly(year, rows)
            if window is None:
                continue
            applies = rows[-1].applies
            if rows[-1].trigger == Trigger.GOODS_RECEIVED:
                if received_goods(organization.pk, year):
                    yield code, "", window
            elif applies == Applies.TRUST:
                for trust in trusts:
                    if trust.happened_on.year <= year:
                        yield code, trust.public_id, window
            elif applies == Applies.EVERY or (applies == Applies.LICENSED) == organization.is_licensed:
                yield code, "", window


@transaction.atomic
def open_declared_duty(*, occurrence: Occurrence, event: str) -> Duty | None:
    """This will open the duty that an occurrence begins; None when no kind of its code was in force on its day."""
    rows = list(DutyKind.objects.filter(code=occurrence.code).order_by("effective_from"))
    window = once(occurrence.happened_on, rows, add_working_days)
    if window is None:
        return None
    duty, _created = Duty.objects.get_or_create(
        project=None, organization_id=occurrence.organization_id, code=occurrence.code, subject=occurrence.public_id,
        n=1,
        defaults={"kind": window.kind, "began_on": window.starts_on, "starts_on": window.starts_on,
                  "due_on": window.due_on, "created_by_event": event},
    )  # fmt: skip
    bump_epoch()
    return duty


def advance_duties(*, now: dt.datetime) -> int:
    """This will open every duty whose window has begun (the clock's task); returns how many changed.

    Everything is compared in a few statements; only a project with something new is locked.
    """
    today, kinds = civil_day(now), kinds_by_code(Scope.PROJECT)
    closing = Duty.objects.filter(code="closing_report").values("project")
    rows = Project.objects.filter(status__in=PUBLIC).filter(Q(completed_at__isnull=True) | ~Q(pk__in=closing))
    projects = list(rows.order_by("id"))
    known: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for project_id, code, n in Duty.objects.filter(project__in=projects).values_list("project", "code", "n"):
        known[project_id].add((code, n))
    paid = _first_paid([project.pk for project in projects])
    progress = Duty.objects.filter(project__in=projects, code=PROGRESS)
    began = dict(progress.values_list("project", "began_on"))
    made = 0
    for project in projects:
        first_day = began.get(project.pk) or _begins(project, paid.get(project.pk))
        facts = _facts(project, first_day, surplus=False)
        owed = {(each.code, each.window.n) for each in owed_by_project(facts, kinds, today)}
        if owed - known[project.pk]:
            made += open_project_duties(project_id=project.pk, event="disclosures.clock", now=now)
    for organization in Organization.objects.order_by("id"):
        owed_here = {(code, subject, w.n) for code, subject, w in _owed_by_organization(organization, today)}
        have = Duty.objects.filter(project=None, organization=organization)
        if owed_here - set(have.values_list("code", "subject", "n")):
            made += open_organization_duties(
                organization_id=organization.pk, event="disclosures.clock", now=now
            )
    return made


def facts_of(project: Project) -> Facts:
    """This will read what of a project matters for its duties. The first day of its implementation is known once and
    stays: the duties keep it."""
    known = Duty.objects.filter(project=project, code=PROGRESS).order_by("n")
    began = known.values_list("began_on", flat=True).first()
    paid = _first_paid([project.pk]).get(project.pk) if began is None else None
    marks = project_earmarks([project.pk]).values()
    surplus = project.completed_at is not None and figures(marks).unspent > 0
    return _facts(project, began or _begins(project, paid), surplus)


def _begins(project: Project, paid: dt.datetime | None) -> dt.date | None:
    """Implementation begins with the first payment or `executing`, whichever is first (D1)."""
    return min((civil_day(at) for at in (paid, project.executing_at) if at is not None), default=None)


def _facts(project: Project, began: dt.date | None, surplus: bool) -> Facts:
    return Facts(
        filed=_day(project.filed_at), raising=_day(project.raising_at), closed=_day(project.closed_at), began=began,
        completed=_day(project.completed_at),
        is_long=project.ends_on > add_months(project.starts_on, LASTS_LONGER_THAN),
        is_emergency=project.is_emergency, has_partner=project.partner_id is not None, has_surplus=surplus,
    )  # fmt: skip


def kinds_by_code(scope: str) -> Kinds:
    """This will give the table of kinds: rows by code, each code's in the order they came into force."""
    found: dict[str, list[DutyKind]] = defaultdict(list)
    for kind in DutyKind.objects.filter(scope=scope).order_by("position", "effective_from"):
        found[kind.code].append(kind)
    return found


def _day(moment: dt.datetime | None) -> dt.date | None:
    return civil_day(moment) if moment is not None else None


def _first_paid(projects: list[int]) -> dict[int, dt.datetime]:
    rows = Disbursement.objects.filter(project__in=projects, paid_at__isnull=False).order_by()
    return dict(rows.values_list("project").annotate(first=Min("paid_at")))


def _open(project: Project, code: str, window: Window[DutyKind], began: dt.date, event: str) -> bool:
    _duty, created = Duty.objects.get_or_create(
        project=project, code=code, n=window.n,
        defaults={
            "kind": window.kind, "organization_id": project.partner_id or project.fund.organization_id,
            "began_on": began, "starts_on": window.starts_on, "due_on": window.due_on, "created_by_event": event,
        },
    )  # fmt: skip
    return created
