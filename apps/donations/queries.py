from __future__ import annotations

from collections.abc import Iterable
from hmac import compare_digest

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


def gift_counts_by_earmark(earmarks: Iterable[int]) -> dict[int, int]:
    """This will give {earmark: gifts received} from counters."""
    return dict(GiftCount.objects.filter(earmark__in=list(earmarks)).values_list("earmark", "gifts"))


def gift_counts(earmarks: Iterable[int]) -> int:
    """This will count the gifts of earmarks from counters."""
    return sum(gift_counts_by_earmark(earmarks).values())


def receipt_by_number(number: str, check_code: str) -> Receipt | None:
    """This will find a receipt by its number and check code (G10); both must be right."""
    if not number.isascii() or not number.isdigit():
        return None
    found = Receipt.objects.select_related("gift").filter(number=number.zfill(10)[-10:])
    return next(
        (receipt for receipt in found if compare_digest(receipt.check_code.encode(), check_code.encode())),
        None,
    )


def masked(name: str) -> str:
    """This will hide a name but for its first character, for whoever holds the paper to compare."""
    return name[:1] + "*" * min(len(name) - 1, 3) if name else ""
