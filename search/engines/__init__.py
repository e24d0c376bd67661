"""The engines, by the name the setting SEARCH_ENGINE has."""

from __future__ import annotations

import functools
from importlib import import_module

from django.conf import settings

from search.contract import Engine

ENGINES = {"postgres": "search.engines.postgres:PostgresEngine"}


@functools.cache
def engine(name: str | None = None) -> Engine:
    """This will give the engine of a name, the configured one by default; the embedded one where none such stands."""
    path = ENGINES.get(name or settings.SEARCH_ENGINE, ENGINES["postgres"])
    module, _, attribute = path.partition(":")
    made: Engine = getattr(import_module(module), attribute)()
    return made
