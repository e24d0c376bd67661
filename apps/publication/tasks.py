from __future__ import annotations

from celery import shared_task

from apps.core import clock
from apps.publication.releases import release_due


@shared_task(name="apps.publication.tasks.release_aid")  # type: ignore[misc]
def release_aid() -> int:
    """This will make the releases of aid that are due (every few minutes)."""
    return len(release_due(now=clock.now()))
