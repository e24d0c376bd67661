from __future__ import annotations

from celery import shared_task

from apps.core import clock
from apps.donations.models import GiftImport, ReceiptBundle
from apps.donations.operations import bundling, lists
from apps.donations.states import IN_WORK, BundleStatus

LONGEST = 2 * 3600
"""Seconds: a list of a million gifts takes longer than other tasks may; a second worker is kept off by the lock."""


@shared_task(name="apps.donations.tasks.work_import", time_limit=LONGEST)  # type: ignore[misc]
def work_import(pk: int) -> bool:
    """This will go on with an import that a doorbell named."""
    return lists.work_import(pk=pk, now=clock.now())


@shared_task(name="apps.donations.tasks.sweep_imports", time_limit=LONGEST)  # type: ignore[misc]
def sweep_imports() -> int:
    """This will go on with imports whose worker was killed or never asked, and end forgotten ones."""
    now = clock.now()
    waiting = list(
        GiftImport.objects.filter(status__in=IN_WORK).order_by("id").values_list("pk", flat=True)[:20]
    )
    return sum(lists.work_import(pk=pk, now=now) for pk in waiting) + lists.end_forgotten_imports(now=now)


@shared_task(name="apps.donations.tasks.work_bundle")  # type: ignore[misc]
def work_bundle(pk: int) -> bool:
    """This will make one part of a bundle and ask for the next: other tasks get their turn in between."""
    more = bundling.work_bundle(pk=pk, now=clock.now())
    if more:
        work_bundle.delay(pk)
    return more


@shared_task(name="apps.donations.tasks.sweep_bundles")  # type: ignore[misc]
def sweep_bundles() -> int:
    """This will go on with bundles whose worker was killed or never asked, and delete those that are a week old."""
    for pk in ReceiptBundle.objects.filter(status=BundleStatus.MAKING).values_list("pk", flat=True)[:20]:
        work_bundle.delay(pk)
    return bundling.delete_old_bundles(now=clock.now())
