"""Bringing lists of offline gifts: upload, columns, preview, recording, and copies to mend."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.errors import NotFound, PermissionRefused
from apps.core.http import Request
from apps.core.policies import authorize
from apps.core.tables.cells import Cell
from apps.core.tables.columns import Columns
from apps.core.tables.exporting import export_rows, resource_rows
from apps.core.tables.opening import LARGEST, UnreadableTable
from apps.core.workbench import attempt, attempt_form, typed
from apps.donations import list_queries as queries
from apps.donations import policies
from apps.donations.import_forms import ColumnsForm, NewImportForm
from apps.donations.lists.copies import marked_rows
from apps.donations.models import GiftImport, ReceiptRange
from apps.donations.operations import lists
from apps.donations.operations.lists.staging import list_head
from apps.donations.resources import GiftImportResource, ReceiptRangeResource, template_rows
from apps.donations.states import IN_WORK, ImportStatus, Known
from apps.funds.models import MicroFund, Project
from apps.organizations.queries import federation

PAGE = 50
LOOK_AGAIN = 2
"""Seconds until a page that shows a worker's progress looks again."""


@never_cache
@require_safe
def imports(request: Request) -> HttpResponse:
    """This will list imports by source, file and state, 50 a page, paged by key."""
    _only_importers(request)
    words, status, after = (request.GET.get(name, "").strip()[:60] for name in ("q", "status", "after"))
    rows = queries.imports_of(request.actor, words=words, status=status)
    if after:
        rows = rows.filter(
            pk__lt=GiftImport.objects.filter(public_id=after).values_list("pk", flat=True).first() or 0
        )
    page = list(rows[: PAGE + 1])
    more = page[PAGE - 1].public_id if len(page) > PAGE else ""
    return render(
        request,
        "donations/imports.html",
        {
            "rows": page[:PAGE],
            "q": words,
            "status": status,
            "statuses": ImportStatus.choices,
            "more": more,
            "after": after,
        },
    )


@never_cache
@require_http_methods(["GET", "POST"])
def new_import(request: Request) -> HttpResponse:
    """This will take a list in and show how it is read."""
    _only_importers(request)
    form = NewImportForm(request.POST or None, request.FILES or None, funds=queries.fundable(request.actor))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        fund, project = form.chosen()
        made = attempt_form(form, lambda: _start(request, data, fund, project))
        if made:
            return redirect("donations_import", made.public_id)
    return render(request, "donations/import_new.html", {"form": form}, status=422 if form.errors else 200)


def _start(request: Request, data: dict[str, Any], fund: MicroFund, project: Project | None) -> GiftImport:
    file = data["file"]
    if (file.size or 0) > LARGEST:
        raise UnreadableTable(_("文件超过256MB。请分成几个文件导入。"))
    with tempfile.NamedTemporaryFile(prefix="list-") as kept:
        path = Path(kept.name)
        if isinstance(file, TemporaryUploadedFile):
            path = Path(file.temporary_file_path())
        else:
            for piece in file.chunks():
                kept.write(piece)
            kept.flush()
        return lists.start_import(
            actor=request.actor,
            fund=fund,
            project=project,
            source=data["source"].strip(),
            file_name=file.name or "",
            path=path,
            currency=fund.currency,
            paid_by=data["paid_by"],
            account=data["account"].strip(),
            day=data["day"],
            now=clock.now(),
        )


@never_cache
@require_http_methods(["GET", "POST"])
def gift_import(request: Request, public_id: str) -> HttpResponse:
    """This will show an import where it stands: columns to say, progress, preview or outcome. A POST goes on with
    it."""
    listing = _found(request, public_id)
    form = None
    if listing.status in (ImportStatus.ASKING, ImportStatus.PREVIEW):
        kept = Columns.from_json(listing.columns) if listing.columns else None
        head = list_head(listing)
        form = ColumnsForm(
            request.POST if request.POST.get("act") == "columns" else None,
            head=head,
            at=kept,
            initial={"day": listing.day},
        )
    if request.method == "POST" and _act(request, listing, form):
        return redirect("donations_import", listing.public_id)
    response = render(
        request, "donations/import_one.html",
        {"item": listing, "form": form, "look": queries.preview(listing), "working": listing.status in IN_WORK,
         "known_choices": Known.choices, "new": listing.gifts - listing.known,
         "counted": next((note[6:] for note in listing.notes if note.startswith("count:")), ""),
         "known_as": typed(request, "known", 4)},
        status=422 if form is not None and form.errors else 200,
    )  # fmt: skip
    if listing.status in IN_WORK:
        response["Refresh"] = str(LOOK_AGAIN)
    return response


def _act(request: Request, listing: GiftImport, form: ColumnsForm | None) -> bool:
    """One button, one operation. False when the page is shown again with what was typed."""
    act, now = request.POST.get("act", ""), clock.now()
    if act == "columns" and form is not None:
        if not form.is_valid():
            return False
        done = attempt_form(
            form,
            lambda: lists.change_import(
                actor=request.actor,
                listing=listing,
                columns=form.columns(),
                day=form.cleaned_data["day"],
                now=now,
            ),
        )
        return done is not None
    if act == "record":
        known = typed(request, "known", 4)
        attempt(request, lambda: lists.decide_import(actor=request.actor, listing=listing, known=known, now=now),
                _("正在记入。"))  # fmt: skip
    elif act == "cancel":
        attempt(request, lambda: lists.cancel_import(actor=request.actor, listing=listing, now=now),
                _("已取消，没有记入任何一笔。"))  # fmt: skip
    return True


@never_cache
@require_safe
def faults(request: Request, public_id: str, kind: str) -> HttpResponseBase:
    """This will give a copy of the list with what is wrong written beside each row."""
    listing = _found(request, public_id)
    if not listing.parts.exists():
        messages.error(request, _("这份名单已经结束，文件不再保留。"))
        raise NotFound()
    return export_rows(marked_rows(listing), actor=request.actor, what=f"list-{listing.public_id}", kind=kind,
                       query={"import": listing.public_id}, now=clock.now())  # fmt: skip


@never_cache
@require_safe
def export_imports(request: Request) -> HttpResponseBase:
    """This will export imports by the list's question, as CSV or (?as=xlsx) XLSX; logged with its question."""
    _only_importers(request)
    words, status = (request.GET.get(name, "").strip()[:60] for name in ("q", "status"))
    rows = resource_rows(GiftImportResource(), queries.imports_of(request.actor, words=words, status=status))
    return _export(request, rows, "gift-imports", {"q": words, "status": status})


@never_cache
@require_safe
def export_ranges(request: Request) -> HttpResponseBase:
    """This will export the ranges of receipt numbers, for those who may enter them."""
    authorize(policies.can_assign_receipt_range, request.actor, federation().pk)
    rows = resource_rows(ReceiptRangeResource(), ReceiptRange.objects.order_by("code", "first"))
    return _export(request, rows, "receipt-ranges", {})


@never_cache
@require_safe
def template(request: Request) -> HttpResponseBase:
    """This will give an empty list to fill in."""
    _only_importers(request)
    return _export(request, template_rows(), "gift-template", {})


def _export(
    request: Request, rows: Iterable[Sequence[Cell]], what: str, query: dict[str, Any]
) -> HttpResponseBase:
    kind = request.GET.get("as", "csv")
    return export_rows(rows, actor=request.actor, what=what, kind=kind, query=query, now=clock.now())


def _only_importers(request: Request) -> None:
    if not any(request.actor.scopes(role) for role in queries.ROLES):
        raise PermissionRefused()


def _found(request: Request, public_id: str) -> GiftImport:
    _only_importers(request)
    return get_object_or_404(queries.imports_of(request.actor), public_id=public_id)
