"""The search page: one question, one answer, every number linked to what it counts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from apps.core.errors import BadInput, DomainError
from apps.core.pages import cached_page, local_path, mark_private
from search import parameters
from search.catalog import catalog
from search.chart import chart
from search.contract import FACETS, SORTS, SearchRequest
from search.engines import engine
from search.fallback import LABEL
from search.highlight import highlight, snippet
from search.language import Fragment, positive
from search.page import Addresses, groups, picked
from search.reading import reading
from search.results import Result, results
from search.suggesting import suggestions
from search.words import OPINION_TONES, OPINION_WORDS, PERIOD_WORDS, SORT_WORDS

PARAMETERS = (*parameters.KNOWN, "view")


@require_safe
@cached_page(params=PARAMETERS)
def disclosures(request: HttpRequest) -> HttpResponse:
    """This will answer /disclosures/: uses of money by default, reports with ?view=reports (S1)."""
    to = Addresses(request.path, request.GET)
    context = _frame(request, to)
    try:
        asked, before = parameters.read(request.GET, extra=("view",))
        answer = engine().search(asked)
    except DomainError as error:
        context.update(error=error, hidden=[])
        status = error.status if isinstance(error, BadInput) or error.status == 503 else 400
        request.refused = True  # type: ignore[attr-defined]  # the frame repeats no query
        return mark_private(render(request, "search/page.html", context, status=status))
    values = catalog()
    tree = asked.tree()
    fragments = positive(tree)
    shown = results(answer.ids, values)
    drawing = chart(answer.months)
    following = parameters.cursor_after(asked, answer, before)
    context.update(
        asked=asked,
        answer=answer,
        fallback=answer.engine == LABEL,
        reading=reading(tree),
        results=[_shown(result, fragments) for result in shown],
        first=before + 1,
        last=before + len(answer.ids),
        groups=groups(asked, answer, values, to),
        picked=picked(asked, values, to),
        chart=drawing,
        long_periods=sum(month.long_periods for month in answer.months),
        next_href=to.at(following) if following else "",
        first_href=to.having() if before else "",
        sorts=[
            {
                "label": SORT_WORDS[sort],
                "href": to.having(sort="" if sort == "relevance" else sort),
                "current": sort == asked.sort,
            }
            for sort in SORTS
        ],
        clear_href=to.having(**{name: [] for name in FACETS}, amount_min="", amount_max="", from_="", to=""),
        hidden=_hidden(request, asked),
        suggested=[
            {"query": each.query, "count": each.count, "href": to.having(q=each.query)}
            for each in (suggestions(asked, values, engine()) if not answer.count else ())
        ],
        export_href=_beside(to, "search_export_choose"),
        feed_href=_beside(to, "search_feed"),
        save_href=_beside(to, "search_saved"),
    )  # fmt: skip
    return render(request, "search/page.html", context)


def _beside(to: Addresses, name: str) -> str:
    """The same question at another address."""
    _path, sign, query = to.having().partition("?")
    return reverse(name) + sign + query


def _frame(request: HttpRequest, to: Addresses) -> dict[str, Any]:
    given = request.GET
    clean = {
        name: given.get(name, "").replace("\x00", "")
        for name in ("q", "amount_min", "amount_max", "from", "to")
    }
    return {
        "given": {**clean, "day_from": clean["from"], "day_to": clean["to"]},
        "view": "reports" if given.get("view") == "reports" else "uses",
        "views": {"uses": to.having(view=""), "reports": to.having(view="reports")},
        "path": request.path,
    }


def _hidden(request: HttpRequest, asked: SearchRequest) -> list[tuple[str, str]]:
    """What the form must carry along, so that a new word keeps the chosen facets."""
    kept = [(name, key) for name in FACETS for key in asked.facets.get(name, ())]
    if asked.view == "report":
        kept.append(("view", "reports"))
    if asked.sort != "relevance":
        kept.append(("sort", asked.sort))
    return kept


def _shown(result: Result, fragments: list[Fragment]) -> dict[str, Any]:
    facets = result.facets
    heading: SafeString = highlight(result.heading, fragments)
    place = [facets[name].label() for name in ("organization", "project", "town") if facets[name]]  # type: ignore[union-attr]
    return {
        "result": result,
        "href": local_path(result.link),
        "heading": heading,
        "snippet": snippet(result.text, fragments) if result.text else "",
        "opinion": OPINION_WORDS[result.opinion],
        "tone": OPINION_TONES[result.opinion],
        "period": PERIOD_WORDS[result.period] if result.period != "month" else "",
        "category": facets["category"].label() if facets["category"] else "",
        "place": place,
    }


@require_safe
@cached_page()
def query_help(request: HttpRequest) -> HttpResponse:
    """This will explain the query language with examples (查询写法)."""
    return render(request, "search/help.html")
