"""The life of an index: made under a name of its own, filled while every change goes to it as well, compared, swapped
in behind the alias by one call, the old one deleted (search.md, Life of an index)."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import connection, transaction
from elasticsearch import NotFoundError

from search.contract import SearchUnavailable
from search.elastic import comparing, writing
from search.elastic.client import FAULTS, alias, patient, write_alias
from search.elastic.documents import SCHEMA, index_body
from search.models import SearchIndex

log = structlog.get_logger(__name__)
LOCK = 0x5EA5C401
TOMBSTONES = dt.timedelta(days=1)
ROUNDS = 5
ALIVE = {"term": {"alive": True}}


class RebuildRunning(SearchUnavailable):
    """Another worker is building an index."""

    code = "search_rebuild_running"


@contextmanager
def _alone() -> Iterator[None]:
    """One rebuild at a time; the lock goes with a killed worker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise RebuildRunning()
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def live() -> str | None:
    """This will name the index that answers."""
    return SearchIndex.objects.filter(state="live").values_list("name", flat=True).first()


def stands() -> bool:
    """This will tell whether the live index is there, behind the alias, and of the present schema."""
    name = live()
    if name is None or not name.startswith(f"{alias()}-v{SCHEMA}-"):
        return False
    return bool(patient().indices.exists_alias(name=alias(), index=name)) and bool(
        patient().indices.exists_alias(name=write_alias(name), index=name)
    )


def rebuild(*, now: dt.datetime) -> int:
    """This will build a new index while the old one answers and writing goes on, and return its number of rows.

    Raises RebuildRunning when another worker builds, SearchUnavailable when Elasticsearch fails or both sides still
    differ after five rounds of mending; the old index then stays.
    """
    with _alone():
        _drop_unfinished()
        name = f"{alias()}-v{SCHEMA}-{now:%Y%m%d%H%M%S}-{secrets.token_hex(2)}"
        try:
            patient().indices.create(index=name, **index_body(), aliases={write_alias(name): {}})
            # From here on every writer that reads the list sends here too; what was committed before is copied.
            SearchIndex.objects.create(name=name, state="building")
            _copy(name, now)
            _agree(name)
            patient().indices.put_settings(index=name, settings={"refresh_interval": "1s"})
            return _swap(name)
        except BaseException:
            _drop_unfinished(quietly=True)
            raise


def _copy(name: str, now: dt.datetime) -> None:
    last = 0
    targets = [write_alias(name)]
    while rows := writing.rows_after(last, tombstones_since=now - TOMBSTONES):
        writing.send(rows, targets)
        last = rows[-1].pk


def _agree(name: str) -> None:
    """Compares every row and mends, until nothing differs but what is being changed this very moment."""
    left: comparing.Differing = {}
    for _round in range(ROUNDS):
        patient().indices.refresh(index=name)
        left = comparing.mend(comparing.differences(name), name)
        if not left:
            return
    log.warning("search.rebuild_differs", index=name, rows=len(left))
    raise SearchUnavailable()


def _swap(name: str) -> int:
    old = [index for index in _behind_alias() if index != name]
    patient().indices.update_aliases(
        actions=[
            *({"remove": {"index": index, "alias": alias()}} for index in old),
            {"add": {"index": name, "alias": alias(), "filter": ALIVE}},
        ]
    )
    with transaction.atomic():
        SearchIndex.objects.exclude(name=name).delete()
        SearchIndex.objects.filter(name=name).update(state="live")
    for index in old:
        patient().options(ignore_status=404).indices.delete(index=index)
    return int(patient().count(index=alias())["count"])


def _behind_alias() -> list[str]:
    try:
        return list(patient().indices.get_alias(name=alias()))
    except NotFoundError:
        return []


def _drop_unfinished(*, quietly: bool = False) -> None:
    """What a killed rebuild left is deleted: it is known by its row, and only the holder of the lock builds."""
    for index in SearchIndex.objects.filter(state="building"):
        try:
            patient().options(ignore_status=404).indices.delete(index=index.name)
        except FAULTS:
            if not quietly:
                raise
        index.delete()


def status() -> dict[str, str | int]:
    """This will say what the index holds, how much waits and how old the newest comparison is."""
    name = live() or ""
    waiting = writing.oldest_waiting()
    newest = comparing.newest()
    told: dict[str, str | int] = {"engine": "elasticsearch", "index": name}
    try:
        found = patient().search(
            index=alias(), size=0, track_total_hits=True,
            aggs={"view": {"terms": {"field": "view"}}, "version": {"max": {"field": "version"}}},
        )  # fmt: skip
        views = {bucket["key"]: bucket["doc_count"] for bucket in found["aggregations"]["view"]["buckets"]}
        stats = patient().indices.stats(index=name, metric="store")["_all"]["primaries"]["store"]
        told |= {
            "uses": views.get("0", 0),
            "reports": views.get("1", 0),
            "last_version": int(found["aggregations"]["version"]["value"] or 0),
            "index_size": f"{stats['size_in_bytes'] / 1e6:.1f} MB",
        }
    except FAULTS as error:
        told["error"] = type(error).__name__
    told["waiting_since"] = waiting.isoformat(timespec="seconds") if waiting else "-"
    told["compared_at"] = newest.at.isoformat(timespec="seconds") if newest else "-"
    return told
