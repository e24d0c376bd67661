"""A wish's public page, its pictures, and the page where it is claimed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.errors import NotFound
from apps.core.http import Request
from apps.core.pages import cached_page, private_page
from apps.core.visitors import remember_device, visitor_of
from apps.core.workbench import attempt_form
from apps.wishes import operations, queries
from apps.wishes.forms import PromiseForm
from apps.wishes.models import Claim, Purchase, Thanks, WishPhoto
from apps.wishes.pictures import card_png, wish_address
from apps.wishes.states import PurchaseStatus, WishStatus
from apps.wishes.views.basket import put_into_basket


@cached_page()
@require_safe
def wish(request: HttpRequest, public_id: str) -> HttpResponse:
    """This will show a wish as the public may see it, and each piece's way."""
    found = queries.public_wish(public_id)
    claims = list(Claim.objects.filter(wish=found, ended_at=None).order_by("unit__n"))
    orders = Purchase.objects.filter(wish=found).exclude(status=PurchaseStatus.CANCELLED).order_by("id")
    context = {
        "wish": found, "claims": claims, "orders": list(orders), "now": clock.now(),
        "thanks": Thanks.objects.filter(wish=found, published_at__isnull=False).defer("photo").first(),
        "photo": WishPhoto.objects.filter(wish=found, looked_at_by__isnull=False).defer("content").first(),
        "project": queries.shop_project(), "address": wish_address(found),
    }  # fmt: skip
    return render(request, "wishes/wish.html", context)


@cached_page(seconds=3600)
@require_safe
def photo(request: HttpRequest, public_id: str) -> HttpResponse:
    """This will give a public wish's photo, once a reviewer has looked at it too."""
    found = queries.public_wish(public_id)
    row = WishPhoto.objects.filter(wish=found, looked_at_by__isnull=False).first()
    if row is None:
        raise NotFound()
    return picture(bytes(row.content), "image/jpeg")


@cached_page(seconds=3600)
@require_safe
def thanks_photo(request: HttpRequest, public_id: str) -> HttpResponse:
    """This will give the photo of a family's published thanks."""
    found = queries.public_wish(public_id)
    row = Thanks.objects.filter(wish=found, published_at__isnull=False, photo__isnull=False).first()
    if row is None or row.photo is None:
        raise NotFound()
    return picture(bytes(row.photo), "image/jpeg")


@cached_page(seconds=600)
@require_safe
def card(request: HttpRequest, public_id: str) -> HttpResponse:
    """This will give a wish as a picture to share."""
    return picture(card_png(queries.public_wish(public_id)), "image/png")


def picture(content: bytes, kind: str) -> HttpResponse:
    """This will answer with a picture made here; the browser may take it for nothing else."""
    response = HttpResponse(content, content_type=kind)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = "inline"
    return response


@private_page
@require_http_methods(["GET", "POST"])
def claim(request: HttpRequest, public_id: str) -> HttpResponse:
    """This will let a visitor choose how many pieces, and put them into the basket: to pay now, or to look on."""
    found = queries.public_wish(public_id)
    project = queries.shop_project()
    if request.method == "POST" and found.status == WishStatus.OPEN and project is not None:
        typed = request.POST.get("count", "1").strip()
        count = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0
        if 1 <= count <= found.free:
            put_into_basket(request, found, count)
            if request.POST.get("act") == "more":
                messages.success(request, _("已放进篮子：%(title)s") % {"title": found})
                return redirect("cms_shop")
            return redirect("wishes_basket")
        messages.error(request, _("件数要在1到%(n)s之间。") % {"n": found.free})
    context = {"wish": found, "project": project, "now": clock.now()}
    return render(request, "wishes/claim.html", context, status=422 if request.method == "POST" else 200)


@private_page
@require_http_methods(["GET", "POST"])
def goods(request: Request, public_id: str) -> HttpResponse:
    """This will let a visitor promise to bring goods for a wish."""
    found = queries.public_wish(public_id)
    form = PromiseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        pledge = attempt_form(
            form,
            lambda: operations.promise_goods(
                actor=request.actor, wish=found, count=form.cleaned_data["count"],
                promise=form.promise(get_language() or "zh-hans"), now=clock.now(), visitor=visitor_of(request),
            ),
        )  # fmt: skip
        if pledge:
            return redirect("wishes_promise", pledge.token)
    context = {"wish": found, "form": form, "open": found.status == WishStatus.OPEN}
    response = render(request, "wishes/goods.html", context, status=422 if form.errors else 200)
    remember_device(request, response)
    return response
