"""Receipts for offline gifts, on demand: who gave by bank or in cash and has a name on the list may ask for one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput
from apps.core.policies import authorize
from apps.donations import policies
from apps.donations.models import GiftList, Receipt
from apps.donations.operations.numbering import draw_numbers
from apps.donations.operations.receipts import answer_what_went_back, receipt_of
from apps.donations.queries import given_now
from apps.donations.receipt_queries import gifts_without_receipt
from apps.organizations.queries import federation

AT_ONCE = 1000
"""So many in one transaction: other receipts wait for the range's row meanwhile."""


@transaction.atomic
def issue_offline_receipts(
    *, actor: Actor, gift_list: GiftList, keys: Iterable[str] | None = None, now: dt.datetime
) -> list[Receipt]:
    """This will issue receipts for a list's gifts whose payer is named, or for those of them that `keys` names: item
    and amount as given, dated now, the day the money came in the remark (G10). At most 1,000 at once.

    A gift that was given back wholly gets none; what was given back in part is answered in red at once. Safe to
    repeat. Raises BadInput when there is nothing to issue, NoReceiptNumbers.
    """
    authorize(policies.can_issue_receipt, actor, federation().pk)
    waiting = gifts_without_receipt(gift_list)
    if keys is not None:
        waiting = waiting.filter(offline_key__in=list(keys)[:AT_ONCE])
    gifts = list(waiting.select_for_update(of=("self",)).order_by("id")[:AT_ONCE])
    # A gift that waited for another cashier's lock may have its receipt by now.
    having = set(Receipt.objects.filter(gift__in=gifts).values_list("gift", flat=True))
    still = given_now(gifts)
    gifts = [gift for gift in gifts if gift.pk not in having and still[gift.pk]]
    if not gifts:
        raise BadInput(_("没有要开的票据：这些捐赠已经开过，或已经全部退还。"))
    issued = []
    for gift, (code, number) in zip(gifts, draw_numbers(len(gifts)), strict=True):
        receipt = receipt_of(gift, code, number, now)
        assert gift.received_at is not None  # the database knows no other (gift_received_has_money)
        receipt.remark = f"{civil_day(gift.received_at):%Y-%m-%d}收到"
        receipt.issued_by = actor.label[:40]
        issued.append(receipt)
    Receipt.objects.bulk_create(issued)
    for gift in gifts:
        if still[gift.pk] != gift.amount:
            issued += answer_what_went_back(gift, now)
    return issued
