from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.pages import cached_page
from apps.funds.states import Category
from apps.oversight.queries import SOURCE, STARTING_LINE, city_figures


@cached_page()
@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """This will show the city's figures as of now, and the plan's published ones as the starting line."""
    figures = city_figures()
    top = max((raised for _category, _n, raised in figures.by_category), default=0) or 1
    rows = [
        {
            "label": Category(category).label,
            "projects": n,
            "raised": raised,
            "width": f"{max(100 * raised / top, 0):.1f}%",
        }
        for category, n, raised in figures.by_category
    ]
    context = {
        "figures": figures,
        "rows": rows,
        "now": clock.now(),
        "starting_line": STARTING_LINE,
        "source": SOURCE,
    }
    return render(request, "oversight/statistics.html", context)
