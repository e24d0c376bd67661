from __future__ import annotations

from celery import shared_task
from django.conf import settings

from apps.core import clock
from search import bulk
from search.contract import SearchUnavailable
from search.elastic import comparing, indices, writing
from search.elastic.client import FAULTS
from search.exports import jobs
from search.models import ExportJob
from search.states import ExportStatus

LONGEST = 2 * 3600
"""Seconds: a rebuild of millions of rows takes longer than other tasks may."""


@shared_task(name="search.tasks.index_waiting")  # type: ignore[misc]
def index_waiting() -> int:
    """This will write the rows that wait for the index (after each change, and every 15 seconds). A cluster that is
    away changes nothing: the rows wait on."""
    if not settings.ELASTICSEARCH_URL:
        return 0
    try:
        return writing.index_waiting()
    except SearchUnavailable:
        return 0


@shared_task(name="search.tasks.compare_index", time_limit=LONGEST)  # type: ignore[misc]
def compare_index() -> int:
    """This will compare the index with the public rows by sums and mend it (every minute); an index that is missing
    or of an older schema is built anew. Returns how many rows differed."""
    return _compare(whole=False)


@shared_task(name="search.tasks.compare_index_whole", time_limit=LONGEST)  # type: ignore[misc]
def compare_index_whole() -> int:
    """This will compare every row of the index (daily)."""
    return _compare(whole=True)


def _compare(*, whole: bool) -> int:
    if not settings.ELASTICSEARCH_URL:
        return 0
    now = clock.now()
    try:
        if not indices.stands():
            indices.rebuild(now=now)
        compare = comparing.compare_whole if whole else comparing.compare_quickly
        return compare(now=now).found
    except (SearchUnavailable, *FAULTS):
        return 0


@shared_task(name="search.tasks.work_export")  # type: ignore[misc]
def work_export(pk: int) -> bool:
    """This will make one part of an export and ask for the next: other tasks get their turn in between."""
    more = jobs.work_export(pk=pk, now=clock.now())
    if more:
        work_export.delay(pk)
    return more


@shared_task(name="search.tasks.sweep_exports")  # type: ignore[misc]
def sweep_exports() -> int:
    """This will go on with exports whose worker was killed or never asked, and delete those that are two days old."""
    making = ExportJob.objects.filter(status=ExportStatus.MAKING).order_by("id")
    for pk in making.values_list("pk", flat=True)[:20]:
        work_export.delay(pk)
    return jobs.delete_old_exports(now=clock.now())


@shared_task(name="search.tasks.build_bulk", time_limit=LONGEST)  # type: ignore[misc]
def build_bulk() -> bool:
    """This will make the files of everything published (nightly)."""
    return bulk.build_bulk(now=clock.now()) is not None
