"""Open data of funds, projects and the city (interfaces.md); money as {"amount", "currency"} in minor units."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from apps.core import clock
from apps.core.errors import BadInput
from apps.donations.queries import gift_counts_by_earmark
from apps.funds.models import MicroFund, Project
from apps.funds.queries import project_earmarks, public_projects
from apps.funds.states import Category, ProjectStatus
from apps.oversight.queries import city_figures
from apps.publication.queries import PublicMoney, public_money_by_earmark

PREFIX = ""
router = Router(tags=["funds"])
LIMIT = 100


class Page(Schema):
    limit: int = Field(20, ge=1, le=LIMIT)
    cursor: str = Field("", max_length=60, description="`next` of the page before")


class ProjectsQuery(Page):
    status: str = Field("", max_length=12)
    category: str = Field("", max_length=12)


def money_json(money: PublicMoney, currency: str) -> dict[str, dict[str, int | str]]:
    """This will give a project's or fund's public sums; raised - refunded - disputed + moved = fees +
    spent + unspent."""
    names = ("raised", "income", "refunded", "disputed", "moved_in", "moved_out", "net_raised", "fees", "aid",
             "expenses", "spent", "unspent")  # fmt: skip
    return {name: {"amount": getattr(money, name), "currency": currency} for name in names}


@router.get("/projects", summary="慈善项目 / projects")
def projects(request: HttpRequest, query: Query[ProjectsQuery]) -> dict[str, Any]:
    """Public projects, newest first, with their figures to the fen."""
    refuse_unknown(request, ProjectsQuery)
    rows = public_projects().order_by("-id")
    if query.status:
        if query.status not in ProjectStatus.values:
            raise BadInput(field="status")
        rows = rows.filter(status=query.status)
    if query.category:
        if query.category not in Category.values:
            raise BadInput(field="category")
        rows = rows.filter(category=query.category)
    if query.cursor:
        last = Project.objects.filter(slug=query.cursor).values_list("pk", flat=True).first()
        if last is None:
            raise BadInput(field="cursor")
        rows = rows.filter(pk__lt=last)
    page = list(rows[: query.limit + 1])
    shown = page[: query.limit]
    marks = project_earmarks([each.pk for each in shown])
    sums = public_money_by_earmark(marks.values())
    counts = gift_counts_by_earmark(marks.values())
    return {
        "results": [
            {
                "slug": each.slug, "name": each.name, "name_en": each.name_en, "fund": each.fund.slug,
                "organization": each.fund.organization.uscc, "category": each.category, "status": each.status,
                "filing_number": each.filing_number, "starts_on": each.starts_on.isoformat(),
                "ends_on": each.ends_on.isoformat(), "target": {"amount": each.target, "currency": each.currency},
                "gifts": counts.get(marks[each.pk], 0), "money": money_json(sums[marks[each.pk]], each.currency),
                "last_report_on": each.last_report_on.isoformat() if each.last_report_on else None,
                "overdue_since": each.overdue_since.isoformat() if each.overdue_since else None,
            }
            for each in shown
        ],
        "next": shown[-1].slug if len(page) > query.limit else None,
        "as_of": clock.now().isoformat(),
    }  # fmt: skip


@router.get("/funds", summary="微基金 / micro-funds")
def funds(request: HttpRequest, query: Query[Page]) -> dict[str, Any]:
    """Micro-funds by number, oldest first."""
    refuse_unknown(request, Page)
    rows = MicroFund.objects.select_related("organization").order_by("id")
    if query.cursor:
        last = MicroFund.objects.filter(slug=query.cursor).values_list("pk", flat=True).first()
        if last is None:
            raise BadInput(field="cursor")
        rows = rows.filter(pk__gt=last)
    page = list(rows[: query.limit + 1])
    shown = page[: query.limit]
    return {
        "results": [
            {"slug": each.slug, "name": each.name, "name_en": each.name_en, "organization": each.organization.uscc,
             "category": each.category, "purpose": each.purpose}
            for each in shown
        ],
        "next": shown[-1].slug if len(page) > query.limit else None,
        "as_of": clock.now().isoformat(),
    }  # fmt: skip


@router.get("/statistics", summary="全市统计 / city statistics")
def statistics(request: HttpRequest) -> dict[str, Any]:
    """The city's figures now."""
    refuse_unknown(request, None)
    found = city_figures()
    return {
        "gifts": found.gifts, "projects": found.projects, "funds": found.funds,
        "household_times": found.money.households, "money": money_json(found.money, "CNY"),
        "as_of": clock.now().isoformat(),
    }  # fmt: skip


def refuse_unknown(request: HttpRequest, schema: type[Schema] | None) -> None:
    """This will refuse a parameter nobody knows: an error, not silence (interfaces.md)."""
    known = set(schema.model_fields) if schema else set()
    for name in request.GET:
        if name not in known:
            raise BadInput(field=name[:40])
