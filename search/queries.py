"""What the public may know of the index: which engine answers, how fresh it is (S3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings

from search.elastic import comparing, writing
from search.models import Comparison

LATE = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the index is behind: `waiting_since` the oldest change that is not in it yet, `newest` the newest
    comparison with the public rows. With PostgreSQL nothing can be behind: the rows are the index."""

    engine: str
    waiting_since: dt.datetime | None
    newest: Comparison | None
    late: bool


def freshness(now: dt.datetime) -> Freshness:
    """This will tell how fresh the index is."""
    if settings.SEARCH_ENGINE != "elasticsearch":
        return Freshness("postgres", None, None, False)
    waiting, newest = writing.oldest_waiting(), comparing.newest()
    late = newest is None or now - newest.at > LATE or (waiting is not None and now - waiting > LATE)
    return Freshness("elasticsearch", waiting, newest, late or bool(newest and newest.note))
