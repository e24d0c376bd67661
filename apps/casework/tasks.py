from __future__ import annotations

from celery import shared_task

from apps.casework import operations
from apps.core import clock


@shared_task(name="apps.casework.tasks.work_registry_lists")  # type: ignore[misc]
def work_registry_lists() -> int:
    """This will read and apply the lists that wait; a page rings, the clock sweeps."""
    return operations.work_registry_lists(now=clock.now())


@shared_task(name="apps.casework.tasks.keep_files")  # type: ignore[misc]
def keep_files() -> int:
    """This will lower income tiers and marks of disability that ended, and remove files nobody needs."""
    now = clock.now()
    ended = operations.lower_ended_tiers(now=now) + operations.lower_ended_disabilities(now=now)
    return ended + operations.sweep_files(now=now)
