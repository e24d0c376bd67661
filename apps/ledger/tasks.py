from __future__ import annotations

from celery import shared_task

from apps.ledger.operations import fold_quiet_earmarks


@shared_task(name="apps.ledger.tasks.fold_quiet")  # type: ignore[misc]
def fold_quiet() -> int:
    """This will fold credits that nobody spent from yet, so that no figure sums a long tail of deltas."""
    return fold_quiet_earmarks()
