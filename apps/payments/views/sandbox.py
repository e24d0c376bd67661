"""The marked test cashier. Its pages exist only while the sandbox is configured."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.money import Money
from apps.payments.models import SandboxSession
from apps.payments.operations import process_inbox, receive_event
from apps.payments.providers.sandbox import make_event, settle
from apps.payments.registry import provider
from apps.payments.ringing import ring_inbox

ACTIONS = ("succeed", "twice", "disorder", "delayed", "fail", "expire", "late")


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
    return render(
        request, "payments/sandbox_cashier.html",
        {"session": session, "money": Money(session.amount, session.currency), "open": session.status == "open",
         "payable_late": session.status == "expired", "unpaid": session.status == "pending"},
    )  # fmt: skip


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
        for _ in range(copies):
            receive_event(provider_name="sandbox", headers=headers, body=body, now=now)
