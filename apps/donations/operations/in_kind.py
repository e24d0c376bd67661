"""Receipts for goods (实物捐赠): issued by a cashier, and answered in red letters when they were wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.actors import Actor
from apps.core.clock import civil_day
from apps.core.errors import BadInput, Conflict
from apps.core.idempotency import claim
from apps.core.money import Money, zero
from apps.core.policies import authorize
from apps.donations import policies
from apps.donations.models import Receipt, ReceiptLine
from apps.donations.operations.numbering import draw_numbers
from apps.donations.operations.receipts import red_remark
from apps.donations.states import Basis, ReceiptKind
from apps.organizations.models import check_uscc
from apps.organizations.queries import federation

MOST_LINES = 20
PLACES = 3
"""Decimals a quantity may have."""


class TotalDiffers(BadInput):
    code = "total_differs"
    message = _("合计和各行加起来不一样。请核对数量、单价和合计。")
    field = "total"


class AlreadyAnswered(Conflict):
    code = "receipt_already_answered"
    message = _("这张票据已经冲红过，不能再冲红一次。")


class SameForm(Conflict):
    code = "receipt_form_sent_twice"
    message = _("这张表已经提交过，票据已经开出。请在票据列表里查看。")


@dataclass(frozen=True, slots=True)
class GoodsLine:
    """One kind of goods: how much, what one unit is worth, and how that was found (a source, unless by invoice)."""

    item: str
    unit: str
    quantity: Decimal
    unit_value: Money
    basis: str
    basis_source: str = ""

    @property
    def value(self) -> Money:
        """This will give quantity x unit value, half a fen and more rounded up."""
        fen = (self.quantity * self.unit_value.minor).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return Money(int(fen), self.unit_value.currency)

    @property
    def places(self) -> int:
        """This will give the decimals the quantity was written with."""
        exponent = self.quantity.as_tuple().exponent
        return max(-exponent, 0) if isinstance(exponent, int) else 0


@transaction.atomic
def issue_in_kind_receipt(
    *, actor: Actor, key: str, payer: str, payer_code: str = "", received_on: dt.date, lines: Sequence[GoodsLine],
    total: Money, remark: str = "", now: dt.datetime,
) -> Receipt:  # fmt: skip
    """This will issue the receipt of goods that were given (G10), at fair value, one line for each kind of goods.

    It posts nothing to the ledger: goods are entered there by the goods room. `key` makes the form safe to send
    twice. Raises BadInput for a line that is not whole, TotalDiffers, NoReceiptNumbers.
    """
    authorize(policies.can_issue_receipt, actor, federation().pk)
    _check(payer, payer_code, received_on, lines, now)
    if sum((line.value for line in lines), zero()).minor != total.minor:
        raise TotalDiffers()
    if not claim("donations.in_kind_receipt", key):
        raise SameForm()
    ((code, number),) = draw_numbers(1)
    first = lines[0].item[:60]
    said = f"实物捐赠，{received_on:%Y-%m-%d}收到"
    receipt = Receipt.objects.create(
        kind=ReceiptKind.IN_KIND, code=code, number=number, payer=payer, payer_code=payer_code,
        item=first if len(lines) == 1 else f"{first}等{len(lines)}项", amount=total.minor, currency=total.currency,
        remark=f"{said}。{remark}" if remark else said, issued_by=actor.label[:40], issued_at=now,
    )  # fmt: skip
    ReceiptLine.objects.bulk_create(
        ReceiptLine(
            receipt=receipt, n=n, item=line.item, unit=line.unit, quantity=line.quantity, places=line.places,
            unit_value=line.unit_value.minor, amount=line.value.minor, basis=line.basis,
            basis_source=line.basis_source,
        )
        for n, line in enumerate(lines, 1)
    )  # fmt: skip
    return receipt


@transaction.atomic
def answer_in_kind_receipt(*, actor: Actor, receipt: Receipt, reason: str, now: dt.datetime) -> Receipt:
    """This will answer an in-kind receipt wholly in red letters (冲红), every line with it.

    Raises BadInput without a reason or for another kind of receipt, AlreadyAnswered, NoReceiptNumbers.
    """
    authorize(policies.can_issue_receipt, actor, federation().pk)
    if receipt.kind != ReceiptKind.IN_KIND or receipt.answers_id:
        raise BadInput(_("只有实物捐赠的原票据可以在这里冲红；货币捐赠的票据随退款自动冲红。"))
    if not reason.strip():
        raise BadInput(_("请写明冲红的原因，它会印在红字票据上。"), field="reason")
    ((code, number),) = draw_numbers(1)
    # The range's row is locked now, so nobody else is just answering the same receipt.
    if receipt.answered_by.exists():
        raise AlreadyAnswered()
    red = Receipt.objects.create(
        kind=ReceiptKind.IN_KIND, answers=receipt, code=code, number=number, payer=receipt.payer,
        payer_code=receipt.payer_code, item=receipt.item, amount=-receipt.amount, currency=receipt.currency,
        remark=f"{red_remark(receipt, -1)}。{reason.strip()}"[:200], issued_by=actor.label[:40], issued_at=now,
    )  # fmt: skip
    ReceiptLine.objects.bulk_create(
        ReceiptLine(
            receipt=red, n=line.n, item=line.item, unit=line.unit, quantity=-line.quantity, places=line.places,
            unit_value=line.unit_value, amount=-line.amount, basis=line.basis, basis_source=line.basis_source,
        )
        for line in receipt.lines.all()
    )  # fmt: skip
    return red


def _check(payer: str, code: str, received_on: dt.date, lines: Sequence[GoodsLine], now: dt.datetime) -> None:
    if not payer.strip():
        raise BadInput(_("请填写捐赠人。票据要写明是谁捐的。"), field="payer")
    if code:
        try:
            check_uscc(code)
        except ValidationError as error:
            raise BadInput(str(error.messages[0]), field="payer_code") from error
    if received_on > civil_day(now):
        raise BadInput(_("收到的日期还没有到。"), field="received_on")
    if not 1 <= len(lines) <= MOST_LINES:
        raise BadInput(_("一张票据1到20行。物品更多时，请分几张开。"))
    for line in lines:
        if not (line.item.strip() and line.unit.strip() and line.basis in Basis.values):
            raise BadInput(_("每一行都要有物品、单位和计价依据。"))
        if line.basis != Basis.INVOICE and not line.basis_source.strip():
            raise BadInput(_("按市场价或评估计价，请写明来源。"))
        if (
            line.quantity <= 0
            or line.places > PLACES
            or line.quantity >= 10**11
            or line.unit_value.minor <= 0
        ):
            raise BadInput(_("数量和单价都要大于零，数量最多3位小数。"))
        if line.unit_value.currency != "CNY" or not line.value:
            raise BadInput(_("物品按人民币计价，每行至少1分。"))
