"""Importing lists of goods at the workbench: upload, questions with line and column, preview, recording."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.tables.opening import LARGEST_BOOK, UnreadableTable
from apps.core.workbench import attempt, attempt_form
from apps.inventory import forms, operations, work_queries
from apps.inventory.lists.judging import NEW
from apps.inventory.lists.matching import matches
from apps.inventory.models import GoodsImport, Unit
from apps.inventory.operations.importing import judged_rows, known_keys
from apps.inventory.states import Known, ListStatus
from apps.inventory.views.goods import menu, paged, words_of

PAGE = 100
QUESTIONS = 100


@never_cache
@require_safe
def lists(request: Request) -> HttpResponse:
    """This will list imports."""
    _only_keepers(request)
    (cursor,) = words_of(request, "after")
    page, more = paged(work_queries.imports_of(request.actor), cursor, "public_id")
    return render(
        request, "inventory/lists.html", {"rows": page, "more": more, "after": cursor, **menu(request)}
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def new_list(request: Request) -> HttpResponse:
    """This will take a list in and show how it is read; nothing is recorded yet."""
    _only_keepers(request)
    mine = work_queries.warehouses_of(request.actor).filter(pk__in=request.actor.scopes("storekeeper"))
    first = mine.first()
    form = forms.ListForm(
        request.POST or None, request.FILES or None, warehouses=mine,
        initial={"warehouse": first.public_id if first else ""},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        made = attempt_form(form, lambda: _start(request, data))
        if made:
            return redirect("inventory_list", made.public_id)
    return render(request, "inventory/list_new.html", {"form": form, **menu(request)},
                  status=422 if form.errors else 200)  # fmt: skip


def _start(request: Request, data: dict[str, Any]) -> GoodsImport:
    file = data["file"]
    if (file.size or 0) > LARGEST_BOOK:
        raise UnreadableTable()
    with tempfile.NamedTemporaryFile(prefix="goods-") as kept:
        for piece in file.chunks():
            kept.write(piece)
        kept.flush()
        return operations.start_import(
            actor=request.actor, warehouse=data["warehouse"], kind=data["kind"], source=data["source"],
            category=data["category"], file_name=file.name or "", path=Path(kept.name), day=data["day"],
            now=clock.now(),
        )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def one_list(request: Request, public_id: str) -> HttpResponse:
    """This will show an import: what is asked (with line and column), what each line becomes; a POST goes on with
    it."""
    _only_keepers(request)
    listing = get_object_or_404(work_queries.imports_of(request.actor), public_id=public_id)
    if request.method == "POST":
        _go_on(request, listing)
        return redirect("inventory_list", public_id)
    judged = judged_rows(listing)
    open_ = listing.status in (ListStatus.ASKING, ListStatus.READY)
    from_stock = matches(listing, judged.rows) if open_ else {}
    known = known_keys(judged.rows) if open_ else set()
    (cursor,) = words_of(request, "after")
    start = int(cursor) if cursor.isdecimal() and len(cursor) < 7 else 0
    rows = [row for row in judged.rows if row.row > start]
    units = [(f"{NEW}:0", _("作为新单位（整数）")), (f"{NEW}:3", _("作为新单位（可有小数）")),
             *((unit.code, str(unit)) for unit in Unit.objects.order_by("code"))]  # fmt: skip
    return render(
        request, "inventory/list_one.html",
        {"listing": listing, "questions": judged.questions[:QUESTIONS],
         "questions_more": max(len(judged.questions) - QUESTIONS, 0),
         "rows": [(row, row.key in known, from_stock.get(row.key)) for row in rows[:PAGE]],
         "offered": sum(not match.said for match in from_stock.values()),
         "read": len(judged.rows), "known": len(known), "skipped": judged.skipped, "units": units,
         "given": [(f"{what}:{which}", said) for what, answers in listing.answers.items()
                   for which, said in answers.items()],
         "more": rows[PAGE - 1].row if len(rows) > PAGE else "", "after": start or "", "known_choices": Known.choices,
         "partly": 0 < len(known) < len(judged.rows), "open": open_,
         **menu(request)},
    )  # fmt: skip


def _go_on(request: Request, listing: GoodsImport) -> None:
    act, now = request.POST.get("act", ""), clock.now()
    common: dict[str, Any] = {"actor": request.actor, "listing": listing, "now": now}
    if act == "drop":
        attempt(request, lambda: operations.drop_import(**common), _("已放弃，一行都没有记。"))
        return
    answers = {
        name.removeprefix("answer:"): value
        for name, value in request.POST.items()
        if name.startswith("answer:") and isinstance(value, str) and value.strip()
    }
    if act.startswith("undo:"):
        answers = {act.removeprefix("undo:"): ""}
    if act == "record":
        if attempt(request, lambda: operations.record_import(**common), _("名单已记入。")):
            return
        messages.info(request, _("请先处理上面的问题。"))
        return
    attempt(
        request,
        lambda: operations.answer_import(**common, answers=answers, known_as=request.POST.get("known", "")),
        _("回答已保存。"),
    )


def _only_keepers(request: Request) -> None:
    if not request.actor.scopes("storekeeper"):
        raise PermissionRefused()
