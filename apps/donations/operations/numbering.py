"""Receipt numbers: of the ranges the finance bureau assigned, in order, without a gap."""

from __future__ import annotations

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.donations.models import ReceiptRange


class NoReceiptNumbers(DomainError):
    code = "no_receipt_numbers"
    message = _("没有可用的票据号段。请出纳录入财政部门核发的票据代码和号段，票据会自动补开。")


def draw_numbers(count: int) -> list[tuple[str, str]]:
    """This will draw `count` (code, number) pairs in the present transaction, whatever kind of receipt they are for.

    A range's row stays locked until the receipts are committed, so that a number is never left out. Raises
    NoReceiptNumbers.
    """
    drawn: list[tuple[str, str]] = []
    while len(drawn) < count:
        numbers = ReceiptRange.objects.select_for_update().filter(next__lte=F("last")).order_by("id").first()
        if numbers is None:
            raise NoReceiptNumbers()
        some = min(count - len(drawn), numbers.last + 1 - numbers.next)
        drawn += [(numbers.code, f"{numbers.next + i:010d}") for i in range(some)]
        numbers.next += some
        numbers.save(update_fields=["next"])
    return drawn
