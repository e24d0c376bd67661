"""The cashier's desk of reconciliation: statements in, differences explained, days closed."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.errors import NotFound
from apps.core.http import Request
from apps.core.policies import allowed, authorize
from apps.core.tables.columns import Columns
from apps.core.tables.exporting import export_rows, resource_rows
from apps.core.tables.opening import UnreadableTable
from apps.core.workbench import attempt, attempt_form, typed
from apps.ledger.models import Book
from apps.payments import policies
from apps.payments import reconciliation_queries as queries
from apps.payments.forms import BankAccountForm, StatementColumnsForm, StatementForm
from apps.payments.models import DayClose, StatementDraft
from apps.payments.operations import reconciling
from apps.payments.operations.reconciling.statements import LARGEST, opened, read_draft
from apps.payments.resources import DifferenceResource
from apps.payments.states import DifferenceKind, Side

PAGE = 50
SAMPLES = 8


def _book(request: Request, *, write: bool = False) -> Book:
    found = queries.book()
    if found is None:
        raise NotFound()
    authorize(
        policies.can_reconcile if write else policies.can_see_differences, request.actor, found.owner or 0
    )
    return found


@never_cache
@require_http_methods(["GET", "POST"])
def reconciliation(request: Request) -> HttpResponse:
    """This will list what doesn't agree, with a next step each; a POST explains or pairs what was ticked."""
    book = _book(request, write=request.method == "POST")
    reason = typed(request, "reason") if request.method == "POST" else ""
    side, kind, words, after = (
        request.GET.get(name, "").strip()[:60] for name in ("side", "kind", "q", "after")
    )
    explained = request.GET.get("explained") == "1"
    rows = queries.differences(book, side=side, kind=kind, words=words, explained=explained)
    day, _sign, key = after.partition("_")
    if key:
        try:
            rows = rows.filter(day__gte=dt.date.fromisoformat(day)).exclude(day=day, key__lte=key)
        except ValueError:
            pass
    page = list(rows[: PAGE + 1])
    more = f"{page[PAGE - 1].day}_{page[PAGE - 1].key}" if len(page) > PAGE else ""
    now, chosen = clock.now(), request.POST.getlist("key")[:PAGE]
    if request.POST.get("all") == "1":
        chosen = [row.key for row in page[:PAGE]]
    if request.method == "POST" and _act(request, book, chosen, reason):
        return redirect("payments_reconciliation")
    return render(
        request, "payments/reconciliation.html",
        {"rows": page[:PAGE], "more": more, "after": after, "side": side, "kind": kind, "q": words,
         "explained": explained, "sides": Side.choices, "kinds": DifferenceKind.choices, "reason": reason,
         "chosen": chosen, "accounts": queries.accounts(book), "last": queries.last_close(book),
         "next_day": queries.next_day(book, now), "now": now,
         "can": allowed(policies.can_reconcile, request.actor, book.owner or 0)},
        status=422 if request.method == "POST" else 200,
    )  # fmt: skip


def _act(request: Request, book: Book, keys: list[str], reason: str) -> bool:
    now = clock.now()
    if request.POST.get("act") == "pair":
        return attempt(
            request,
            lambda: reconciling.pair_differences(actor=request.actor, book=book, keys=keys, now=now),
            _("已配对。金额不同的还要说明原因。"),
        )
    return attempt(
        request,
        lambda: reconciling.explain_differences(
            actor=request.actor, book=book, keys=keys, reason=reason, now=now
        ),
        _("原因已记入历史。"),
    )


@never_cache
@require_safe
def export(request: Request, kind: str) -> HttpResponseBase:
    """This will export differences by the page's question; logged with who and which question."""
    book = _book(request)
    side, which, words = (request.GET.get(name, "").strip()[:60] for name in ("side", "kind", "q"))
    explained = request.GET.get("explained") == "1"
    rows = queries.differences(book, side=side, kind=which, words=words, explained=explained)
    return export_rows(
        resource_rows(DifferenceResource(), rows), actor=request.actor, what="differences", kind=kind, now=clock.now(),
        query={"side": side, "kind": which, "q": words, "explained": explained},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def new_account(request: Request) -> HttpResponse:
    """This will register the charity's own account at a bank."""
    book = _book(request, write=True)
    form = BankAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = attempt_form(form, lambda: reconciling.open_bank_account(
            actor=request.actor, book=book, now=clock.now(), **form.cleaned_data))  # fmt: skip
        if made:
            messages.success(request, _("账户已登记。现在可以导入对账单。"))
            return redirect("payments_statement_new")
    return render(request, "payments/account_new.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def new_statement(request: Request) -> HttpResponse:
    """This will take a statement's file to look at."""
    book = _book(request, write=True)
    own = queries.accounts(book)
    form = StatementForm(request.POST or None, request.FILES or None, accounts=own)
    if request.method == "POST" and form.is_valid():
        made = attempt_form(form, lambda: _bring(request, form))
        if made:
            return redirect("payments_statement", made.public_id)
    return render(request, "payments/statement_new.html", {"form": form, "any": own.exists()},
                  status=422 if form.errors else 200)  # fmt: skip


def _bring(request: Request, form: StatementForm) -> StatementDraft:
    file = form.cleaned_data["file"]
    if file.size > LARGEST:
        raise UnreadableTable(_("对账单超过16MB。请按月分开导入。"))
    with tempfile.NamedTemporaryFile(prefix="statement-") as kept:
        for piece in file.chunks():
            kept.write(piece)
        kept.flush()
        return reconciling.bring_statement(
            actor=request.actor, account=form.cleaned_data["account"], file_name=file.name, path=Path(kept.name),
            now=clock.now(),
        )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def statement(request: Request, public_id: str) -> HttpResponse:
    """This will show a statement as it is read, its balance checked; a POST mends the columns or takes it in."""
    book = _book(request, write=True)
    draft = get_object_or_404(
        StatementDraft.objects.select_related("account__book"), public_id=public_id, account__book=book
    )
    kept = Columns.from_json(draft.columns) if draft.columns else None
    act = request.POST.get("act", "")
    with opened(draft) as table:
        head = table.head()
    form = StatementColumnsForm(request.POST if act == "columns" else None, head=head, at=kept)
    if request.method == "POST" and (act != "columns" or form.is_valid()):
        target = _act_on_statement(request, draft, form, act)
        return redirect(target) if target else redirect("payments_statement", draft.public_id)
    read, refused = None, ""
    try:
        read = read_draft(draft, clock.now())
    except UnreadableTable as error:
        refused = str(error.message)
    return render(
        request, "payments/statement.html",
        {"draft": draft, "form": form, "read": read, "refused": refused,
         "samples": read.lines[:SAMPLES] if read else [], "faults": read.faults[:PAGE] if read else []},
        status=422 if form.errors else 200,
    )  # fmt: skip


def _act_on_statement(request: Request, draft: StatementDraft, form: StatementColumnsForm, act: str) -> str:
    if act == "columns":
        reconciling.change_statement(actor=request.actor, draft=draft, columns=form.columns())
        return ""
    if act == "drop":
        attempt(
            request,
            lambda: reconciling.drop_statement(actor=request.actor, draft=draft),
            _("没有记入，文件已删除。"),
        )
        return "payments_reconciliation"
    same = request.POST.get("skip_known") == "1"
    done = attempt(
        request,
        lambda: reconciling.record_statement(
            actor=request.actor, draft=draft, now=clock.now(), skip_known=same
        ),
        _("对账单已记入，对得上的已经自动配对。"),
    )
    return "payments_reconciliation" if done else ""


@never_cache
@require_http_methods(["GET", "POST"])
def day(request: Request, day: str) -> HttpResponse:
    """This will show a day's figures: a closed one as it was closed, the next one as it would be; a POST closes it."""
    book = _book(request, write=request.method == "POST")
    try:
        wanted = dt.date.fromisoformat(day)
    except ValueError:
        raise NotFound() from None
    closed = DayClose.objects.filter(book=book, day=wanted).first()
    coming = queries.next_day(book, clock.now())
    if closed is None and wanted != coming:
        raise NotFound()
    if request.method == "POST" and request.POST.get("looked") != "1":
        messages.error(request, _("请先看过数字，再勾选“我已核对”。"))
    elif request.method == "POST" and attempt(
        request, lambda: reconciling.close_day(actor=request.actor, book=book, day=wanted, now=clock.now()),
        _("已结账。这一天的数字不能再改，之后补记的归入后一天。"),
    ):  # fmt: skip
        return redirect("payments_day", day)
    left = queries.differences(book).filter(day__lte=wanted)
    return render(
        request, "payments/day.html",
        {"day": wanted, "closed": closed, "left": 0 if closed else left.count(), "accounts": queries.accounts(book),
         "rows": queries.closed_figures(closed) if closed else queries.coming_figures(book, wanted),
         "can": allowed(policies.can_reconcile, request.actor, book.owner or 0)},
        status=422 if request.method == "POST" else 200,
    )  # fmt: skip
