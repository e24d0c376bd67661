"""The public page of the daily self-check: what each invariant found, and when."""

from __future__ import annotations

from celery import shared_task
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.invariants import ordered, run_all
from apps.core.models import InvariantRun
from apps.core.pages import bump_epoch, cached_page
from apps.payments.queries import clock_alarms
from search.queries import freshness


@shared_task(name="charity_site.status.check_invariants")  # type: ignore[misc]
def check_invariants() -> int:
    """This will run all invariants and return how many are broken (hourly)."""
    found = run_all(now=clock.now())
    bump_epoch()
    return sum(bool(finding.broken) for _, finding in found)


@cached_page()
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """This will show the newest run of every invariant that exists, and which were never run."""
    names = [each.name for each in ordered()]
    newest = {
        run.name: run
        for run in InvariantRun.objects.filter(name__in=names)
        .order_by("name", "-checked_at")
        .distinct("name")
    }
    rows = [{"invariant": each, "run": newest.get(each.name)} for each in ordered()]
    broken = sum(bool(run.broken) for run in newest.values())
    checked = [run.checked_at for run in newest.values()]
    context = {
        "rows": rows,
        "broken": broken,
        "checked_at": min(checked) if checked else None,
        "now": clock.now(),
        "alarms": clock_alarms(clock.now()),
        "index": freshness(clock.now()),
    }
    return render(request, "status.html", context)
