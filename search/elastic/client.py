"""The connection to Elasticsearch, and what its faults mean to us."""

from __future__ import annotations

import functools

from django.conf import settings
from elasticsearch import ApiError, Elasticsearch, TransportError

from search.contract import SearchUnavailable

SEARCH_SECONDS = 5.0
WRITE_SECONDS = 60.0
FAULTS = (ApiError, TransportError)


class NoIndex(SearchUnavailable):
    """No index stands behind the alias: it was never built, or the cluster lost it."""

    code = "search_no_index"


@functools.cache
def _client(url: str) -> Elasticsearch:
    return Elasticsearch(url, request_timeout=SEARCH_SECONDS, max_retries=0, retry_on_timeout=False)


def client() -> Elasticsearch:
    """This will give the client for searching: quick to give up, no retries. Raises SearchUnavailable when
    ELASTICSEARCH_URL is not set."""
    if not settings.ELASTICSEARCH_URL:
        raise SearchUnavailable()
    return _client(settings.ELASTICSEARCH_URL)


def patient() -> Elasticsearch:
    """This will give the client for writing and comparing, which may take longer."""
    return client().options(request_timeout=WRITE_SECONDS)


def alias() -> str:
    """This will name the alias that searches go to."""
    return str(settings.SEARCH_INDEX)


def write_alias(index: str) -> str:
    """This will name the alias that writes go to: with require_alias a lost index is an error, never made anew by a
    stray write with guessed types."""
    return f"{index}-write"
