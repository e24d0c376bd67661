"""What is left of a gift: as its page shows it, by releases (C4), and as it is, for whoever decides on a refund."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Sum

from apps.donations.models import Gift, GiftRedirect, Refund
from apps.donations.states import RefundStatus
from apps.ledger.queries import gift_allocations, refundable
from apps.publication.queries import public_of_entries


def truly_left(refund: Refund) -> int:
    """This will give what could be given back of a requested refund's gift, minor units, to whoever decides."""
    return refundable(refund.gift.earmark_id, refund.gift_id) if refund.gift.earmark_id else 0


def publicly_unspent(gift: Gift, refunds: Sequence[Refund], unspent: int | None = None) -> int:
    """This will give what of a gift its own page shows as unspent (`unspent` where it has been traced already), minor
    units, less what is on its way back and what its donor gave another project. A payment of aid counts from its
    release on, not before (C4)."""
    if gift.earmark_id is None:
        return 0
    left = traced_unspent(gift) if unspent is None else unspent
    left -= sum(each.amount for each in refunds if each.status == RefundStatus.APPROVED)
    if gift.late:
        left -= GiftRedirect.objects.filter(gift=gift).aggregate(n=Sum("amount"))["n"] or 0
    return max(left, 0)


def traced_unspent(gift: Gift) -> int:
    """This will give a received gift less its fee, refunds, disputes and public uses, minor units."""
    taken = gift_allocations(gift.pk)
    told = public_of_entries(each.entry for each in taken if each.kind == "spent")
    gone = sum(
        each.amount for each in taken
        if each.kind in ("fee", "refund", "dispute") or (each.kind == "spent" and each.entry in told)
    )  # fmt: skip
    return gift.amount - gone
