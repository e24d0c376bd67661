"""A request as Elasticsearch's bodies (search.md, Translation; Facets, sums, chart)."""

from __future__ import annotations

from typing import Any

from apps.core.text import marked, pairs
from apps.publication.models.rows import OPINIONS, VIEWS
from search.catalog import Catalog
from search.contract import SearchRequest
from search.engines.answers import COUNTED
from search.language import And, Fragment, Node, Not, positive

Body = dict[str, Any]
SIZES = {"project": 60_000, "k4": 20_000}
"""At least the number of values there can be: nothing is approximate."""

OTHERS = 1_024


def clause(node: Node, field: str = "text") -> Body:
    """This will translate a tree."""
    if isinstance(node, Fragment):
        return _fragment(node, field)
    if isinstance(node, Not):
        return {"bool": {"must_not": [clause(node.part, field)]}}
    if isinstance(node, And):
        wanted = [clause(part, field) for part in node.parts if not isinstance(part, Not)]
        without = [clause(part.part, field) for part in node.parts if isinstance(part, Not)]
        return {
            "bool": {
                **({"filter": wanted} if wanted else {}),
                **({"must_not": without} if without else {}),
            }
        }
    return {"bool": {"should": [clause(part, field) for part in node.parts], "minimum_should_match": 1}}


def _fragment(fragment: Fragment, field: str) -> Body:
    line = [marked(unit) for unit in fragment.units]
    if len(line) == 1:
        return {"prefix": {field: {"value": fragment.units[0] if fragment.prefix else line[0]}}}
    tokens = pairs(line)[:-1]
    if len(tokens) == 1:
        return {"term": {field: {"value": tokens[0]}}}
    return {"match_phrase": {field: {"query": " ".join(tokens)}}}


class Asking:
    """The bodies of one request: the page with all sums, and one more per facet that has a filter of its own."""

    def __init__(self, request: SearchRequest, catalog: Catalog) -> None:
        self.request = request
        self.catalog = catalog
        self.tree = request.tree()
        self.fragments = positive(self.tree) if request.sort == "relevance" else []
        self.filtered = [name for name, keys in request.facets.items() if keys]
        if request.amount_min is not None or request.amount_max is not None:
            self.filtered.append("band")

    def bodies(self) -> list[Body]:
        """This will give the bodies, the page's first, then of `filtered` in order."""
        return [self._page(), *[self._apart(name) for name in self.filtered]]

    def _page(self) -> Body:
        query: Body = {"bool": {"filter": self.filters()}}
        sort: list[Body] = [{"day": "desc"}, {"id": "desc"}]
        if self.request.sort == "amount":
            sort = [{"amount": "desc"}, {"id": "desc"}]
        elif self.fragments:
            query["bool"]["should"] = [
                {"constant_score": {"filter": clause(fragment, "heading"), "boost": 1}}
                for fragment in self.fragments
            ]
            sort = [{"_score": "desc"}, *sort]
        body: Body = {
            "size": self.request.limit + 1,
            "query": query,
            "sort": sort,
            "track_total_hits": False,
            "stored_fields": "_none_",
            "aggs": {
                **{name: _terms(name) for name in COUNTED if name not in self.filtered},
                "k4": {
                    **_terms("k4"),
                    "aggs": {name: {"sum": {"field": name}} for name in ("amount_hi", "amount_lo", "people")},
                },
            },
        }
        # Facets that come from projects need the projects counted, though "project" may have a filter.
        if "project" in self.filtered:
            body["aggs"]["project"] = _terms("project")
        if self.request.after is not None:
            body["search_after"] = list(self.request.after)
        return body

    def _apart(self, name: str) -> Body:
        counted = "project" if name in ("fund", "organization") else name
        return {
            "size": 0,
            "query": {"bool": {"filter": self.filters(without=name)}},
            "track_total_hits": False,
            "aggs": {counted: _terms(counted)},
        }

    def filters(self, without: str = "") -> list[Body]:
        """This will give the conditions of the matches, leaving out one facet's own filter."""
        request = self.request
        found: list[Body] = [{"term": {"view": str(VIEWS[request.view])}}]
        if self.tree is not None:
            found.append(clause(self.tree))
        for name in self.filtered:
            if name not in (without, "band"):
                found.append(self._facet(name))
        if without != "band":
            found += _range("amount", request.amount_min, request.amount_max)
        first, last = request.day_from, request.day_to
        return found + _range("day", first.toordinal() if first else None, last.toordinal() if last else None)

    def _facet(self, name: str) -> Body:
        keys = tuple(self.request.facets[name])
        if name == "opinion":
            codes = [OPINIONS.index(key) for key in keys if key in OPINIONS]
        else:
            codes = self.catalog.codes(name, keys)
        if name in ("fund", "organization"):
            owned = self.catalog.projects_of[name]
            codes = sorted({code for owner in codes for code in owned.get(owner, [])})
            name = "project"
        return {"terms": {name: [str(code) for code in codes]}}


def _terms(name: str) -> Body:
    return {"terms": {"field": name, "size": SIZES.get(name, OTHERS)}}


def _range(name: str, low: int | None, high: int | None) -> list[Body]:
    ends = {sign: value for sign, value in (("gte", low), ("lte", high)) if value is not None}
    return [{"range": {name: ends}}] if ends else []
