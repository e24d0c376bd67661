"""The basket: several wishes, one payment. It lives in the visitor's session and works without JavaScript; what it
says is looked up anew every time, and the operation decides."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.errors import DomainError, add_to_form
from apps.core.http import Request
from apps.core.money import Money
from apps.core.pages import private_page
from apps.core.visitors import remember_device, visitor_of
from apps.donations.operations import start_gift_checkout
from apps.donations.operations.limiting import TooManyOpenings
from apps.donations.states import GiftStatus
from apps.funds.models import Project
from apps.funds.queries import accepts_gifts, project_earmarks
from apps.publication.queries import public_money
from apps.wishes import operations, queries
from apps.wishes.forms import BasketPayForm
from apps.wishes.models import Wish

KEY = "basket"
MOST = 20


def put_into_basket(request: HttpRequest, wish: Wish, count: int) -> None:
    """This will remember pieces of a wish in the session; the newest twenty wishes stay."""
    known = request.session.get(KEY)
    basket: dict[str, Any] = dict(known) if isinstance(known, dict) else {}
    basket.pop(wish.public_id, None)
    if count:
        basket[wish.public_id] = count
    request.session[KEY] = dict(list(basket.items())[-MOST:])


@private_page
@require_http_methods(["GET", "POST"])
def basket(request: Request) -> HttpResponse:
    """This will show the basket with its total and the form to pay it; nothing typed is lost."""
    lines, gone = queries.basket_lines(request.session.get(KEY))
    act, _sep, which = request.POST.get("act", "").partition(":")
    if act == "remove":
        for wish in [each for each in lines if each.public_id == which]:
            put_into_basket(request, wish, 0)
        return redirect("wishes_basket")
    project = queries.shop_project()
    now = clock.now()
    total = Money(operations.basket_total(lines))
    paying = request.method == "POST" and act == "pay" and bool(lines)
    form = BasketPayForm(request.POST if paying else None, total=total)
    status, wait = 200, 0
    if paying and form.is_valid():
        try:
            return _pay(request, form, lines)
        except DomainError as error:
            add_to_form(form, error)
            status = error.status
            wait = error.wait if isinstance(error, TooManyOpenings) else 0
    elif paying:
        status = 422
    for title in gone:
        messages.warning(request, _("“%(title)s”刚被别人认领了一部分或全部，篮子已改。") % {"title": title})
    if gone and not paying:
        request.session[KEY] = {wish.public_id: count for wish, count in lines.items()}
    context = {
        "rows": [(wish, count, wish.cap * count) for wish, count in lines.items()], "total": total, "form": form,
        "project": project, "now": now, "open": project is not None and accepts_gifts(project, now),
        **(_cool(project, now) if project else {}),
    }  # fmt: skip
    response = render(request, "wishes/basket.html", context, status=status)
    remember_device(request, response)
    if wait:
        response["Retry-After"] = str(wait)
    return response


def _cool(project: Project, now: Any) -> dict[str, Any]:
    """What the cool-down card shows of the shop's project before paying (F6)."""
    late = project.overdue_since
    return {
        "fund": project.fund, "money": public_money(project_earmarks([project.pk]).values()),
        "started_on": project.starts_on, "late_days": (clock.civil_day(now) - late).days if late else 0,
    }  # fmt: skip


def _pay(request: Request, form: BasketPayForm, lines: dict[Wish, int]) -> HttpResponse:
    now = clock.now()
    base = (settings.SITE_URL or request.build_absolute_uri("/")).rstrip("/")
    gift = operations.claim_by_money(
        actor=request.actor, lines=lines, request=form.request(get_language() or "zh-hans"), now=now,
        visitor=visitor_of(request),
    )  # fmt: skip
    back = reverse("tracing_gift", args=[gift.token])
    request.session.pop(KEY, None)
    if gift.status != GiftStatus.OPENED:
        return HttpResponseRedirect(back)
    url = start_gift_checkout(
        actor=request.actor,
        gift=gift,
        return_url=base + back,
        cancel_url=base + reverse("wishes_basket"),
        now=now,
    )
    return HttpResponseRedirect(url or back)
