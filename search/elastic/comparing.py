"""The reconciler: the index against the public rows, by sums per range of ids every minute, by every (id, version)
daily and before a swap (search.md, Reconciler)."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Max

from apps.publication.models.rows import PublicRow
from search.elastic import writing
from search.elastic.client import alias, patient, write_alias
from search.elastic.documents import SEAL_SQL, tombstone
from search.models import Comparison, SearchIndex

log = structlog.get_logger(__name__)
RANGE = 1_000
MOST_BUCKETS = 50_000
PAGE = 10_000
KEPT = dt.timedelta(days=30)
ALIVE = {"term": {"alive": True}}

Differing = dict[int, tuple[int | None, int | None]]
"""By row: the version the public rows have (None: not public), the version the index has (None: not there)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    rows: int
    found: int
    left: list[str]


def newest(*, whole: bool | None = None) -> Comparison | None:
    """This will give the newest comparison."""
    found = Comparison.objects.filter(engine="elasticsearch").order_by("-at")
    return (found if whole is None else found.filter(whole=whole)).first()


def compare_quickly(*, now: dt.datetime) -> Outcome:
    """This will compare count, sum of versions and sum of seals per range of ids, then only differing ranges row by
    row, and mend what differs."""
    return _compare(now, whole=False)


def compare_whole(*, now: dt.datetime) -> Outcome:
    """This will compare every id and version, and mend what differs."""
    return _compare(now, whole=True)


def _compare(now: dt.datetime, *, whole: bool) -> Outcome:
    started = time.monotonic()
    name = SearchIndex.objects.filter(state="live").values_list("name", flat=True).first() or alias()
    patient().indices.refresh(index=name)
    found = differences(name) if whole else quick_differences(name)
    left: Differing = {}
    if found:
        left = mend(found, name)
    rows = PublicRow.objects.filter(alive=True).count()
    Comparison.objects.filter(at__lt=now - KEPT).delete()
    Comparison.objects.create(
        engine="elasticsearch", whole=whole, at=now, seconds=round(time.monotonic() - started, 3), rows=rows,
        differing=len(found), note=f"{len(left)} left" if left else "",
    )  # fmt: skip
    if found:
        log.warning("search.index_differed", whole=whole, rows=len(found), left=len(left))
    return Outcome(rows, len(found), [_said(pk, left[pk]) for pk in sorted(left)])


def _said(pk: int, versions: tuple[int | None, int | None]) -> str:
    ours, theirs = versions
    if theirs is None:
        return f"row {pk}: missing in the index (v{ours})"
    if ours is None:
        return f"row {pk}: in the index (v{theirs}), but not public"
    return f"row {pk}: v{ours} published, v{theirs} in the index"


# By sums


def quick_differences(name: str) -> Differing:
    """This will find differing rows by way of differing ranges."""
    top = PublicRow.objects.aggregate(top=Max("pk"))["top"] or 0
    width = max(RANGE, -(-top // MOST_BUCKETS // RANGE) * RANGE) if top // RANGE > MOST_BUCKETS else RANGE
    ours, theirs = _our_sums(width), _their_sums(name, width)
    found: Differing = {}
    for place in sorted(ours.keys() | theirs.keys()):
        if ours.get(place) != theirs.get(place):
            found |= _of_range(name, place * width, (place + 1) * width)
    return found


def _our_sums(width: int) -> dict[int, tuple[int, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id / %s, count(*), sum(version), sum({SEAL_SQL}) FROM publication_publicrow"  # noqa: S608
            " WHERE alive GROUP BY 1",
            [width],
        )
        return {int(place): (int(n), int(v), int(s)) for place, n, v, s in cursor.fetchall()}


def _their_sums(name: str, width: int) -> dict[int, tuple[int, int, int]]:
    found = patient().search(
        index=name,
        size=0,
        query=ALIVE,
        filter_path="aggregations.ids.buckets",
        aggs={
            "ids": {
                "histogram": {"field": "id", "interval": width, "min_doc_count": 1},
                "aggs": {"versions": {"sum": {"field": "version"}}, "seals": {"sum": {"field": "seal"}}},
            }
        },
    )
    buckets = found.get("aggregations", {}).get("ids", {}).get("buckets", [])
    return {
        int(each["key"]) // width: (
            each["doc_count"],
            int(each["versions"]["value"]),
            int(each["seals"]["value"]),
        )
        for each in buckets
    }


def _of_range(name: str, low: int, high: int) -> Differing:
    ours = dict(PublicRow.objects.filter(pk__gte=low, pk__lt=high, alive=True).values_list("pk", "version"))
    return _merged(sorted(ours.items()), _pages(name, {"range": {"id": {"gte": low, "lt": high}}}))


# One by one


def differences(name: str) -> Differing:
    """This will merge all public rows with all of the index, in order of ids."""
    with transaction.atomic():
        ours = PublicRow.objects.filter(alive=True).order_by("pk").values_list("pk", "version")
        return _merged(ours.iterator(chunk_size=PAGE), _pages(name))


def _pages(name: str, only: Mapping[str, Any] | None = None) -> Iterator[tuple[int, int]]:
    """Every (id, version) of an index in order of ids, from one point in time."""
    point = patient().open_point_in_time(index=name, keep_alive="1m")["id"]
    try:
        after: list[int] | None = None
        while True:
            found = patient().search(
                pit={"id": point, "keep_alive": "1m"},
                size=PAGE,
                query={"bool": {"filter": [ALIVE, *([only] if only else [])]}},
                sort=[{"id": "asc"}, {"version": "asc"}],
                stored_fields="_none_",
                track_total_hits=False,
                filter_path="pit_id,hits.hits.sort",
                search_after=after,
            )
            hits = found.get("hits", {}).get("hits", [])
            yield from ((hit["sort"][0], hit["sort"][1]) for hit in hits)
            if len(hits) < PAGE:
                return
            point, after = found["pit_id"], hits[-1]["sort"]
    finally:
        patient().options(ignore_status=404).close_point_in_time(id=point)


def _merged(ours: Iterable[tuple[int, int]], theirs: Iterable[tuple[int, int]]) -> Differing:
    found: Differing = {}
    left, right = iter(ours), iter(theirs)
    a, b = next(left, None), next(right, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a[0] < b[0]):
            assert a is not None
            found[a[0]] = (a[1], None)
            a = next(left, None)
        elif a is None or b[0] < a[0]:
            found[b[0]] = (None, b[1])
            b = next(right, None)
        else:
            if a[1] != b[1]:
                found[a[0]] = (a[1], b[1])
            a, b = next(left, None), next(right, None)
    return found


def mend(found: Differing, name: str) -> Differing:
    """This will write differing rows anew and give those that differ still. What changed meanwhile is no difference:
    its own writer is on the way. What the index has and the projection never had becomes a tombstone."""
    before = _versions(found)
    writing.write_rows(sorted(before), names=[name])
    for pk in found.keys() - before.keys():
        version = (found[pk][1] or 0) + 1
        patient().options(ignore_status=409).index(
            index=write_alias(name), id=str(pk), document=tombstone(pk, version), version=version,
            version_type="external", require_alias=True,
        )  # fmt: skip
    patient().indices.refresh(index=name)
    left: Differing = {}
    ids = sorted(found)
    for at in range(0, len(ids), RANGE):
        part = ids[at : at + RANGE]
        theirs = list(_pages(name, {"terms": {"id": part}}))
        rows = PublicRow.objects.filter(pk__in=part, alive=True).order_by("pk").values_list("pk", "version")
        left |= _merged(rows, theirs)
    now = _versions(left)
    return {pk: versions for pk, versions in left.items() if now.get(pk) == before.get(pk)}


def _versions(rows: Iterable[int]) -> dict[int, int]:
    return dict(PublicRow.objects.filter(pk__in=list(rows)).values_list("pk", "version"))
