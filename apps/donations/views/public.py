"""The give pages: the cool-down card first (F6), then the form; nothing typed is lost."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.actors import PUBLIC
from apps.core.errors import DomainError, add_to_form
from apps.core.money import Money
from apps.core.pages import private_page
from apps.core.visitors import remember_device, visitor_of
from apps.donations import operations
from apps.donations.forms import GiveForm
from apps.donations.operations.limiting import TooManyOpenings
from apps.donations.operations.opening import MINIMUM, PastTarget
from apps.donations.queries import live_team, target_room, typical_gift
from apps.donations.states import MonthlyStatus
from apps.funds.models import MicroFund, Project
from apps.funds.queries import accepts_gifts, fund_earmarks, project_earmarks
from apps.funds.states import PUBLIC as PUBLIC_STATES
from apps.publication.queries import public_money


@private_page
@require_http_methods(["GET", "POST"])
def give_to_project(request: HttpRequest, slug: str) -> HttpResponse:
    project = get_object_or_404(
        Project.objects.select_related("fund__organization"), slug=slug, status__in=PUBLIC_STATES
    )
    return _give(request, project.fund, project)


@private_page
@require_http_methods(["GET", "POST"])
def give_to_fund(request: HttpRequest, slug: str) -> HttpResponse:
    fund = get_object_or_404(MicroFund.objects.select_related("organization"), slug=slug)
    return _give(request, fund, None)


def _give(request: HttpRequest, fund: MicroFund, project: Project | None) -> HttpResponse:
    now = clock.now()
    typical = typical_gift(project) if project and request.method == "POST" else None
    team = live_team(request.POST.get("team") or request.GET.get("team") or "", fund, project)
    form = GiveForm(
        request.POST or None,
        currency=fund.currency,
        typical=typical,
        initial={"team": team.public_id if team else ""},
    )
    status, fits, wait = 200, 0, 0
    if request.method == "POST":
        if form.is_valid():
            try:
                return HttpResponseRedirect(_start(request, form, fund, project))
            except DomainError as error:
                add_to_form(form, error)
                status = error.status
                wait = error.wait if isinstance(error, TooManyOpenings) else 0
                if isinstance(error, PastTarget) and error.room.minor >= MINIMUM:
                    fits = error.room.minor
        else:
            status = 422
    open_now = project is None or accepts_gifts(project, now)
    earmarks = project_earmarks([project.pk]).values() if project else fund_earmarks(fund.pk)
    context = {
        "fund": fund, "project": project, "form": form, "open": open_now, "now": now, "money": public_money(earmarks),
        "fits": fits, "team": team,
        "room": Money(max(target_room(project), 0), fund.currency) if project else None,
        "started_on": project.starts_on if project else clock.civil_day(fund.created_at),
        "late_days": (clock.civil_day(now) - project.overdue_since).days if project and project.overdue_since else 0,
    }  # fmt: skip
    response = render(request, "donations/give.html", context, status=status)
    remember_device(request, response)
    if wait:
        response["Retry-After"] = str(wait)
    return response


def _start(request: HttpRequest, form: GiveForm, fund: MicroFund, project: Project | None) -> str:
    now, asked, visitor = clock.now(), form.request(get_language() or "zh-hans"), visitor_of(request)
    base = settings.SITE_URL.rstrip("/") if settings.SITE_URL else request.build_absolute_uri("/").rstrip("/")
    give = base + (
        reverse("donations_give_project", args=[project.slug])
        if project
        else reverse("donations_give_fund", args=[fund.slug])
    )
    if form.cleaned_data.get("frequency") == "monthly":
        promise = operations.open_monthly_gift(
            actor=PUBLIC, request=asked, fund=fund, project=project, now=now, visitor=visitor
        )
        back = reverse("donations_monthly", args=[promise.token])
        if promise.status != MonthlyStatus.OPENED:
            return back
        url = operations.start_monthly_checkout(
            actor=PUBLIC, gift=promise, return_url=base + back, cancel_url=give, now=now
        )
        return url or back
    gift = operations.open_gift(
        actor=PUBLIC, request=asked, fund=fund, project=project, now=now, visitor=visitor
    )
    back = reverse("tracing_gift", args=[gift.token])
    if gift.status != "opened":
        return back
    url = operations.start_gift_checkout(
        actor=PUBLIC, gift=gift, return_url=base + back, cancel_url=give, now=now
    )
    return url or back
