from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Sum

from apps.donations.models import Gift, GiftCount
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


def gift_counts_by_earmark(earmarks: Iterable[int]) -> dict[int, int]:
    """This will give {earmark: gifts received} from counters."""
    return dict(GiftCount.objects.filter(earmark__in=list(earmarks)).values_list("earmark", "gifts"))


def gift_counts(earmarks: Iterable[int]) -> int:
    """This will count the gifts of earmarks from counters."""
    return sum(gift_counts_by_earmark(earmarks).values())
