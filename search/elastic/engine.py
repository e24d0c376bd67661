"""Elasticsearch as an engine of the contract: one request a question, however many facets are filtered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.clock import now
from search.catalog import Catalog, catalog
from search.contract import FACETS, SearchAnswer, SearchRequest, SearchUnavailable
from search.elastic import comparing, indices
from search.elastic.asking import Asking, Body
from search.elastic.client import FAULTS, NoIndex, alias, client
from search.elastic.documents import HALF
from search.engines.answers import Counts, answer, rolled_up

KEPT = "hits.hits.sort,aggregations.*.buckets,error,status,timed_out,_shards.failed"


class ElasticsearchEngine:
    name = "elasticsearch"

    def search(self, request: SearchRequest) -> SearchAnswer:
        """This will answer a question. Raises the query's limits, or SearchUnavailable after five seconds."""
        return self.search_many([request])[0]

    def search_many(self, requests: Sequence[SearchRequest]) -> list[SearchAnswer]:
        """This will answer several questions in one request."""
        values = catalog()
        as_of = now()
        asked = [Asking(request, values) for request in requests]
        bodies = [body for asking in asked for body in asking.bodies()]
        try:
            found = _ask(bodies)
        except FAULTS as error:
            raise SearchUnavailable() from error
        answers, at = [], 0
        for asking in asked:
            size = 1 + len(asking.filtered)
            counts = _counts(asking, found[at : at + size], values)
            answers.append(answer(counts, asking.request, values, as_of, self.name))
            at += size
        return answers

    def status(self) -> dict[str, str | int]:
        """This will say what the index holds."""
        return indices.status()

    def reconcile(self) -> list[str]:
        """This will compare the whole index with the public rows, mend what differs, and name what still differs."""
        try:
            return comparing.compare_whole(now=now()).left
        except FAULTS as error:
            raise SearchUnavailable() from error

    def rebuild(self) -> int:
        """This will build a new index beside the live one and put it in its place."""
        try:
            return indices.rebuild(now=now())
        except FAULTS as error:
            raise SearchUnavailable() from error


def _ask(bodies: list[Body]) -> list[Mapping[str, Any]]:
    if len(bodies) == 1:
        response = client().search(
            index=alias(), allow_partial_search_results=False, filter_path=KEPT, **bodies[0]
        )
        return [_whole(response)]
    searches: list[Body] = []
    for body in bodies:
        searches += [{"index": alias(), "allow_partial_search_results": False}, body]
    kept = ",".join(f"responses.{name}" for name in KEPT.split(","))
    answers = client().msearch(searches=searches, filter_path=kept)
    return [_whole(each) for each in answers.get("responses", [{"error": "nothing"}] * len(bodies))]


def _whole(response: Any) -> Mapping[str, Any]:
    """Nothing is approximate: an answer with a part missing is no answer."""
    if response.get("status") == 404:
        raise NoIndex()
    if "error" in response or response.get("timed_out") or response.get("_shards", {}).get("failed"):
        raise SearchUnavailable()
    whole: Mapping[str, Any] = response
    return whole


def _counts(asking: Asking, found: Sequence[Mapping[str, Any]], values: Catalog) -> Counts:
    page, apart = found[0], dict(zip(asking.filtered, found[1:], strict=True))
    counts = Counts()
    for bucket in _buckets(page, "k4"):
        amount = int(bucket["amount_hi"]["value"]) * HALF + int(bucket["amount_lo"]["value"])
        counts.groups.append(
            (int(bucket["key"]), bucket["doc_count"], amount, int(bucket["people"]["value"]))
        )
    for facet in (*FACETS, "band"):
        source = apart.get(facet, page)
        if facet in ("fund", "organization"):
            counts.facets[facet] = rolled_up(facet, _counted(source, "project"), values)
        else:
            counts.facets[facet] = _counted(source, facet)
    hits = page.get("hits", {}).get("hits", [])
    counts.hits = [tuple(int(value) for value in hit["sort"]) for hit in hits]
    return counts


def _buckets(response: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    buckets: list[Mapping[str, Any]] = response.get("aggregations", {}).get(name, {}).get("buckets", [])
    return buckets


def _counted(response: Mapping[str, Any], name: str) -> Counter[int]:
    return Counter({int(bucket["key"]): bucket["doc_count"] for bucket in _buckets(response, name)})
