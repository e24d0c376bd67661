"""The shop front (博爱商城): an editor's words above, the wishes that wait below, by filters that are addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.pages import cached_page
from apps.inventory.queries import dont_send
from apps.places.models import Town
from apps.wishes.queries import (
    AGES,
    PRICES,
    SORTS,
    TABS,
    read_query,
    shop_page,
    shop_project,
    tab_counts,
)
from apps.wishes.states import Category
from cms import stories
from cms.models import ShopPage

PARAMS = ("tab", "town", "category", "age", "price", "urgent", "nearly", "q", "sort", "after")


@cached_page(params=PARAMS)
@require_safe
def shop(request: HttpRequest) -> HttpResponse:
    """This will list wishes by tab, filters, words and sort, 12 a page, each an address of its own."""
    page = stories.live_shop_page(get_language() or "zh-hans")
    return render(request, "cms/shop.html", shop_context(request.GET, page))


def shop_context(given: Mapping[str, str], page: ShopPage | None) -> dict[str, Any]:
    """This will give what the shop's page shows; an editor's preview uses it too."""
    query = read_query(given)
    now = clock.now()
    wishes, after = shop_page(query)
    counts = tab_counts(query)
    return {
        "query": query, "wishes": wishes, "page": page, "now": now, "project": shop_project(),
        "tabs": [
            {"href": query.address(tab=name), "label": label, "n": counts[name], "current": name == query.tab}
            for name, (label, _states) in TABS.items()
        ],
        "total": counts[query.tab], "first_href": query.address() if query.after else "",
        "next_href": query.address(after=after) if after else "", "clear_href": f"?tab={query.tab}",
        "towns": list(Town.objects.all()), "categories": Category.choices, "ages": AGES.choices,
        "prices": [(name, label) for name, (label, _least, _most) in PRICES.items()],
        "sorts": [(name, label) for name, (label, _column, _down) in SORTS.items()],
        "dont_send": dont_send(clock.civil_day(now))[:8],
    }  # fmt: skip
