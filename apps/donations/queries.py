from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Sum

from apps.donations.models import Gift, GiftCount, Receipt
from apps.donations.states import GiftStatus
from apps.funds.models import Project
from apps.funds.queries import project_earmarks
from apps.ledger.queries import figures


def target_room(project: Project) -> int:
    """This will give what a project's target still has room for, minor units: less net raised, less open payments.

    Open payments are read first: a gift that settles in between is counted twice for a moment, never not at all.
    """
    held = Gift.objects.filter(project=project, status=GiftStatus.OPENED).aggregate(n=Sum("amount"))["n"] or 0
    raised = figures(project_earmarks([project.pk]).values()).net_raised
    return project.target - held - raised


def gift_by_token(token: str) -> Gift | None:
    """This will find a gift by its unguessable token (G2)."""
    return (
        Gift.objects.select_related("fund__organization", "project__town", "payment", "receipt", "earmark")
        .filter(token=token)
        .first()
    )


def gift_counts(earmarks: Iterable[int]) -> int:
    """This will count the gifts of earmarks from counters."""
    return GiftCount.objects.filter(earmark__in=list(earmarks)).aggregate(n=Sum("gifts"))["n"] or 0




def check_receipt(number: str, check_code: str) -> Receipt | None:
    """This will find a receipt by number and check code together; one alone finds nothing (G10)."""
    return (
        Receipt.objects.select_related("gift__project", "gift__fund__organization")
        .filter(number=number.strip().zfill(10), check_code=check_code.strip().lower())
        .first()
    )
