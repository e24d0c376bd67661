from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from apps.core.clock import civil_day
from apps.funds.models import MicroFund, Project
from apps.funds.states import PUBLIC, ProjectStatus
from apps.ledger.models import Earmark
from apps.ledger.states import EarmarkKind


def public_projects() -> QuerySet[Project]:
    """This will give the projects that have a public page (from `filed` on), newest campaign first."""
    rows = Project.objects.filter(status__in=PUBLIC).select_related("fund__organization", "town", "partner")
    return rows.order_by("-raising_at", "-id")


def public_funds() -> QuerySet[MicroFund]:
    """This will give all micro-funds by name."""
    return MicroFund.objects.select_related("organization").order_by("name", "id")


def accepts_gifts(project: Project, now: dt.datetime) -> bool:
    """This will tell whether a project takes gifts now: raising, filed, and inside its period (F3, F5)."""
    return (
        project.status == ProjectStatus.RAISING
        and bool(project.filing_number)
        and project.starts_on <= civil_day(now) <= project.ends_on
    )


def raising_projects(now: dt.datetime, *, first: int = 0, currency: str = "CNY") -> QuerySet[Project]:
    """This will give the projects that take gifts of a currency now, those of the fund `first` before the others."""
    day = civil_day(now)
    rows = Project.objects.filter(
        status=ProjectStatus.RAISING, starts_on__lte=day, ends_on__gte=day, currency=currency
    ).exclude(filing_number="")
    own = Case(When(fund=first, then=Value(0)), default=Value(1), output_field=IntegerField())
    return rows.annotate(other_fund=own).order_by("other_fund", "ends_on", "pk")


def project_earmarks(projects: Iterable[int]) -> dict[int, int]:
    """This will give {project id: earmark id}."""
    rows = Earmark.objects.filter(kind=EarmarkKind.PROJECT, owner__in=list(projects))
    return dict(rows.values_list("owner", "id"))


def fund_earmarks(fund_id: int) -> dict[int, int]:
    """This will give {earmark id: project id, or 0 for the fund's general money} of a micro-fund, in one statement."""
    projects = Project.objects.filter(fund=fund_id).values("pk")
    rows = Earmark.objects.filter(
        Q(kind=EarmarkKind.GENERAL, owner=fund_id) | Q(kind=EarmarkKind.PROJECT, owner__in=projects)
    )
    return {
        mark: 0 if kind == EarmarkKind.GENERAL else owner
        for mark, kind, owner in rows.values_list("pk", "kind", "owner")
    }
