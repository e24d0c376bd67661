"""A published report, at an address that never changes."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.pages import cached_page
from apps.disclosures.operations.duties import due_of
from apps.disclosures.queries import organization_stops, published_reports, reports_of
from apps.disclosures.states import Section
from apps.organizations.models import Organization


@cached_page()
@require_safe
def report(request: HttpRequest, public_id: str) -> HttpResponse:
    """This will show a published report from its frozen bytes: what is on the page is what was hashed."""
    found = get_object_or_404(
        published_reports().select_related("duty", "published_by").defer(None), public_id=public_id
    )
    said = json.loads(bytes(found.frozen or b"{}"))
    due = due_of(found.duty)
    assert found.published_at is not None
    published = clock.civil_day(found.published_at)
    context = {
        "report": found, "said": said, "sections": sections(said), "due": due, "published": published,
        "late_days": max((published - due).days, 0), "opinion": said["audit"]["opinion"],
        "auditor": said["audit"]["auditor"].removeprefix(said["audit"]["firm"]["zh"]).strip(),
        "aid": [use for use in said["uses"] if use["kind"] == "aid"],
        "expenses": [use for use in said["uses"] if use["kind"] == "expense"],
        "households": sum(use["households"] for use in said["uses"] if use["kind"] == "aid"),
        "balance": [line for line in said["lines"] if line["section"] == Section.BALANCE],
        "address": f"{settings.SITE_URL}/disclosures/{found.public_id}/",
        "english": (get_language() or "").startswith("en"),
    }  # fmt: skip
    return render(request, "disclosures/report.html", context)


@cached_page()
@require_safe
def organization(request: HttpRequest, uscc: str) -> HttpResponse:
    """This will show an organization's legal facts, what it owes and what it published."""
    now = clock.now()
    found = get_object_or_404(Organization, uscc=uscc)
    stops = organization_stops(found.pk, now)
    return render(
        request, "disclosures/organization.html",
        {"organization": found, "stops": stops, "late": sum(stop["state"] == "late" for stop in stops), "now": now,
         "reports": list(reports_of(found.pk)[:60])},
    )  # fmt: skip


@cached_page()
@require_safe
def original(request: HttpRequest, public_id: str) -> HttpResponse:
    """This will give the frozen bytes of a report, exactly those that were hashed."""
    found = get_object_or_404(published_reports().defer(None), public_id=public_id)
    response = HttpResponse(bytes(found.frozen or b""), content_type="application/json")
    response["Content-Disposition"] = f'inline; filename="{found.public_id}.json"'
    response["X-Content-SHA256"] = found.sha256
    return response


def sections(said: dict[str, Any]) -> list[dict[str, Any]]:
    """This will group a report's frozen lines as its table shows them: income, spending, people."""
    names = {
        "income": Section.INCOME.label,
        "spending": Section.SPENDING.label,
        "people": Section.PEOPLE.label,
    }
    made = []
    for name, lines in groupby(said["lines"], key=lambda line: line["section"]):
        if name in names:
            made.append({"name": name, "label": names[name], "lines": list(lines)})
    return made
