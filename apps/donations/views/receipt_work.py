"""Receipts by the many: one ZIP of what a filter finds, and receipts on demand for lists of offline gifts (G10)."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.errors import DomainError, NotFound
from apps.core.http import Request
from apps.core.policies import authorize
from apps.core.tables.exporting import record_export
from apps.core.workbench import attempt
from apps.donations import operations, policies
from apps.donations import receipt_queries as queries
from apps.donations.models import GiftImport
from apps.donations.operations.bundling import file_of
from apps.donations.states import BundleStatus
from apps.donations.views.receipts import may_read
from apps.organizations.queries import federation

PAGE = 50
LOOK_AGAIN = 2
"""Seconds until a page that shows a worker's progress looks again."""


@never_cache
@require_http_methods(["GET", "POST"])
def bundle(request: Request, public_id: str) -> HttpResponse:
    """This will show how far a bundle is, and offer it when it is done; POST cancels it."""
    may_read(request)
    found = get_object_or_404(queries.bundles_of(request.actor), public_id=public_id)
    if request.method == "POST":
        attempt(
            request,
            lambda: operations.cancel_bundle(actor=request.actor, bundle=found, now=clock.now()),
            _("已取消打包，已经做好的部分会删除。"),
        )
        return redirect("donations_bundle", public_id)
    working = found.status == BundleStatus.MAKING
    response = render(request, "donations/receipt_bundle.html", {"item": found, "working": working})
    if working:
        response["Refresh"] = str(LOOK_AGAIN)
    return response


@never_cache
@require_safe
def bundle_file(request: Request, public_id: str) -> HttpResponseBase:
    """This will hand a finished bundle to who asked for it, and write down that it was taken."""
    may_read(request)
    found = get_object_or_404(
        queries.bundles_of(request.actor).filter(status=BundleStatus.DONE), public_id=public_id
    )
    try:
        file = file_of(found).open("rb")
    except FileNotFoundError as error:
        messages.error(request, _("文件已经不在这台服务器上。请重新打包。"))
        raise NotFound() from error
    record_export(
        actor=request.actor,
        what=f"receipts-{found.public_id}",
        kind="zip",
        query=found.query,
        now=clock.now(),
    )
    response = FileResponse(file, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="receipts-{found.public_id}.zip"'
    response["Cache-Control"] = "private, no-store"
    return response


@never_cache
@require_safe
def offline(request: Request) -> HttpResponse:
    """This will list the lists of offline gifts with how many named gifts have no receipt yet."""
    authorize(policies.can_issue_receipt, request.actor, federation().pk)
    words, after = (request.GET.get(name, "").replace("\x00", "").strip()[:60] for name in ("q", "after"))
    rows = GiftImport.objects.filter(gift_list__in=queries.gift_lists(words)).select_related("gift_list")
    if after:
        rows = rows.filter(pk__lt=rows.filter(public_id=after).values_list("pk", flat=True).first() or 0)
    page = list(rows.order_by("-id")[: PAGE + 1])
    shown = page[:PAGE]
    waiting = queries.waiting_by_list([row.gift_list for row in shown if row.gift_list])
    return render(
        request, "donations/receipts_offline.html",
        {"rows": [(row, waiting.get(row.gift_list_id or 0, 0)) for row in shown], "q": words, "after": after,
         "more": page[PAGE - 1].public_id if len(page) > PAGE else ""},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def offline_list(request: Request, public_id: str) -> HttpResponse:
    """This will show a list's named gifts without a receipt; POST issues those that are ticked, or all of them."""
    authorize(policies.can_issue_receipt, request.actor, federation().pk)
    found = get_object_or_404(GiftImport.objects.select_related("gift_list"), public_id=public_id)
    gift_list = found.gift_list
    if gift_list is None:
        raise NotFound()
    if request.method == "POST":
        keys = None if request.POST.get("act") == "all" else request.POST.getlist("gift")
        try:
            made = operations.issue_offline_receipts(
                actor=request.actor, gift_list=gift_list, keys=keys, now=clock.now()
            )
            said = ngettext("已开出%(n)s张票据。", "已开出%(n)s张票据。", len(made)) % {"n": len(made)}
            messages.success(request, said)
        except DomainError as error:
            messages.error(request, str(error.message))
        return redirect("donations_receipts_offline_list", public_id)
    words = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    rows = queries.gifts_without_receipt(gift_list)
    if words:
        rows = rows.filter(payer__icontains=words)
    page = list(rows.order_by("received_at", "id")[: PAGE + 1])
    return render(
        request, "donations/receipts_offline_list.html",
        {"item": found, "rows": page[:PAGE], "more": len(page) > PAGE, "q": words,
         "waiting": queries.waiting_by_list([gift_list]).get(gift_list.pk, 0)},
    )  # fmt: skip
