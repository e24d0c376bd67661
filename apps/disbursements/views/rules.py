"""Rule tables on the workbench: read by every officer, drafted by one, published by another (C6)."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.casework.models import Attachment
from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import BadInput, DomainError, PermissionRefused
from apps.core.http import Request
from apps.core.money import Money
from apps.core.policies import allowed
from apps.core.workbench import attempt, typed
from apps.disbursements import operations, policies, queries
from apps.disbursements.models import RuleVersion
from apps.disbursements.operations import ExampleDraft, RowDraft, TableDraft
from apps.disbursements.operations.ruling import computed
from apps.disbursements.standard_tables import STANDARD
from apps.disbursements.states import AidKind, RuleStatus
from apps.organizations.models import Organization

READERS = (
    "caseworker",
    "town_reviewer",
    "city_reviewer",
    "project_officer",
    "manager",
    "cashier",
    "supervisor",
)


def _readers_only(actor: Actor) -> None:
    if not any(actor.scopes(role) for role in READERS):
        raise PermissionRefused()


@never_cache
@require_http_methods(["GET"])
def rules(request: Request) -> HttpResponse:
    """This will list the centres' tables with their versions and drafts."""
    _readers_only(request.actor)
    own = request.actor.scopes("project_officer") | request.actor.scopes("manager")
    return render(
        request, "disbursements/rules.html",
        {"versions": queries.rule_versions(own), "kinds": AidKind.choices, "can_draft": bool(_home(request.actor)),
         "today": clock.civil_day(clock.now())},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def rule(request: Request, pk: int) -> HttpResponse:
    """This will show a version with its rows, evidence and examples as computed now; a POST publishes a draft."""
    _readers_only(request.actor)
    own = request.actor.scopes("project_officer") | request.actor.scopes("manager")
    found = get_object_or_404(queries.rule_versions(own), pk=pk)
    if request.method == "POST":
        attempt(
            request,
            lambda: operations.publish_rule(actor=request.actor, version=found, now=clock.now()),
            _("已发布。到生效那天起，申请按这一版计算。"),
        )
        return redirect("disbursements_rule", found.pk)
    rows = list(found.rows.order_by("n"))
    examples = [(one, computed(found, rows, one)) for one in found.examples.order_by("n")]
    return render(
        request, "disbursements/rule.html",
        {"rule": found, "rows": rows, "examples": examples, "evidence": _evidence(found),
         "can_publish": found.status == RuleStatus.DRAFT and request.actor.person_id != found.drafted_by_id
         and allowed(policies.can_publish_rule, request.actor, found.organization_id)},
    )  # fmt: skip


def _evidence(found: RuleVersion) -> list[tuple[int, str]]:
    rows = found.evidence.order_by("stage", "id").values_list("stage", "kind")
    return [(stage, str(Attachment.Kind(kind).label)) for stage, kind in rows]


def _home(actor: Actor) -> Organization | None:
    """The organization whose tables a person drafts."""
    own = actor.scopes("project_officer") | actor.scopes("manager")
    return Organization.objects.filter(pk__in=own, is_federation=True).first()


@never_cache
@require_http_methods(["GET", "POST"])
def draft(request: Request, kind: str) -> HttpResponse:
    """This will draft the next version of a centre's table from the newest one (or the standard shape): figures and
    examples' amounts can be changed, and nothing is in force before a second person publishes it."""
    organization = _home(request.actor)
    if organization is None or kind not in AidKind.values:
        raise PermissionRefused()
    table = _newest(organization, kind)
    if request.method == "POST":
        try:
            made = operations.draft_rule(
                actor=request.actor, organization=organization, kind=kind, table=_changed(request, table),
                effective_from=_day(request), note=typed(request, "note"), now=clock.now(),
            )  # fmt: skip
        except DomainError as error:
            messages.error(request, str(error.message))
        else:
            return redirect("disbursements_rule", made.pk)
    cells = [(n, row, {name: _shown(request, f"row-{n}-{name}", getattr(row, name)) for name in CELLS})
             for n, row in enumerate(table.rows)]  # fmt: skip
    examples = [
        (n, one, _shown(request, f"example-{n}", one.expected)) for n, one in enumerate(table.examples)
    ]
    return render(
        request, "disbursements/rule_draft.html",
        {"kind": AidKind(kind).label, "cells": cells, "examples": examples, "note": typed(request, "note"),
         "effective_from": request.POST.get("effective_from", "")},
        status=422 if request.method == "POST" else 200,
    )  # fmt: skip


CELLS = ("floor", "ceiling", "share_bp", "amount")


def _newest(organization: Organization, kind: str) -> TableDraft:
    last = RuleVersion.objects.filter(organization=organization, kind=kind).order_by("-number").first()
    if last is None:
        return STANDARD[AidKind(kind)]
    return TableDraft(
        rows=[RowDraft(r.what, r.key, r.label_zh, r.label_en, r.floor, r.ceiling, r.share_bp, r.amount)
              for r in last.rows.order_by("n")],
        examples=[ExampleDraft(e.title_zh, e.title_en, e.facts, e.expected, e.given_before)
                  for e in last.examples.order_by("n")],
        evidence=list(last.evidence.order_by("id").values_list("stage", "kind")),
    )  # fmt: skip


def _changed(request: Request, table: TableDraft) -> TableDraft:
    rows = [
        RowDraft(row.what, row.key, row.label_zh, row.label_en,
                 *(_figure(request, f"row-{n}-{name}", getattr(row, name)) for name in CELLS))
        for n, row in enumerate(table.rows)
    ]  # fmt: skip
    examples = [
        ExampleDraft(one.title_zh, one.title_en, one.facts, _figure(request, f"example-{n}", one.expected) or 0,
                     one.given_before)
        for n, one in enumerate(table.examples)
    ]  # fmt: skip
    return TableDraft(rows, examples, table.evidence)


def _shown(request: Request, name: str, value: int | None) -> str | None:
    """Amounts in yuan and shares in percent, as a person types them; None where the row has no such figure."""
    if value is None:
        return None
    return request.POST.get(name, _plain(value))


def _plain(value: int) -> str:
    return f"{value // 100}.{value % 100:02d}".removesuffix(".00")


def _figure(request: Request, name: str, value: int | None) -> int | None:
    if value is None:
        return None
    return Money.parse(typed(request, name, 24) or "0").minor


def _day(request: Request) -> dt.date:
    try:
        return dt.date.fromisoformat(request.POST.get("effective_from", ""))
    except ValueError as error:
        raise BadInput(_("请写明生效日期，例如2026-12-01。"), field="effective_from") from error
