"""The engines, by the name the setting SEARCH_ENGINE has."""

from __future__ import annotations

import functools
from importlib import import_module

from django.conf import settings

from search.contract import Engine

ENGINES = {
    "postgres": "search.engines.postgres:PostgresEngine",
    "elasticsearch": "search.elastic.engine:ElasticsearchEngine",
}


@functools.cache
def _made(name: str) -> Engine:
    module, _, attribute = ENGINES[name].partition(":")
    made: Engine = getattr(import_module(module), attribute)()
    return made


@functools.cache
def _with_fallback() -> Engine:
    from search.fallback import FallbackEngine

    return FallbackEngine(_made("elasticsearch"), _made("postgres"))


def engine(name: str | None = None) -> Engine:
    """This will give the engine of a name; without one the configured one, with PostgreSQL behind Elasticsearch."""
    if name is None and settings.SEARCH_ENGINE == "elasticsearch":
        return _with_fallback()
    return _made(name or settings.SEARCH_ENGINE)
