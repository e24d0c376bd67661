from __future__ import annotations

from celery import shared_task

from apps.core import clock
from apps.core.events import deliver_due


@shared_task(name="apps.core.tasks.deliver")  # type: ignore[misc]
def deliver(ids: list[int]) -> int:
    """This will deliver the outbox rows a doorbell named."""
    return deliver_due(now=clock.now(), only=ids, limit=len(ids))


@shared_task(name="apps.core.tasks.sweep_outbox")  # type: ignore[misc]
def sweep_outbox() -> int:
    """This will deliver everything that is due, whatever the doorbell did (every 30 seconds)."""
    done = 0
    while step := deliver_due(now=clock.now(), limit=500):
        done += step
    return done


def ring(ids: list[int]) -> None:
    """This will ask a worker to deliver new rows at once; a broker that is away only delays them."""
    deliver.delay(ids)
