"""A published report, at an address that never changes."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.documents import render_pdf
from apps.core.pages import cached_page
from apps.disclosures import attachments
from apps.disclosures.models import DutyLateness, Report, ReportAttachment
from apps.disclosures.operations.duties import due_of
from apps.disclosures.queries import (
    DutyFilter,
    duty_counts,
    duty_title,
    find_duties,
    kinds_table,
    kinds_with_ends,
    late_history,
    organization_stops,
    published_reports,
    report_title,
    reports_of,
    stop_of,
)
from apps.disclosures.ratios import ratios_of
from apps.disclosures.statements import COLUMNS
from apps.disclosures.states import FINAL, Section
from apps.organizations.models import Organization


@cached_page()
@require_safe
def report(request: HttpRequest, public_id: str) -> HttpResponse:
    """This will show a published report from its frozen bytes: what is on the page is what was hashed."""
    return render(request, "disclosures/report.html", _shown(public_id))


@require_safe
def report_pdf(request: HttpRequest, public_id: str) -> HttpResponse:
    """This will give a published report as a PDF to print and file, made from the same frozen bytes."""
    shown = _shown(public_id)
    response = HttpResponse(
        render_pdf("disclosures/report_pdf.html", "disclosures/report_pdf.css", shown),
        content_type="application/pdf",
    )
    response["Content-Disposition"] = f'inline; filename="{public_id}.pdf"'
    return response


def _shown(public_id: str) -> dict[str, Any]:
    found = get_object_or_404(
        published_reports().select_related("duty__kind", "published_by").defer(None), public_id=public_id
    )
    said = json.loads(bytes(found.frozen or b"{}"))
    due = due_of(found.duty)
    assert found.published_at is not None
    published = clock.civil_day(found.published_at)
    audit = said.get("audit")
    return {
        "report": found, "said": said, "sections": sections(said), "due": due, "published": published,
        "late_days": 0 if found.corrects_id else max((published - due).days, 0), "audit": audit,
        "opinion": audit["opinion"] if audit else "",
        "auditor": audit["auditor"].removeprefix(audit["firm"]["zh"]).strip() if audit else "",
        "aid": [use for use in said["uses"] if use["kind"] == "aid"],
        "residual": [use for use in said["uses"] if use["kind"] == "residual"],
        "expenses": [use for use in said["uses"] if use["kind"] == "expense"],
        "uses_total": sum(use["amount"] for use in said["uses"]),
        "households": sum(line["reported"] for line in said["lines"] if line["key"] == "households"),
        "balance": [line for line in said["lines"] if line["section"] == Section.BALANCE],
        "statements": statement_tables(said),
        "address": f"{settings.SITE_URL}/disclosures/{found.public_id}/", "title": report_title(found),
        "english": (get_language() or "").startswith("en"),
        "newer": Report.objects.filter(corrects=found, status__in=FINAL).only("public_id", "published_at").first(),
        "older": found.corrects,
    }  # fmt: skip


@cached_page(params=("state", "kind", "organization", "q", "cursor"))
@require_safe
def duties(request: HttpRequest) -> HttpResponse:
    """This will list what organizations owe the public, late ones with their days, by state, kind and name (D2)."""
    now = clock.now()
    given = {name: request.GET.get(name, "").replace("\x00", "").strip()[:80] for name in DUTY_PARAMETERS}
    wanted = DutyFilter(**given)
    page = list(find_duties(wanted, now)[: PAGE + 1])
    counts = duty_counts(now)
    labels = (("", _("全部")), ("late", _("已逾期")), ("open", _("未到期")), ("done", _("已公布")),
              ("was_late", _("曾经逾期")))  # fmt: skip
    keep = {name: value for name, value in given.items() if value and name != "cursor"}
    context = {
        "rows": [stop_of(duty, now) for duty in page[:PAGE]], "wanted": wanted, "now": now,
        "states": [
            {"label": label, "count": counts.get(state), "current": state == wanted.state,
             "href": _with(request, keep, state=state)}
            for state, label in labels
        ],
        "kinds": {kind.code: str(kind) for kind in kinds_table()}.items(),
        "next_href": _with(request, keep, cursor=page[PAGE - 1].public_id) if len(page) > PAGE else "",
        "first_href": _with(request, keep) if wanted.cursor else "", "keep": keep,
    }  # fmt: skip
    return render(request, "disclosures/duties.html", context)


PAGE = 40
DUTY_PARAMETERS = ("state", "kind", "organization", "q", "cursor")


def _with(request: HttpRequest, keep: dict[str, str], **more: str) -> str:
    query = urlencode({name: value for name, value in {**keep, **more}.items() if value})
    return f"{request.path}?{query}" if query else request.path


@cached_page()
@require_safe
def kinds(request: HttpRequest) -> HttpResponse:
    """This will show the law's table: each kind of report, what begins it, when it is due, its lines and source."""
    return render(request, "disclosures/kinds.html", {"kinds": kinds_with_ends()})


@cached_page()
@require_safe
def overdue_feed(request: HttpRequest) -> HttpResponse:
    """This will give the dates that were passed, newest first, as an Atom feed for journalists."""
    feed = Atom1Feed(
        title=_("逾期未公布的报告"), link=f"{settings.SITE_URL}/duties/?state=late",
        description=_("每一个错过的期限，公布之后也不删除。"), feed_url=f"{settings.SITE_URL}/duties/overdue.atom",
    )  # fmt: skip
    rows = DutyLateness.objects.select_related("duty__kind", "duty__project", "duty__organization")
    for row in rows.order_by("-noted_at", "-id")[:PAGE]:
        feed.add_item(
            title=f"{row.duty.title}：{duty_title(row.duty)}",
            unique_id=f"tag:duties,{row.duty.public_id},{row.due_on}",
            link=f"{settings.SITE_URL}/organizations/{row.duty.organization.uscc}/", updateddate=row.noted_at,
            pubdate=row.noted_at,
            description=_("%(who)s应在%(day)s前公布。") % {"who": row.duty.organization, "day": row.due_on.isoformat()},
        )  # fmt: skip
    return HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


@require_safe
def attachment(request: HttpRequest, public_id: str, file_id: str) -> HttpResponse:
    """This will give a published report's file as a download, its bytes those that were hashed."""
    row = get_object_or_404(
        ReportAttachment, public_id=file_id, report__public_id=public_id, report__status__in=FINAL
    )
    if not attachments.is_whole(row.sha256):
        raise Http404
    response = HttpResponse(attachments.read(row.sha256), content_type=row.content_type)
    response["Content-Disposition"] = content_disposition_header(True, row.name) or "attachment"
    response["X-Content-SHA256"] = row.sha256
    response["X-Content-Type-Options"] = "nosniff"
    return response


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
         "reports": [(row, report_title(row)) for row in reports_of(found.pk)[:60]], "lateness": late_history(found.pk),
         "ratios": ratios_of(found)},
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
        str(section): section.label
        for section in (
            Section.INCOME,
            Section.SPENDING,
            Section.PEOPLE,
            Section.PLAN,
            Section.GOODS,
            Section.FACTS,
        )
    }
    made = []
    for name, lines in groupby(said["lines"], key=lambda line: line["section"]):
        if name in names:
            made.append({"name": name, "label": names[name], "lines": list(lines)})
    return made


def statement_tables(said: dict[str, Any]) -> list[dict[str, Any]]:
    """This will lay a report's frozen statement lines out as the official tables: a row a line, a column a figure."""
    made = []
    for section, columns in COLUMNS.items():
        own = [line for line in said["lines"] if line["section"] == section]
        if not own:
            continue
        rows: dict[str, dict[str, Any]] = {}
        for line in own:
            code, _sep, column = line["key"].rpartition(":")
            alone = len(columns) == 1
            row = rows.setdefault(
                code, {"zh": line["zh"] if alone else line["zh"].rpartition("（")[0],
                       "en": line["en"] if alone else line["en"].rpartition(" (")[0], "cells": {}, "said": []},
            )  # fmt: skip
            row["cells"][column] = line
            if line["difference"]:
                row["said"].append(line)
        heads = [zh if not (get_language() or "").startswith("en") else en for _name, zh, en in columns]
        for row in rows.values():
            row["values"] = [
                row["cells"][name]["reported"] for name, _zh, _en in columns if name in row["cells"]
            ]
        made.append(
            {"name": section, "label": Section(section).label, "heads": heads, "rows": list(rows.values())}
        )
    return made
