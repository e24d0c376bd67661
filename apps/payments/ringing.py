"""The doorbell of the inbox: a task is asked for after the event is stored; beat finds it anyway."""

from __future__ import annotations

from django.db import transaction


def ring_inbox() -> None:
    """This will ask a worker to look into the inbox after commit; a broker that is away delays it, never fails it."""
    from apps.payments.tasks import process_inbox

    transaction.on_commit(lambda: process_inbox.delay())


def ring_refunds() -> None:
    """This will ask a worker to send refunds after commit; beat finds them anyway."""
    from apps.payments.tasks import send_refunds

    transaction.on_commit(lambda: send_refunds.delay())
