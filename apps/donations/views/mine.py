"""A donor's own gifts, collected by the addresses their account has proven to be theirs (G2)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.queries import verified_addresses
from apps.core import clock
from apps.core.documents import render_pdf
from apps.core.errors import NotFound
from apps.core.pages import private_page
from apps.donations.documents import summary_context
from apps.donations.models import Gift
from apps.donations.queries import gifts_of_addresses, monthly_of_addresses, yearly_gifts
from apps.donations.states import GiftStatus

PAGE = 30


@private_page
@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """This will list the gifts given with one of the account's verified addresses, newest first, with yearly sums."""
    emails = verified_addresses(request.user)  # type: ignore[arg-type]
    rows = gifts_of_addresses(emails)
    status, after = request.GET.get("status", ""), request.GET.get("after", "")
    if status in GiftStatus.values:
        rows = rows.filter(status=status)
    last = Gift.objects.filter(token=after).first() if after else None
    if last is not None:
        rows = rows.filter(opened_at__lte=last.opened_at).exclude(opened_at=last.opened_at, pk__gte=last.pk)
    page = list(rows[: PAGE + 1])
    context: dict[str, Any] = {
        "emails": emails, "monthly": monthly_of_addresses(emails), "rows": page[:PAGE],
        "more": page[PAGE - 1].token if len(page) > PAGE else "",
        "after": after, "status": status, "statuses": GiftStatus.choices, "years": yearly_gifts(emails),
        "now": clock.now(),
    }  # fmt: skip
    return render(request, "donations/mine.html", context)


@private_page
@login_required
@require_safe
def summary(request: HttpRequest, year: int, pdf: bool = False) -> HttpResponse:
    """This will sum up a donor's gifts of a year (Asia/Shanghai), as a page to print or a PDF; 404 without any."""
    emails = verified_addresses(request.user)  # type: ignore[arg-type]
    if not 2000 <= year <= 2200:
        raise NotFound()
    rows = list(gifts_of_addresses(emails, year=year).order_by("received_at", "id"))
    if not rows:
        raise NotFound()
    context = summary_context(rows, year)
    if pdf:
        body = render_pdf("donations/summary_pdf.html", "donations/receipt_pdf.css", context)
        response = HttpResponse(body, content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="gifts-{year}.pdf"'
        return response
    return render(request, "donations/summary.html", context)
