"""Attempts to give that a limit stopped, for those who keep the money: by day and limit, newest first."""

from __future__ import annotations

import datetime as dt

from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed
from apps.donations import policies
from apps.donations.models import StoppedAttempt
from apps.donations.states import Limit
from apps.organizations.models import Organization

PAGE = 50
DAY = dt.timedelta(days=1)


@never_cache
@require_safe
def stopped(request: Request) -> HttpResponse:
    """This will list a day's stopped attempts, 50 a page, with a count for each limit."""
    own = [
        pk
        for pk in Organization.objects.values_list("pk", flat=True)
        if allowed(policies.can_see_stopped_attempts, request.actor, pk)
    ]
    if not own:
        raise PermissionRefused()
    day = _day(request.GET.get("day", ""))
    start = clock.start_of_day(day)
    rows = StoppedAttempt.objects.filter(fund__organization__in=own, at__gte=start, at__lt=start + DAY)
    sums = {row["limit"]: row["n"] for row in rows.values("limit").annotate(n=Sum("times"))}
    limit, after = request.GET.get("limit", ""), request.GET.get("after", "")
    shown = rows.select_related("project", "fund").order_by("-id")
    if limit in Limit.values:
        shown = shown.filter(limit=limit)
    else:
        limit = ""
    if after.isascii() and after.isdigit() and len(after) < 18:
        shown = shown.filter(pk__lt=int(after))
    else:
        after = ""
    page = list(shown[: PAGE + 1])
    context = {
        "rows": page[:PAGE], "more": page[PAGE - 1].pk if len(page) > PAGE else "", "after": after, "day": day,
        "limit": limit, "limits": [(value, label, sums.get(value, 0)) for value, label in Limit.choices],
        "total": sum(sums.values()), "before": day - DAY, "next": day + DAY,
        "today": clock.civil_day(clock.now()),
    }  # fmt: skip
    return render(request, "donations/stopped.html", context)


def _day(typed: str) -> dt.date:
    """The day asked for (Asia/Shanghai), today for anything that is none."""
    today = clock.civil_day(clock.now())
    try:
        day = dt.date.fromisoformat(typed[:10])
    except ValueError:
        return today
    return day if dt.date(2000, 1, 1) < day <= today else today
