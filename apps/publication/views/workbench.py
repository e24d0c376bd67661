"""Checking a text before it is public, and the second person's decision about a stopped one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.errors import PermissionRefused
from apps.core.http import Request
from apps.core.policies import allowed
from apps.core.workbench import attempt, attempt_form, typed
from apps.publication import overrides as operations
from apps.publication import policies
from apps.publication.forms import OverrideForm
from apps.publication.models import PrivacyOverride
from apps.publication.privacy import Hit, find_all

PAGE = 50


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def overrides(request: Request) -> HttpResponse:
    """This will check a text (C5), take a request to let it through, and show what waits for a second person."""
    may_ask = allowed(policies.can_ask_override, request.actor)
    may_decide = allowed(policies.can_decide_override, request.actor)
    if not (may_ask or may_decide):
        raise PermissionRefused()
    form, hits = OverrideForm(), None
    act = request.POST.get("act", "")
    if act in ("allow", "refuse") and may_decide:
        item = get_object_or_404(PrivacyOverride, public_id=request.POST.get("override", ""))
        attempt(
            request,
            lambda: operations.decide_override(
                actor=request.actor, override=item, allow=act == "allow", why=typed(request, "why"), now=clock.now()
            ),
            _("决定已记下。"),
        )  # fmt: skip
        return redirect("publication_overrides")
    if request.method == "POST" and may_ask:
        form = OverrideForm(request.POST)
        if form.is_valid():
            data = form.cleaned_data
            if act == "ask":
                made = attempt_form(
                    form,
                    lambda: operations.ask_override(
                        actor=request.actor, text=data["text"], reason=data["reason"], now=clock.now()
                    ),
                )
                if made:
                    messages.success(request, _("已申请，等第二个人决定。"))
                    return redirect("publication_overrides")
            else:
                hits = find_all(data["text"])
    rows = PrivacyOverride.objects.select_related("asked_by", "decided_by").order_by("-id")
    waiting = [
        (one, operations.words_of(one), may_decide and one.asked_by_id != request.actor.person_id)
        for one in rows.filter(allowed__isnull=True)[:PAGE]
        if may_decide or one.asked_by_id == request.actor.person_id
    ]
    context = {
        "form": form, "hits": _said(hits), "checked": hits is not None, "may_ask": may_ask, "waiting": waiting,
        "decided": rows.filter(allowed__isnull=False)[:PAGE],
    }  # fmt: skip
    return render(request, "publication/overrides.html", context, status=422 if form.errors else 200)


def _said(hits: list[Hit] | None) -> list[str]:
    return list(dict.fromkeys(str(hit.message) for hit in hits or []))
