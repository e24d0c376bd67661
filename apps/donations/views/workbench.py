"""Refunds, disputes and the chargeback reserve at the workbench: who asks, who decides, who pays."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.actors import PUBLIC, Actor
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, attempt_form, typed
from apps.donations import operations, policies, queries
from apps.donations.forms import FeedForm, RefundForm
from apps.donations.models import Gift, Refund, ReserveFeed
from apps.donations.states import RefundSource, RefundStatus, RefundWay
from apps.donations.unspent import truly_left
from apps.ledger.queries import figures_by_earmark
from apps.organizations.queries import federation
from apps.payments.models import PaymentDispute
from apps.payments.queries import clock_alarms, test_page
from apps.payments.states import DisputeStatus

PAGE = 50


@never_cache
@require_safe
def refunds(request: Request) -> HttpResponse:
    """This will list refunds by state, source and number, 50 a page, paged by key, with a count for each state."""
    _staff(request.actor)
    visible = queries.visible_refunds(request.actor)
    status, source, number, after = (
        request.GET.get(name, "").strip()[:60] for name in ("status", "source", "q", "after")
    )
    rows = queries.find_refunds(visible, status=status, source=source, words=number)
    if after:
        rows = rows.filter(
            pk__lt=Refund.objects.filter(number=after).values_list("pk", flat=True).first() or 0
        )
    page = list(rows[: PAGE + 1])
    return render(
        request, "donations/refunds.html",
        {"rows": page[:PAGE], "more": page[PAGE - 1].number if len(page) > PAGE else "", "after": after,
         "status": status, "source": source, "q": number, "statuses": queries.refund_counts(visible),
         "sources": RefundSource.choices, "alarms": clock_alarms(clock.now()),
         "can_ask": bool(request.actor.scopes("cashier") | request.actor.scopes("project_officer")),
         "can_reserve": not request.actor.has("supervisor")},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def new_refund(request: Request) -> HttpResponse:
    """This will find a gift by its receipt or address and ask for its refund on the donor's behalf (P9)."""
    own = request.actor.scopes("cashier") | request.actor.scopes("project_officer")
    if not own:
        raise PermissionRefused()
    words = (request.POST.get("gift") or request.GET.get("gift") or "").replace("\x00", "").strip()[:400]
    gift = queries.find_gift(words, own) if words else None
    if gift is None:
        return render(request, "donations/refund_new.html", {"words": words}, status=404 if words else 200)
    offer = queries.refund_offer(gift, clock.now(), inside=True)
    form = RefundForm(request.POST or None, offer=offer, currency=gift.currency)
    if request.method == "POST" and form.is_valid():
        made = attempt_form(form, lambda: _ask(request.actor, gift, form))
        if made:
            messages.success(request, _("已提出退款。等负责人批准。"))
            return redirect("donations_refund_one", made.number)
    return render(request, "donations/refund_new.html", {"words": words, "gift": gift, "offer": offer, "form": form},
                  status=422 if form.errors else 200)  # fmt: skip


def _ask(actor: Actor, gift: Gift, form: RefundForm) -> Refund:
    return operations.ask_refund(
        actor=actor, gift=gift, money=form.cleaned_data["amount"], reason=form.cleaned_data["reason"], by_staff=True,
        bank=form.bank_details(), now=clock.now(),
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def refund(request: Request, number: str) -> HttpResponse:
    """This will show one refund, its two or three people, and the buttons this very person may press."""
    _staff(request.actor)
    found = get_object_or_404(
        queries.visible_refunds(request.actor).select_related(
            "gift__payment", "gift__receipt", "asked_by", "decided_by", "payer", "payment_refund"
        ),
        number=number,
    )
    bank = None
    if request.method == "POST":
        if request.POST.get("act") == "read":
            bank = operations.read_bank_details(actor=request.actor, refund=found, now=clock.now())
        else:
            _act(request, found)
            return redirect("donations_refund_one", found.number)
    actor: Actor = request.actor
    waiting, approved = found.status == RefundStatus.REQUESTED, found.status == RefundStatus.APPROVED
    pays = found.way == RefundWay.BANK and allowed(policies.can_pay_refund, actor, found)
    context = {
        "item": found, "gift": found.gift, "bank": bank, "steps": _steps(found),
        "stops": _stops(found), "receipts": queries.receipts_of_gift(found.gift),
        "left": truly_left(found) if waiting else None,
        "today": clock.civil_day(clock.now()),
        "can_decide": waiting and allowed(policies.can_decide_refund, actor, found),
        "can_withdraw": waiting and found.asked_by_id is not None and actor.person_id == found.asked_by_id,
        "can_pay": approved and pays, "can_fail": pays and found.status in (RefundStatus.APPROVED, RefundStatus.PAID),
        "can_read": pays and found.bank_details is not None and bank is None,
        "test_page": test_page(found.gift.payment) if found.gift.payment else "",
    }  # fmt: skip
    return render(request, "donations/refund_one.html", context)


def _act(request: Request, found: Refund) -> None:
    """One button, one operation."""
    now, reason = clock.now(), typed(request, "reason")
    common: dict[str, Any] = {"actor": request.actor, "refund": found, "now": now}
    acts = {
        "approve": (lambda: operations.approve_refund(**common), _("已批准，钱已占用。")),
        "refuse": (
            lambda: operations.refuse_refund(reason=reason, **common),
            _("已记为未批准，捐赠人会收到理由。"),
        ),
        "withdraw": (lambda: operations.withdraw_refund(**common), _("已撤回。")),
        "paid": (
            lambda: operations.pay_bank_refund(
                reference=typed(request, "reference", 60), paid_at=_paid_at(request, now), **common
            ),
            _("已记为付出，并已入账。"),
        ),
        "failed": (
            lambda: operations.fail_bank_refund(reason=reason, **common),
            _("已记为未退成，钱已退回原处。"),
        ),
    }
    chosen = acts.get(request.POST.get("act", ""))
    if chosen:
        attempt(request, *chosen)


def _paid_at(request: Request, now: dt.datetime) -> dt.datetime:
    """The day the bank says; today counts until this moment."""
    try:
        day = dt.date.fromisoformat(typed(request, "paid_on", 10))
    except ValueError:
        day = clock.civil_day(now)
    return (
        now if day == clock.civil_day(now) else clock.start_of_day(day) + dt.timedelta(hours=23, minutes=59)
    )


def _steps(found: Refund) -> list[dict[str, Any]]:
    """Asked, decided, gone: as the steps component draws them."""
    asked = str(found.asked_by) if found.asked_by else str(RefundSource(found.source).label)
    steps = [
        {"label": _("申请"), "note": f"{asked}，{clock.civil_day(found.asked_at):%Y-%m-%d}", "state": ""}
    ]
    if found.source != RefundSource.PROVIDER:
        note = ""
        if found.decided_by and found.decided_at:
            note = f"{found.decided_by}，{clock.civil_day(found.decided_at):%Y-%m-%d}"
        steps.append({"label": _("批准"), "note": note, "state": "" if note else "now"})
    note = f"{clock.civil_day(found.paid_at):%Y-%m-%d}" if found.paid_at else ""
    if found.payer:
        note = f"{found.payer}，{note}"
    state = "" if found.paid_at else "now" if found.status == RefundStatus.APPROVED else "todo"
    steps.append({"label": str(RefundWay(found.way).label), "note": note, "state": state})
    return steps


def _stops(found: Refund) -> list[dict[str, Any]]:
    """The refund's history, newest first, as the thread component draws it."""
    stops = []
    for change in found.changes.order_by("-id")[:20]:
        who = change.actor_label
        if change.actor_person is None:
            who = _("捐赠人") if who == PUBLIC.label else _("系统，按支付渠道的确认")
        text = f"{who}：{change.reason}" if change.reason else who
        stops.append({"time": change.at, "title": change.to_label, "text": text, "state": ""})
    return stops


@never_cache
@require_safe
def disputes(request: Request) -> HttpResponse:
    """This will list the disputes of one's organizations' gifts, newest first, and where their money came from."""
    _staff(request.actor)
    status, after = request.GET.get("status", ""), request.GET.get("after", "")
    rows = queries.visible_disputes(request.actor)
    if status in DisputeStatus.values:
        rows = rows.filter(status=status)
    if after:
        last = PaymentDispute.objects.filter(ref=after[:255]).values_list("pk", flat=True).first()
        rows = rows.filter(pk__lt=last or 0)
    page = list(rows[: PAGE + 1])
    return render(
        request, "donations/disputes.html",
        {"rows": queries.disputes_shown(page[:PAGE]), "status": status, "statuses": DisputeStatus.choices,
         "more": page[PAGE - 1].ref if len(page) > PAGE else "", "after": after},
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def reserve(request: Request) -> HttpResponse:
    """This will show the chargeback reserve, ask for own money to be set aside, and let a second person agree (G9)."""
    actor, owner = request.actor, federation().pk
    can_ask = allowed(policies.can_ask_reserve_feed, actor, owner)
    can_approve = allowed(policies.can_approve_reserve_feed, actor, owner)
    if not (can_ask or can_approve):
        raise PermissionRefused()
    form = FeedForm()
    if request.POST.get("approve"):
        feed = get_object_or_404(ReserveFeed, number=typed(request, "approve", 20))
        attempt(
            request,
            lambda: operations.approve_reserve_feed(actor=actor, feed=feed, now=clock.now()),
            _("已批准，并已划入。"),
        )
        return redirect("donations_reserve")
    if request.method == "POST":
        form = FeedForm(request.POST)
        if form.is_valid():
            data = form.cleaned_data
            made = attempt_form(
                form,
                lambda: operations.ask_reserve_feed(
                    actor=actor, money=data["amount"], reason=data["reason"], now=clock.now()
                ),
            )
            if made:
                messages.success(request, _("已提出划入。等负责人批准。"))
                return redirect("donations_reserve")
    own, kept = queries.reserve_earmarks()
    sums = figures_by_earmark([own, kept])
    rows = ReserveFeed.objects.select_related("asked_by", "approved_by").order_by("-id")[:PAGE]
    return render(
        request, "donations/reserve.html",
        {"form": form, "rows": rows, "can_ask": can_ask, "can_approve": can_approve, "person": actor.person_id,
         "own": sums[own], "kept": sums[kept], "owed": queries.receivable_of_federation(), "now": clock.now()},
        status=422 if form.errors else 200,
    )  # fmt: skip


def _staff(actor: Actor) -> None:
    if not any(actor.scopes(role) for role in ("project_officer", "manager", "cashier", "supervisor")):
        raise PermissionRefused()
