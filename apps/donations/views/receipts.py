"""Receipts at the workbench: the list, one receipt, the ranges of numbers, receipts for goods (G10)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.errors import NotFound
from apps.core.http import Request
from apps.core.policies import allowed, authorize
from apps.core.workbench import attempt, attempt_form, typed
from apps.donations import operations, policies
from apps.donations import receipt_queries as queries
from apps.donations.documents import receipt_context, receipt_pdf
from apps.donations.models import Receipt
from apps.donations.receipt_forms import GoodsLines, InKindForm, RangeForm, ReceiptFilter
from apps.donations.states import ReceiptKind
from apps.organizations.queries import federation

PAGE = 50


@never_cache
@require_http_methods(["GET", "POST"])
def receipts(request: Request) -> HttpResponse:
    """This will list receipts by period, number, payer and kind, 50 a page, paged by key; POST has what the filter
    finds put into one ZIP."""
    may_read(request)
    form = ReceiptFilter(request.POST or request.GET)
    valid = form.is_valid()
    if request.method == "POST" and valid:
        made = attempt_form(
            form, lambda: operations.start_bundle(actor=request.actor, query=form.query(), now=clock.now())
        )
        if made:
            return redirect("donations_bundle", made.public_id)
    rows = queries.find_receipts(form.query()) if valid else Receipt.objects.none()
    after = request.GET.get("after", "")[:18]
    if after:
        last = queries.receipt_by_full_number(after)
        rows = rows.filter(pk__lt=last.pk if last else 0)
    page = list(rows.order_by("-id")[: PAGE + 1])
    last_shown = page[PAGE - 1] if len(page) > PAGE else None
    asked = urlencode([(name, form[name].value() or "") for name in form.fields])
    left = queries.numbers_left()
    return render(
        request, "donations/receipts.html",
        {"form": form, "rows": page[:PAGE], "after": after, "asked": asked, "left": left,
         "more": last_shown.code + last_shown.number if last_shown else "", "few": left < queries.WARN_BELOW,
         "bundles": queries.bundles_of(request.actor)[:5], "can_issue": _can_issue(request)},
        status=422 if form.errors else 200,
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def receipt(request: Request, number: str) -> HttpResponse:
    """This will show a receipt with its lines and what answers it; POST answers one of goods in red letters."""
    may_read(request)
    found = _found(number)
    if request.method == "POST":
        attempt(
            request,
            lambda: operations.answer_in_kind_receipt(
                actor=request.actor, receipt=found, reason=typed(request, "reason", 120), now=clock.now()
            ),
            _("已冲红。原票据仍在，注明它的是红字票据。"),
        )
        return redirect("donations_receipt", number)
    answers = list(found.answered_by.order_by("id"))
    can_answer = found.kind == ReceiptKind.IN_KIND and not found.answers_id and not answers
    return render(
        request, "donations/receipt_one.html",
        {**receipt_context(found), "answers": answers, "can_answer": can_answer and _can_issue(request)},
    )  # fmt: skip


@never_cache
@require_safe
def pdf(request: Request, number: str) -> HttpResponse:
    """This will give a receipt's PDF."""
    may_read(request)
    response = HttpResponse(receipt_pdf(_found(number)), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="receipt-{number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def ranges(request: Request) -> HttpResponse:
    """This will show the ranges of numbers with what is left of each, and enter one the finance bureau assigned."""
    may_read(request)
    if request.method == "POST":
        authorize(policies.can_assign_receipt_range, request.actor, federation().pk)
    form = RangeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_form(
            form, lambda: operations.assign_receipt_range(actor=request.actor, **form.cleaned_data)
        )
        if made:
            messages.success(request, _("号段已录入。"))
            return redirect("donations_receipt_ranges")
    left = queries.numbers_left()
    return render(
        request, "donations/receipt_ranges.html",
        {"form": form, "rows": queries.ranges()[:200], "left": left, "few": left < queries.WARN_BELOW,
         "warn_below": queries.WARN_BELOW,
         "can_assign": allowed(policies.can_assign_receipt_range, request.actor, federation().pk)},
        status=422 if form.errors else 200,
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def in_kind(request: Request) -> HttpResponse:
    """This will take in goods for a receipt, a line at a time, and issue it."""
    authorize(policies.can_issue_receipt, request.actor, federation().pk)
    act = request.POST.get("act", "")
    issue = request.method == "POST" and act == "issue"
    data = request.POST if request.method == "POST" else None
    lines = GoodsLines(data, more=act == "more", judge=issue)
    form = InKindForm(data) if issue else InKindForm(initial=data.dict() if data is not None else None)
    if issue:
        whole = form.is_valid()
        if lines.is_valid() and whole:
            made = attempt_form(form, lambda: _issue(request, form, lines))
            if made:
                messages.success(request, _("票据已开出。"))
                return redirect("donations_receipt", made.code + made.number)
    return render(
        request, "donations/receipt_in_kind.html", {"form": form, "lines": lines, "sum": lines.sum()},
        status=422 if issue else 200,
    )  # fmt: skip


def _issue(request: Request, form: InKindForm, lines: GoodsLines) -> Receipt:
    data = form.cleaned_data
    return operations.issue_in_kind_receipt(
        actor=request.actor, key=data["key"], payer=data["payer"].strip(), payer_code=data["payer_code"],
        received_on=data["received_on"], lines=lines.lines(), total=data["total"], remark=data["remark"].strip(),
        now=clock.now(),
    )  # fmt: skip


def may_read(request: Request) -> None:
    """This will refuse whoever may not read the federation's receipts."""
    authorize(policies.can_read_receipts, request.actor, federation().pk)


def _can_issue(request: Request) -> bool:
    return allowed(policies.can_issue_receipt, request.actor, federation().pk)


def _found(number: str) -> Receipt:
    found = queries.receipt_by_full_number(number)
    if found is None:
        raise NotFound()
    return found
