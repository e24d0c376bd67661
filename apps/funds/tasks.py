from __future__ import annotations

from celery import shared_task

from apps.core import clock
from apps.core.actors import system
from apps.funds.operations import close_ended_campaigns


@shared_task(name="apps.funds.tasks.close_ended")  # type: ignore[misc]
def close_ended() -> int:
    """This will close campaigns whose end date has passed."""
    return close_ended_campaigns(actor=system("funds.clock"), now=clock.now())
