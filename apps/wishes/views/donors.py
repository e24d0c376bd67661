"""A giver's own claims, and the family's confirmation: the address is the permission; nothing is cached."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.actors import PUBLIC
from apps.core.errors import NotFound
from apps.core.http import client_address
from apps.core.limits import TooMany, count_use
from apps.core.pages import private_page
from apps.core.workbench import attempt, typed
from apps.donations.queries import gift_of_token
from apps.wishes import operations, queries
from apps.wishes.models import WishCode

TRIES, WINDOW = 30, 3600
"""So many codes an address may try in so many seconds, over all families."""


@private_page
@require_http_methods(["GET", "POST"])
def of_gift(request: HttpRequest, token: str) -> HttpResponse:
    """This will show the wishes of a gift: how far each is, giving one up, and another wish where money is left."""
    gift = gift_of_token(token)
    claimed = queries.claims_of_gift(gift)
    if not claimed:
        raise NotFound()
    if request.method == "POST":
        act, _sep, which = request.POST.get("act", "").partition(":")
        if act == "cancel":
            attempt(
                request,
                lambda: operations.cancel_claims(actor=PUBLIC, gift=gift, only=which[:16], now=clock.now()),
                _("已取消这个认领，心愿重新开放。已付的钱还在，可以认领别的心愿或申请退款。"),
            )
        elif act == "another":
            other = queries.public_wish(which[:16])
            attempt(
                request,
                lambda: operations.claim_with_gift(
                    actor=PUBLIC, gift=gift, lines={other: 1}, now=clock.now()
                ),
                _("已认领：%(title)s") % {"title": other},
            )
        return redirect("wishes_of_gift", token)
    context = {
        "gift": gift, "claimed": claimed, "left": max(queries.left_of_gift(gift), 0), "now": clock.now(),
        "offers": queries.offers_for(gift),
    }  # fmt: skip
    return _plain(render(request, "wishes/of_gift.html", context))


@private_page
@require_http_methods(["GET", "POST"])
def promise(request: HttpRequest, token: str) -> HttpResponse:
    """This will show a promise of goods to who made it: where to bring them, until when, and giving it up."""
    pledge = queries.pledge_of_token(token)
    if request.method == "POST":
        if request.POST.get("act") == "cancel":
            attempt(request, lambda: operations.cancel_claims(actor=PUBLIC, pledge=pledge, now=clock.now()),
                    _("已取消，心愿重新开放。谢谢您告诉我们。"))  # fmt: skip
        else:
            note = typed(request, "note", 80)
            attempt(request, lambda: operations.note_sent(actor=PUBLIC, pledge=pledge, note=note, now=clock.now()),
                    _("已记下，收货的人会看到。"))  # fmt: skip
        return redirect("wishes_promise", token)
    context = {"pledge": pledge, "claimed": queries.claims_of_pledge(pledge), "now": clock.now()}
    return _plain(render(request, "wishes/promise.html", context))


@private_page
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """This will let a family say itself, with the code on its phone, that its wish was met (W5)."""
    code = WishCode.objects.select_related("wish__town").filter(token=token).first()
    if code is None:
        raise NotFound()
    if request.method == "POST":
        if count_use("wish_code", client_address(request), seconds=WINDOW) > TRIES:
            raise TooMany()
        digits = typed(request, "code", 12)
        attempt(
            request,
            lambda: operations.confirm_by_code(actor=PUBLIC, token=token, digits=digits, now=clock.now()),
            _("已确认，谢谢。"),
        )
        return redirect("wishes_confirm", token)
    return _plain(
        render(request, "wishes/confirm.html", {"code": code, "wish": code.wish, "now": clock.now()})
    )


def _plain(response: HttpResponse) -> HttpResponse:
    response["Referrer-Policy"] = "same-origin"  # no-referrer would make the form's own Origin null
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
