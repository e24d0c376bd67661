"""Invariant 6: what the search finds is what is published, both ways (quality.md)."""

from __future__ import annotations

from apps.core.invariants import Finding
from search.engines import engine


def index_is_the_published_set() -> Finding:
    """This will compare the configured engine with the published rows, one by one."""
    chosen = engine()
    wrong = chosen.reconcile()
    status = chosen.status()
    figure = f"{status['uses']} + {status['reports']} ({chosen.name})" if not wrong else f"{len(wrong):,}"
    return Finding(figure, wrong[:50])
