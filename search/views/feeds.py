"""Feeds, and the searches that people saved (S6)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.http import Request
from apps.core.pages import cached_page, local_path
from search import parameters, saved
from search.feeds import atom, newest
from search.reading import reading

PARAMETERS = (*parameters.KNOWN, "view")


@require_safe
@cached_page(params=PARAMETERS)
def feed(request: HttpRequest) -> HttpResponse:
    """This will answer /disclosures/feed.atom: the newest 50 matches of the search's parameters."""
    try:
        asked, _before = parameters.read(request.GET, extra=("view",))
    except DomainError as error:
        return HttpResponse(str(error.message), status=error.status, content_type="text/plain; charset=utf-8")
    query = request.GET.urlencode()
    tail = f"?{query}" if query else ""
    said = reading(asked.tree())
    title = _("查善款：%(what)s") % {"what": said} if said else _("新公布的善款记录")
    written = atom(
        newest(asked),
        title=title,
        here=request.path + tail,
        page=reverse("disclosures") + tail,
        now=clock.now(),
    )
    response = HttpResponse(written, content_type="application/atom+xml; charset=utf-8")
    response["Access-Control-Allow-Origin"] = "*"
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def saved_searches(request: Request) -> HttpResponse:
    """This will list the visitor's saved searches with their feeds; POST saves one or deletes one."""
    error: DomainError | None = None
    given: dict[str, Any] = {
        "name": request.POST.get("name", ""),
        "query": request.POST.get("query", request.GET.urlencode()).lstrip("?")[:4000],
    }
    if request.method == "POST":
        try:
            if request.POST.get("act") == "forget":
                pk = request.POST.get("saved", "")
                saved.forget_search(
                    actor=request.actor, pk=int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 18 else 0,
                    now=clock.now(),
                )  # fmt: skip
                messages.success(request, _("已删除。"))
            else:
                saved.save_search(
                    actor=request.actor, name=given["name"], query=given["query"], now=clock.now()
                )
                messages.success(request, _("已保存。"))
            return redirect("search_saved")
        except DomainError as refused:
            error = refused
    here, feed_at = reverse("disclosures"), reverse("search_feed")
    rows = [
        {"saved": one, "href": f"{here}?{one.query}", "feed": f"{feed_at}?{one.query}"}
        for one in saved.saved_by(request.actor)
    ]
    ready_made = [
        (_("新公布的善款记录"), feed_at),
        (_("新公布的报告"), f"{feed_at}?view=reports"),
        (_("更正说明"), f"{feed_at}?view=reports&kind=correction"),
    ]
    return render(
        request,
        "search/saved.html",
        {"rows": rows, "error": error, "given": given, "ready_made": ready_made,
         "signed_in": request.actor.person_id is not None, "sign_in": local_path("/accounts/login/"),
         "what": f"{here}?{given['query']}" if given["query"] else ""},
        status=error.status if error else 200,
    )  # fmt: skip
