from __future__ import annotations

from celery import shared_task

from apps.core import clock
from apps.core.actors import system
from apps.wishes import operations

ACTOR = system("wishes.clock")


@shared_task(name="apps.wishes.tasks.keep_wishes")  # type: ignore[misc]
def keep_wishes() -> int:
    """This will end claims and wishes whose time is over (W2, W3), every minute; safe to run twice at once."""
    done, now = 0, clock.now()
    while step := operations.free_overdue(actor=ACTOR, now=now) + operations.expire_wishes(
        actor=ACTOR, now=now
    ):
        done += step
    return done
