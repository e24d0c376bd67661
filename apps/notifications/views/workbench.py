"""A person's own notices."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.http import Request
from apps.notifications.models import Notice
from apps.notifications.operations import read_notices

SHOWN = 100


@never_cache
@require_http_methods(["GET", "POST"])
def notices(request: Request) -> HttpResponse:
    """This will list a person's last notices, newest first, and mark them as read."""
    if request.method == "POST":
        read_notices(actor=request.actor, now=clock.now())
        return redirect("notifications_notices")
    rows = Notice.objects.filter(person=request.actor.person_id or 0).order_by("-id")
    unread = rows.filter(read_at=None).count()
    return render(request, "notifications/notices.html", {"notices": rows[:SHOWN], "unread": unread})
