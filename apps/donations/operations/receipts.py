from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput, DomainError
from apps.core.events import publish
from apps.core.policies import authorize
from apps.donations import policies
from apps.donations.events import LinkAsked
from apps.donations.models import Gift, Receipt, ReceiptRange
from apps.donations.operations.numbering import draw_numbers
from apps.donations.operations.receiving import count_gifts
from apps.donations.operations.teaming import count_team_gifts
from apps.donations.queries import gift_of_receipt, receipts_of_gift, still_given
from apps.donations.states import GiftStatus, Source
from apps.organizations.queries import federation


class RangesMeet(BadInput):
    code = "receipt_ranges_meet"
    message = _("这些号码里有的已经录入过。请对照财政部门的核发单，核对起号和止号。")
    field = "first"


class NoAddress(DomainError):
    code = "no_address"
    message = _("捐赠时没有填邮箱，网址没法寄出。请带着票据到慈善总会核对身份后补发。")


@transaction.atomic
def ask_for_lost_link(*, actor: Actor, receipt: Receipt, now: dt.datetime) -> None:
    """This will have the link of a receipt's gift mailed to the address given with it, once a day (G2).

    A receipt passes through accountants' hands, so the link is never shown to whoever holds it. Raises NoAddress.
    """
    authorize(policies.can_open_gift, actor)
    gift = gift_of_receipt(receipt)
    if gift is None or not gift.email:
        raise NoAddress()
    publish(LinkAsked(gift_id=gift.pk, day=civil_day(now).isoformat()))


@transaction.atomic
def assign_receipt_range(
    *, actor: Actor, code: str, first: int, last: int, is_demonstration: bool = False
) -> ReceiptRange:
    """This will enter a code and number range that the finance bureau assigned (G10). Raises BadInput for a bad shape
    or numbers that another range has (one entered a second time is the same range)."""
    authorize(policies.can_assign_receipt_range, actor, federation().pk)
    if not (code.isdigit() and len(code) == 8 and 0 < first <= last < 10**10):
        raise BadInput(_("票据代码是8位数字，号码不超过10位，起号不大于止号。"), field="code")
    try:
        with transaction.atomic():
            assigned, created = ReceiptRange.objects.get_or_create(
                code=code,
                first=first,
                defaults={"last": last, "next": first, "is_demonstration": is_demonstration},
            )
    except IntegrityError as error:
        raise RangesMeet() from error
    if not created and assigned.last != last:
        raise RangesMeet()
    return assigned


@transaction.atomic
def issue_receipts(*, actor: Actor, gift_ids: Iterable[int], now: dt.datetime) -> list[Receipt]:
    """This will issue the receipts of received online gifts, numbers without gap under any concurrency: the range's row
    is locked until the receipts are committed. Counts the gifts per earmark in the same transaction, once.

    Safe to repeat. Raises NoReceiptNumbers when the ranges are used up; nothing is lost, it is tried again.
    """
    authorize(policies.can_record_donation, actor)
    gifts = list(
        Gift.objects.select_for_update(of=("self",))
        .select_related("project", "fund")
        .filter(pk__in=list(gift_ids), status=GiftStatus.RECEIVED, source=Source.ONLINE, receipt__isnull=True)
        .order_by("id")
    )
    # A gift that waited for another worker's lock may have its receipt by now.
    having = set(Receipt.objects.filter(gift__in=gifts).values_list("gift", flat=True))
    gifts = [gift for gift in gifts if gift.pk not in having]
    issued = [
        receipt_of(gift, code, number, now)
        for gift, (code, number) in zip(gifts, draw_numbers(len(gifts)), strict=True)
    ]
    Receipt.objects.bulk_create(issued)
    count_gifts(Counter(gift.earmark_id for gift in gifts if gift.earmark_id))
    count_team_gifts((gift, 1, gift.amount) for gift in gifts)
    return issued


@transaction.atomic
def correct_receipts(*, actor: Actor, gift_id: int, now: dt.datetime) -> list[Receipt]:
    """This will bring a gift's receipts to what is still given (G10): what went back is answered in red letters (冲红),
    what came back after all by a receipt that answers the red one, in the same numbering without gap.

    Reads what is due from refunds and lost disputes, so it may run any number of times, in any order. A gift that has
    no receipt of ours (offline) needs none. Raises NoReceiptNumbers.
    """
    authorize(policies.can_record_donation, actor)
    gift = Gift.objects.select_for_update(of=("self",)).get(pk=gift_id)
    issue_receipts(actor=actor, gift_ids=[gift.pk], now=now)
    return answer_what_went_back(gift, now)


def answer_what_went_back(gift: Gift, now: dt.datetime) -> list[Receipt]:
    """This will issue what a locked gift's receipts lack to add up to what is still given (see correct_receipts)."""
    rows = list(receipts_of_gift(gift))
    if not rows:
        return []
    short = still_given(gift) - sum(row.amount for row in rows)
    parts = _answers(rows, short)
    issued = [
        Receipt.objects.create(
            answers=answered, code=code, number=number, payer=answered.payer, payer_code=answered.payer_code,
            item=answered.item, amount=amount, currency=gift.currency, remark=red_remark(answered, amount),
            issued_at=now,
        )
        for (answered, amount), (code, number) in zip(parts, draw_numbers(len(parts)), strict=True)
    ]  # fmt: skip
    count_team_gifts((gift, 0, receipt.amount) for receipt in issued)
    return issued


def red_remark(answered: Receipt, amount: int) -> str:
    """This will name code and number of the receipt that a red-letter one answers, in a receipt's words (Chinese)."""
    word = "冲红" if amount < 0 else "恢复"
    return f"{word}，对应票据代码{answered.code} 号码{answered.number}"


def _answers(rows: list[Receipt], short: int) -> list[tuple[Receipt, int]]:
    """Which receipts are answered, newest first, by how much: red for what went back, positive for what came back."""
    answered = Counter[int]()
    for row in rows:
        if row.answers_id:
            answered[row.answers_id] += row.amount
    parts: list[tuple[Receipt, int]] = []
    for row in reversed(rows):
        room = row.amount + answered[row.pk]
        if short and room and (row.amount > 0) == (short < 0):
            amount = min(abs(short), abs(room)) * (1 if short > 0 else -1)
            parts.append((row, amount))
            short -= amount
    return parts


def receipt_of(gift: Gift, code: str, number: str, now: dt.datetime) -> Receipt:
    """This will make a gift's receipt, not stored yet."""
    item = gift.project.name if gift.project and not gift.late else gift.fund.name
    return Receipt(gift=gift, code=code, number=number, payer=gift.payer, payer_code=gift.payer_code,
                   item=item, amount=gift.amount, currency=gift.currency, issued_at=now)  # fmt: skip
