"""Home, projects and micro-funds: legal facts and figures always, the story from a live page where there is one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.money import Money
from apps.core.pages import cached_page
from apps.disbursements.queries import transfers_of
from apps.disclosures.queries import project_stops
from apps.donations.queries import gift_counts
from apps.funds.models import MicroFund, Project
from apps.funds.queries import accepts_gifts, fund_earmarks, project_earmarks, public_funds, public_projects
from apps.funds.states import Category, ProjectStatus
from apps.ledger.models import Earmark
from apps.ledger.queries import figures_by_earmark
from apps.oversight.queries import given_earmarks
from apps.places.queries import town_names
from apps.publication.models import ExpenseUse, Release
from apps.publication.queries import (
    expenses_by_budget_line,
    latest_uses,
    public_money,
    public_money_by_earmark,
    total_money,
)
from cms import stories
from cms.figures import budget_rows, cards, shares

PAGE = 24


def labels() -> list[str]:
    """The parts of a whole, in the order of cms.figures.shares."""
    return [_("发给受助家庭"), _("项目支出"), _("支付手续费"), _("未使用（含办理中的救助）")]


@cached_page()
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """This will show the city's money as one whole, the campaigns that are open, and where to search."""
    now = clock.now()
    marks = given_earmarks()
    money = public_money(marks)
    raising = list(public_projects().filter(status=ProjectStatus.RAISING)[:6])
    context = {
        "now": now, "money": money, "shares": shares(money, labels()), "cards": cards(raising, now),
        "gifts": gift_counts(marks), "projects": public_projects().count(), "funds": public_funds().count(),
    }  # fmt: skip
    return render(request, "cms/home.html", context)


@cached_page(params=("category", "status", "after"))
@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    """This will list projects by category and state, 24 a page, paged by key."""
    now = clock.now()
    rows = public_projects().order_by("-id")
    category, status = request.GET.get("category", ""), request.GET.get("status", "")
    if category in Category.values:
        rows = rows.filter(category=category)
    if status == "raising":
        rows = rows.filter(status=ProjectStatus.RAISING)
    elif status == "ended":
        rows = rows.exclude(status=ProjectStatus.RAISING)
    after = request.GET.get("after", "")
    if after:
        last = Project.objects.filter(slug=after).values_list("pk", flat=True).first()
        rows = rows.filter(pk__lt=last or 0)
    page = list(rows[: PAGE + 1])
    more = page[PAGE - 1].slug if len(page) > PAGE else ""
    context = {
        "cards": cards(page[:PAGE], now), "now": now, "categories": Category.choices, "category": category,
        "status": status, "more": more, "after": after,
    }  # fmt: skip
    return render(request, "cms/projects.html", context)


@cached_page()
@require_safe
def project(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(public_projects(), slug=slug)
    story = stories.live_project_story(found, get_language() or "zh-hans")
    return render(request, "cms/project.html", project_context(found, story))


def project_context(found: Project, story: Any) -> dict[str, Any]:
    """This will gather everything a project's page shows (F4, F6, F8); a preview passes its own story."""
    now = clock.now()
    marks = list(project_earmarks([found.pk]).values())
    money = public_money(marks)
    releases, expenses = latest_uses(marks)
    rows = budget_rows(list(found.budget_lines.all()), expenses_by_budget_line(marks), money)
    late = (clock.civil_day(now) - found.overdue_since).days if found.overdue_since else 0
    return {
        "project": found, "fund": found.fund, "organization": found.fund.organization, "story": story, "now": now,
        "money": money, "shares": shares(money, labels()), "gifts": gift_counts(marks),
        "percent": f"{100 * money.net_raised / found.target:.1f}%", "target": Money(found.target, found.currency),
        "raised": Money(money.net_raised, found.currency), "open": accepts_gifts(found, now),
        "days_left": max((found.ends_on - clock.civil_day(now)).days, 0), "rows": rows,
        "planned": sum(row.line.planned for row in rows), "used": sum(row.used for row in rows),
        "uses": _uses(releases, expenses), "late_days": late, "started_on": found.starts_on,
        "report_stops": project_stops(found, now),
    }  # fmt: skip


@cached_page()
@require_safe
def funds(request: HttpRequest) -> HttpResponse:
    """This will list all micro-funds with what they raised and spent."""
    found = list(public_funds())
    owned = dict(Project.objects.values_list("pk", "fund"))
    marks = {
        pk: owned.get(owner, 0) if kind == "project" else owner
        for pk, kind, owner in Earmark.objects.filter(kind__in=["general", "project"]).values_list(
            "pk", "kind", "owner"
        )
    }
    raised: Counter[int] = Counter()
    for mark, live in figures_by_earmark(marks).items():
        raised[marks[mark]] += live.net_raised
    number = Counter(public_projects().order_by().values_list("fund", flat=True))
    context = {
        "now": clock.now(),
        "rows": [{"fund": each, "raised": raised[each.pk], "projects": number[each.pk]} for each in found],
    }
    return render(request, "cms/funds.html", context)


@cached_page()
@require_safe
def fund(request: HttpRequest, slug: str) -> HttpResponse:
    """This will show a micro-fund: its legal facts, its money over all its projects, and its transfers (P9)."""
    now = clock.now()
    found = get_object_or_404(MicroFund.objects.select_related("organization"), slug=slug)
    marks = fund_earmarks(found.pk)
    parts = public_money_by_earmark(marks)
    money = total_money(parts.values())
    general = total_money(part for mark, part in parts.items() if marks[mark] == 0)
    own = list(public_projects().filter(fund=found).order_by("-id")[:60])
    releases, expenses = latest_uses(list(marks))
    context = {
        "fund": found, "organization": found.organization, "now": now, "money": money, "general": general,
        "shares": shares(money, labels()), "uses": _uses(releases, expenses),
        "cards": cards(own, now, {marks[mark]: part.net_raised for mark, part in parts.items()}),
        "transfers": transfers_of(found.pk)[:20], "story": stories.live_fund_story(found, get_language() or "zh-hans"),
    }  # fmt: skip
    return render(request, "cms/fund.html", context)


def _uses(releases: list[Release], expenses: list[ExpenseUse]) -> list[dict[str, Any]]:
    """The newest public uses for a table, releases and expenses together."""
    english = (get_language() or "").startswith("en")
    names = town_names() if any(release.town for release in releases) else {}
    rows: list[dict[str, Any]] = []
    for release in releases:
        pair = names.get(release.town or 0)
        rows.append(
            {"day": release.starts_on, "kind": "aid", "period": release.period, "amount": release.amount,
             "currency": release.currency, "what": Category(release.category).label, "households": release.households,
             "town": (pair[1] if english else pair[0]) if pair else "", "town_en": pair[1] if pair else "",
             "public_id": release.public_id}
        )  # fmt: skip
    for expense in expenses:
        rows.append(
            {"day": expense.paid_on, "kind": "expense", "period": "day", "amount": expense.amount,
             "currency": expense.currency, "what": expense.purpose, "households": 0, "town": "",
             "public_id": expense.public_id}
        )  # fmt: skip
    return sorted(rows, key=lambda row: row["day"], reverse=True)[:12]
