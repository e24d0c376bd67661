"""Elasticsearch with PostgreSQL behind it: a fault opens the breaker, and until it closes the embedded engine answers,
labelled. Both give the same answers, so a reader loses time, never a number."""

from __future__ import annotations

import dataclasses
import threading
import time

import structlog

from search.contract import Engine, SearchAnswer, SearchRequest, SearchUnavailable

log = structlog.get_logger(__name__)
REST = 10.0
"""Seconds that a faulty engine is left alone before one request tries it again."""

LABEL = "postgres (fallback)"


class Breaker:
    """Closed: requests go through. Open for REST seconds after a fault: none does. Then one tries, others still don't,
    and its outcome decides. One per process."""

    def __init__(self, rest: float = REST) -> None:
        self.rest = rest
        self._lock = threading.Lock()
        self._until = 0.0

    def lets_through(self) -> bool:
        """This will tell whether to try; whoever is told so after a rest is the only one."""
        with self._lock:
            if not self._until:
                return True
            if time.monotonic() < self._until:
                return False
            self._until = time.monotonic() + self.rest
            return True

    def worked(self) -> None:
        with self._lock:
            self._until = 0.0

    def failed(self) -> None:
        with self._lock:
            self._until = time.monotonic() + self.rest

    @property
    def open(self) -> bool:
        return bool(self._until)


class FallbackEngine:
    """The engine of a site whose SEARCH_ENGINE is elasticsearch."""

    name = "elasticsearch"

    def __init__(self, first: Engine, second: Engine, breaker: Breaker | None = None) -> None:
        self.first, self.second = first, second
        self.breaker = breaker or Breaker()

    def search(self, request: SearchRequest) -> SearchAnswer:
        """This will answer from the first engine, or labelled from the second. Raises the query's limits, and
        SearchUnavailable when neither can."""
        if self.breaker.lets_through():
            try:
                answer = self.first.search(request)
            except SearchUnavailable as error:
                self.breaker.failed()
                log.warning("search.engine_away", error=repr(error.__cause__ or error)[:200])
            else:
                self.breaker.worked()
                return answer
        return dataclasses.replace(self.second.search(request), engine=LABEL)

    def status(self) -> dict[str, str | int]:
        return self.first.status()

    def reconcile(self) -> list[str]:
        """This will compare both: the projection with its texts, and the index with the projection."""
        return self.second.reconcile() + self.first.reconcile()

    def rebuild(self) -> int:
        return self.first.rebuild()
