"""一起捐 pages: open one, show one with its roll, run it by its secret link, take it down."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core import clock
from apps.core.actors import PUBLIC
from apps.core.documents import qr_svg
from apps.core.errors import PermissionRefused
from apps.core.http import Request, client_address
from apps.core.limits import TooMany, count_use
from apps.core.money import Money
from apps.core.pages import cached_page, private_page
from apps.core.policies import allowed, authorize
from apps.core.workbench import attempt, attempt_form, typed
from apps.donations import operations, policies
from apps.donations.forms import TeamForm
from apps.donations.models import Team
from apps.donations.queries import team_roll
from apps.funds.models import MicroFund, Project
from apps.funds.queries import accepts_gifts
from apps.funds.states import PUBLIC as PUBLIC_STATES

OPENED, WINDOW = 10, 3600
"""So many teams an address may open in so many seconds."""
PAGE = 30


@private_page
@require_http_methods(["GET", "POST"])
def new_for_project(request: HttpRequest, slug: str) -> HttpResponse:
    project = get_object_or_404(Project.objects.select_related("fund"), slug=slug, status__in=PUBLIC_STATES)
    return _new(request, project.fund, project)


@private_page
@require_http_methods(["GET", "POST"])
def new_for_fund(request: HttpRequest, slug: str) -> HttpResponse:
    return _new(request, get_object_or_404(MicroFund, slug=slug), None)


def _new(request: HttpRequest, fund: MicroFund, project: Project | None) -> HttpResponse:
    now = clock.now()
    form = TeamForm(request.POST or None, currency=fund.currency)
    if request.method == "POST" and form.is_valid():
        if count_use("open_team", client_address(request), seconds=WINDOW) > OPENED:
            raise TooMany()
        draft = form.draft(get_language() or "zh-hans")
        made = attempt_form(
            form, lambda: operations.open_team(actor=PUBLIC, draft=draft, fund=fund, project=project, now=now)
        )
        if made:
            return redirect("donations_team_run", made.public_id, made.token)
    context = {
        "form": form, "fund": fund, "project": project, "team": None,
        "open": project is None or accepts_gifts(project, now),
    }  # fmt: skip
    return render(request, "donations/team_form.html", context, status=422 if form.errors else 200)


@cached_page(params=("before",))
@require_safe
def team(request: HttpRequest, public_id: str) -> HttpResponse:
    """This will show a team: its goal, what its gifts still give, and who gave, by the names they chose (G1)."""
    found = get_object_or_404(
        Team.objects.select_related("fund__organization", "project"),
        public_id=public_id,
        hidden_at__isnull=True,
    )
    now = clock.now()
    before = request.GET.get("before", "")
    rows = team_roll(found, before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else 0,
                     size=PAGE)  # fmt: skip
    context = {
        "team": found, "rows": rows[:PAGE], "more": rows[PAGE - 1].pk if len(rows) > PAGE else 0, "now": now,
        "before": before, "percent": min(100 * found.given // found.goal, 100),
        "open": found.is_live and (found.project is None or accepts_gifts(found.project, now)),
    }  # fmt: skip
    return render(request, "donations/team.html", context)


@private_page
@require_http_methods(["GET", "POST"])
def run(request: HttpRequest, public_id: str, token: str) -> HttpResponse:
    """This will let whoever holds the secret link change or close a team, and share it."""
    found = get_object_or_404(Team.objects.select_related("fund", "project"), public_id=public_id)
    if not secrets.compare_digest(found.token.encode(), token.encode()):
        return HttpResponse(status=404)
    shown = {name: getattr(found, name) for name in ("title", "organizer", "words", "email")}
    form = TeamForm(
        request.POST if request.POST.get("act") == "change" else None, currency=found.currency,
        initial={**shown, "goal": f"{Money(found.goal, found.currency).major:f}"},
    )  # fmt: skip
    if request.method == "POST" and request.POST.get("act") == "close":
        operations.close_team(actor=PUBLIC, team=found, now=clock.now())
        return redirect("donations_team_run", public_id, token)
    if form.is_bound and form.is_valid():
        draft = form.draft(found.language)
        if attempt_form(form, lambda: operations.change_team(actor=PUBLIC, team=found, draft=draft)):
            return redirect("donations_team_run", public_id, token)
    address = settings.SITE_URL.rstrip("/") + reverse("donations_team", args=[public_id])
    # Between the marks is segno's own drawing of an address that we made.
    context = {"team": found, "form": form, "address": address, "qr": mark_safe(qr_svg(address))}  # noqa: S308
    response = render(request, "donations/team_run.html", context, status=422 if form.errors else 200)
    response["Referrer-Policy"] = "same-origin"  # no-referrer would make the form's own Origin null
    return response


@never_cache
@require_safe
def teams(request: Request) -> HttpResponse:
    """This will list teams for staff, newest first, so that what must not stand there is found and taken down."""
    own = [
        fund
        for fund in MicroFund.objects.order_by("id")
        if allowed(policies.can_hide_team, request.actor, fund)
    ]
    if not own:
        raise PermissionRefused()
    words, after = request.GET.get("q", "").strip()[:40], request.GET.get("after", "")
    rows = Team.objects.filter(fund__in=own).select_related("fund", "project").order_by("-opened_at", "-id")
    if words:
        rows = rows.filter(title__icontains=words)
    last = Team.objects.filter(public_id=after).first() if after else None
    if last:
        rows = rows.filter(opened_at__lte=last.opened_at).exclude(opened_at=last.opened_at, pk__gte=last.pk)
    page = list(rows[: PAGE + 1])
    more = page[PAGE - 1].public_id if len(page) > PAGE else ""
    return render(
        request, "donations/teams.html", {"rows": page[:PAGE], "q": words, "after": after, "more": more}
    )


@never_cache
@require_POST
def hide(request: Request, public_id: str) -> HttpResponse:
    """This will take a team's page down, with a reason."""
    found = get_object_or_404(Team.objects.select_related("fund"), public_id=public_id)
    authorize(policies.can_hide_team, request.actor, found.fund)
    reason = typed(request, "reason", 200)
    attempt(
        request, lambda: operations.hide_team(actor=request.actor, team=found, reason=reason, now=clock.now()),
        _("已撤下，捐赠照旧归项目。"),
    )  # fmt: skip
    return redirect("donations_teams")
