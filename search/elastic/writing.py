"""Writing rows to every listed index, with back-pressure. A write is a whole document with its row's version: a stale
one is refused by Elasticsearch and counts as done, so order, repetition and lateness don't matter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog
from django.db import connection
from django.db.models import Min
from elasticsearch.helpers import streaming_bulk

from apps.publication.models.rows import PublicRow
from search.contract import SearchUnavailable
from search.elastic.client import FAULTS, patient, write_alias
from search.elastic.documents import actions
from search.models import SearchIndex, WaitingRow

log = structlog.get_logger(__name__)
STEP = 1_000
CHUNK = 500
CHUNK_BYTES = 5 * 1024 * 1024
RETRIES = 6
STALE = 409


@dataclass(frozen=True, slots=True)
class Written:
    written: int = 0
    stale: int = 0


def listed() -> list[str]:
    """This will name every index that a change must reach: the live one and one that is being built."""
    return list(SearchIndex.objects.order_by("id").values_list("name", flat=True))


def write_rows(ids: Iterable[int], *, names: Sequence[str] | None = None) -> Written:
    """This will read rows from the projection and write them to the named indices, or to all listed ones.

    Waits and tries again while Elasticsearch says 429 (its queue is full). Raises SearchUnavailable when anything but a
    stale version was refused in the end. Not inside a transaction: it speaks to another server.
    """
    done = Written()
    wanted = list(ids)
    targets = [write_alias(name) for name in (listed() if names is None else names)]
    for at in range(0, len(wanted), STEP):
        rows = PublicRow.objects.filter(pk__in=wanted[at : at + STEP]).select_related("heading")
        part = send(list(rows), targets)
        done = Written(done.written + part.written, done.stale + part.stale)
    return done


def send(rows: Sequence[PublicRow], targets: Sequence[str]) -> Written:
    """This will send rows to write aliases."""
    written = stale = 0
    refused: list[str] = []
    if not rows or not targets:
        return Written()
    try:
        answers = streaming_bulk(
            patient(),
            actions(rows, targets),
            chunk_size=CHUNK,
            max_chunk_bytes=CHUNK_BYTES,
            raise_on_error=False,
            max_retries=RETRIES,
            initial_backoff=0.2,
            max_backoff=5,
            require_alias=True,
        )
        for fine, item in answers:
            told = item["index"]
            if fine:
                written += 1
            elif told.get("status") == STALE:
                stale += 1
            elif not _gone(told):
                refused.append(str(told.get("error"))[:200])
    except FAULTS as error:
        raise SearchUnavailable() from error
    if refused:
        log.warning("search.rows_refused", number=len(refused), first=refused[0])
        raise SearchUnavailable()
    return Written(written, stale)


def _gone(told: dict[str, object]) -> bool:
    """An index that was taken off the list since we read it needs nothing; a listed one that is lost is rebuilt by the
    next comparison."""
    return told.get("status") == 404


def note_changed(ids: Sequence[int]) -> None:
    """This will note rows that have to be written."""
    WaitingRow.objects.bulk_create([WaitingRow(row=pk) for pk in dict.fromkeys(ids)], batch_size=2000)


def index_waiting(*, most: int = 20_000) -> int:
    """This will write the rows that wait and return how many notes were worked off. Any number of workers may call
    this; nothing is held while Elasticsearch is asked."""
    worked = 0
    while worked < most:
        notes = list(WaitingRow.objects.order_by("id").values_list("id", "row")[:STEP])
        if not notes:
            break
        write_rows(dict.fromkeys(row for _, row in notes))
        WaitingRow.objects.filter(pk__in=[pk for pk, _ in notes]).delete()
        worked += len(notes)
    return worked


def oldest_waiting() -> dt.datetime | None:
    """This will tell since when the index lags: the time of the oldest change not known to be in it."""
    since: dt.datetime | None = WaitingRow.objects.aggregate(since=Min("since"))["since"]
    return since


def rows_after(last: int, *, tombstones_since: dt.datetime, step: int = STEP) -> list[PublicRow]:
    """This will read the next rows of a copy in order of their ids: all public ones, and the tombstones of late."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.id FROM publication_publicrow r LEFT JOIN publication_publicrowtext t ON t.row_id = r.id"
            " WHERE r.id > %s AND (r.alive OR t.withdrawn_at >= %s) ORDER BY r.id LIMIT %s",
            [last, tombstones_since, step],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    return list(PublicRow.objects.filter(pk__in=ids).select_related("heading").order_by("pk"))
