"""The marked test cashier. Its pages exist only while the sandbox is configured."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.money import Money
from apps.payments.models import SandboxSession, SandboxSubscription
from apps.payments.operations import process_inbox, receive_event
from apps.payments.providers.sandbox import make_event, play, settle
from apps.payments.providers.sandbox_monthly import play as play_monthly
from apps.payments.registry import provider
from apps.payments.ringing import ring_inbox

ACTIONS = ("succeed", "twice", "disorder", "delayed", "fail", "expire", "late")
PLAYS = ("refund_succeed", "refund_fail", "refund_dashboard", "dispute_inquire", "dispute_open", "dispute_win",
         "dispute_partly", "dispute_lose")  # fmt: skip
"""What a paid payment can be made to suffer."""


@never_cache
@require_http_methods(["GET", "POST"])
def cashier(request: HttpRequest, ref: str) -> HttpResponse:
    """This will show the test cashier of a session, or do what its button says and send the signed events."""
    provider("sandbox")
    session = get_object_or_404(SandboxSession, ref=ref)
    action = request.POST.get("action", "")
    if request.method == "POST" and action in ACTIONS and _possible(session, action):
        _act(session, action, clock.now())
        ring_inbox()
        return HttpResponseRedirect(session.return_url)
    if request.method == "POST" and action in PLAYS and session.status == "paid":
        _play(request, session, action, clock.now())
        ring_inbox()
        return HttpResponseRedirect(request.path)
    return render(
        request, "payments/sandbox_cashier.html",
        {"paid": session.status == "paid", "refunds": session.refunds.order_by("id"),
         "disputes": session.disputes.order_by("id"), "session": session,
         "money": Money(session.amount, session.currency), "open": session.status == "open",
         "payable_late": session.status == "expired", "unpaid": session.status == "pending"},
    )  # fmt: skip


def _play(request: HttpRequest, session: SandboxSession, action: str, now: dt.datetime) -> None:
    try:
        part = Money.parse(request.POST.get("amount", "").strip() or "0", session.currency).minor
        kinds = play(session, action, now, part)
    except DomainError as error:
        messages.error(request, str(error.message))
        return
    if not kinds:
        messages.error(request, _("这一步现在做不到：金额超过余下的，或没有可以变的退款、争议。"))
        return
    messages.success(request, _("已照办，通知已送出。"))
    twice = bool(request.POST.get("disorder"))
    _send(session, kinds[::-1] if twice else kinds, now, copies=2 if twice else 1)


def _possible(session: SandboxSession, action: str) -> bool:
    if action == "late":
        return session.status in ("open", "expired")
    if action == "succeed":
        return session.status in ("open", "pending")
    return session.status == "open"


def _act(session: SandboxSession, action: str, now: dt.datetime) -> None:
    kinds: list[str]
    if action in ("succeed", "twice", "disorder"):
        settle(session, now)
        kinds = ["session.completed", "session.paid"]
        if action == "disorder":
            kinds = ["session.paid", "session.completed"]
    elif action == "late":
        if session.status == "open":
            _set(session, "expired")
            _send(session, ["session.expired"], now)
            process_inbox(now=now)  # the site hears of the expiry before the money comes
        settle(session, now)
        kinds = ["session.paid"]
    else:
        _set(session, {"delayed": "pending", "fail": "failed", "expire": "expired"}[action])
        kinds = [f"session.{session.status}"]
    _send(session, kinds, now, copies=2 if action in ("twice", "disorder") else 1)


def _set(session: SandboxSession, status: str) -> None:
    session.status = status
    session.save(update_fields=["status"])


def _send(session: SandboxSession, kinds: list[str], now: dt.datetime, copies: int = 1) -> None:
    for kind in kinds:
        headers, body = make_event(session, kind, now)
        for _copy in range(copies):
            receive_event(provider_name="sandbox", headers=headers, body=body, now=now)


@never_cache
@require_http_methods(["GET", "POST"])
def monthly(request: HttpRequest, ref: str) -> HttpResponse:
    """This will show the test cashier of a standing order, or play what its button says and send the signed event."""
    provider("sandbox")
    order = get_object_or_404(SandboxSubscription, ref=ref)
    action = request.POST.get("action", "")
    if request.method == "POST" and action in ("subscribe", "card_fails", "card_works", "next"):
        now = clock.now()
        for kind in play_monthly(order, action, now):
            headers, body = make_event(order, kind, now)
            receive_event(provider_name="sandbox", headers=headers, body=body, now=now)
        ring_inbox()
        return HttpResponseRedirect(order.return_url if action == "subscribe" else request.path)
    context = {
        "order": order, "money": Money(order.amount, order.currency), "open": order.status in ("open", "expired"),
        "live": order.status in ("active", "past_due"), "months": order.months.order_by("-id")[:24],
    }  # fmt: skip
    return render(request, "payments/sandbox_monthly.html", context)
