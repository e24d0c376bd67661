"""A donor's own gift: the address is the permission, so nothing of it is cached or indexed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.pages import cached_page, private_page
from apps.donations.documents import receipt_context
from apps.donations.models import Gift, GiftRedirect, Receipt
from apps.donations.queries import (
    UnknownGift,
    disputes_of_gift,
    gift_of_token,
    receipts_of_gift,
    refund_offer,
    refunds_of_gift,
)
from apps.donations.states import GiftStatus
from apps.funds.models import MicroFund
from apps.ledger.queries import rule_in_force, rule_versions
from apps.tracing.example import PAYMENTS, worked_example
from apps.tracing.flow import draw
from apps.tracing.places import fund_places, gift_places
from apps.tracing.queries import Trace, trace_gift
from apps.wishes.queries import claims_of_gift, left_of_gift


@private_page
@require_safe
def gift(request: HttpRequest, token: str) -> HttpResponse:
    """This will show a gift's status and, once its money arrived, where every fen of it is (T1)."""
    found = gift_of_token(token)
    context: dict[str, Any] = {"gift": found, "now": clock.now(), "receipt": _receipt(found)}
    if found.status == GiftStatus.RECEIVED:
        trace = trace_gift(found)
        refunds, disputes = refunds_of_gift(found), disputes_of_gift(found)
        wishes = claims_of_gift(found)
        moved = (
            GiftRedirect.objects.select_related("project").filter(gift=found).first() if found.late else None
        )
        context |= {
            "wishes": wishes, "wishes_left": left_of_gift(found) if wishes else 0,
            "trace": trace, "bar": _bar(trace), "flow": draw(gift_places(trace), rest=str(_("其他使用"))),
            "places": gift_places(trace), "moved": moved, "refunds": refunds, "disputes": disputes,
            **_answers(found),
            "offer": refund_offer(found, context["now"], refunds=refunds, disputes=disputes, unspent=trace.unspent),
        }  # fmt: skip
    response = render(request, "tracing/gift.html", context)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@private_page
@require_safe
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """This will show a gift's receipt, made to be printed."""
    found, issued = issued_receipt(token)
    response = render(
        request, "tracing/receipt.html",
        {"gift": found, **receipt_context(issued), **_answers(found)},
    )  # fmt: skip
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@require_safe
def rule(request: HttpRequest) -> HttpResponse:
    """This will show the published rule of attribution with all its versions and an example that the ledger's own code
    computes (T2)."""
    example = worked_example()
    return render(
        request, "tracing/rule.html",
        {"rule": rule_in_force(), "versions": rule_versions(), "example": example, "payments": PAYMENTS,
         "totals": [sum(one.amount for one in example),
                    *(sum(one.taken[n] for one in example) for n in range(len(PAYMENTS))),
                    sum(one.left for one in example)]},
    )  # fmt: skip


@cached_page()
@require_safe
def fund_flow(request: HttpRequest, slug: str) -> HttpResponse:
    """This will show a micro-fund's money as a picture and a table: what came in, fees, uses by kind, what is unspent;
    aid in the steps of its releases only (C4)."""
    found = get_object_or_404(MicroFund.objects.select_related("organization"), slug=slug)
    places = fund_places(found.pk)
    return render(
        request, "tracing/fund_flow.html",
        {"fund": found, "flow": draw(places), "places": [place for place in places if place.amount],
         "total": sum(place.amount for place in places), "now": clock.now()},
    )  # fmt: skip


def issued_receipt(token: str) -> tuple[Gift, Receipt]:
    """This will find a gift by its token with its receipt; raises UnknownGift until one is issued."""
    found = gift_of_token(token)
    issued = _receipt(found)
    if issued is None:
        raise UnknownGift(_("票据还没有开出。款到之后会自动开具，请稍后再看。"))
    return found, issued


def _receipt(found: Gift) -> Receipt | None:
    try:
        return found.receipt
    except Receipt.DoesNotExist:
        return None


def _answers(found: Gift) -> dict[str, Any]:
    """The receipts that answer the gift's own one in red (or a red one), and what all of them add up to."""
    rows = list(receipts_of_gift(found).select_related("answers"))
    return {"answers": [row for row in rows if row.answers_id], "net": sum(row.amount for row in rows)}


def _bar(trace: Trace) -> list[dict[str, str]]:
    """The bar of shares: [class, x, width] in percent, drawn as SVG attributes."""
    parts = (
        ("f-a", trace.used),
        ("f-fee", trace.fee),
        ("f-b", trace.refunded + trace.disputed),
        ("f-rest", trace.unspent),
    )
    bars, x = [], 0.0
    for name, value in parts:
        width = 100 * value / trace.gift.amount
        if value > 0:
            bars.append({"name": name, "x": f"{x:.2f}%", "width": f"{max(width - 0.25, 0.2):.2f}%"})
        x += width
    return bars
