from __future__ import annotations

from collections.abc import Iterable
from hmac import compare_digest

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from apps.core.errors import NotFound
from apps.donations.models import Gift, GiftCount, GiftRedirect, Receipt
from apps.donations.states import GiftStatus
from apps.funds.models import Project
from apps.funds.queries import project_earmarks
from apps.ledger.queries import figures


def target_room(project: Project) -> int:
    """This will give what a project's target still has room for, minor units: less net raised, less open payments.

    Open payments are read first: a gift that settles in between is counted twice for a moment, never not at all.
    """
    held = Gift.objects.filter(project=project, status=GiftStatus.OPENED).aggregate(n=Sum("amount"))["n"] or 0
    return project.target - held - counted_to_target(project)


def counted_to_target(project: Project) -> int:
    """This will give what counts to a project's target, minor units: net raised, and late gifts that donors gave it."""
    given = GiftRedirect.objects.filter(project=project).aggregate(n=Sum("amount"))["n"] or 0
    return figures(project_earmarks([project.pk]).values()).net_raised + int(given)


RECENT = 201
"""So many of a project's newest gifts make its typical one: no page reads all of them."""


def typical_gift(project: Project) -> int | None:
    """This will give the median of a project's newest gifts, minor units; None for fewer than 5 (F5)."""
    newest = Gift.objects.filter(project=project, status=GiftStatus.RECEIVED).order_by("-received_at", "-id")
    amounts = sorted(newest.values_list("amount", flat=True)[:RECENT])
    return amounts[len(amounts) // 2] if len(amounts) >= 5 else None


class UnknownGift(NotFound):
    code = "unknown_gift"
    message = _("没有这笔捐赠。请检查网址是否完整，它是您付款时得到的那一个。")


def find_gift(token: str) -> Gift:
    """This will find a gift by its unguessable token (G2). Raises UnknownGift."""
    found = (
        Gift.objects.select_related("fund__organization", "project__town", "payment", "receipt", "earmark")
        .filter(token=token)
        .first()
    )
    if found is None:
        raise UnknownGift()
    return found


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
